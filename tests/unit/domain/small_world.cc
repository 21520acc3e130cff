#include "tests/unit/domain/small_world.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace consent::domain {
namespace {

void Require(bool right, const std::string& text) {
  if (right) return;
  std::fprintf(stderr, "the test writes \"%s\"\n", text.c_str());
  std::abort();
}

base::Bytes16 Number(uint8_t number) {
  base::Bytes16 handle{};
  handle[0] = number;
  return handle;
}

PurposeSet Purposes(std::initializer_list<Purpose> listed) {
  PurposeSet set;
  for (const Purpose purpose : listed) set.Add(purpose);
  return set;
}

domain::Notice MakeNotice(NoticeNumber number, std::string version, PurposeSet purposes) {
  domain::Notice notice;
  notice.number = number;
  notice.version = std::move(version);
  notice.languages = {"en"};
  notice.purposes = purposes;
  notice.says_people_listen = true;
  notice.valid_from = At("2026-01-01T00:00:00Z");
  return notice;
}

}  // namespace

Instant At(const std::string& rfc3339) {
  Instant at;
  Require(base::ParseRfc3339(rfc3339, &at), rfc3339);
  return at;
}

Region In(const std::string& region) {
  Region parsed;
  Require(Region::Parse(region, &parsed), region);
  return parsed;
}

base::Date Day(const std::string& date) {
  base::Date parsed;
  Require(base::ParseDate(date, &parsed), date);
  return parsed;
}

ScopeRef Account() { return {}; }
ScopeRef Profile(uint8_t number) { return {ScopeKind::kProfile, Number(number)}; }
ScopeRef Device(uint8_t number) { return {ScopeKind::kDevice, Number(number)}; }
base::GuardianHandle Guardian(uint8_t number) { return base::GuardianHandle{Number(number)}; }
Target ControlNamed(std::string name) { return {TargetKind::kControl, std::move(name), Purpose::kNone}; }
Target PurposeOf(Purpose purpose) { return {TargetKind::kPurpose, "", purpose}; }

Age AnAdult() { return {AgeKind::kAdult, {}, {}}; }
Age AChild() { return {AgeKind::kChild, {}, {}}; }
Age BornOn(const std::string& date) { return {AgeKind::kBorn, Day(date), {}}; }

Rules SmallRules() {
  Rules rules;
  rules.version = "small";
  rules.longest_answer_age = base::Seconds(300);
  for (const char* name : {"de", "us", "unknown"}) {
    Regime regime;
    regime.name = name;
    regime.countries.any = regime.any_site = regime.employees = true;
    regime.child_inactive_months = 18;
    regime.child_notice_period = base::Days(60);
    rules.regimes.push_back(regime);
  }
  rules.regimes[1].default_rule = DefaultRule::kOptOut;
  rules.regimes[1].contractors = true;
  rules.regimes[1].false_wake_ttl = base::Hours(1);
  rules.unknown_regime = 2;
  rules.regions[In("DE")] = {0, {}};
  rules.regions[In("GB")] = {0, {}};
  rules.regions[In("US")] = {1, At("2026-01-01T00:00:00Z")};
  rules.regions[In("US-CA")] = {1, At("2026-02-01T00:00:00Z")};
  rules.ages_of_consent[In("DE")] = 16;
  rules.ages_of_consent[In("US")] = 13;
  rules.default_age_of_consent = 18;
  for (const Purpose purpose : kAllPurposes) {
    if (purpose != Purpose::kAdvertising) rules.purposes.Add(purpose);
  }
  rules.controls = {{"improve", 1, Purposes({Purpose::kHumanReview, Purpose::kFeatureDevelopment})},
                    {"messages", 2, Purposes({Purpose::kMessageTranscription})}};
  rules.notices = {MakeNotice(1, "n1", rules.purposes), MakeNotice(2, "narrow", Purposes({Purpose::kHumanReview})),
                   MakeNotice(3, "later", rules.purposes), MakeNotice(4, "old", rules.purposes)};
  rules.notices[0].consent_lifetime_months = 12;
  rules.notices[2].valid_from = At("2027-01-01T00:00:00Z");
  rules.notices[3].superseded_from = At("2026-02-01T00:00:00Z");
  rules.offers_until_deleted = rules.offers_do_not_save = true;
  rules.offered_months = {3, 18};
  return rules;
}

Transition SmallWorld::Try(const Command& command) const { return Apply(facts, command, next, rules); }

Transition SmallWorld::Do(const Command& command) {
  Transition done = Try(command);
  facts = done.after;
  GoTo(next.time + base::Seconds(60));
  ++next.sequence;
  return done;
}

void SmallWorld::GoTo(Instant time) {
  next.time = time;
  next.now = base::Now::Sure(time);
}

void SmallWorld::Register(const std::string& region) {
  Command command;
  command.registers = true;
  command.region = In(region);
  command = WithProfile(command, 1, AnAdult());
  command.devices.push_back(base::DeviceHandle{Device(1).handle});
  const Transition done = Do(command);
  for (const PartOutcome& part : done.parts) Require(part.refusal == Refusal::kNone, "register in " + region);
}

Command Loosening(const SmallWorld& world) {
  Command command;
  command.expected_revision = world.facts.revision;
  command.proof.notice_version = "n1";
  command.proof.notice_language = "en";
  command.proof.channel = Channel::kApp;
  command.proof.actor = Actor::kSelf;
  return command;
}

Command On(const SmallWorld& world, const ScopeRef& scope, Target target) {
  Command command = Loosening(world);
  command.choices.push_back({scope, std::move(target), true});
  return command;
}

Command Off(const ScopeRef& scope, Target target) {
  Command command;
  command.choices.push_back({scope, std::move(target), false});
  return command;
}

Command Import(const SmallWorld& world) {
  Command command = Loosening(world);
  command.proof.channel = Channel::kImport;
  return command;
}

Command Keep(const SmallWorld& world, const ScopeRef& scope, Retention retention) {
  Command command = Loosening(world);
  command.retention.push_back({scope, retention});
  return command;
}

Command WithProfile(Command command, uint8_t number, Age age) {
  ProfileCommand profile;
  profile.profile.bytes = Number(number);
  profile.age = age;
  command.profiles.push_back(profile);
  return command;
}

Refusal RefusalOf(const Transition& transition) {
  Require(transition.parts.size() == 1, "a command of one part");
  return transition.parts[0].refusal;
}

}  // namespace consent::domain
