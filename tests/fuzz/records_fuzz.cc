// Bytes of stored records. The first byte says of which kind; the rest is the record. What decodes must encode again to
// something that decodes to the same, and where a format is canonical to the very same bytes.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "daemon/domain/facts_codec.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/erasure_rows.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/rows/policy_rows.h"
#include "daemon/service/rows/proposal_rows.h"
#include "daemon/service/rows/safety_flag_rows.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/service/rows/sweep_rows.h"
#include "daemon/service/rows/system_rows.h"
#include "daemon/service/rows/task_rows.h"
#include "daemon/service/state/policy_book.h"
#include "daemon/service/state/tokens.h"
#include "tests/support/base/seeded_keys.h"

namespace {

using namespace consent;

void Require(bool condition) {
  if (!condition) std::abort();
}

void FuzzFacts(std::string_view bytes) {
  domain::SubjectFacts facts;
  if (!domain::DecodeFacts(bytes, &facts)) {
    Require(facts == domain::SubjectFacts());
    return;
  }
  std::string again;
  domain::EncodeFacts(facts, &again);
  Require(again == bytes);
}

void FuzzChangeRow(std::string_view bytes) {
  service::ChangeRow row;
  if (service::DecodeChangeRow(bytes, &row)) Require(service::EncodeChangeRow(row) == bytes);
}

void FuzzPayload(std::string_view bytes) {
  service::Payload payload;
  if (service::DecodePayload(bytes, &payload)) Require(service::EncodePayload(payload) == bytes);
}

void FuzzMarks(std::string_view bytes) {
  base::SubjectHandle subject;
  base::RecordingHandle recording;
  domain::RecordingState marks;
  if (service::DecodeMarksRow(bytes, &subject, &recording, &marks)) {
    Require(service::EncodeMarksRow(subject, recording, marks) == bytes);
  }
}

void FuzzRequest(std::string_view bytes) {
  service::RequestRow row;
  if (service::DecodeRequestRow(bytes, &row)) Require(service::EncodeRequestRow(row) == bytes);
}

void FuzzDeletion(std::string_view bytes) {
  service::DeletionRow row;
  if (service::DecodeDeletionRow(bytes, &row)) Require(service::EncodeDeletionRow(row) == bytes);
}

void FuzzDeletionBySubject(std::string_view bytes) {
  service::DeletionBySubjectRow row;
  if (service::DecodeDeletionBySubjectRow(bytes, &row)) Require(service::EncodeDeletionBySubjectRow(row) == bytes);
}

void FuzzHold(std::string_view bytes) {
  service::HoldRow row;
  if (service::DecodeHoldRow(bytes, &row)) Require(service::EncodeHoldRow(row) == bytes);
}

void FuzzErasure(std::string_view bytes) {
  base::Instant since;
  store::EraseTargets targets;
  if (service::DecodeWaiting(bytes, &since, &targets)) Require(service::EncodeWaiting(since, targets) == bytes);
}

void FuzzCurrentPolicy(std::string_view bytes) {
  service::CurrentPolicy current;
  if (service::DecodeCurrentPolicy(bytes, &current)) Require(service::EncodeCurrentPolicy(current) == bytes);
}

void FuzzTask(std::string_view bytes) {
  service::TaskRow row;
  if (service::DecodeTaskRow(bytes, &row)) Require(service::EncodeTaskRow(row) == bytes);
}

void FuzzSystem(std::string_view bytes) {
  service::SystemRow row;
  if (service::DecodeSystemRow(bytes, &row)) Require(service::EncodeSystemRow(row) == bytes);
}

void FuzzSweep(std::string_view bytes) {
  service::SweepRow row;
  if (service::DecodeSweepRow(bytes, &row)) Require(service::EncodeSweepRow(row) == bytes);
}

void FuzzSafetyFlag(std::string_view bytes) {
  service::SafetyFlagRow row;
  if (service::DecodeSafetyFlagRow(bytes, &row)) Require(service::EncodeSafetyFlagRow(row) == bytes);
}

void FuzzSuspension(std::string_view bytes) {
  service::SuspensionRow row;
  if (service::DecodeSuspension(bytes, &row)) Require(service::EncodeSuspension(row) == bytes);
}

void FuzzProposal(std::string_view bytes) {
  service::ProposalRow row;
  if (service::DecodeProposal(bytes, &row)) Require(service::EncodeProposal(row) == bytes);
  service::ProposalNames names;
  if (service::DecodeProposalNames(bytes, &names)) Require(service::EncodeProposalNames(names) == bytes);
}

void FuzzToken(std::string_view text) {
  static const service::Tokens tokens(test::SeededKeys(1), base::Bytes16{1});
  if (const auto revision = tokens.DecodeRevision(text)) Require(tokens.Encode(*revision) == text);
  if (const auto page = tokens.DecodePage(text, "listing")) Require(tokens.Encode(*page, "listing") == text);
  if (const auto id = base::ParseId<base::DeletionId>(text)) Require(base::IdText(*id) == text);
  // The same under a tag that fits, which no amount of guessing would find.
  base::Decoder in(text);
  const service::Revision made{store::Partition{static_cast<uint16_t>(in.BigEndian(2))}, in.BigEndian(8)};
  Require(tokens.DecodeRevision(tokens.Encode(made)) == made);
}

void FuzzSubjectRow(std::string_view bytes) {
  base::SubjectHandle subject;
  std::string_view facts;
  if (service::SplitSubjectRow(bytes, &subject, &facts)) Require(service::EncodeSubjectRow(subject, facts) == bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'f':
      FuzzFacts(rest);
      break;
    case 'c':
      FuzzChangeRow(rest);
      break;
    case 'p':
      FuzzPayload(rest);
      break;
    case 'm':
      FuzzMarks(rest);
      break;
    case 'r':
      FuzzRequest(rest);
      break;
    case 's':
      FuzzSuspension(rest);
      break;
    case 'P':
      FuzzProposal(rest);
      break;
    case 't':
      FuzzToken(rest);
      break;
    case 'u':
      FuzzSubjectRow(rest);
      break;
    case 'd':
      FuzzDeletion(rest);
      break;
    case 'k':
      FuzzTask(rest);
      break;
    case 'b':
      FuzzDeletionBySubject(rest);
      break;
    case 'h':
      FuzzHold(rest);
      break;
    case 'e':
      FuzzErasure(rest);
      break;
    case 'i':
      FuzzCurrentPolicy(rest);
      break;
    case 'w':
      FuzzSweep(rest);
      break;
    case 'g':
      FuzzSafetyFlag(rest);
      break;
    case 'y':
      FuzzSystem(rest);
      break;
    default:
      break;
  }
  return 0;
}
