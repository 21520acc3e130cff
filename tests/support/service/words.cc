// The words in which tests tell their stories, and the texts that they compare.
#include "tests/support/reason_name.h"
#include "tests/support/service/world.h"

namespace consent::test {

domain::Target Control(std::string name) {
  return {domain::TargetKind::kControl, std::move(name), domain::Purpose::kNone};
}
domain::Target Only(domain::Purpose purpose) { return {domain::TargetKind::kPurpose, "", purpose}; }
domain::Target Everything() { return {}; }

Person Adult(std::string id) {
  Person person{std::move(id), {}, ""};
  person.age.kind = domain::AgeKind::kAdult;
  return person;
}

Person Child(std::string id, std::string guardian) {
  Person person{std::move(id), {}, std::move(guardian)};
  person.age.kind = domain::AgeKind::kChild;
  return person;
}

Person Born(std::string id, const std::string& date, std::string guardian) {
  Person person{std::move(id), {}, std::move(guardian)};
  person.age.kind = domain::AgeKind::kBorn;
  person.age.born = Day(date);
  return person;
}

Person OfUnknownAge(std::string id) { return {std::move(id), {}, ""}; }

Given Under(std::string notice) {
  Given given;
  given.notice = std::move(notice);
  return given;
}

Given ByGuardian(std::string guardian, std::string notice) {
  Given given;
  given.notice = std::move(notice);
  given.actor = domain::Actor::kGuardian;
  given.guardian = std::move(guardian);
  return given;
}

std::string ReasonOf(const absl::Status& status) {
  return status.ok() ? "NONE" : wire::ReasonName(wire::DetailOf(status).reason);
}

std::string Text(domain::Disposition disposition) {
  switch (disposition) {
    case domain::Disposition::kKeep:
      return "KEEP";
    case domain::Disposition::kPurge:
      return "PURGE";
    case domain::Disposition::kHold:
      return "HOLD";
    case domain::Disposition::kNotAnswered:
      break;
  }
  return "NOT_ANSWERED";
}

std::string Text(const domain::Decision& decision) {
  std::string text = Text(decision.disposition);
  switch (decision.eligibility) {
    case domain::Eligibility::kNotAnswered:
      break;
    case domain::Eligibility::kNotEligible:
      text += " no";
      break;
    case domain::Eligibility::kEligible:
      text += " yes";
      break;
  }
  const char* separator = ": ";
  decision.reasons.ForEach([&](domain::Reason reason) {
    text += separator;
    text += test::ReasonName(reason);
    separator = ", ";
  });
  return text;
}

bool IsYes(const domain::Decision& decision) { return decision.eligibility == domain::Eligibility::kEligible; }

}  // namespace consent::test
