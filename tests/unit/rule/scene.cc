#include "tests/unit/rule/scene.h"
#include "tests/support/reason_name.h"

#include <cstring>

namespace consent::model {

using domain::Choice;
using domain::Instant;
using domain::Purpose;
using domain::PurposeChoice;
using domain::ScopeFacts;
using domain::ScopeKind;

namespace {

Instant Parse(const char* text) {
  Instant instant;
  base::ParseRfc3339(text, &instant);
  return instant;
}

const Instant kNow = Parse("2026-03-31T10:00:00Z");

PurposeChoice Said(Choice no, Instant since) {
  PurposeChoice choice;
  choice.choice = no;
  choice.since = since;
  return choice;
}

bool IsDevice(const char* name) { return std::strcmp(name, "kitchen") == 0 || (*name >= 'A' && *name <= 'Z'); }

base::Bytes16 HandleOf(const char* name) {
  base::Bytes16 handle{};
  for (size_t i = 0; i < handle.size() && name[i] != '\0'; ++i) handle[i] = static_cast<uint8_t>(name[i]);
  return handle;
}

domain::PurposeSet Everything() {
  domain::PurposeSet set;
  for (const Purpose purpose : domain::kAllPurposes) set.Add(purpose);
  return set;
}

domain::Regime Open(domain::DefaultRule rule) {
  domain::Regime regime;
  regime.default_rule = rule;
  regime.false_wake_ttl = base::Days(30);
  regime.countries.any = regime.any_site = regime.employees = regime.contractors = true;
  regime.child_inactive_months = 18;
  regime.child_notice_period = base::Days(60);
  return regime;
}

std::vector<domain::Notice> Notices() {
  std::vector<domain::Notice> notices;
  for (const auto number : {Scene::kPlain, Scene::kCoversPast, Scene::kSilentOnPeople, Scene::kOneYear,
                            Scene::kSuperseded, Scene::kForOthers}) {
    domain::Notice notice;
    notice.number = number;
    notice.purposes = Everything();
    notice.says_people_listen = number != Scene::kSilentOnPeople;
    notice.covers_past = number == Scene::kCoversPast;
    if (number == Scene::kOneYear) notice.consent_lifetime_months = 12;
    if (number == Scene::kSuperseded) notice.superseded_from = Scene::Ago(2);
    if (number == Scene::kForOthers) {
      notice.purposes = domain::PurposeSet();
      notice.purposes.Add(Purpose::kAdvertising);
    }
    notices.push_back(notice);
  }
  return notices;
}

domain::Rules Policy() {
  domain::Rules rules;
  rules.version = "test";
  rules.service_began_at = Parse("2014-11-06T00:00:00Z");
  rules.longest_answer_age = base::Seconds(60);
  rules.regimes = {Open(domain::DefaultRule::kOptIn), Open(domain::DefaultRule::kOptIn),
                   Open(domain::DefaultRule::kOptOut)};
  rules.regions[RegionOf("DE")] = {1, {}};
  rules.regions[RegionOf("US")] = {2, Parse("2020-01-01T00:00:00Z")};
  rules.ages_of_consent[RegionOf("DE")] = 16;
  rules.ages_of_consent[RegionOf("US")] = 13;
  rules.purposes = Everything();
  domain::Control help;
  help.number = 1;
  help.purposes.Add(Purpose::kHumanReview);
  help.purposes.Add(Purpose::kFeatureDevelopment);
  domain::Control messages;
  messages.number = 2;
  messages.purposes.Add(Purpose::kMessageTranscription);
  rules.controls = {help, messages};
  rules.notices = Notices();
  return rules;
}

}  // namespace

domain::Region RegionOf(const char* text) {
  domain::Region region;
  domain::Region::Parse(text, &region);
  return region;
}

Instant Scene::Ago(int days) { return kNow - base::Days(days); }
Instant Scene::AgoHours(int hours) { return kNow - base::Hours(hours); }

Scene::Scene() {
  facts.rules = Policy();
  facts.now = kNow;
  facts.purpose = Purpose::kHumanReview;
  facts.subject.revision = 7;
  facts.subject.registered = true;
  facts.subject.default_from = Ago(1000);
  facts.subject.scopes[0].registered = true;
  LivesIn("DE");
  AddProfile("ann");
  ScopeFacts kitchen;
  kitchen.kind = ScopeKind::kDevice;
  kitchen.handle = HandleOf("kitchen");
  kitchen.registered = true;
  facts.subject.scopes.push_back(kitchen);
  Gives("", Purpose::kHumanReview, Ago(100));
  Gives("ann", Purpose::kHumanReview, Ago(100));

  domain::RecordingFacts& recording = facts.recording;
  recording.captured_at = Ago(1);
  recording.device.bytes = HandleOf("kitchen");
  recording.wake = domain::Wake::kIntended;
  recording.kind = domain::Kind::kCommand;
  recording.speakers = domain::Speakers::kOne;
  recording.identity = domain::Identity::kMatched;
  recording.age = domain::SpeakerAge::kAdult;
  NamesProfiles({"ann"});
  facts.place.country = RegionOf("DE");
  facts.place.site = "berlin";
  facts.place.reviewer_class = domain::ReviewerClass::kEmployee;
}

Scene& Scene::Suspend(Purpose purpose, Instant from, Instant until) {
  domain::Suspension suspension;
  suspension.purpose = purpose;
  suspension.active = !until.IsSet();
  suspension.suspended_at = from;
  suspension.resumed_at = until;
  facts.rules.suspensions.push_back(suspension);
  return *this;
}

Scene& Scene::LivesIn(const char* region) {
  facts.subject.region = RegionOf(region);
  return *this;
}

Scene& Scene::AddProfile(const char* name, domain::Age age) {
  ScopeFacts profile;
  profile.kind = ScopeKind::kProfile;
  profile.handle = HandleOf(name);
  profile.registered = true;
  profile.age = age;
  facts.subject.scopes.push_back(profile);
  return *this;
}

ScopeFacts& Scene::Scope(const char* who) {
  if (*who == '\0') return facts.subject.scopes[0];
  const ScopeKind kind = IsDevice(who) ? ScopeKind::kDevice : ScopeKind::kProfile;
  for (ScopeFacts& scope : facts.subject.scopes) {
    if (scope.kind == kind && scope.handle == HandleOf(who)) return scope;
  }
  ScopeFacts unregistered;
  unregistered.kind = kind;
  unregistered.handle = HandleOf(who);
  facts.subject.scopes.push_back(unregistered);
  return facts.subject.scopes.back();
}

Scene& Scene::Gives(const char* who, Purpose purpose, Instant since, Notice notice) {
  PurposeChoice& choice = Scope(who).choices[static_cast<size_t>(purpose) - 1];
  const bool refused = choice.choice == Choice::kRefused || choice.choice == Choice::kWithdrawn;
  const Instant refused_from = refused ? choice.since : choice.refused_from;
  choice = PurposeChoice();
  choice.choice = Choice::kGiven;
  choice.notice = notice;
  choice.since = since;
  choice.refused_from = refused_from;
  choice.copies_forgiven = refused_from.IsSet() && notice == kCoversPast;
  return *this;
}

Scene& Scene::GuardianGives(const char* who, Purpose purpose, Instant since) {
  Gives(who, purpose, since);
  ScopeFacts& scope = Scope(who);
  scope.choices[static_cast<size_t>(purpose) - 1].by_guardian = true;
  scope.guardian.bytes = HandleOf("guardian");
  scope.guardian_since = Ago(730);
  return *this;
}

Scene& Scene::Refuses(const char* who, Purpose purpose, Instant since) {
  Scope(who).choices[static_cast<size_t>(purpose) - 1] = Said(Choice::kRefused, since);
  return *this;
}

Scene& Scene::Withdraws(const char* who, Purpose purpose, Instant since) {
  Scope(who).choices[static_cast<size_t>(purpose) - 1] = Said(Choice::kWithdrawn, since);
  return *this;
}

Scene& Scene::NeverChose(const char* who) {
  Scope(who).choices = {};
  return *this;
}

Scene& Scene::NobodyChose() {
  for (ScopeFacts& scope : facts.subject.scopes) scope.choices = {};
  return *this;
}

Scene& Scene::Keeps(domain::Retention retention) {
  Scope("").retention = retention;
  return *this;
}

Scene& Scene::Delete(domain::TombstoneState state, Instant from, Instant to) {
  return Order(state, domain::OrderedTimes::Between(from, to, to));
}

Scene& Scene::Order(domain::TombstoneState state, domain::OrderedTimes times) {
  facts.subject.tombstones.push_back({state, ScopeKind::kAccount, {}, times, {}});
  return *this;
}

Scene& Scene::Hold(Instant from, Instant to) {
  facts.subject.holds.push_back({ScopeKind::kAccount, {}, {from, to}});
  return *this;
}

Scene& Scene::AsksForGrant() {
  domain::ReviewCaps caps;
  caps.purpose = Purpose::kHumanReview;
  caps.rates = {{domain::Region(), 2'000}, {RegionOf("DE"), domain::kWholePopulation}};
  caps.per_day = 10;
  caps.per_selection_day.fill(caps.per_day);
  caps.per_selection_day[static_cast<size_t>(domain::Selection::kRandom) - 1] = 6;
  caps.per_site_day = 5;
  caps.per_reviewer_shift = 4;
  caps.per_account = 3;
  facts.rules.review_caps = {caps};
  facts.grants = domain::GrantCounts();
  return *this;
}

Scene& Scene::ReportsSafety(domain::Instant at) {
  facts.rules.safety.hold = base::Hours(72);
  facts.marks.flags = static_cast<uint8_t>(facts.marks.flags | domain::Flags::kSafety);
  facts.marks.safety_since = at;
  return *this;
}

Scene& Scene::Captured(Instant at) {
  facts.recording.captured_at = at;
  return *this;
}

Scene& Scene::Uncertain(domain::Span span) {
  facts.recording.has_uncertainty = true;
  facts.recording.uncertainty = span;
  return *this;
}

Scene& Scene::NamesProfiles(std::initializer_list<const char*> names) {
  facts.recording.profiles.clear();
  for (const char* name : names) facts.recording.profiles.push_back({HandleOf(name)});
  return *this;
}

Scene& Scene::Copy(domain::Artefact artefact, Purpose made_for) {
  facts.recording.artefact = artefact;
  facts.recording.made_for = made_for;
  return *this;
}

Scene& Scene::Asks(Purpose purpose) {
  facts.purpose = purpose;
  return *this;
}

std::string Scene::Answer() const {
  const domain::Decision rule = AnswerOfRule(facts);
  const std::string difference = Difference(rule, AnswerOfModel(facts));
  if (!difference.empty()) return "the model disagrees: " + difference;
  std::string text;
  if (rule.eligibility == domain::Eligibility::kEligible) text += "ELIGIBLE ";
  if (rule.eligibility == domain::Eligibility::kNotEligible) text += "NOT_ELIGIBLE ";
  switch (rule.disposition) {
    case domain::Disposition::kKeep:
      text += "KEEP";
      break;
    case domain::Disposition::kPurge:
      text += "PURGE";
      break;
    case domain::Disposition::kHold:
      text += "HOLD";
      break;
    case domain::Disposition::kNotAnswered:
      text += "-";
      break;
  }
  rule.ForEachReason([&](domain::Reason reason) { text += std::string(" ") + test::ReasonName(reason); });
  return text;
}

}  // namespace consent::model
