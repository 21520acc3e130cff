#include "daemon/service/rows/proposal_rows.h"

#include <algorithm>
#include <utility>

#include "daemon/base/bytes.h"
#include "daemon/base/seal.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/row_codec.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

using base::Decoder;
using base::Encoder;

constexpr uint8_t kProposalFormat = 1;
constexpr uint8_t kNamesFormat = 1;
constexpr char kRows = 'p';
constexpr char kRequests = 'r';
constexpr size_t kMaxSealedNames = kMaxSummaryBytes + 4'096;

std::string KeyOf(char kind, const base::ProposalId& id) { return kind + std::string(base::View(id.bytes)); }

void PutPerson(Encoder& out, const Person& person) {
  out.Byte(static_cast<uint8_t>(person.kind));
  out.String(person.name);
  out.Varint(person.marks.size());
  for (const base::Digest& mark : person.marks) out.Raw(base::View(mark));
}

Person GetPerson(Decoder& in) {
  Person person;
  const uint8_t kind = in.Byte();
  if (kind > static_cast<uint8_t>(PersonKind::kUser)) in.Fail();
  person.kind = static_cast<PersonKind>(kind);
  person.name = in.String(kMaxPersonBytes);
  const uint64_t marks = in.Varint();
  if (marks > kMaxMarks) in.Fail();
  for (uint64_t i = 0; in.ok() && i < marks; ++i) person.marks.push_back(in.Array<32>());
  return person;
}

absl::Status DamagedProposal() { return DamagedRow("the row of a proposal"); }

}  // namespace

std::string EncodeProposal(const ProposalRow& row) {
  std::string bytes;
  Encoder out(&bytes);
  out.Byte(kProposalFormat);
  out.Raw(base::View(row.id.bytes));
  out.Byte(static_cast<uint8_t>(row.act));
  out.Byte(static_cast<uint8_t>(row.state));
  PutTime(out, row.proposed_at);
  PutTime(out, row.expires_at);
  PutTime(out, row.decided_at);
  out.Raw(base::View(row.request));
  out.String(row.basis);
  out.String(row.sealed);
  return bytes;
}

bool DecodeProposal(std::string_view bytes, ProposalRow* row) {
  *row = ProposalRow{};
  Decoder in(bytes);
  if (in.Byte() != kProposalFormat) return false;
  row->id.bytes = in.Array<16>();
  const uint8_t act = in.Byte();
  const uint8_t state = in.Byte();
  if (act < 1 || act > static_cast<uint8_t>(ProposedAct::kActivatePolicy)) return false;
  if (state < 1 || state > static_cast<uint8_t>(ProposalState::kExpired)) return false;
  row->act = static_cast<ProposedAct>(act);
  row->state = static_cast<ProposalState>(state);
  row->proposed_at = GetTime(in);
  row->expires_at = GetTime(in);
  row->decided_at = GetTime(in);
  row->request = in.Array<32>();
  row->basis = in.String(kMaxBasisBytes);
  row->sealed = in.String(kMaxSealedNames);
  const bool undecided = row->state == ProposalState::kOpen || row->state == ProposalState::kExpired;
  return in.Done() && row->decided_at.IsSet() != undecided;
}

std::string EncodeProposalNames(const ProposalNames& names) {
  std::string bytes;
  Encoder out(&bytes);
  out.Byte(kNamesFormat);
  PutPerson(out, names.proposer);
  PutPerson(out, names.decider);
  out.String(names.summary);
  out.String(names.outcome);
  return bytes;
}

bool DecodeProposalNames(std::string_view bytes, ProposalNames* names) {
  *names = ProposalNames{};
  Decoder in(bytes);
  if (in.Byte() != kNamesFormat) return false;
  names->proposer = GetPerson(in);
  names->decider = GetPerson(in);
  names->summary = in.String(kMaxSummaryBytes);
  names->outcome = in.String(kMaxOutcomeBytes);
  return in.Done();
}

