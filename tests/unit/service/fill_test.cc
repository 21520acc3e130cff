// The index and the gauges are what the store says: after a restart, and where the index is too small for all.
#include "daemon/service/subject/fill_index.h"

#include <gtest/gtest.h>

#include <array>
#include <future>
#include <map>
#include <random>
#include <set>

#include "daemon/domain/effective.h"
#include "daemon/service/rows/policy_rows.h"
#include "daemon/service/rows/subject_rows.h"
#include "tests/support/service/world.h"

namespace consent::test::fill_test {
namespace {

using domain::Purpose;

constexpr int kSubjects = 100;

std::string NameOf(uint64_t number) { return "account " + std::to_string(number); }

// The same story for the same seed, whatever the index holds.
void Tell(World& world, uint64_t seed, int steps) {
  std::mt19937_64 random(seed);
  constexpr const char* kRegions[] = {"DE", "US", "CA", "BR"};
  constexpr const char* kControls[] = {"help_improve", "messages_improve", "train"};
  constexpr const char* kNotices[] = {"general", "past", "own", "short"};
  for (int step = 0; step < steps; ++step) {
    const std::string account = NameOf(random() % kSubjects);
    const ScopeName scopes[] = {Account(), Profile("ann"), Device("den")};
    const ScopeName& scope = scopes[random() % 3];
    switch (random() % 6) {
      case 0:
      case 1:
        (void)world.Register(account, kRegions[random() % 4], {Adult("ann")}, {"den"});
        break;
      case 2:
      case 3:
        (void)world.OptIn(account, scope, Control(kControls[random() % 3]), Under(kNotices[random() % 4]));
        break;
      case 4:
        (void)world.OptOut(account, scope, random() % 3 == 0 ? Everything() : Control(kControls[random() % 3]));
        break;
      default:
        (void)world.Report(account, "recording", static_cast<uint8_t>(1U << random() % 4));
        break;
    }
  }
}

std::vector<std::string> Answers(World& world) {
  std::vector<std::string> answers;
  const Recording recording(At("2026-03-01T18:00:00Z"));
  for (int i = 0; i < kSubjects; ++i) {
    for (const Purpose purpose : {Purpose::kHumanReview, Purpose::kMessageTranscription, Purpose::kNone}) {
      answers.push_back(NameOf(i) + " " + Text(world.Check(NameOf(i), recording, purpose)));
    }
  }
  return answers;
}

// What the gauges should say, counted from the facts themselves.
struct Recount {
  uint64_t subjects = 0;
  std::map<domain::Region, std::array<std::array<uint64_t, 4>, domain::kPurposes>> regions;
  std::set<std::pair<store::Partition, service::UsageMark>> marks;  // what stored choices name, by partition
};

Recount CountAgain(World& world) {
  Recount count;
  const domain::Rules rules;  // no controls: a refusal of a control is written per purpose
  for (int i = 0; i < kSubjects; ++i) {
    if (!world.Known(NameOf(i))) continue;
    const domain::SubjectFacts facts = world.Facts(NameOf(i));
    const store::Partition partition = world.core().PartitionOf(world.Handle(NameOf(i)));
    ++count.subjects;
    for (const Purpose purpose : domain::kAllPurposes) {
      const domain::Choice choice = domain::EffectiveChoice(facts.account(), purpose, rules).choice;
      ++count.regions[facts.region][static_cast<size_t>(purpose) - 1][static_cast<size_t>(choice)];
    }
    for (const domain::ScopeFacts& scope : facts.scopes) {
      for (const domain::PurposeChoice& choice : scope.choices) {
        if (choice.choice == domain::Choice::kGiven) count.marks.insert({partition, {false, choice.notice}});
      }
      for (const domain::ControlRefusal& refusal : scope.refused_controls) {
        count.marks.insert({partition, {true, refusal.control}});
      }
    }
  }
  return count;
}

void ExpectCensus(World& world) {
  const Recount count = CountAgain(world);
  const service::SubjectGauges& gauges = world.core().gauges;
  EXPECT_EQ(gauges.subjects(), count.subjects);
  for (const auto& [partition, mark] : count.marks) {
    EXPECT_TRUE(world.core().partition_policies.Has(partition, mark)) << mark.number;
    EXPECT_TRUE(world.store().Get(partition, store::Table::kPolicy, service::PutMark(mark).key).ok()) << mark.number;
  }
  size_t seen = 0;
  for (const service::RegionCount& region : gauges.ByRegion()) {
    const auto at = count.regions.find(region.region);
    if (at == count.regions.end()) {
      EXPECT_EQ(region.subjects, (std::array<std::array<uint64_t, 4>, domain::kPurposes>{}))
          << region.region.ToString();
      continue;
    }
    ++seen;
    EXPECT_EQ(region.subjects, at->second) << region.region.ToString();
  }
  EXPECT_EQ(seen, count.regions.size());
}

TEST(Fill, TheSameAnswersWithAnIndexOfAnySize) {
  for (const uint16_t partitions : {uint16_t{1}, uint16_t{3}}) {
    std::vector<std::vector<std::string>> told;
    for (const uint64_t max_subjects : {uint64_t{1'000}, uint64_t{10}, uint64_t{0}}) {
      World world({.partitions = partitions, .max_subjects = max_subjects});
      Tell(world, 7, 400);
      told.push_back(Answers(world));
      EXPECT_EQ(told.back(), told.front()) << max_subjects;
      EXPECT_EQ(world.core().index.complete(), max_subjects == 1'000);
      ExpectCensus(world);
      world.Restart();
      EXPECT_EQ(Answers(world), told.front()) << "after a restart, " << max_subjects;
      EXPECT_LE(world.core().index.size(), max_subjects + 1);
      ExpectCensus(world);
    }
  }
}

TEST(Fill, TheIndexHoldsTheBytesThatItHeldBefore) {
  World world({.partitions = 3});
  Tell(world, 11, 500);
  std::vector<std::string> before(kSubjects);
  std::vector<service::Found> found(kSubjects);
  const auto read = [&](int i, std::string* bytes) {
    return world.core().index.FindBytes(world.Handle(NameOf(i)), bytes);
  };
  for (int i = 0; i < kSubjects; ++i) found[i] = read(i, &before[i]);
  world.Restart();
  for (int i = 0; i < kSubjects; ++i) {
    std::string now;
    EXPECT_EQ(read(i, &now), found[i]) << i;
    EXPECT_EQ(now, before[i]) << i;
  }
}

TEST(Fill, CensusFollowsEveryChange) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    World world;
    for (int part = 0; part < 5; ++part) {
      Tell(world, seed * 100 + static_cast<uint64_t>(part), 60);
      ExpectCensus(world);
    }
  }
}

TEST(Fill, ADamagedRowStopsTheStart) {
  struct Row {
    store::Table table;
    std::string value;
  };
  base::SubjectHandle subject;
  for (const Row& row : {Row{store::Table::kSubject, "short"},
                         Row{store::Table::kSubject, service::EncodeSubjectRow(subject, "no facts")},
                         Row{store::Table::kRecording, "short"}, Row{store::Table::kPolicy, "no policy"},
                         Row{store::Table::kSuspension, "no suspension"}}) {
    World world;
    world.inner_store().Damage({}, {row.table, "some key"}, row.value);
    EXPECT_EQ(world.TryRestart().code(), absl::StatusCode::kDataLoss) << static_cast<int>(row.table);
  }
}

TEST(Fill, AtLeastARevisionThatWasGiven) {
  World world({.partitions = 3});
  const Reply reply = world.OptOut("a", Account(), Everything());
  ASSERT_TRUE(reply.ok());
  service::Revision revision = reply->revision;
  EXPECT_TRUE(world.checks().Begin(world.core().tokens.Encode(revision)).ok());
  world.Restart();
  EXPECT_TRUE(world.checks().Begin(world.core().tokens.Encode(revision)).ok());
  revision.sequence += 100;
  EXPECT_EQ(ReasonOf(world.checks().Begin(world.core().tokens.Encode(revision))), "REVISION_NOT_REACHED");
  revision.partition.number = 3;
  EXPECT_EQ(ReasonOf(world.checks().Begin(world.core().tokens.Encode(revision))), "REVISION_NOT_REACHED");
  EXPECT_EQ(ReasonOf(world.checks().Begin("garbage")), "REVISION_NOT_REACHED");
}

}  // namespace
}  // namespace consent::test::fill_test
