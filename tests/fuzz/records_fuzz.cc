// Bytes of stored records. The first byte says of which kind; the rest is the record. What decodes must encode again to
// something that decodes to the same, and where a format is canonical to the very same bytes.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "daemon/domain/facts_codec.h"
#include "daemon/service/rows/cap_rows.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/rows/decision_log_row.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/erasure_rows.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/rows/key_share_rows.h"
#include "daemon/service/rows/month_key_rows.h"
#include "daemon/service/rows/policy_rows.h"
#include "daemon/service/rows/population_rows.h"
#include "daemon/service/rows/proposal_rows.h"
#include "daemon/service/rows/review_rows.h"
#include "daemon/service/rows/safety_flag_rows.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/service/rows/sweep_rows.h"
#include "daemon/service/rows/system_rows.h"
#include "daemon/service/rows/task_rows.h"
#include "daemon/service/rows/verification_row.h"
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

// Of a row that one struct holds: what decodes is what was encoded.
template <typename Row>
void FuzzRow(std::string_view bytes, bool (*decode)(std::string_view, Row*), std::string (*encode)(const Row&)) {
  Row row{};
  if (decode(bytes, &row)) Require(encode(row) == bytes);
}

void FuzzMarks(std::string_view bytes) {
  base::SubjectHandle subject;
  base::RecordingHandle recording;
  domain::RecordingState marks;
  if (service::DecodeMarksRow(bytes, &subject, &recording, &marks)) {
    Require(service::EncodeMarksRow(subject, recording, marks) == bytes);
  }
}

void FuzzErasure(std::string_view bytes) {
  base::Instant since;
  store::EraseTargets targets;
  if (service::DecodeWaiting(bytes, &since, &targets)) Require(service::EncodeWaiting(since, targets) == bytes);
}

void FuzzHeardCount(std::string_view bytes) {
  uint64_t heard = 0;
  if (service::DecodeHeardCount(bytes, &heard)) Require(service::EncodeHeardCount(heard) == bytes);
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
  using namespace service;
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'f':
      FuzzFacts(rest);
      break;
    case 'm':
      FuzzMarks(rest);
      break;
    case 'e':
      FuzzErasure(rest);
      break;
    case 't':
      FuzzToken(rest);
      break;
    case 'u':
      FuzzSubjectRow(rest);
      break;
    case 'n':
      FuzzHeardCount(rest);
      break;
    case 'c':
      FuzzRow(rest, DecodeChangeRow, EncodeChangeRow);
      break;
    case 'p':
      FuzzRow(rest, DecodePayload, EncodePayload);
      break;
    case 'r':
      FuzzRow(rest, DecodeRequestRow, EncodeRequestRow);
      break;
    case 's':
      FuzzRow(rest, DecodeSuspension, EncodeSuspension);
      break;
    case 'i':
      FuzzRow(rest, DecodeCurrentPolicy, EncodeCurrentPolicy);
      break;
    case 'd':
      FuzzRow(rest, DecodeDeletionRow, EncodeDeletionRow);
      break;
    case 'b':
      FuzzRow(rest, DecodeDeletionBySubjectRow, EncodeDeletionBySubjectRow);
      break;
    case 'k':
      FuzzRow(rest, DecodeTaskRow, EncodeTaskRow);
      break;
    case 'h':
      FuzzRow(rest, DecodeHoldRow, EncodeHoldRow);
      break;
    case 'w':
      FuzzRow(rest, DecodeSweepRow, EncodeSweepRow);
      break;
    case 'g':
      FuzzRow(rest, DecodeSafetyFlagRow, EncodeSafetyFlagRow);
      break;
    case 'y':
      FuzzRow(rest, DecodeSystemRow, EncodeSystemRow);
      break;
    case 'P':
      FuzzRow(rest, DecodeProposal, EncodeProposal);
      break;
    case 'N':
      FuzzRow(rest, DecodeProposalNames, EncodeProposalNames);
      break;
    case 'G':
      FuzzRow(rest, DecodeGrantRow, EncodeGrantRow);
      break;
    case 'H':
      FuzzRow(rest, DecodeHeardRow, EncodeHeardRow);
      break;
    case 'a':
      FuzzRow(rest, DecodeHearings, EncodeHearings);
      break;
    case 'v':
      FuzzRow(rest, DecodeRevocationRow, EncodeRevocationRow);
      break;
    case 'M':
      FuzzRow(rest, DecodeMediaKeyRow, EncodeMediaKeyRow);
      break;
    case 'C':
      FuzzRow(rest, DecodeCapCounter, EncodeCapCounter);
      break;
    case 'o':
      FuzzRow(rest, DecodePopulation, EncodePopulation);
      break;
    case 'D':
      FuzzRow(rest, DecodeDecisionLogRow, EncodeDecisionLogRow);
      break;
    case 'K':
      FuzzRow(rest, DecodeMasterKeyRow, EncodeMasterKeyRow);
      break;
    case 'x':
      FuzzRow(rest, DecodeMonthKeyRow, EncodeMonthKeyRow);
      break;
    case 'V':
      FuzzRow(rest, DecodeVerificationRow, EncodeVerificationRow);
      break;
    default:
      break;
  }
  return 0;
}
