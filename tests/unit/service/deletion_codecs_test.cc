// The bytes of deletion requests, tasks and data systems: read back, frozen, and safe against anything.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "daemon/base/hash.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/system_rows.h"
#include "daemon/service/rows/task_rows.h"
#include "tests/support/model/seeds.h"
#include "tests/unit/service/torment.h"

namespace consent::service::deletion_codecs_test {
namespace {

using base::Instant;
using domain::PurgeOutcome;

class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  uint64_t Below(uint64_t n) { return engine_() % n; }
  Instant Time() { return Instant{static_cast<int64_t>(Below(uint64_t{1} << 52))}; }
  std::string Text(size_t limit) {
    std::string text(Below(limit + 1), '\0');
    for (char& c : text) c = static_cast<char>(engine_());
    return text;
  }
  base::Digest Digest() { return base::Sha256(Text(8)); }

 private:
  std::mt19937_64 engine_;
};

domain::Selector SomeSelector(Dice& dice) {
  domain::Selector selector;
  selector.kind = static_cast<domain::SelectorKind>(1 + dice.Below(9));
  selector.copies_of.bits = static_cast<uint8_t>(dice.Below(128));
  selector.scope.kind = static_cast<domain::ScopeKind>(dice.Below(3));
  if (selector.scope.kind != domain::ScopeKind::kAccount) {
    selector.scope.handle.fill(static_cast<uint8_t>(dice.Below(256)));
  }
  const base::Instant from = dice.Time();
  const base::Instant sure = dice.Time();
  selector.captured = domain::OrderedTimes::Between(from, sure, dice.Below(2) == 0 ? base::kEndOfTime : dice.Time());
  for (uint64_t i = 0; i < dice.Below(4); ++i) {
    selector.recordings.push_back(base::RecordingHandle{{static_cast<uint8_t>(i), 7}});
  }
  return selector;
}

DeletionRow SomeDeletion(uint64_t seed) {
  Dice dice(seed);
  DeletionRow row;
  domain::DeletionRequest& request = row.request;
  request.id.bytes.fill(static_cast<uint8_t>(seed + 0xa0));
  request.subject.bytes.fill(static_cast<uint8_t>(dice.Below(256)));
  request.cause = static_cast<domain::DeletionCause>(1 + dice.Below(3));
  request.state = static_cast<domain::DeletionState>(1 + dice.Below(7));
  request.selector = SomeSelector(dice);
  request.requester = static_cast<domain::Actor>(dice.Below(5));
  request.regime = dice.Text(64);
  for (Instant* time :
       {&request.received_at, &request.confirm_by, &request.due_at, &request.verified_at, &request.ended_at}) {
    *time = dice.Time();
  }
  request.extended = dice.Below(2) == 0;
  request.denied_reason = dice.Text(256);
  request.changed = dice.Below(1'000'000);
  for (uint64_t i = 1; i <= dice.Below(4); ++i) {
    domain::SystemProgress part;
    part.system = static_cast<uint16_t>(i);
    part.leased_before = dice.Below(2) == 0;
    if (part.outcome != PurgeOutcome::kOpen && dice.Below(2) == 0) part.earlier_evidence = dice.Digest();
    if (dice.Below(2) == 0) {
      part.outcome = static_cast<PurgeOutcome>(1 + dice.Below(5));
      part.epoch = dice.Below(100);
      part.ended_at = dice.Time();
      part.erased_count = dice.Below(1'000);
      part.evidence = dice.Digest();
      part.reason = dice.Text(256);
      if (part.outcome == PurgeOutcome::kExempt) {
        part.exempt = static_cast<domain::ExemptReason>(dice.Below(domain::kExemptReasons));
      }
    }
    request.parts.push_back(part);
  }
  row.sealed = dice.Text(300);
  row.request.needs_ids = row.sealed.empty() && domain::IsOpen(row.request.state);
  return row;
}

DeletionRow SomeConfirmedDeletion(uint64_t seed) {
  DeletionRow row = SomeDeletion(seed);
  row.request.receipt_confirmed_at = row.request.received_at + base::Hours(1);
  row.request.receipt_channel = static_cast<domain::ReceiptChannel>(1 + seed % 5);
  return row;
}

DeletionRow SomeAppealedDeletion(uint64_t seed) {
  Dice dice(seed);
  DeletionRow row = SomeDeletion(seed);
  for (uint64_t i = 0, count = 1 + seed % 3; i < count; ++i) {
    domain::Appeal& appeal = row.request.appeals.emplace_back();
    appeal.kind = static_cast<domain::AppealKind>(1 + dice.Below(2));
    appeal.received_at = row.request.received_at + base::Hours(static_cast<int64_t>(i) + 1);
    appeal.acknowledge_by = appeal.received_at + base::Days(10);
    appeal.answer_by = appeal.received_at + base::Days(30);
    if (dice.Below(2) == 0) appeal.acknowledged_at = appeal.received_at + base::Hours(1);
    if (i + 1 == count && dice.Below(2) == 0) continue;
    appeal.answered_at = appeal.received_at + base::Hours(2);
    appeal.outcome = static_cast<domain::AppealOutcome>(1 + dice.Below(4));
    appeal.answer = dice.Text(256);
  }
  return row;
}

DeletionRow SomeLateDraft(uint64_t seed) {
  Dice dice(seed);
  DeletionRow row = SomeDeletion(seed);
  row.request.cause = domain::DeletionCause::kLateDraft;
  row.request.selector = {};
  row.request.selector.kind = domain::SelectorKind::kDraft;
  row.request.selector.draft = {base::RecordingHandle{{static_cast<uint8_t>(dice.Below(256)), 9}}, dice.Digest()};
  return row;
}

HoldRow SomeHold(uint64_t seed) {
  Dice dice(seed);
  HoldRow row;
  row.id.bytes.fill(static_cast<uint8_t>(seed + 0xa0));
  row.subject.bytes.fill(static_cast<uint8_t>(dice.Below(256)));
  row.held.scope.kind = static_cast<domain::ScopeKind>(dice.Below(3));
  if (row.held.scope.kind != domain::ScopeKind::kAccount) row.held.scope.handle.fill(7);
  row.held.captured = {dice.Time(), dice.Time()};
  for (uint64_t i = 0; i < dice.Below(4); ++i) {
    row.held.recordings.push_back(base::RecordingHandle{{static_cast<uint8_t>(i), 7}});
  }
  row.placed = {dice.Text(128), dice.Text(256)};
  row.placed_at = dice.Time();
  row.review_at = dice.Time();
  if (dice.Below(2) == 0) {
    row.reviewed_at = dice.Time();
    row.review_reason = dice.Text(256);
  }
  if (dice.Below(2) == 0) {
    row.released_at = dice.Time();
    row.released = {dice.Text(128), dice.Text(256)};
    if (dice.Below(2) == 0) row.release_proposal.bytes.fill(static_cast<uint8_t>(1 + dice.Below(255)));
  }
  row.changed = dice.Below(1'000'000);
  row.sealed = dice.Text(300);
  return row;
}

TaskRow SomeTask(uint64_t seed) {
  Dice dice(seed);
  TaskRow row;
  row.epoch = dice.Below(100);
  row.failures = static_cast<uint32_t>(dice.Below(100));
  row.failed_epoch = dice.Below(100);
  row.holds_seen = dice.Below(1'000'000);
  row.has_exceptions = dice.Below(2) == 0;
  row.waits_for_release = dice.Below(2) == 0;
  row.leased_before = dice.Below(2) == 0;
  row.waits_until.boot = {static_cast<uint8_t>(dice.Below(256))};
  row.waits_until.since = base::Span{static_cast<int64_t>(dice.Below(1'000'000'000))};
  row.not_before = dice.Time();
  row.leased_until = dice.Time();
  row.last_error = dice.Text(256);
  row.again = static_cast<Again>(dice.Below(4));
  row.looked_at = dice.Time();
  row.erased_count = dice.Below(100);
  if (dice.Below(2) == 0) row.evidence = dice.Digest();
  row.partial_epoch = dice.Below(100);
  row.out_epoch = dice.Below(100);
  row.out_until = dice.Time();
  row.out_holds_seen = dice.Below(1'000'000);
  if (seed % 2 == 0) row.safety_held = static_cast<uint32_t>(1 + seed);
  if (dice.Below(2) == 0) return row;
  row.first_outcome = static_cast<PurgeOutcome>(1 + dice.Below(5));
  row.first_epoch = dice.Below(100);
  return row;
}

SystemRow SomeSystem(uint64_t seed) {
  Dice dice(seed);
  SystemRow row;
  row.number = static_cast<domain::SystemNumber>(1 + dice.Below(64));
  row.name = "n" + dice.Text(63);
  row.kind = static_cast<uint8_t>(1 + dice.Below(10));
  row.matches_by = static_cast<uint8_t>(dice.Below(128));
  row.latest_arrival = base::Seconds(static_cast<int64_t>(dice.Below(1'000'000)));
  row.checks_on_ingest = dice.Below(2) == 0;
  row.registered_at = dice.Time();
  if (dice.Below(2) == 0) row.retired_at = dice.Time();
  row.retired_reason = dice.Text(256);
  if (dice.Below(2) == 0) row.offline_key.emplace(base::Digest{static_cast<uint8_t>(dice.Below(256))});
  return row;
}

domain::Tombstone SomeTombstone(uint64_t seed) {
  Dice dice(seed);
  domain::Tombstone tombstone;
  tombstone.scope = domain::ScopeKind::kDevice;
  tombstone.handle.fill(static_cast<uint8_t>(dice.Below(256)));
  const base::Instant from = dice.Time();
  tombstone.captured = domain::OrderedTimes::Until(from, dice.Time());
  tombstone.copies_of.bits = static_cast<uint8_t>(dice.Below(128));
  return tombstone;
}

TEST(DeletionRows, ReadBackAndSurviveHostileBytes) {
  for (const uint64_t seed : model::SlowSeeds(200)) {
    const DeletionRow deletion = SomeDeletion(seed);
    DeletionRow back;
    ASSERT_TRUE(DecodeDeletionRow(EncodeDeletionRow(deletion), &back)) << seed;
    ASSERT_EQ(back.request, deletion.request) << seed;
    ASSERT_EQ(back.sealed, deletion.sealed);
    const DeletionRow confirmed = SomeConfirmedDeletion(seed);
    ASSERT_TRUE(DecodeDeletionRow(EncodeDeletionRow(confirmed), &back)) << seed;
    ASSERT_EQ(back.request, confirmed.request) << seed;
    const DeletionRow appealed = SomeAppealedDeletion(seed);
    ASSERT_TRUE(DecodeDeletionRow(EncodeDeletionRow(appealed), &back)) << seed;
    ASSERT_EQ(back.request, appealed.request) << seed;
    const DeletionRow draft = SomeLateDraft(seed);
    ASSERT_TRUE(DecodeDeletionRow(EncodeDeletionRow(draft), &back)) << seed;
    ASSERT_EQ(back.request, draft.request) << seed;
    test::Torment(
        EncodeDeletionRow(seed % 4 == 0   ? deletion
                          : seed % 4 == 1 ? confirmed
                          : seed % 4 == 2 ? appealed
                                          : draft),
        [](const std::string& bytes) {
          DeletionRow row;
          return DecodeDeletionRow(bytes, &row) ? EncodeDeletionRow(row) : std::string();
        },
        seed);
    const HoldRow hold = SomeHold(seed);
    HoldRow hold_back;
    ASSERT_TRUE(DecodeHoldRow(EncodeHoldRow(hold), &hold_back)) << seed;
    ASSERT_EQ(hold_back.id, hold.id);
    ASSERT_EQ(hold_back.sealed, hold.sealed);
    ASSERT_EQ(hold_back.review_at, hold.review_at);
    ASSERT_EQ(hold_back.reviewed_at, hold.reviewed_at);
    ASSERT_EQ(hold_back.review_reason, hold.review_reason);
    test::Torment(
        EncodeHoldRow(hold),
        [](const std::string& bytes) {
          HoldRow row;
          return DecodeHoldRow(bytes, &row) ? EncodeHoldRow(row) : std::string();
        },
        seed);
    test::Torment(
        EncodeTaskRow(SomeTask(seed)),
        [](const std::string& bytes) {
          TaskRow row;
          return DecodeTaskRow(bytes, &row) ? EncodeTaskRow(row) : std::string();
        },
        seed);
    test::Torment(
        EncodeSystemRow(SomeSystem(seed)),
        [](const std::string& bytes) {
          SystemRow row;
          return DecodeSystemRow(bytes, &row) ? EncodeSystemRow(row) : std::string();
        },
        seed);
    test::Torment(
        EncodeDeletionBySubjectRow({domain::DeletionState::kDenied, SomeTombstone(seed)}),
        [](const std::string& bytes) {
          DeletionBySubjectRow row;
          return DecodeDeletionBySubjectRow(bytes, &row) ? EncodeDeletionBySubjectRow(row) : std::string();
        },
        seed);
  }
}

TEST(DeletionRows, KeysOrderBySequence) {
  EXPECT_LT(DeletionKey(255), DeletionKey(256));
  EXPECT_LT(TaskKey(1, UINT64_MAX), TaskKey(2, 0));
  EXPECT_EQ(NumberOfKey(TaskKey(3, 77)), 77U);
  EXPECT_EQ(NumberOfKey("short"), 0U);
}

TEST(DeletionRows, TheSameSelectionHasTheSameDigest) {
  Dice dice(1);
  const domain::Selector one = SomeSelector(dice);
  domain::Selector other = one;
  EXPECT_EQ(SelectorDigest(one), SelectorDigest(other));
  other.captured = domain::OrderedTimes::Between(one.captured.from(), one.captured.sure(),
                                                 one.captured.latest() - base::Microseconds(1));
  EXPECT_NE(SelectorDigest(one), SelectorDigest(other));
  const domain::Selector draft = SomeLateDraft(1).request.selector;
  other = draft;
  EXPECT_EQ(SelectorDigest(draft), SelectorDigest(other));
  other.draft.digest[31] ^= 1;
  EXPECT_NE(SelectorDigest(draft), SelectorDigest(other)) << "another result of the recording";
}

TEST(DeletionRows, GoldenBytes) {
  const std::map<std::string, std::string> now = {
      {"deletion", base::Hex(EncodeDeletionRow(SomeDeletion(5)))},
      {"deletion_confirmed", base::Hex(EncodeDeletionRow(SomeConfirmedDeletion(5)))},
      {"deletion_late_draft", base::Hex(EncodeDeletionRow(SomeLateDraft(5)))},
      {"deletion_of", base::Hex(EncodeDeletionBySubjectRow({domain::DeletionState::kAccepted, {}}))},
      {"deletion_of_times",
       base::Hex(EncodeDeletionBySubjectRow({domain::DeletionState::kAccepted, SomeTombstone(5)}))},
      {"hold", base::Hex(EncodeHoldRow(SomeHold(5)))},
      {"system", base::Hex(EncodeSystemRow(SomeSystem(5)))},
      {"task", base::Hex(EncodeTaskRow(SomeTask(3)))},
      {"task_again", base::Hex(EncodeTaskRow(SomeTask(7)))},
      {"task_held", base::Hex(EncodeTaskRow(SomeTask(4)))}};
  std::ifstream file(std::string(CONSENT_GOLDEN_DIR) + "/service/deletion-rows-1.txt");
  std::map<std::string, std::string> frozen;
  for (std::string line; std::getline(file, line);) {
    if (const size_t tab = line.find('\t'); tab != std::string::npos) {
      frozen[line.substr(0, tab)] = line.substr(tab + 1);
    }
  }
  std::ostringstream would_be;
  for (const auto& [name, hex] : now) would_be << name << '\t' << hex << '\n';
  EXPECT_EQ(frozen, now) << would_be.str();
}

}  // namespace
}  // namespace consent::service::deletion_codecs_test
