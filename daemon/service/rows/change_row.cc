#include "daemon/service/rows/change_row.h"

#include "daemon/base/bounds.h"
#include "daemon/base/bytes.h"

namespace consent::service {
namespace {

using base::Decoder;
using base::Encoder;

constexpr uint8_t kRowFormat = 3;
constexpr uint8_t kPayloadFormat = 4;
constexpr uint8_t kPayloadOfRecording = 5;  // the same, and a recording with a note behind it
constexpr uint8_t kPayloadOfJoin = 6;       // the same without a recording, and accounts behind it
constexpr size_t kMaxAccounts = domain::kMaxJoinedFrom + 2;
constexpr size_t kMaxCallerBytes = 64;
constexpr size_t kMaxPersonBytes = 96;
constexpr size_t kMaxDetailBytes = 256;
constexpr size_t kMaxParts = 1024;
constexpr size_t kMaxChanges = 16384;
constexpr size_t kMaxBlobBytes = 1 << 20;
constexpr size_t kMaxNames = 1024;
constexpr size_t kMaxShown = base::kMaxParts + 1;

constexpr uint8_t kPartChanged = 128;
constexpr uint8_t kPartHasDetail = 64;
constexpr uint8_t kChangeHasEnd = 128;   // beside a purpose's number
constexpr uint8_t kChangeLoosens = 128;  // beside the number of what changed

void PutScope(Encoder& out, const domain::ScopeRef& scope) {
  out.Byte(static_cast<uint8_t>(scope.kind));
  if (scope.kind != domain::ScopeKind::kAccount) out.Raw(base::View(scope.handle));
}

domain::ScopeRef GetScope(Decoder& in) {
  domain::ScopeRef scope;
  const uint8_t kind = in.Byte();
  if (kind > static_cast<uint8_t>(domain::ScopeKind::kDevice)) in.Fail();
  scope.kind = static_cast<domain::ScopeKind>(kind);
  if (scope.kind != domain::ScopeKind::kAccount) scope.handle = in.Array<16>();
  return scope;
}

void PutPart(Encoder& out, const domain::PartOutcome& part) {
  out.Byte(static_cast<uint8_t>(static_cast<uint8_t>(part.refusal) | (part.changed ? kPartChanged : 0) |
                                (part.detail.empty() ? 0 : kPartHasDetail)));
  if (!part.detail.empty()) out.String(part.detail);
}

domain::PartOutcome GetPart(Decoder& in) {
  domain::PartOutcome part;
  const uint8_t bits = in.Byte();
  const uint8_t refusal = bits & 63;
  if (refusal > static_cast<uint8_t>(domain::Refusal::kLast)) in.Fail();
  part.refusal = static_cast<domain::Refusal>(refusal);
  part.changed = (bits & kPartChanged) != 0;
  if ((bits & kPartHasDetail) == 0) return part;
  part.detail = in.String(kMaxDetailBytes);
  if (part.detail.empty()) in.Fail();
  return part;
}

void PutChange(Encoder& out, const domain::FactChange& change) {
  out.Byte(static_cast<uint8_t>(static_cast<uint8_t>(change.what) | (change.loosens ? kChangeLoosens : 0)));
  PutScope(out, change.scope);
  switch (change.what) {
    case domain::ChangedWhat::kPurpose:
      out.Byte(static_cast<uint8_t>(static_cast<uint8_t>(change.purpose) |
                                    (change.holds_until.IsSet() ? kChangeHasEnd : 0)));
      out.Byte(static_cast<uint8_t>(static_cast<uint8_t>(change.from) << 4 | static_cast<uint8_t>(change.to)));
      if (change.holds_until.IsSet()) out.Varint(static_cast<uint64_t>(change.holds_until.micros));
      break;
    case domain::ChangedWhat::kRetention:
      out.Byte(static_cast<uint8_t>(change.retention.kind));
      out.Byte(change.retention.months);
      break;
    case domain::ChangedWhat::kFlags:
      out.Byte(change.flags);
      break;
    case domain::ChangedWhat::kRefusedAgain:
      out.Byte(static_cast<uint8_t>(change.purpose));
      break;
    default:
      break;
  }
}

domain::FactChange GetChange(Decoder& in) {
  domain::FactChange change;
  const uint8_t bits = in.Byte();
  const auto what = static_cast<uint8_t>(bits & ~kChangeLoosens);
  if (what < 1 || what > static_cast<uint8_t>(domain::ChangedWhat::kLast)) in.Fail();
  change.loosens = (bits & kChangeLoosens) != 0;
  change.what = static_cast<domain::ChangedWhat>(what);
  change.scope = GetScope(in);
  if (change.what == domain::ChangedWhat::kPurpose) {
    const uint8_t purpose_bits = in.Byte();
    const auto purpose = static_cast<uint8_t>(purpose_bits & ~kChangeHasEnd);
    const uint8_t choices = in.Byte();
    if (purpose < 1 || purpose > domain::kPurposes || (choices >> 4) > 3 || (choices & 15) > 3) in.Fail();
    change.purpose = static_cast<domain::Purpose>(purpose);
    change.from = static_cast<domain::Choice>(choices >> 4 & 3);
    change.to = static_cast<domain::Choice>(choices & 3);
    if ((purpose_bits & kChangeHasEnd) != 0) change.holds_until.micros = static_cast<int64_t>(in.Varint());
    const bool real = base::Instant{} < change.holds_until && change.holds_until <= base::kLastInstant;
    if ((purpose_bits & kChangeHasEnd) != 0 && !real) in.Fail();
  } else if (change.what == domain::ChangedWhat::kRetention) {
    const uint8_t kind = in.Byte();
    if (kind > static_cast<uint8_t>(domain::RetentionKind::kDoNotSave)) in.Fail();
    change.retention.kind = static_cast<domain::RetentionKind>(kind);
    change.retention.months = in.Byte();
  } else if (change.what == domain::ChangedWhat::kFlags) {
    change.flags = in.Byte();
  } else if (change.what == domain::ChangedWhat::kRefusedAgain) {
    const uint8_t purpose = in.Byte();
    if (purpose < 1 || purpose > domain::kPurposes) in.Fail();
    change.purpose = static_cast<domain::Purpose>(purpose);
  }
  return change;
}

domain::ShownText GetShown(Decoder& in) {
  domain::ShownText shown;
  const uint8_t kind = in.Byte();
  if (kind < 1 || kind > static_cast<uint8_t>(domain::ShownKind::kControl)) in.Fail();
  shown.kind = static_cast<domain::ShownKind>(kind);
  shown.name = in.String(base::kMaxNameBytes);
  shown.language = in.String(base::kMaxLanguageBytes);
  shown.sha256 = in.Array<32>();
  return shown;
}

bool IsPlain(ChangeKind kind) { return kind >= kFirstOfOthers; }

}  // namespace

std::string EncodeChangeRow(const ChangeRow& row) {
  std::string bytes;
  bytes.reserve(row.facts.size() + row.sealed.size() + 96);
  Encoder out(&bytes);
  out.Byte(kRowFormat);
  out.Byte(static_cast<uint8_t>(row.kind));
  out.Varint(row.previous);
  out.String(row.policy_version);
  out.Byte(static_cast<uint8_t>(row.channel));
  out.Byte(row.registered_now ? 1 : 0);
  out.Byte(row.flags);
  out.Varint(row.parts.size());
  for (const domain::PartOutcome& part : row.parts) PutPart(out, part);
  out.Varint(row.changes.size());
  for (const domain::FactChange& change : row.changes) PutChange(out, change);
  out.String(row.facts);
  out.String(row.sealed);
  if (IsPlain(row.kind)) {
    out.String(row.caller);
    out.Raw(base::View(row.nonce));
  }
  return bytes;
}

bool DecodeChangeRow(std::string_view bytes, ChangeRow* row) {
  *row = ChangeRow{};
  Decoder in(bytes);
  if (in.Byte() != kRowFormat) return false;
  row->kind = static_cast<ChangeKind>(in.Byte());
  if (!IsKnown(row->kind)) return false;
  row->previous = in.Varint();
  row->policy_version = in.String(64);
  const uint8_t channel = in.Byte();
  const uint8_t registered = in.Byte();
  if (channel > static_cast<uint8_t>(domain::Channel::kImport) || registered > 1) return false;
  row->channel = static_cast<domain::Channel>(channel);
  row->registered_now = registered == 1;
  row->flags = in.Byte();
  const uint64_t parts = in.Varint();
  if (parts > kMaxParts) return false;
  for (uint64_t i = 0; in.ok() && i < parts; ++i) row->parts.push_back(GetPart(in));
  const uint64_t changes = in.Varint();
  if (changes > kMaxChanges) return false;
  for (uint64_t i = 0; in.ok() && i < changes; ++i) row->changes.push_back(GetChange(in));
  row->facts = in.String(kMaxBlobBytes);
  row->sealed = in.String(kMaxBlobBytes);
  if (IsPlain(row->kind)) {
    row->caller = in.String(kMaxCallerBytes);
    row->nonce = in.Array<32>();
  }
  return in.Done();
}

void Blind(const base::Digest& nonce, std::string* body, base::Digest* commitment) {
  body->resize(body->size() - nonce.size());
  std::string blinded(base::View(nonce));
  blinded.append(*body);
  *commitment = base::Sha256(blinded);
  body->append(base::View(nonce));
}

std::string EncodePayload(const Payload& payload) {
  std::string bytes;
  Encoder out(&bytes);
  const bool of_recording = !payload.recording_id.empty();
  const bool of_join = !payload.accounts.empty() && !of_recording;
  out.Byte(of_recording ? kPayloadOfRecording : of_join ? kPayloadOfJoin : kPayloadFormat);
  out.String(payload.evidence);
  out.String(payload.caller);
  out.Varint(payload.names.size());
  for (const auto& [scope, name] : payload.names) {
    PutScope(out, scope);
    out.String(name);
  }
  out.Varint(payload.guardians.size());
  for (const auto& [guardian, name] : payload.guardians) {
    out.Raw(base::View(guardian.bytes));
    out.String(name);
  }
  out.Varint(payload.shown.size());
  for (const domain::ShownText& shown : payload.shown) {
    out.Byte(static_cast<uint8_t>(shown.kind));
    out.String(shown.name);
    out.String(shown.language);
    out.Raw(base::View(shown.sha256));
  }
  out.String(payload.account_id);
  out.String(payload.proposed_by);
  out.String(payload.approved_by);
  if (of_recording) {
    out.String(payload.recording_id);
    out.String(payload.note);
  }
  if (of_join) {
    out.Varint(payload.accounts.size());
    for (const auto& [account, name] : payload.accounts) {
      out.Raw(base::View(account.bytes));
      out.String(name);
    }
  }
  return bytes;
}

bool DecodePayload(std::string_view bytes, Payload* payload) {
  *payload = Payload{};
  Decoder in(bytes);
  const uint8_t format = in.Byte();
  if (format < kPayloadFormat || format > kPayloadOfJoin) return false;
  payload->evidence = in.String(kMaxBlobBytes);
  payload->caller = in.String(kMaxCallerBytes);
  const uint64_t names = in.Varint();
  if (names > kMaxNames) return false;
  for (uint64_t i = 0; in.ok() && i < names; ++i) {
    const domain::ScopeRef scope = GetScope(in);
    payload->names.emplace_back(scope, in.String(base::kMaxIdBytes));
  }
  const uint64_t guardians = in.Varint();
  if (guardians > kMaxNames) return false;
  for (uint64_t i = 0; in.ok() && i < guardians; ++i) {
    base::GuardianHandle guardian;
    guardian.bytes = in.Array<16>();
    payload->guardians.emplace_back(guardian, in.String(base::kMaxIdBytes));
  }
  const uint64_t shown = in.Varint();
  if (shown > kMaxShown) return false;
  for (uint64_t i = 0; in.ok() && i < shown; ++i) payload->shown.push_back(GetShown(in));
  payload->account_id = in.String(base::kMaxIdBytes);
  payload->proposed_by = in.String(kMaxPersonBytes);
  payload->approved_by = in.String(kMaxPersonBytes);
  if (format == kPayloadOfRecording) {
    payload->recording_id = in.String(base::kMaxIdBytes);
    if (payload->recording_id.empty()) in.Fail();
    payload->note = in.String(base::kMaxNoteBytes);
  }
  if (format == kPayloadOfJoin) {
    const uint64_t accounts = in.Varint();
    if (accounts == 0 || accounts > kMaxAccounts) return false;
    for (uint64_t i = 0; in.ok() && i < accounts; ++i) {
      base::SubjectHandle account;
      account.bytes = in.Array<16>();
      payload->accounts.emplace_back(account, in.String(base::kMaxIdBytes));
    }
  }
  return in.Done();
}

}  // namespace consent::service
