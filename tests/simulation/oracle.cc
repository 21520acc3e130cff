#include "tests/simulation/oracle.h"

#include <algorithm>
#include <set>

#include "tests/support/model/seeds.h"

namespace consent::simulation {
namespace {

// Whether an opt-out makes every later check a no until somebody opts in again.
bool Settles(const Change& opt_out, const Check& check, const std::vector<Change>& changes) {
  if (opt_out.on || opt_out.subject != check.subject || !opt_out.applied || !opt_out.ended ||
      *opt_out.ended > check.began) {
    return false;
  }
  return std::none_of(changes.begin(), changes.end(), [&](const Change& other) {
    if (!other.on || other.subject != check.subject) return false;
    if (other.ended && !other.applied) return false;  // refused
    return !other.ended || *other.ended > opt_out.began;
  });
}

void CheckRevisions(const Log& log, std::string* wrong) {
  std::set<std::pair<int, uint64_t>> seen;
  for (const Change& a : log.changes) {
    if (!a.applied) continue;
    if (!seen.insert({a.subject, a.revision}).second) {
      *wrong += "revision " + std::to_string(a.revision) + " was given twice\n";
    }
    for (const Change& b : log.changes) {
      if (b.applied && b.subject == a.subject && a.ended && *a.ended < b.began && a.revision >= b.revision) {
        *wrong += "revision " + std::to_string(b.revision) + " came after " + std::to_string(a.revision) + "\n";
      }
    }
  }
}

}  // namespace

std::string Violations(const Log& log) {
  std::string wrong;
  for (const Check& check : log.checks) {
    if (!check.yes) continue;
    const auto settled = std::find_if(log.changes.begin(), log.changes.end(),
                                      [&](const Change& change) { return Settles(change, check, log.changes); });
    if (settled == log.changes.end()) continue;
    wrong += "subject " + std::to_string(check.subject) + ": a check begun at " + std::to_string(check.began) +
             " said yes after the opt-out acknowledged at " + std::to_string(*settled->ended) + "\n";
  }
  CheckRevisions(log, &wrong);
  return wrong;
}

std::string HistoryDisagrees(test::World& world, const std::string& account) {
  const domain::SubjectFacts facts = world.Facts(account);
  store::Sequence next = 0;
  std::vector<service::HistoryItem> newest_first;
  do {
    absl::StatusOr<service::HistoryPage> page = world.reads().History(world.Handle(account), 7, next);
    if (!page.ok()) return "the history cannot be read: " + std::string(page.status().message());
    for (service::HistoryItem& item : page->items) newest_first.push_back(std::move(item));
    next = page->next;
  } while (next != 0);
  std::array<domain::Choice, domain::kPurposes> folded{};
  base::Instant last;
  for (auto item = newest_first.rbegin(); item != newest_first.rend(); ++item) {
    if (item->time <= last) return "two changes at one time, or out of order";
    last = item->time;
    for (const domain::FactChange& change : item->row.changes) {
      if (change.what != domain::ChangedWhat::kPurpose || change.scope.kind != domain::ScopeKind::kAccount) continue;
      domain::Choice& now = folded[static_cast<size_t>(change.purpose) - 1];
      if (change.from != now) return "a change does not begin where the one before it ended";
      now = change.to;
    }
  }
  for (int i = 0; i < domain::kPurposes; ++i) {
    if (folded[i] != facts.account().choices[i].choice) return "the history ends elsewhere than the settings";
  }
  return "";
}

Seeds SeedsOf(uint64_t count_by_default) {
  const uint64_t count =
      model::FromEnvironment("CONSENT_SIMULATION_RUNS", model::SlowCasesFromEnvironment(count_by_default));
  return {model::FromEnvironment("CONSENT_SIMULATION_SEED", 1), count, model::IsWholeRun(count, count_by_default)};
}

}  // namespace consent::simulation
