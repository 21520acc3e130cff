// A policy, a subject and a recording that a test changes in words.
#pragma once

#include <string>

#include "tests/support/model/case.h"

namespace consent::model {

// A new scene is the plainest eligible one: an adult in Germany (opt-in) who consented to HUMAN_REVIEW a hundred days
// ago, as did the account's only profile, "ann"; a recording of hers in the "kitchen", yesterday, complete and as
// intended; an employee in Germany asks for HUMAN_REVIEW.
//
// Policy: DE is opt-in, US opt-out since 2020, XA is named nowhere; employees and contractors, any country, any site;
// false wakes 30 days where opt-out; a child's profile is inactive after 18 months and purged 60 days after the notice;
// age of consent 16 in DE, 13 in US. Control `help_improve` (1): HUMAN_REVIEW and FEATURE_DEVELOPMENT,
// `messages_improve` (2): MESSAGE_TRANSCRIPTION.
class Scene {
 public:
  Scene();

  Case facts;

  // Times.
  static domain::Instant Ago(int days);
  static domain::Instant AgoHours(int hours);

  // Policy.
  enum Notice : domain::NoticeNumber { kPlain = 1, kCoversPast, kSilentOnPeople, kOneYear, kSuperseded, kForOthers };
  domain::Regime& Germany() { return facts.rules.regimes[1]; }
  domain::Regime& States() { return facts.rules.regimes[2]; }
  Scene& Suspend(domain::Purpose purpose, domain::Instant from, domain::Instant until = {});

  // Subject. `who`: "" the account, "ann" or another profile, "kitchen" or another device (names of devices are in
  // capitals or "kitchen").
  Scene& LivesIn(const char* region);
  Scene& AddProfile(const char* name, domain::Age age = {domain::AgeKind::kAdult, {}, {}});
  domain::ScopeFacts& Scope(const char* who);
  Scene& Gives(const char* who, domain::Purpose purpose, domain::Instant since, Notice notice = kPlain);
  // The guardian of a child profile, named two years ago, consents for it.
  Scene& GuardianGives(const char* who, domain::Purpose purpose, domain::Instant since);
  Scene& Refuses(const char* who, domain::Purpose purpose, domain::Instant since);
  Scene& Withdraws(const char* who, domain::Purpose purpose, domain::Instant since);
  Scene& NeverChose(const char* who);
  Scene& NobodyChose();
  Scene& Keeps(domain::Retention retention);
  Scene& Delete(domain::TombstoneState state, domain::Instant from = {}, domain::Instant to = base::kEndOfTime);
  Scene& Order(domain::TombstoneState state, domain::OrderedTimes times);
  Scene& Hold(domain::Instant from = {}, domain::Instant to = base::kEndOfTime);
  // Somebody reported SAFETY of the recording; the policy's hold is 72 hours.
  Scene& ReportsSafety(domain::Instant at);

  // Recording and question.
  Scene& Captured(domain::Instant at);
  Scene& Uncertain(domain::Span span);
  Scene& NamesProfiles(std::initializer_list<const char*> names);
  Scene& Copy(domain::Artefact artefact, domain::Purpose made_for);
  Scene& Asks(domain::Purpose purpose);
  // Asks for a review grant of HUMAN_REVIEW. A day may have ten, six of them at random, a site five, a reviewer four,
  // an account three; the whole population in Germany, 2,000 parts per million elsewhere. Nothing was given.
  Scene& AsksForGrant();
  domain::ReviewCaps& Caps() { return facts.rules.review_caps.front(); }
  uint64_t& Given(domain::CapKind kind) { return facts.grants->given[static_cast<size_t>(kind)]; }
  Scene& AsksDispositionOnly() { return Asks(domain::Purpose::kNone); }

  // "ELIGIBLE KEEP CONSENT": both answers (the first only if a purpose is asked) and every reason in order. Says so if
  // the model disagrees.
  std::string Answer() const;
};

domain::Region RegionOf(const char* text);

}  // namespace consent::model
