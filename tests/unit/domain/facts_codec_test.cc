// The canonical bytes of a subject's facts.
#include "daemon/domain/facts_codec.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "daemon/base/hash.h"
#include "tests/support/model/generator.h"
#include "tests/support/model/seeds.h"
#include "tests/unit/domain/small_world.h"

namespace consent::domain {
namespace {

std::string Encoded(const SubjectFacts& facts) {
  std::string bytes;
  EncodeFacts(facts, &bytes);
  return bytes;
}

void ExpectReadsBack(const SubjectFacts& facts, const std::string& what) {
  const std::string bytes = Encoded(facts);
  ASSERT_LE(bytes.size(), kMaxFactsBytes) << what;
  SubjectFacts back;
  back.holds.resize(3);  // what was there before does not matter
  back.scopes.resize(9);
  ASSERT_TRUE(DecodeFacts(bytes, &back)) << what;
  ASSERT_EQ(back, facts) << what;
}

TEST(FactsCodec, RandomFactsReadBack) {
  for (const uint64_t seed : model::Seeds(50'000)) {
    ExpectReadsBack(model::Generate(seed).subject, "seed " + std::to_string(seed));
    if (HasFatalFailure()) return;
  }
}

TEST(FactsCodec, StoriesReadBack) {
  for (const uint64_t seed : model::SlowSeeds(300)) {
    model::Dice dice(seed);
    SmallWorld world;
    world.Register("US");
    for (int step = 0; step < 8; ++step) {
      const Target targets[] = {Target{}, ControlNamed("improve"), ControlNamed("messages"),
                                PurposeOf(Purpose::kPersonalisation)};
      const ScopeRef scopes[] = {Account(), Profile(1), Device(1), Profile(5)};
      const ScopeRef& scope = scopes[dice.Below(4)];
      const Target& target = targets[dice.Below(4)];
      world.Do(dice.Chance(0.5) ? On(world, scope, target) : Off(scope, target));
      ExpectReadsBack(world.facts, "story " + std::to_string(seed));
      ASSERT_FALSE(HasFatalFailure());
    }
  }
}

SubjectFacts WithTimes(Instant time) {
  SubjectFacts facts;
  facts.closed_at = facts.default_from = facts.reopened_at = time;
  facts.account().choices[3].since = time;
  facts.account().choices[5].since = time;
  facts.account().choices[5].refused_from = time;
  facts.account().purge_floor = time;
  return facts;
}

TEST(FactsCodec, RealTimesReadBackAndOthersAreRefused) {
  for (const int64_t micros :
       {int64_t{1}, (int64_t{1} << 56) - 2, (int64_t{1} << 56) - 1, base::kLastInstant.micros, INT64_MAX}) {
    ExpectReadsBack(WithTimes(Instant{micros}), std::to_string(micros));
  }
  for (const int64_t micros : {int64_t{-1}, INT64_MIN, base::kLastInstant.micros + 1, INT64_MAX - 1}) {
    SubjectFacts facts;
    EXPECT_FALSE(DecodeFacts(Encoded(WithTimes(Instant{micros})), &facts)) << micros;
  }
}

TEST(FactsCodec, DatesThatDoNotExistAreRefused) {
  SubjectFacts facts;
  facts.scopes.emplace_back();
  facts.scopes[1].kind = ScopeKind::kProfile;
  facts.scopes[1].age = {AgeKind::kBorn, base::kFirstDate, {}, base::kLastDate};
  ExpectReadsBack(facts, "the first and the last date");
  for (const int32_t days : {base::kFirstDate.days - 1, base::kLastDate.days + 1, INT32_MIN, INT32_MAX}) {
    SubjectFacts back;
    SubjectFacts born = facts;
    born.scopes[1].age.born.days = days;
    EXPECT_FALSE(DecodeFacts(Encoded(born), &back)) << days;
    SubjectFacts before = facts;
    before.scopes[1].age.born_before->days = days;
    EXPECT_FALSE(DecodeFacts(Encoded(before), &back)) << days;
  }
}

// The largest subject that the bounds of types.h admit: every choice and refusal different, every time a long one.
TEST(FactsCodec, TheLargestSubjectIsWithinTheBound) {
  SubjectFacts facts;
  facts.registered = facts.has_recording_marks = true;
  facts.revision = UINT64_MAX;
  facts.region = In("US-CA");
  facts.default_from = facts.default_denied = facts.closed_at = facts.reopened_at = facts.restored_at =
      base::kEndOfTime;
  facts.forgotten = facts.has_unverified_deletions = true;
  facts.join = JoinState::kAlias;
  facts.joined_into.bytes.fill(9);
  facts.joined_from.resize(kMaxJoinedFrom, JoinedFrom{facts.joined_into, UINT64_MAX});
  facts.holds_changed = UINT64_MAX;
  facts.former_regions.resize(kMaxFormerRegions, FormerRegion{In("US-CA"), base::kEndOfTime});
  facts.scopes.resize(3 + 4 * kMaxProfiles);
  for (size_t i = 0; i < facts.scopes.size(); ++i) {
    ScopeFacts& scope = facts.scopes[i];
    if (i > 0) scope.kind = ScopeKind::kProfile;
    if (i > 0) scope.handle[0] = static_cast<uint8_t>(i), scope.handle[1] = static_cast<uint8_t>(i >> 8);
    for (int p = 0; p < kPurposes; ++p) {
      PurposeChoice& choice = scope.choices[p];
      choice.choice = Choice::kGiven;
      choice.by_guardian = choice.imported = choice.by_other = choice.has_ended = choice.end_was_expiry =
          choice.copies_forgiven = choice.inherited = choice.was_suspended = true;
      choice.notice = static_cast<NoticeNumber>(UINT16_MAX - p);
      choice.since = base::kLastInstant - base::Days(365'000);
      choice.renewed = base::kLastInstant - base::Days(1);
      choice.refused_from = base::kEndOfTime;
    }
    scope.refused_all_since = scope.purge_floor = scope.default_from = base::kEndOfTime;
    for (int control = 1; control <= kMaxControls; ++control) {
      scope.refused_controls.push_back({static_cast<ControlNumber>(control), base::kEndOfTime});
    }
    scope.retention = Months(18);
    if (i > 0) scope.age = {AgeKind::kBorn, base::kLastDate, base::kEndOfTime, base::kLastDate};
    if (i > 0) scope.guardian_since = scope.last_active = scope.inactivity_notice = base::kEndOfTime;
  }
  facts.tombstones.resize(kMaxTombstones,
                          Tombstone{TombstoneState::kVerified,
                                    ScopeKind::kDevice,
                                    {},
                                    OrderedTimes::Between(base::kLastInstant - base::Days(2),
                                                          base::kLastInstant - base::Days(1), base::kLastInstant),
                                    {127}});
  facts.holds.resize(kMaxHolds, Hold{ScopeKind::kDevice, {}, {base::kLastInstant, base::kEndOfTime}});
  ExpectReadsBack(facts, "the largest");
  std::printf("largest subject: %zu bytes\n", Encoded(facts).size());
}

// What the index keeps inside an entry: a subject with one choice of one control, years from now.
TEST(FactsCodec, OneChoiceOfOneControlFitsIntoAnEntryOfTheIndex) {
  constexpr size_t kInline = 31;
  for (const char* region : {"DE", "US-CA"}) {
    SmallWorld world;
    world.next.sequence = 200'000'000;
    Command command;
    command.registers = true;
    command.region = In(region);
    world.Do(command);
    SmallWorld on = world;
    on.Do(On(on, Account(), ControlNamed("improve")));
    EXPECT_LE(Encoded(on.facts).size(), kInline) << "opted in";
    SmallWorld off = world;
    off.Do(Off(Account(), ControlNamed("improve")));
    EXPECT_LE(Encoded(off.facts).size(), kInline) << "opted out";
    SmallWorld all = world;
    all.Do(Off(Account(), Target{}));
    EXPECT_LE(Encoded(all.facts).size(), kInline) << "opted out of everything";
    SmallWorld withdrawn = on;
    withdrawn.Do(Off(Account(), ControlNamed("improve")));
    EXPECT_LE(Encoded(withdrawn.facts).size(), kInline) << "changed their mind";
  }
}

// What a client did not write is refused or reads back to the very same bytes: one subject has one encoding.
void ExpectRefusedOrCanonical(std::string_view bytes, const std::string& what) {
  SubjectFacts facts;
  facts.registered = true;
  if (!DecodeFacts(bytes, &facts)) {
    ASSERT_EQ(facts, SubjectFacts()) << what << ": what is refused grants nothing";
    return;
  }
  ASSERT_EQ(Encoded(facts), bytes) << what;
}

TEST(FactsCodec, TruncatedBytesAreRefused) {
  for (const uint64_t seed : model::SlowSeeds(100)) {
    const std::string bytes = Encoded(model::Generate(seed).subject);
    for (size_t size = 0; size < bytes.size(); ++size) {
      SubjectFacts facts;
      ASSERT_FALSE(DecodeFacts(std::string_view(bytes).substr(0, size), &facts)) << "seed " << seed << " size " << size;
    }
    SubjectFacts facts;
    ASSERT_FALSE(DecodeFacts(bytes + '\0', &facts)) << "seed " << seed;
  }
}

TEST(FactsCodec, FlippedBitsAreRefusedOrAnotherSubject) {
  for (const uint64_t seed : model::SlowSeeds(60)) {
    const std::string bytes = Encoded(model::Generate(seed).subject);
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
      ExpectRefusedOrCanonical(flipped, "seed " + std::to_string(seed) + " bit " + std::to_string(bit));
      ASSERT_FALSE(HasFatalFailure());
    }
  }
}

TEST(FactsCodec, MoreThanTheBoundsAreRefused) {
  SubjectFacts facts;
  facts.scopes.resize(3 + 4 * kMaxProfiles);
  for (size_t i = 1; i < facts.scopes.size(); ++i) {
    facts.scopes[i].kind = ScopeKind::kDevice;
    facts.scopes[i].handle[0] = static_cast<uint8_t>(i);
    facts.scopes[i].handle[1] = static_cast<uint8_t>(i >> 8);
  }
  Tombstone tombstone;
  tombstone.captured = OrderedTimes::Always();
  facts.tombstones.resize(kMaxTombstones, tombstone);
  facts.holds.resize(kMaxHolds);
  facts.former_regions.resize(kMaxFormerRegions, FormerRegion{Region{}, At("2026-03-01T00:00:00Z")});
  facts.former_regions.front().several = true;
  ExpectReadsBack(facts, "as many as there may be");
  const auto refused = [](SubjectFacts more) { return !DecodeFacts(Encoded(more), &more); };
  SubjectFacts more = facts;
  more.scopes.push_back(more.scopes.back());
  EXPECT_TRUE(refused(more));
  more = facts;
  more.tombstones.push_back(tombstone);
  EXPECT_TRUE(refused(more));
  more = facts;
  more.tombstones.clear();
  more.has_more_tombstones = true;
  ExpectReadsBack(more, "all of them beside the record");
  more = facts;
  more.holds.emplace_back();
  EXPECT_TRUE(refused(more));
  more = facts;
  more.former_regions.push_back(more.former_regions.back());
  EXPECT_TRUE(refused(more));
  more = facts;
  more.former_regions[0].until = Instant{};
  EXPECT_TRUE(refused(more)) << "left at no time";
}

std::map<std::string, SubjectFacts> GoldenSubjects() {
  std::map<std::string, SubjectFacts> golden;
  golden["nobody"] = SubjectFacts();
  golden["restored"].restored_at = At("2026-03-01T12:00:00Z");
  SubjectFacts& alias = golden["alias"];
  alias.join = JoinState::kAlias;
  alias.joined_into.bytes.fill(7);
  SubjectFacts& joined = golden["joined"];
  joined.registered = joined.account().registered = true;
  joined.region = In("DE");
  joined.former_regions.push_back({In("US"), kStillThere});
  joined.joined_from.push_back({alias.joined_into, 5});
  PurposeChoice& given = joined.account().ChoiceFor(Purpose::kHumanReview);
  given.choice = Choice::kGiven;
  given.notice = 1;
  given.since = At("2026-03-01T12:00:00Z");
  given.renewed = At("2026-02-01T12:00:00Z");  // its lifetime counts from the first account's
  given.unconfirmed = true;
  golden["joined, with an end of each"] = joined;
  PurposeChoice& ended = golden["joined, with an end of each"].account().ChoiceFor(Purpose::kHumanReview);
  ended.refused_from = At("2025-12-01T12:00:00Z");
  ended.copies_owed_until = At("2026-01-01T12:00:00Z");  // the other one's
  SmallWorld world;
  world.Register("US");
  golden["registered"] = world.facts;
  SmallWorld refused;
  refused.Do(Off(Account(), Target{}));
  golden["refused all before it was known"] = refused.facts;
  world.Do(On(world, Account(), ControlNamed("improve")));
  golden["opted in"] = world.facts;
  world.Do(Off(Account(), ControlNamed("improve")));
  world.Do(On(world, Account(), PurposeOf(Purpose::kHumanReview)));
  world.Do(Keep(world, Account(), Months(18)));
  world.Do(Keep(world, Profile(1), kNothingSaved));
  world.Do(Keep(world, Profile(1), Months(3)));
  Command child = WithProfile(Command{}, 2, AChild());
  child.profiles[0].guardian = Guardian(3);
  world.Do(child);
  world.Do(Off(Device(9), ControlNamed("messages")));
  world.Do(Off(Device(9), Target{}));
  world.facts.tombstones.push_back(
      Tombstone{TombstoneState::kDenied, ScopeKind::kProfile, Profile(1).handle, OrderedTimes::Always(), {}});
  world.facts.holds.push_back(
      Hold{ScopeKind::kAccount, {}, Interval{At("2026-01-01T00:00:00Z"), At("2026-01-08T00:00:00Z")}});
  world.facts.tombstones.push_back(
      Tombstone{TombstoneState::kVerified,
                ScopeKind::kAccount,
                {},
                OrderedTimes::Until(At("2026-03-01T00:00:00Z"), At("2026-03-02T00:00:00Z")),
                {5}});
  world.facts.holds_changed = 77;
  world.facts.closed_at = At("2026-04-01T00:00:00Z");
  world.facts.reopened_at = At("2026-04-02T00:00:00Z");
  world.facts.has_recording_marks = true;
  golden["everything at once"] = world.facts;
  SmallWorld moved;
  moved.Register("DE");
  moved.Do(On(moved, Account(), PurposeOf(Purpose::kHumanReview)));
  Suspension suspension;
  suspension.purpose = Purpose::kHumanReview;
  suspension.active = true;
  moved.rules.suspensions.push_back(suspension);
  Command move = Loosening(moved);
  move.region = In("US");
  moved.Do(move);
  golden["moved away from a suspension"] = moved.facts;
  return golden;
}

// Until the first release the format may change with its number; from then on bytes that any earlier version wrote must
// read the same. On a mismatch the test prints what it would write.
TEST(FactsCodec, GoldenBytes) {
  std::ifstream file(std::string(CONSENT_GOLDEN_DIR) + "/facts/format-4.txt");
  std::map<std::string, std::string> frozen;
  for (std::string line; std::getline(file, line);) {
    const size_t tab = line.find('\t');
    if (tab != std::string::npos) frozen[line.substr(0, tab)] = line.substr(tab + 1);
  }
  std::ostringstream would_be;
  bool same = true;
  for (const auto& [name, facts] : GoldenSubjects()) {
    const std::string hex = base::Hex(Encoded(facts));
    would_be << name << '\t' << hex << '\n';
    same = same && frozen[name] == hex;
  }
  EXPECT_TRUE(same && frozen.size() == GoldenSubjects().size()) << would_be.str();
}

}  // namespace
}  // namespace consent::domain