std::string ProposalKey(const base::ProposalId& id) { return KeyOf(kRows, id); }
std::string ProposedRequestKey(const base::ProposalId& id) { return KeyOf(kRequests, id); }
bool IsProposalKey(std::string_view key) { return key.size() == 17 && key.front() == kRows; }

base::SubjectHandle WrapHandleOf(const base::ProposalId& id) {
  base::SubjectHandle handle;
  handle.bytes = id.bytes;
  return handle;
}

std::string ProposalShareKey(const base::Keys& keys, const base::ProposalId& id) {
  return std::string(base::View(keys.DiskHash("proposal", base::View(id.bytes))));
}

base::PayloadKey NewProposalKey(const Core& core, const base::ProposalId& id) {
  return core.shares.NewPayloadKey(WrapHandleOf(id), core.random);
}

std::string SealProposalNames(const base::Digest& key, const ProposalNames& names, const base::ProposalId& id,
                              base::Random& random) {
  return base::Seal(key, EncodeProposalNames(names), base::View(id.bytes), random);
}

absl::StatusOr<base::Digest> ProposalKeyOf(const Core& core, const base::ProposalId& id) {
  const auto share = core.store.Get(kProposalPartition, store::Table::kKeyShare, ProposalShareKey(core.keys, id));
  if (absl::IsNotFound(share.status())) return NoSuchProposal();
  if (!share.ok()) return StoreUnreadable();
  absl::StatusOr<base::Digest> key = core.shares.OpenShare(WrapHandleOf(id), *share);
  if (!key.ok()) return DamagedRow("the key of a proposal");
  return key;
}

absl::StatusOr<ProposalNames> OpenProposalNames(const base::Digest& key, const ProposalRow& row) {
  const absl::StatusOr<std::string> plain = base::Open(key, row.sealed, base::View(row.id.bytes));
  ProposalNames names;
  if (!plain.ok() || !DecodeProposalNames(*plain, &names)) return DamagedProposal();
  return names;
}

absl::Status NoSuchProposal() {
  return wire::MakeError(
      v1::ERROR_REASON_PROPOSAL_NOT_FOUND,
      "there is no proposal of that proposal_id: it never was, or ended so long ago that it made way");
}

absl::StatusOr<ProposalRow> LoadProposal(const Core& core, const base::ProposalId& id, std::string* bytes) {
  absl::StatusOr<std::string> stored = core.store.Get(kProposalPartition, store::Table::kProposal, ProposalKey(id));
  if (absl::IsNotFound(stored.status())) return NoSuchProposal();
  if (!stored.ok()) return StoreUnreadable();
  ProposalRow row;
  if (!DecodeProposal(*stored, &row) || row.id != id) return DamagedProposal();
  *bytes = *std::move(stored);
  return row;
}

absl::StatusOr<std::vector<ProposalRow>> LoadProposals(const Core& core) {
  std::vector<ProposalRow> rows;
  bool damaged = false;
  const absl::Status scanned =
      core.store.Scan(kProposalPartition, store::Table::kProposal, std::string(1, kRows), std::string(1, kRows + 1),
                      SIZE_MAX, [&](std::string_view, std::string_view value) {
                        damaged = !DecodeProposal(value, &rows.emplace_back());
                        return !damaged;
                      });
  if (!scanned.ok()) return StoreUnreadable();
  if (damaged) return DamagedProposal();
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.proposed_at > b.proposed_at; });
  return rows;
}

absl::StatusOr<std::string> LoadProposedRequest(const Core& core, const base::Digest& key, const base::ProposalId& id) {
  const auto stored = core.store.Get(kProposalPartition, store::Table::kProposal, ProposedRequestKey(id));
  if (!stored.ok() && !absl::IsNotFound(stored.status())) return StoreUnreadable();
  absl::StatusOr<std::string> plain = absl::NotFoundError("none");
  if (stored.ok()) plain = base::Open(key, *stored, base::View(id.bytes));
  if (!plain.ok()) return DamagedRow("what a proposal proposes");
  return plain;
}

}  // namespace consent::service
