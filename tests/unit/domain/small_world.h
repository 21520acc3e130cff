// A few rules and a subject for tests of single transitions.
#pragma once

#include <string>

#include "daemon/domain/transitions.h"

namespace consent::domain {

// Ends the process where the text is no time, region or date: the test is wrong.
Instant At(const std::string& rfc3339);
Region In(const std::string& region);
base::Date Day(const std::string& date);

ScopeRef Account();
ScopeRef Profile(uint8_t number);
ScopeRef Device(uint8_t number);
base::GuardianHandle Guardian(uint8_t number);
Target ControlNamed(std::string name);
Target PurposeOf(Purpose purpose);

Age AnAdult();
Age AChild();
Age BornOn(const std::string& date);

// Regions: DE (opt-in, age 16), US (opt-out since 2026-01-01, age 13), US-CA (the same since 2026-02-01), GB (as DE,
// age 18). Controls: 1 "improve" (HUMAN_REVIEW, FEATURE_DEVELOPMENT), 2 "messages". Notices, from 2026-01-01, language
// en: 1 "n1" lists all in use and lasts 12 months, 2 "narrow" lists HUMAN_REVIEW only, 3 "later" is valid from
// 2027-01-01 and supersedes 4 "old". In use: all but ADVERTISING. Retention: until deleted, 3, 18, do not save.
Rules SmallRules();

// A subject that tests change step by step: each Do applies a command one minute later, at the next sequence.
class SmallWorld {
 public:
  explicit SmallWorld(Rules made = SmallRules()) : rules(std::move(made)) {}
  Transition Do(const Command& command);
  // The same without keeping what it does.
  Transition Try(const Command& command) const;
  // The next command comes then; all clocks agree.
  void GoTo(Instant time);
  // Registered in `region` with profile 1, an adult, and device 1.
  void Register(const std::string& region);

  Rules rules;
  SubjectFacts facts;
  Moment next{At("2026-03-01T12:00:00Z"), 1};
};

// With current etag and full evidence under notice "n1".
Command Loosening(const SmallWorld& world);
Command On(const SmallWorld& world, const ScopeRef& scope, Target target);
// As a loosening, by an import without a time of its own.
Command Import(const SmallWorld& world);
Command Off(const ScopeRef& scope, Target target);
Command Keep(const SmallWorld& world, const ScopeRef& scope, Retention retention);
Command WithProfile(Command command, uint8_t number, Age age);

constexpr Retention Months(uint8_t n) { return {RetentionKind::kMonths, n}; }
constexpr Retention kUntilDeleted{};
constexpr Retention kNothingSaved{RetentionKind::kDoNotSave, 0};

// Of the only part.
Refusal RefusalOf(const Transition& transition);

}  // namespace consent::domain
