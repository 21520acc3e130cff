// What an officer's metrics count of people, requests and holds, against counts that are written from the page: in what
// order changes come, and what was counted before, makes no difference.
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "daemon/domain/effective.h"
#include "daemon/service/state/deletion_gauges.h"
#include "daemon/service/state/hold_gauges.h"
#include "daemon/service/state/subject_gauges.h"
#include "tests/support/model/case.h"
#include "tests/support/model/generator.h"

namespace consent::service::officer_gauges_test {
namespace {

using base::Days;
using base::Instant;
using domain::SubjectFacts;

constexpr int64_t kDay = int64_t{86'400} * 1'000'000;
constexpr Instant kSince2021{int64_t{18'993} * kDay};  // with a year to spare

// As the README says it: children by the higher of nothing but their home's age, by its inactivity and notice.
std::map<std::string, ChildCount> ChildrenAgain(const std::vector<SubjectFacts>& subjects, const domain::Rules& rules,
                                                const base::Now& now) {
  std::map<std::string, ChildCount> counts;
  for (const domain::Regime& regime : rules.regimes) counts[regime.name];
  for (const SubjectFacts& facts : subjects) {
    if (facts.closed_at.IsSet() && !facts.reopened_at.IsSet()) continue;
    if (facts.join == domain::JoinState::kAlias) continue;  // counted where it was joined into
    const domain::Regime& regime = rules.regimes[rules.ForRegion(facts.region).regime];
    for (const domain::ScopeFacts& scope : facts.scopes) {
      if (scope.kind != domain::ScopeKind::kProfile || !scope.registered) continue;
      if (domain::AdultFrom(scope.age, rules.AgeOfConsentIn(facts.region)) <= now.latest) continue;
      ChildCount& count = counts[regime.name];
      ++count.children;
      if (!scope.guardian.IsSet()) ++count.unguarded;
      if (!scope.last_active.IsSet()) continue;
      const Instant inactive = base::AddMonths(scope.last_active, regime.child_inactive_months);
      const bool is_inactive = inactive <= now.latest;
      const bool has_notice = scope.inactivity_notice.IsSet() && scope.inactivity_notice >= inactive;
      if (is_inactive && !has_notice) ++count.inactive_without_notice;
      if (is_inactive && has_notice && now.earliest.IsSet() &&
          scope.inactivity_notice + regime.child_notice_period <= now.earliest) {
        ++count.purge_due;
      }
    }
  }
  return counts;
}

// One consent for each scope, notice and day; by the calendar of the C library.
std::map<std::string, uint64_t> EndingAgain(const std::vector<SubjectFacts>& subjects, const domain::Rules& rules,
                                            Instant now, int days) {
  std::map<std::string, uint64_t> counts;
  for (const domain::Notice& notice : rules.notices) {
    if (notice.consent_lifetime_months != 0) counts[notice.version];
  }
  for (const SubjectFacts& facts : subjects) {
    if (facts.closed_at.IsSet() && !facts.reopened_at.IsSet()) continue;
    if (facts.join == domain::JoinState::kAlias) continue;  // counted where it was joined into
    for (const domain::ScopeFacts& scope : facts.scopes) {
      std::set<std::pair<domain::NoticeNumber, int64_t>> seen;
      for (const domain::PurposeChoice& choice : scope.choices) {
        const domain::Notice* const notice = rules.FindNotice(choice.notice);
        const bool refused = scope.refused_all_since.IsSet() && choice.since <= scope.refused_all_since;
        if (choice.choice != domain::Choice::kGiven || choice.has_ended || refused || notice == nullptr) continue;
        if (notice->consent_lifetime_months == 0) continue;
        const Instant given = choice.renewed.IsSet() ? choice.renewed : choice.since;
        if (!seen.insert({choice.notice, given.micros / kDay}).second) continue;
        const int64_t last = base::AddMonths(given, notice->consent_lifetime_months).micros / kDay;
        const int64_t today = now.micros / kDay;
        if (last >= today && last <= today + days) ++counts[notice->version];
      }
    }
  }
  return counts;
}

std::string Text(const std::map<std::string, ChildCount>& counts) {
  std::string text;
  for (const auto& [regime, count] : counts) {
    for (const uint64_t value : {count.children, count.unguarded, count.inactive_without_notice, count.purge_due}) {
      text += " " + std::to_string(value);
    }
    text += " of " + regime + ";";
  }
  return text;
}

// As the page says it: those in force whose review is over; ends are exclusive.
TEST(HoldGaugesTest, ThosePastTheirReviewAreCountedByTimeAloneAlsoWhenItGoesBack) {
  std::mt19937_64 random(7);
  const auto below = [&random](uint64_t limit) { return random() % limit; };
  HoldGauges gauges;
  std::map<uint64_t, HoldGauges::Times> model;
  uint64_t most = 0;
  for (int step = 0; step < 3'000; ++step) {
    const uint64_t number = 1 + below(60);
    HoldGauges::Times times;
    if (below(3) != 0) {
      times.placed_at = Instant{static_cast<int64_t>(1 + below(1'000))};
      times.review_at = Instant{static_cast<int64_t>(1 + below(1'000))};
    }
    gauges.Put(store::Partition{static_cast<uint16_t>(number % 3)}, number, times);
    model[number] = times;
    if (below(4) != 0) continue;
    const Instant now{static_cast<int64_t>(below(1'100))};
    uint64_t past = 0;
    uint64_t in_force = 0;
    for (const auto& [unused, hold] : model) {
      if (!hold.placed_at.IsSet()) continue;
      ++in_force;
      if (hold.review_at <= now) ++past;
    }
    ASSERT_EQ(gauges.PastReview(now), past) << step;
    ASSERT_EQ(gauges.in_force(), in_force);
    most = std::max(most, past);
  }
  EXPECT_GT(most, 20U);
}

TEST(OfficerGauges, PeopleAreCountedAsTheyAreWhateverWasBefore) {
  uint64_t purge_due = 0;
  uint64_t unnoticed = 0;
  uint64_t ending = 0;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    const model::Case c = model::Generate(seed);
    // Whoever was born before 2000 is taken for an adult, which in 2021 the oldest age that a policy may ask for made
    // true.
    if (model::NowOf(c).latest < kSince2021) continue;
    std::vector<SubjectFacts> subjects;
    for (uint64_t other = 0; other < 12; ++other) {
      const model::Case one = model::Generate(seed * 1'000 + other);
      if (one.known) subjects.push_back(one.subject);
    }
    SubjectGauges followed;
    SubjectGauges filled[2];
    for (size_t i = 0; i < subjects.size(); ++i) {
      // Two lives before this one.
      const SubjectFacts& first = subjects[(i + 5) % subjects.size()];
      const SubjectFacts& second = subjects[(i + 7) % subjects.size()];
      followed.Replace(nullptr, &first);
      followed.Replace(&first, &second);
      followed.Replace(&second, &subjects[i]);
      filled[i % 2].Replace(nullptr, &subjects[i]);
    }
    filled[0].Merge(filled[1]);
    for (const base::Span ahead : {base::Span{}, Days(40), Days(400)}) {
      base::Now now = model::NowOf(c);
      now.latest = now.latest + ahead;
      if (now.earliest.IsSet()) now.earliest = now.earliest + ahead;
      const auto children = ChildrenAgain(subjects, c.rules, now);
      EXPECT_EQ(Text(followed.Children(c.rules, now)), Text(children)) << seed;
      EXPECT_EQ(Text(filled[0].Children(c.rules, now)), Text(children)) << seed;
      const auto expected = EndingAgain(subjects, c.rules, now.latest, 30);
      EXPECT_EQ(followed.ConsentsEnding(c.rules, now.latest, 30), expected) << seed;
      EXPECT_EQ(filled[0].ConsentsEnding(c.rules, now.latest, 30), expected) << seed;
      for (const auto& [regime, count] : children) {
        purge_due += count.purge_due;
        unnoticed += count.inactive_without_notice;
      }
      for (const auto& [notice, count] : expected) ending += count;
    }
  }
  // The worlds have some of each, so the comparison says something.
  EXPECT_GT(purge_due, 0U);
  EXPECT_GT(unnoticed, 0U);
  EXPECT_GT(ending, 0U);
}

// A request as the gauges look at it.
struct Requested {
  DeletionPlace place;
  domain::DeletionRequest request;
};

class Requests {
 public:
  explicit Requests(uint64_t seed) : random_(seed) {}
  static constexpr Instant kStart{int64_t{1'772'000'000} * 1'000'000};  // 25 February 2026

  // Something happens to one that there is, or to a new one.
  const Requested& Step() {
    if (all_.empty() || Roll(3) == 0) return Create();
    Requested& one = all_[Roll(all_.size())];
    if (!domain::IsOpen(one.request.state)) return Create();
    domain::DeletionRequest& request = one.request;
    switch (Roll(5)) {
      case 0:
        if (!request.parts.empty()) break;
        request.verified_at = At(Roll(60));
        request.state = domain::DeletionState::kInProgress;
        request.parts.resize(2);
        request.parts[0].system = 1;
        request.parts[1].system = 2;
        break;
      case 1:
        for (domain::SystemProgress& part : request.parts) {
          if (part.outcome != domain::PurgeOutcome::kOpen || Roll(2) == 0) continue;
          part.outcome = static_cast<domain::PurgeOutcome>(1 + Roll(5));
          break;
        }
        break;
      case 2:
        request.receipt_confirmed_at = At(Roll(60));
        break;
      case 3:
        request.due_at = request.due_at + Days(45);
        request.extended = true;
        break;
      default:
        constexpr domain::DeletionState kEnds[] = {domain::DeletionState::kCompleted, domain::DeletionState::kDenied,
                                                   domain::DeletionState::kCancelled};
        request.state = kEnds[Roll(3)];
        request.ended_at = At(Roll(200));
    }
    return one;
  }
  const std::vector<Requested>& all() const { return all_; }
  Instant At(uint64_t day) const { return kStart + Days(static_cast<int64_t>(day)); }
  uint64_t Roll(uint64_t sides) { return random_() % sides; }

 private:
  const Requested& Create() {
    Requested one;
    one.place = {store::Partition{static_cast<uint16_t>(Roll(4))}, ++number_ * kDeletionsPerCommit};
    one.request.cause = static_cast<domain::DeletionCause>(1 + Roll(3));
    one.request.regime = Roll(2) == 0 ? "eea" : "us";
    one.request.received_at = At(number_ / 4);
    one.request.due_at = At(number_ / 4 + 10 + Roll(60));
    one.request.confirm_by = At(number_ / 4 + 1 + Roll(10));
    all_.push_back(one);
    return all_.back();
  }

  std::mt19937_64 random_;
  uint64_t number_ = 0;
  std::vector<Requested> all_;
};

using Kind = std::pair<int, std::string>;
Kind KindOf(const domain::DeletionRequest& request) { return {static_cast<int>(request.cause), request.regime}; }

// Quarter and year, by the C library.
std::pair<int, int> QuarterAgain(Instant time) {
  const std::time_t seconds = time.micros / 1'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return {parts.tm_year, parts.tm_mon / 3};
}

// Each open request, and each that ended, looked at one by one.
std::vector<std::string> CountAgain(const std::vector<Requested>& all, Instant now) {
  std::map<Kind, std::map<std::string, uint64_t>> counts;
  std::map<std::pair<int, int>, uint64_t> outcomes;
  for (const auto& [place, request] : all) {
    for (const domain::SystemProgress& part : request.parts) {
      if (part.outcome != domain::PurgeOutcome::kOpen) ++outcomes[{part.system, static_cast<int>(part.outcome)}];
    }
    std::map<std::string, uint64_t>& of_kind = counts[KindOf(request)];
    const bool done =
        request.state == domain::DeletionState::kCompleted || request.state == domain::DeletionState::kDenied;
    if (done && QuarterAgain(request.ended_at) == QuarterAgain(now)) {
      ++of_kind[request.ended_at < request.due_at ? "in time" : "late"];
    }
    if (!domain::IsOpen(request.state)) continue;
    ++of_kind["open"];
    const bool is_past = request.due_at <= now;
    if (is_past) ++of_kind["overdue"];
    if (!is_past && request.due_at < now + Days(7)) ++of_kind["due in 7"];
    if (!is_past && request.due_at < now + Days(30)) ++of_kind["due in 30"];
    if (request.cause != domain::DeletionCause::kRequested || request.receipt_confirmed_at.IsSet()) continue;
    if (request.confirm_by <= now) ++of_kind["unconfirmed"];
    if (request.confirm_by > now && request.confirm_by < now + Days(7)) ++of_kind["to confirm in 7"];
  }
  std::vector<std::string> lines;
  for (const auto& [kind, of_kind] : counts) {
    for (const auto& [what, count] : of_kind) {
      lines.push_back(std::to_string(kind.first) + " " + kind.second + " " + what + ": " + std::to_string(count));
    }
  }
  for (const auto& [key, count] : outcomes) {
    lines.push_back("system " + std::to_string(key.first) + " outcome " + std::to_string(key.second) + ": " +
                    std::to_string(count));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> Told(const DeletionGauges& gauges, Instant now) {
  std::vector<std::string> lines;
  const auto tell = [&lines](domain::DeletionCause cause, const std::string& regime, const char* what, uint64_t count) {
    if (count == 0) return;
    lines.push_back(std::to_string(static_cast<int>(cause)) + " " + regime + " " + what + ": " + std::to_string(count));
  };
  for (const OpenDeletions& open : gauges.Open(now, Days(7), Days(30))) {
    const DueCount& due = open.deadlines[0];
    const DueCount& confirm = open.deadlines[1];
    tell(open.cause, open.regime, "open", open.requests);
    tell(open.cause, open.regime, "overdue", due.past);
    tell(open.cause, open.regime, "due in 7", due.near);
    tell(open.cause, open.regime, "due in 30", due.far);
    tell(open.cause, open.regime, "unconfirmed", confirm.past);
    tell(open.cause, open.regime, "to confirm in 7", confirm.near);
  }
  for (const EndedDeletions& ended : gauges.EndedThisQuarter(now)) {
    tell(ended.cause, ended.regime, "in time", ended.in_time);
    tell(ended.cause, ended.regime, "late", ended.late);
  }
  for (domain::SystemNumber system = 1; system <= 3; ++system) {
    const DeletionGauges::Outcomes outcomes = gauges.outcomes(system);
    for (size_t outcome = 0; outcome < outcomes.size(); ++outcome) {
      if (outcomes[outcome] == 0) continue;
      lines.push_back("system " + std::to_string(system) + " outcome " + std::to_string(outcome) + ": " +
                      std::to_string(outcomes[outcome]));
    }
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

TEST(OfficerGauges, RequestsAreCountedAsTheyAreAndAfterARestart) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Requests requests(seed);
    DeletionGauges followed;
    for (int step = 0; step < 400; ++step) {
      const Requested& one = requests.Step();
      followed.Put(one.place, one.request);
      if (step % 40 != 0) continue;
      DeletionGauges filled;
      for (const auto& [place, request] : requests.all()) filled.Add(place, request);
      for (const uint64_t day : {0U, 20U, 34U, 35U, 36U, 90U, 125U, 126U}) {
        const Instant now = requests.At(day);
        const std::vector<std::string> expected = CountAgain(requests.all(), now);
        EXPECT_EQ(Told(followed, now), expected) << "seed " << seed << " step " << step << " day " << day;
        EXPECT_EQ(Told(filled, now), expected) << "seed " << seed << " step " << step << " day " << day;
      }
    }
    const Instant now = requests.At(90);
    std::vector<Instant> due;
    for (const LateDeletion& late : followed.Late(now, 1'000)) {
      const auto one = std::find_if(requests.all().begin(), requests.all().end(),
                                    [&late](const Requested& r) { return r.place == late.place; });
      ASSERT_NE(one, requests.all().end());
      EXPECT_EQ(KindOf(one->request), Kind(static_cast<int>(late.cause), late.regime));
      due.push_back(one->request.due_at);
    }
    EXPECT_TRUE(std::is_sorted(due.begin(), due.end())) << "the most urgent first";
    EXPECT_EQ(followed.Late(now, 2).size(), std::min<size_t>(due.size(), 2));
  }
}

TEST(OfficerGauges, TheFirstVerifiedIsTheOldest) {
  DeletionGauges gauges;
  domain::DeletionRequest request;
  const DeletionPlace early{store::Partition{1}, 256};
  const DeletionPlace late{store::Partition{2}, 256};
  const DeletionPlace unverified{store::Partition{3}, 256};
  request.verified_at = Instant{2'000'000};
  gauges.Put(late, request);
  request.verified_at = Instant{1'000'000};
  gauges.Put(early, request);
  request.verified_at = {};
  gauges.Put(unverified, request);
  EXPECT_EQ(gauges.FirstVerified({late, early, unverified}), Instant{1'000'000});
  EXPECT_EQ(gauges.FirstVerified({late}), Instant{2'000'000});
  EXPECT_FALSE(gauges.FirstVerified({unverified}).IsSet());
  EXPECT_FALSE(gauges.FirstVerified({}).IsSet());
  request.verified_at = Instant{1'000'000};
  request.state = domain::DeletionState::kCompleted;
  gauges.Put(early, request);
  EXPECT_EQ(gauges.FirstVerified({late, early}), Instant{2'000'000}) << "the ended one counts no more";
}

TEST(OfficerGauges, HoldsComeAndGo) {
  HoldGauges holds;
  EXPECT_EQ(holds.in_force(), 0U);
  EXPECT_FALSE(holds.oldest().IsSet());
  holds.Put({1}, 7, {Instant{20}, Instant{90}});
  holds.Put({1}, 8, {Instant{10}, Instant{90}});
  holds.Put({2}, 7, {Instant{10}, Instant{90}});
  holds.Put({2}, 7, {Instant{10}, Instant{90}});  // told again
  EXPECT_EQ(holds.in_force(), 3U);
  EXPECT_EQ(holds.oldest(), Instant{10});
  holds.Put({1}, 8, {});
  holds.Put({2}, 7, {});
  holds.Put({2}, 9, {});  // never in force
  EXPECT_EQ(holds.in_force(), 1U);
  EXPECT_EQ(holds.oldest(), Instant{20});
  holds.Put({1}, 7, {});
  EXPECT_EQ(holds.in_force(), 0U);
  EXPECT_FALSE(holds.oldest().IsSet());
}

}  // namespace
}  // namespace consent::service::officer_gauges_test
