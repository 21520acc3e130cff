// The comparison can fail: rules that are wrong in one point each are told from the right one within a few thousand
// cases.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/support/model/generator.h"
#include "tests/support/model/lookups.h"
#include "tests/unit/rule/mutant.h"

namespace consent::model {
namespace {

using domain::Choice;
using domain::Decision;
using domain::Disposition;
using domain::Notice;
using domain::PurposeChoice;
using domain::Reason;
using domain::ReasonSet;
using domain::ScopeFacts;
using domain::ScopeKind;
using domain::TombstoneState;

// The most cases in which a wrong rule may go unnoticed; a run of the differential test has a hundred times as many.
constexpr uint64_t kCases = 60'000;

constexpr base::Span kTick = base::Microseconds(1);

domain::OrderedTimes Earlier(const domain::OrderedTimes& times) {
  if (!times.HasEnd()) return times;
  return domain::OrderedTimes::Between(times.from(), times.sure().IsSet() ? times.sure() - kTick : times.sure(),
                                       times.latest() - kTick);
}

template <typename F>
void EveryChoice(Case* c, F f) {
  for (ScopeFacts& scope : c->subject.scopes) {
    for (PurposeChoice& choice : scope.choices) f(scope, choice);
  }
}

bool OptOut(const Case& c) {
  const domain::RegionRules found = RulesOfRegion(c.rules, c.subject.region);
  return c.rules.regimes[found.regime].default_rule == domain::DefaultRule::kOptOut;
}

const Mutant kTimeMutants[] = {
    {"ignores the uncertainty", [](Case* c) { c->recording.has_uncertainty = true, c->recording.uncertainty = {}; },
     nullptr},
    {"takes the border of the uncertainty for eligible",
     [](Case* c) {
       if (c->recording.has_uncertainty && c->recording.uncertainty > kTick) c->recording.uncertainty.micros -= 1;
     },
     nullptr},
    {"believes the device's clock and not the arrival",
     [](Case* c) {
       if (c->recording.captured_at > c->recording.ingested_at) c->recording.ingested_at = {};
     },
     nullptr},
    {"takes a consent for a microsecond older",
     [](Case* c) { EveryChoice(c, [](ScopeFacts&, PurposeChoice& choice) { choice.since = choice.since - kTick; }); },
     nullptr},
    {"ends consents and retention a microsecond late", [](Case* c) { c->now = c->now - kTick; },
     [](const Case& c, Decision* d) { d->checked_at = c.now; }},
    {"counts a tombstone's last instant out",
     [](Case* c) {
       for (domain::Tombstone& tombstone : c->subject.tombstones) tombstone.captured = Earlier(tombstone.captured);
     },
     nullptr},
    {"deletes the audio where only copies were to go",
     [](Case* c) {
       for (domain::Tombstone& tombstone : c->subject.tombstones) tombstone.copies_of = {};
     },
     nullptr},
    {"lets a new account inherit the closed one's recordings",
     [](Case* c) {
       if (c->subject.reopened_at.IsSet()) c->subject.closed_at = c->subject.reopened_at = {};
     },
     nullptr},
    {"gives the moment of a new account's beginning to it",
     [](Case* c) {
       if (c->subject.reopened_at.IsSet()) c->subject.reopened_at = c->subject.reopened_at - kTick;
     },
     nullptr},
    {"ends a false wake's time to live a microsecond early",
     [](Case* c) {
       for (domain::Regime& regime : c->rules.regimes) {
         regime.false_wake_ttl.micros -= regime.false_wake_ttl.micros > 0 ? 1 : 0;
       }
     },
     nullptr},
    {"forgets the floor that a longer retention leaves",
     [](Case* c) {
       for (ScopeFacts& scope : c->subject.scopes) scope.purge_floor = {};
     },
     nullptr},
    {"lets a default reach back before it began",
     [](Case* c) {
       for (auto& entry : c->rules.regions) entry.second.opt_out_since = {};
     },
     nullptr},
    {"lets a default reach back before its purpose was in use", [](Case* c) { c->rules.in_use_since = {}; }, nullptr},
    {"forgets which birth date was told before",
     [](Case* c) {
       for (ScopeFacts& scope : c->subject.scopes) scope.age.born_before.reset();
     },
     nullptr},
    {"does not hear what a removed scope refused",
     [](Case* c) {
       for (ScopeFacts& scope : c->subject.scopes) {
         if (scope.WasRemoved()) scope.choices = {};
       }
     },
     nullptr},
    {"does not hear what was folded together",
     [](Case* c) { Drop(&c->subject.scopes, [](const ScopeFacts& scope) { return scope.IsFold(); }); }, nullptr},
    {"ends a guardian's consent by the capture's age of consent",
     [](Case* c) {
       const domain::Region there = c->recording.region;
       if (!c->recording.has_region ||
           c->rules.AgeOfConsentIn(there).years() <= c->rules.AgeOfConsentIn(c->subject.region).years()) {
         return;
       }
       c->rules.ages_of_consent[c->subject.region.Country()] = domain::AgeOfConsent(c->rules.AgeOfConsentIn(there));
     },
     nullptr},
    {"takes a restored record for the whole one", [](Case* c) { c->subject.restored_at = c->rules.restored_at = {}; },
     nullptr},
    {"purges by what a restored record says, and only denies",
     [](Case* c) { c->subject.restored_at = c->rules.restored_at = {}; },
     [](const Case& c, Decision* d) {
       if (!AnswerOfModel(c).reasons.Has(Reason::kRestored)) return;
       d->eligibility = domain::Eligibility::kNotEligible;
       d->reasons = d->disposed;
       d->reasons.Add(AnswerOfModel(c).reasons);
     }},
    {"lets a default reach back before a move", [](Case* c) { c->subject.default_from = {}; }, nullptr},
};

const Mutant kChoiceMutants[] = {
    {"ignores the device", [](Case* c) { c->recording.device = {}; }, nullptr},
    {"ignores what a device refused",
     [](Case* c) {
       EveryChoice(c, [](ScopeFacts& scope, PurposeChoice& choice) {
         if (scope.kind == ScopeKind::kDevice) choice = PurposeChoice();
       });
     },
     nullptr},
    {"takes a device's yes for the account's",
     [](Case* c) {
       for (size_t p = 0; p < domain::kPurposes; ++p) {
         for (const ScopeFacts& scope : c->subject.scopes) {
           PurposeChoice& account = c->subject.scopes[0].choices[p];
           const bool yes = scope.kind == ScopeKind::kDevice && scope.choices[p].choice == Choice::kGiven;
           if (yes && account.choice == Choice::kUnset) account = scope.choices[p];
         }
       }
     },
     nullptr},
    {"falls back to the default when a consent has expired",
     [](Case* c) {
       if (!OptOut(*c)) return;
       EveryChoice(c, [c](ScopeFacts&, PurposeChoice& choice) {
         if (choice.choice == Choice::kGiven && LifetimeIsOver(choice, c->rules, c->now)) choice = PurposeChoice();
       });
     },
     nullptr},
    {"forgets that a notice was superseded",
     [](Case* c) {
       for (Notice& notice : c->rules.notices) notice.superseded_from = base::kEndOfTime;
     },
     nullptr},
    {"takes every notice for one that covers the past",
     [](Case* c) {
       for (Notice& notice : c->rules.notices) notice.covers_past = true;
     },
     nullptr},
    {"takes every notice for one that says that people listen",
     [](Case* c) {
       for (Notice& notice : c->rules.notices) notice.says_people_listen = true;
     },
     nullptr},
    {"forgets an earlier refusal",
     [](Case* c) { EveryChoice(c, [](ScopeFacts&, PurposeChoice& choice) { choice.refused_from = {}; }); }, nullptr},
    {"forgets refusals of everything",
     [](Case* c) {
       for (ScopeFacts& scope : c->subject.scopes) scope.refused_all_since = {};
     },
     nullptr},
    {"forgets refusals of a control",
     [](Case* c) {
       for (ScopeFacts& scope : c->subject.scopes) scope.refused_controls.clear();
     },
     nullptr},
    {"lets a consent from before a suspension count",
     [](Case* c) { Drop(&c->rules.suspensions, [](const domain::Suspension& s) { return !s.active; }); }, nullptr},
    {"does not suspend by region",
     [](Case* c) { Drop(&c->rules.suspensions, [](const domain::Suspension& s) { return s.region.IsSet(); }); },
     nullptr},
    {"allows a purpose that is not in use", [](Case* c) { c->rules.purposes.bits = 0x7f; }, nullptr},
    {"treats messages as commands",
     [](Case* c) {
       if (c->recording.kind == domain::Kind::kMessage) c->recording.kind = domain::Kind::kCommand;
     },
     nullptr},
};

const Mutant kPeopleMutants[] = {
    {"takes an unknown age for an adult's",
     [](Case* c) {
       for (ScopeFacts& scope : c->subject.scopes) {
         if (scope.age.kind == domain::AgeKind::kUnknown) scope.age.kind = domain::AgeKind::kAdult;
       }
     },
     nullptr},
    {"forgets what ages of consent were before",
     [](Case* c) {
       for (auto& [country, consent] : c->rules.ages_of_consent) consent = consent.years();
       c->rules.default_age_of_consent = c->rules.default_age_of_consent.years();
     },
     nullptr},
    {"takes the policy's age of consent everywhere", [](Case* c) { c->rules.ages_of_consent.clear(); }, nullptr},
    {"lets an earlier guardian's consent count",
     [](Case* c) {
       for (ScopeFacts& scope : c->subject.scopes) scope.guardian_since = {};
     },
     nullptr},
    {"lets a child consent for itself",
     [](Case* c) {
       EveryChoice(c, [](ScopeFacts& scope, PurposeChoice& choice) {
         if (scope.age.kind == domain::AgeKind::kChild) choice.by_guardian = true;
       });
     },
     nullptr},
    {"forgets when an adult was a child",
     [](Case* c) {
       for (ScopeFacts& scope : c->subject.scopes) scope.age.adult_since = {};
     },
     nullptr},
    {"forgets where the subject lived", [](Case* c) { c->subject.former_regions.clear(); }, nullptr},
    {"judges all captures by where the subject lived",
     [](Case* c) {
       for (domain::FormerRegion& former : c->subject.former_regions) former.until = base::kEndOfTime;
     },
     nullptr},
    {"purges by where the subject perhaps lived",
     [](Case* c) {
       for (domain::FormerRegion& former : c->subject.former_regions) former.until = former.until + base::Seconds(1);
     },
     nullptr},
    {"takes several former regions for one that is unknown",
     [](Case* c) {
       for (domain::FormerRegion& former : c->subject.former_regions) former.several = false;
     },
     nullptr},
    {"lets a consent that was suspended elsewhere count",
     [](Case* c) { EveryChoice(c, [](ScopeFacts&, PurposeChoice& choice) { choice.was_suspended = false; }); },
     nullptr},
    {"ignores the capture's region", [](Case* c) { c->recording.has_region = false; }, nullptr},
    {"takes the capture's region for the subject's",
     [](Case* c) {
       if (c->recording.has_region) c->subject.region = c->recording.region;
     },
     nullptr},
    {"forgets reported flags", [](Case* c) { c->marks.flags = 0; }, nullptr},
    {"takes a profile that only refused for a registered one",
     [](Case* c) {
       for (ScopeFacts& scope : c->subject.scopes) scope.registered = true;
     },
     nullptr},
    {"takes a subject that only refused for a registered one", [](Case* c) { c->subject.registered = true; }, nullptr},
};

const Mutant kDeletionMutants[] = {
    {"ignores a deletion until it is verified",
     [](Case* c) {
       Drop(&c->subject.tombstones, [](const domain::Tombstone& t) { return t.state == TombstoneState::kPending; });
     },
     nullptr},
    {"forgets a denied deletion",
     [](Case* c) {
       Drop(&c->subject.tombstones, [](const domain::Tombstone& t) { return t.state == TombstoneState::kDenied; });
     },
     nullptr},
    {"purges before a deletion is verified",
     [](Case* c) {
       for (domain::Tombstone& t : c->subject.tombstones) t.state = TombstoneState::kVerified;
     },
     nullptr},
    {"ignores holds", [](Case* c) { c->subject.holds.clear(); }, nullptr},
    {"asks only the account for its retention",
     [](Case* c) {
       for (ScopeFacts& scope : c->subject.scopes) {
         if (scope.kind != ScopeKind::kAccount) scope.retention = {};
       }
     },
     nullptr},
    {"takes copies for sources", [](Case* c) { c->recording.artefact = domain::Artefact::kSource; }, nullptr},
    {"purges copies for a superseded notice", nullptr,
     [](const Case& c, Decision* d) {
       if (c.recording.artefact == domain::Artefact::kSource || d->disposition != Disposition::kKeep) return;
       const bool superseded = d->reasons.Has(Reason::kNoticeSuperseded) && c.recording.made_for == c.purpose;
       if (superseded) d->disposition = Disposition::kPurge;
     }},
    {"purges copies when a purpose is suspended", nullptr,
     [](const Case& c, Decision* d) {
       const bool copy = c.recording.artefact != domain::Artefact::kSource && d->disposition == Disposition::kKeep;
       if (copy && d->reasons.Has(Reason::kSuspended)) d->disposition = Disposition::kPurge;
     }},
    {"merges the two answers", nullptr,
     [](const Case&, Decision* d) {
       const bool refused = d->reasons.Has(Reason::kRefused) || d->reasons.Has(Reason::kWithdrawn);
       if (refused && d->disposition == Disposition::kKeep) d->disposition = Disposition::kPurge;
     }},
    {"believes the later end of now where it purges", [](Case* c) { c->lag = {}; }, nullptr},
    {"purges by time though the clock is behind", [](Case* c) { c->behind = false; }, nullptr},
    {"believes a clock that is in doubt", [](Case* c) { c->doubtful = false; }, nullptr},
    {"purges all that perhaps was ordered",
     [](Case* c) {
       for (domain::Tombstone& t : c->subject.tombstones) {
         t.captured = domain::OrderedTimes::Between(t.captured.from(), t.captured.latest(), t.captured.latest());
       }
     },
     nullptr},
    {"denies only what was surely ordered",
     [](Case* c) {
       for (domain::Tombstone& t : c->subject.tombstones) {
         t.captured = domain::OrderedTimes::Between(t.captured.from(), t.captured.sure(), t.captured.sure());
       }
     },
     nullptr},
    {"believes a stamp of before the service", [](Case* c) { c->rules.service_began_at = {}; }, nullptr},
    {"does not let a renewal prolong a consent",
     [](Case* c) { EveryChoice(c, [](ScopeFacts&, PurposeChoice& choice) { choice.renewed = {}; }); }, nullptr},
    {"counts captures from the renewal",
     [](Case* c) { EveryChoice(c, [](ScopeFacts&, PurposeChoice& choice) { choice.since = choice.LastGiven(); }); },
     nullptr},
    {"forgets what a notice for the past forgave",
     [](Case* c) { EveryChoice(c, [](ScopeFacts&, PurposeChoice& choice) { choice.copies_forgiven = false; }); },
     nullptr},
    {"owes no copies of after the first of several ends",
     [](Case* c) { EveryChoice(c, [](ScopeFacts&, PurposeChoice& choice) { choice.copies_owed_until = {}; }); },
     nullptr},
    {"owes no copies once a purpose was consented to again",
     [](Case* c) { EveryChoice(c, [](ScopeFacts&, PurposeChoice& choice) { choice.copies_forgiven = true; }); },
     nullptr},
    {"takes an expiry for a refusal",
     [](Case* c) { EveryChoice(c, [](ScopeFacts&, PurposeChoice& choice) { choice.end_was_expiry = false; }); },
     nullptr},
    {"revives a guardian's consent that had ended",
     [](Case* c) { EveryChoice(c, [](ScopeFacts&, PurposeChoice& choice) { choice.has_ended = false; }); }, nullptr},
    {"lets a default go on after a denial", [](Case* c) { c->subject.default_denied = {}; }, nullptr},
    {"asks the same countries for every purpose",
     [](Case* c) {
       for (domain::Regime& regime : c->rules.regimes) regime.other_countries.clear();
     },
     nullptr},
    {"forgets reports of SAFETY", [](Case* c) { c->marks.safety_since = {}; }, nullptr},
    {"ends a safety hold a microsecond early",
     [](Case* c) { c->rules.safety.hold.micros -= c->rules.safety.hold.micros > 0 ? 1 : 0; }, nullptr},
    {"counts the end of a safety hold in",
     [](Case* c) { c->rules.safety.hold.micros += c->rules.safety.hold.micros > 0 ? 1 : 0; }, nullptr},
    {"counts a safety hold from the device's stamp",
     [](Case* c) {
       if (c->marks.safety_since.IsSet()) c->marks.safety_since = c->recording.captured_at;
     },
     nullptr},
    {"takes a flag in the question for a report",
     [](Case* c) {
       if ((c->recording.flags & domain::Flags::kSafety) != 0) c->marks.safety_since = c->now;
     },
     nullptr},
    {"ends a safety hold in doubt of the time", nullptr,
     [](const Case& c, Decision* d) {
       if (!c.doubtful || !d->disposed.Has(Reason::kSafetyHold)) return;
       d->disposed.Remove({Reason::kSafetyHold});
       d->reasons.Remove({Reason::kSafetyHold});
       if (!d->disposed.Has(Reason::kLegalHold)) d->disposition = Disposition::kKeep;
     }},
    {"makes what a safety hold keeps eligible", nullptr,
     [](const Case&, Decision* d) {
       if (d->disposed.Has(Reason::kSafetyHold)) d->eligibility = domain::Eligibility::kEligible;
     }},
    {"purges what a safety hold keeps, and only says so", nullptr,
     [](const Case&, Decision* d) {
       if (d->disposed.Has(Reason::kSafetyHold)) d->disposition = Disposition::kPurge;
     }},
    {"makes what is held eligible", nullptr,
     [](const Case&, Decision* d) {
       if (d->disposition == Disposition::kHold) d->eligibility = domain::Eligibility::kEligible;
     }},
    {"hides what a hold stops", nullptr,
     [](const Case&, Decision* d) {
       if (d->disposition != Disposition::kHold) return;
       ReasonSet rest;
       d->reasons.ForEach([&](Reason reason) {
         if (reason == Reason::kLegalHold || reason > Reason::kPurposeEnded) rest.Add(reason);
       });
       d->reasons = rest;
     }},
    {"reports the first reason only", nullptr,
     [](const Case&, Decision* d) {
       const Reason first = d->FirstReason();
       d->reasons = ReasonSet();
       if (first != Reason::kNone) d->reasons.Add(first);
     }},
    {"forgets the revision", nullptr, [](const Case&, Decision* d) { d->revision = 0; }},
};

std::vector<Mutant> AllMutants() {
  std::vector<Mutant> all;
  all.insert(all.end(), std::begin(kTimeMutants), std::end(kTimeMutants));
  all.insert(all.end(), std::begin(kChoiceMutants), std::end(kChoiceMutants));
  all.insert(all.end(), std::begin(kPeopleMutants), std::end(kPeopleMutants));
  all.insert(all.end(), std::begin(kDeletionMutants), std::end(kDeletionMutants));
  const std::vector<Mutant> of_caps = CapMutants();
  all.insert(all.end(), of_caps.begin(), of_caps.end());
  return all;
}

Decision AnswerOf(const Mutant& mutant, const Case& c) {
  Case seen = c;
  if (mutant.spoil != nullptr) mutant.spoil(&seen);
  Decision decision = AnswerOfRule(seen);
  if (mutant.twist != nullptr) mutant.twist(c, &decision);
  return decision;
}

TEST(Mutants, EveryWrongRuleIsCaught) {
  std::vector<Mutant> unnoticed = AllMutants();
  EXPECT_GE(unnoticed.size(), 12U);
  for (uint64_t seed = 1; seed <= kCases && !unnoticed.empty(); ++seed) {
    const Case c = Generate(seed);
    const Decision model = AnswerOfModel(c);
    Drop(&unnoticed, [&](const Mutant& mutant) {
      const bool caught = !Difference(AnswerOf(mutant, c), model).empty();
      if (caught) std::printf("%6llu cases: %s\n", static_cast<unsigned long long>(seed), mutant.name);
      return caught;
    });
  }
  for (const Mutant& mutant : unnoticed) {
    ADD_FAILURE() << "a rule that " << mutant.name << " was not told from the right one";
  }
}

}  // namespace
}  // namespace consent::model
