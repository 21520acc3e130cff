#include "tests/unit/cases/mutants.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include "tests/support/policy_texts.h"

namespace consent::cases {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// A country, language and time that no shipped policy names.
constexpr char kStranger[] = "JP";
constexpr char kStrangeLanguage[] = "ja";
constexpr int kStrangeMonths = 60;

using Change = std::function<void(Message* at)>;
// What loosens one field of one message, each a change of its own. `policy` is the whole.
using Loosener = std::function<std::vector<Change>(const v1::Policy& policy, const Message& at)>;

struct Rule {
  Loosener loosener;          // empty: no change of it loosens
  std::string named_as;       // in a difference's path, where that is not the field's name
  bool descends = false;      // a message whose own fields have rules
  bool turns_answers = true;  // of its loosenings
};

template <typename Concrete, typename F>
Change On(F change) {
  return [change](Message* at) { change(static_cast<Concrete*>(at)); };
}

// The field is a number, and more of it loosens; or `by` otherwise.
Rule Number(const std::vector<int64_t>& by, const char* field) {
  return {[by, name = std::string(field)](const v1::Policy&, const Message& at) {
            std::vector<Change> changes;
            const FieldDescriptor* const f = at.GetDescriptor()->FindFieldByName(name);
            for (const int64_t step : by) {
              changes.push_back([f, step](Message* changed) {
                const Reflection* const r = changed->GetReflection();
                if (f->cpp_type() == FieldDescriptor::CPPTYPE_INT64) {
                  r->SetInt64(changed, f, r->GetInt64(*changed, f) + step);
                } else {
                  r->SetInt32(changed, f, r->GetInt32(*changed, f) + static_cast<int32_t>(step));
                }
              });
            }
            return changes;
          },
          "", false};
}

// More of it loosens, and turns no answer.
Rule More(const char* field, const std::string& named_as = "") {
  Rule rule = Number({1}, field);
  rule.named_as = named_as;
  rule.turns_answers = false;
  return rule;
}

Rule TurnedOn(const char* field, const std::string& named_as = "") {
  return {[name = std::string(field)](const v1::Policy&, const Message& at) {
            const FieldDescriptor* const f = at.GetDescriptor()->FindFieldByName(name);
            if (at.GetReflection()->GetBool(at, f)) return std::vector<Change>{};
            return std::vector<Change>{[f](Message* changed) { changed->GetReflection()->SetBool(changed, f, true); }};
          },
          named_as, false};
}

// The field says how many persons something takes.
Rule OneAlone(int number) {
  return {[number](const v1::Policy&, const Message& at) {
            const FieldDescriptor* const f = at.GetDescriptor()->FindFieldByNumber(number);
            if (at.GetReflection()->GetEnumValue(at, f) == v1::PERSONS_ONE) return std::vector<Change>{};
            return std::vector<Change>{
                [f](Message* changed) { changed->GetReflection()->SetEnumValue(changed, f, v1::PERSONS_ONE); }};
          },
          "", false, false};
}

Rule Descend() { return {nullptr, "", true}; }
Rule Nothing() { return {}; }

std::set<int> Purposes(const google::protobuf::RepeatedField<int>& listed) { return {listed.begin(), listed.end()}; }

std::vector<Change> EachOtherUnit(const v1::Policy&, const Message& at) {
  std::vector<Change> changes;
  for (int unit = 1; unit < v1::PeriodUnit_ARRAYSIZE; ++unit) {
    if (unit == static_cast<const v1::Period&>(at).unit()) continue;
    changes.push_back(On<v1::Period>([unit](v1::Period* p) { p->set_unit(static_cast<v1::PeriodUnit>(unit)); }));
  }
  return changes;
}

std::vector<Change> MoreCountries(const v1::Policy& policy, const Message& at) {
  const auto& regime = static_cast<const v1::Regime&>(at);
  const std::set<std::string> has(regime.allowed_countries().begin(), regime.allowed_countries().end());
  std::vector<Change> changes = {On<v1::Regime>([](v1::Regime* r) {
    r->clear_allowed_countries();
    r->add_allowed_countries("*");
  })};
  for (const v1::Regime& other : policy.regimes()) {
    if (other.regions().empty() || has.count(other.regions(0)) != 0) continue;
    changes.push_back(
        On<v1::Regime>([country = other.regions(0)](v1::Regime* r) { r->add_allowed_countries(country); }));
  }
  changes.push_back(On<v1::Regime>([](v1::Regime* r) { r->add_allowed_countries(kStranger); }));
  return changes;
}

std::vector<Change> OtherCountries(const v1::Policy&, const Message&) {
  std::vector<Change> changes;
  for (int purpose = 2; purpose < v1::Purpose_ARRAYSIZE; ++purpose) {
    changes.push_back(On<v1::Regime>([purpose](v1::Regime* r) {
      v1::PurposeCountries& other = *r->add_other_countries();
      other.set_purpose(static_cast<v1::Purpose>(purpose));
      other.add_allowed_countries("*");
    }));
  }
  return changes;
}

std::vector<Change> MoreSites(const v1::Policy&, const Message& at) {
  if (static_cast<const v1::Regime&>(at).allowed_sites_size() > 0) return {};  // every one
  return {On<v1::Regime>([](v1::Regime* r) { r->add_allowed_sites("*"); }),
          On<v1::Regime>([](v1::Regime* r) { r->add_allowed_sites("berlin"); })};
}

std::vector<Change> MoreReviewers(const v1::Policy&, const Message& at) {
  const std::set<int> has = Purposes(static_cast<const v1::Regime&>(at).allowed_reviewer_classes());
  std::vector<Change> changes;
  for (int c = 1; c < v1::ReviewerClass_ARRAYSIZE; ++c) {
    if (has.count(c) != 0) continue;
    changes.push_back(
        On<v1::Regime>([c](v1::Regime* r) { r->add_allowed_reviewer_classes(static_cast<v1::ReviewerClass>(c)); }));
  }
  return changes;
}

std::vector<Change> MoreRegions(const v1::Policy& policy, const Message& at) {
  if (static_cast<const v1::Regime&>(at).name() == policy.unknown_region_regime()) return {};  // it has it already
  return {On<v1::Regime>([](v1::Regime* r) { r->add_regions(kStranger); })};
}

std::vector<Change> AnotherUnknown(const v1::Policy& policy, const Message&) {
  std::vector<Change> changes;
  for (const v1::Regime& regime : policy.regimes()) {
    if (regime.name() == policy.unknown_region_regime()) continue;
    changes.push_back(On<v1::Policy>([name = regime.name()](v1::Policy* p) { p->set_unknown_region_regime(name); }));
  }
  return changes;
}

std::vector<Change> Ages(const v1::Policy& policy, const Message&) {
  std::vector<Change> changes = {
      On<v1::Policy>([](v1::Policy* p) { (*p->mutable_ages_of_consent())[kStranger] = 13; })};
  for (const auto& [country, years] : policy.ages_of_consent()) {
    changes.push_back(On<v1::Policy>(
        [country = country, years = years](v1::Policy* p) { (*p->mutable_ages_of_consent())[country] = years - 1; }));
  }
  return changes;
}

std::vector<Change> UnRecorded(const v1::Policy& policy, const Message&) {
  std::vector<Change> changes;
  for (int i = 0; i < policy.recorded_purposes_size(); ++i) {
    changes.push_back(On<v1::Policy>([i](v1::Policy* p) {
      auto& marks = *p->mutable_recorded_purposes();
      marks.erase(marks.begin() + i);
    }));
  }
  return changes;
}

std::vector<Change> ControlPurposes(const v1::Policy& policy, const Message& at) {
  const std::set<int> has = Purposes(static_cast<const v1::Control&>(at).purposes());
  std::vector<Change> changes;
  for (const int purpose : policy.purposes()) {
    if (has.count(purpose) == 0) {
      changes.push_back(
          On<v1::Control>([purpose](v1::Control* c) { c->add_purposes(static_cast<v1::Purpose>(purpose)); }));
    } else if (has.size() > 1) {
      changes.push_back(On<v1::Control>([purpose](v1::Control* c) {
        auto& listed = *c->mutable_purposes();
        listed.erase(std::find(listed.begin(), listed.end(), purpose));
      }));
    }
  }
  return changes;
}

std::vector<Change> NoticePurposes(const v1::Policy& policy, const Message& at) {
  const std::set<int> has = Purposes(static_cast<const v1::Notice&>(at).purposes());
  std::vector<Change> changes;
  for (const int purpose : policy.purposes()) {
    if (has.count(purpose) != 0) continue;
    changes.push_back(On<v1::Notice>([purpose](v1::Notice* n) { n->add_purposes(static_cast<v1::Purpose>(purpose)); }));
  }
  return changes;
}

std::vector<Change> AnExtension(const v1::Policy&, const Message& at) {
  if (static_cast<const v1::DeletionDeadlines&>(at).has_extension()) return {};
  return {On<v1::DeletionDeadlines>([](v1::DeletionDeadlines* d) {
    *d->mutable_extension() = d->completion();
    *d->mutable_extension_notice() = d->completion();
  })};
}

// Absent: acknowledged within 10 business days, answered within 1 month.
std::vector<Change> ALaterAppeal(const v1::Policy&, const Message& at) {
  v1::AppealDeadlines deadlines = static_cast<const v1::Regime&>(at).appeal_deadlines();
  if (!deadlines.has_acknowledgement()) {
    deadlines.mutable_acknowledgement()->set_count(10);
    deadlines.mutable_acknowledgement()->set_unit(v1::PERIOD_UNIT_BUSINESS_DAYS);
    deadlines.mutable_answer()->set_count(1);
    deadlines.mutable_answer()->set_unit(v1::PERIOD_UNIT_MONTHS);
  }
  std::vector<Change> changes;
  for (v1::Period* (v1::AppealDeadlines::*const of)() :
       {&v1::AppealDeadlines::mutable_acknowledgement, &v1::AppealDeadlines::mutable_answer}) {
    v1::AppealDeadlines later = deadlines;
    v1::Period& period = *(later.*of)();
    period.set_count(period.count() + 1);
    changes.push_back(On<v1::Regime>([later](v1::Regime* r) { *r->mutable_appeal_deadlines() = later; }));
  }
  return changes;
}

// A text is always the same under its version.
std::vector<Change> OtherTexts(const v1::Policy&, const Message& at) {
  std::vector<Change> changes;
  for (int i = 0; i < static_cast<const v1::Notice&>(at).texts_size(); ++i) {
    changes.push_back(On<v1::Notice>([i](v1::Notice* n) { n->mutable_texts(i)->set_title("Other"); }));
  }
  return changes;
}

// What a changed policy has to say to be valid: texts in each language, with marks where people listen.
void SayIt(v1::Policy* policy) {
  test::FillTexts(policy);
  const auto mark = [](auto* texts) {
    for (v1::LocalizedText& text : *texts) {
      if (text.sentence().find("[[") == std::string::npos) text.set_sentence("[[" + text.sentence() + "]]");
    }
  };
  for (v1::Control& control : *policy->mutable_controls()) {
    if (Purposes(control.purposes()).count(v1::PURPOSE_HUMAN_REVIEW) != 0) mark(control.mutable_texts());
  }
  for (v1::Notice& notice : *policy->mutable_notices()) {
    if (notice.says_people_listen()) mark(notice.mutable_texts());
  }
}

std::vector<Change> ACalendar(const v1::Policy& policy, const Message& at) {
  if (!static_cast<const v1::Regime&>(at).holiday_calendar().empty() || policy.holiday_calendars().empty()) return {};
  const std::string name = policy.holiday_calendars(0).name();
  return {On<v1::Regime>([name](v1::Regime* r) { r->set_holiday_calendar(name); })};
}

std::vector<Change> NoEnd(const v1::Policy&, const Message& at) {
  const int months = static_cast<const v1::Notice&>(at).consent_lifetime_months();
  if (months == 0) return {};
  return {On<v1::Notice>([months](v1::Notice* n) { n->set_consent_lifetime_months(months + 1); }),
          On<v1::Notice>([](v1::Notice* n) { n->set_consent_lifetime_months(0); })};
}

// By the fields' full names, less "consent.v1.".
std::map<std::string, Rule> RulesOfPolicy() {
  return {
      {"Policy.version", Nothing()},
      {"Policy.regimes", Descend()},
      {"Policy.unknown_region_regime", {AnotherUnknown, "].regions", false}},
      {"Policy.purposes", Nothing()},  // all that there are
      {"Policy.controls", Descend()},
      {"Policy.notices", Descend()},
      {"Policy.ages_of_consent", {Ages, "", false}},
      {"Policy.default_age_of_consent", Number({-1}, "default_age_of_consent")},
      {"Policy.retention_choices", Descend()},
      {"Policy.longest_answer_age_seconds", Number({1}, "longest_answer_age_seconds")},
      {"Policy.default_capture_uncertainty_ms", Number({1, -1}, "default_capture_uncertainty_ms")},
      {"Policy.holiday_calendars", Descend()},
      {"Policy.service_began_at",
       {[](const v1::Policy&, const Message&) {
          return std::vector<Change>{
              On<v1::Policy>([](v1::Policy* p) { p->mutable_service_began_at()->set_seconds(631'152'000); })};  // 1990
        },
        "", false}},
      {"Policy.recorded_purposes", {UnRecorded, "", false}},
      {"Policy.approvals", Descend()},
      {"Policy.backup_keep_days", More("backup_keep_days")},
      {"Policy.decision_log_keep_months", More("decision_log_keep_months")},
      {"Policy.safety_hold_hours", Number({-1}, "safety_hold_hours")},
      {"Policy.safety_acknowledge_hours", More("safety_acknowledge_hours")},
      {"Policy.safety_handle_hours", More("safety_handle_hours")},
  };
}

std::map<std::string, Rule> RulesOfCaps() {
  return {
      {"Policy.review_caps", Descend()},
      {"ReviewCaps.purpose", Nothing()},
      {"ReviewCaps.rates", Descend()},
      {"ReviewCaps.per_day", More("per_day")},
      {"ReviewCaps.selections", Descend()},
      {"ReviewCaps.per_site_day", More("per_site_day")},
      {"ReviewCaps.per_reviewer_shift", More("per_reviewer_shift")},
      {"ReviewCaps.per_account", More("per_account")},
      {"ReviewRate.countries", Nothing()},  // all that there are
      {"ReviewRate.parts_per_million", More("parts_per_million", "].rates[")},
      {"SelectionCap.selection", Nothing()},
      {"SelectionCap.per_day", More("per_day", "].selections[")},
  };
}

std::map<std::string, Rule> RulesOfRegime() {
  return {
      {"Regime.name", Nothing()},
      {"Regime.regions", {MoreRegions, "", false}},
      {"Regime.default_rule",
       {[](const v1::Policy&, const Message& at) {
          if (static_cast<const v1::Regime&>(at).default_rule() == v1::DEFAULT_RULE_OPT_OUT)
            return std::vector<Change>{};
          return std::vector<Change>{
              On<v1::Regime>([](v1::Regime* r) { r->set_default_rule(v1::DEFAULT_RULE_OPT_OUT); })};
        },
        "", false}},
      {"Regime.false_wake_ttl_seconds", Number({1}, "false_wake_ttl_seconds")},
      {"Regime.allowed_countries", {MoreCountries, "", false}},
      {"Regime.allowed_sites", {MoreSites, "", false}},
      {"Regime.allowed_reviewer_classes", {MoreReviewers, "", false}},
      {"Regime.allow_several_speakers", TurnedOn("allow_several_speakers")},
      {"Regime.allow_unmatched_speakers", TurnedOn("allow_unmatched_speakers")},
      {"Regime.allow_unidentified_single_adult", TurnedOn("allow_unidentified_single_adult")},
      {"Regime.child_inactive_months", Number({1}, "child_inactive_months")},
      {"Regime.child_notice_days", Number({1}, "child_notice_days")},
      {"Regime.deletion_deadlines", Descend()},
      {"Regime.holiday_calendar", {ACalendar, "", false}},
      {"Regime.other_countries", {OtherCountries, "", false}},
      {"Regime.time_zone", Nothing()},  // none is named, and one more ends deadlines earlier
      {"Regime.ask_again_after_days",
       {[](const v1::Policy&, const Message& at) {
          const int days = static_cast<const v1::Regime&>(at).ask_again_after_days();
          return std::vector<Change>{On<v1::Regime>(
              [days](v1::Regime* r) { r->set_ask_again_after_days((days == 0 ? 366 : days) - 1); })};  // absent: 366
        },
        "", false, false}},
      {"Regime.appeal_texts", Nothing()},  // they say how to appeal, and nobody's answer follows from them
      {"Regime.appeal_deadlines", {ALaterAppeal, "", false, false}},
      {"DeletionDeadlines.confirmation", Descend()},
      {"DeletionDeadlines.completion", Descend()},
      {"DeletionDeadlines.extension", {AnExtension, "", true}},
      {"DeletionDeadlines.extension_notice", Descend()},
      {"Period.count", Number({1}, "count")},
      {"Period.unit", {EachOtherUnit, "deletion_deadlines", false}},
  };
}

std::map<std::string, Rule> RulesOfTheRest() {
  return {
      {"HolidayCalendar.name", Nothing()},
      {"HolidayCalendar.dates",
       {[](const v1::Policy&, const Message&) {
          return std::vector<Change>{
              On<v1::HolidayCalendar>([](v1::HolidayCalendar* c) { c->add_dates("2028-12-26"); })};
        },
        "", false}},
      {"Control.name", Nothing()},
      {"Control.purposes", {ControlPurposes, "controls[", false}},
      {"Control.texts", Nothing()},  // a consent has the text of its own time on record
      {"Notice.texts", {OtherTexts, "", false, false}},
      {"Notice.version", Nothing()},
      {"Notice.languages",
       {[](const v1::Policy&, const Message&) {
          return std::vector<Change>{On<v1::Notice>([](v1::Notice* n) { n->add_languages(kStrangeLanguage); })};
        },
        "", false}},
      {"Notice.purposes", {NoticePurposes, "", false}},
      {"Notice.says_people_listen", TurnedOn("says_people_listen")},
      {"Notice.covers_past", TurnedOn("covers_past")},
      {"Notice.valid_from",
       {[](const v1::Policy&, const Message&) {
          return std::vector<Change>{On<v1::Notice>(
              [](v1::Notice* n) { n->mutable_valid_from()->set_seconds(n->valid_from().seconds() - 1); })};
        },
        "", false}},
      {"Notice.supersedes", Nothing()},  // none supersedes another
      {"Notice.consent_lifetime_months", {NoEnd, "", false}},
      {"RetentionChoices.until_deleted", TurnedOn("until_deleted", "retention_choices")},
      {"RetentionChoices.months",
       {[](const v1::Policy&, const Message&) {
          return std::vector<Change>{
              On<v1::RetentionChoices>([](v1::RetentionChoices* c) { c->add_months(kStrangeMonths); })};
        },
        "retention_choices", false}},
      {"Approvals.resume", OneAlone(v1::Approvals::kResumeFieldNumber)},
      {"Approvals.release_hold", OneAlone(v1::Approvals::kReleaseHoldFieldNumber)},
      {"Approvals.activate_policy", OneAlone(v1::Approvals::kActivatePolicyFieldNumber)},
      {"Approvals.expire_after_hours", More("expire_after_hours", "approvals.expire_after_hours")},
      {"RetentionChoices.do_not_save", TurnedOn("do_not_save", "retention_choices")},
  };
}

const Rule& RuleOf(const FieldDescriptor& field) {
  static const std::map<std::string, Rule> rules = [] {
    std::map<std::string, Rule> all = RulesOfPolicy();
    all.merge(RulesOfCaps());
    all.merge(RulesOfRegime());
    all.merge(RulesOfTheRest());
    return all;
  }();
  static const Rule none;
  const auto at = rules.find(field.full_name().substr(std::string("consent.v1.").size()));
  if (at != rules.end()) return at->second;
  ADD_FAILURE() << field.full_name() << " has no rule: say here what loosens it";
  return none;
}

// Walks over the document, and makes a mutant of each loosening of each field.
class Mutator {
 public:
  explicit Mutator(const v1::Policy& policy) : policy_(policy) {}
  std::vector<Mutant> Run() {
    Walk(
        policy_, [](v1::Policy* p) { return static_cast<Message*>(p); }, "");
    return std::move(mutants_);
  }

 private:
  using Access = std::function<Message*(v1::Policy*)>;

  void Walk(const Message& at, const Access& access, const std::string& path) {
    for (int i = 0; i < at.GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor& field = *at.GetDescriptor()->field(i);
      const Rule& rule = RuleOf(field);
      const std::string here = path + "." + field.name();
      if (rule.loosener) {
        for (const Change& change : rule.loosener(policy_, at)) Make(field, rule, here, access, change);
      }
      if (rule.descends) Descend(at, field, access, here);
    }
  }
  void Descend(const Message& at, const FieldDescriptor& field, const Access& access, const std::string& here) {
    const Reflection& reflection = *at.GetReflection();
    if (!field.is_repeated()) {
      if (!reflection.HasField(at, &field)) return;
      return Walk(
          reflection.GetMessage(at, &field),
          [access, &field](v1::Policy* p) {
            Message* const parent = access(p);
            return parent->GetReflection()->MutableMessage(parent, &field);
          },
          here);
    }
    for (int j = 0; j < reflection.FieldSize(at, &field); ++j) {
      Walk(
          reflection.GetRepeatedMessage(at, &field, j),
          [access, &field, j](v1::Policy* p) {
            Message* const parent = access(p);
            return parent->GetReflection()->MutableRepeatedMessage(parent, &field, j);
          },
          here + "[" + std::to_string(j) + "]");
    }
  }
  void Make(const FieldDescriptor& field, const Rule& rule, const std::string& here, const Access& access,
            const Change& change) {
    Mutant mutant;
    mutant.field = field.full_name();
    mutant.place = here + " #" + std::to_string(mutants_.size());
    // Of a period the difference names the deadline.
    mutant.named_as = !rule.named_as.empty()    ? rule.named_as
                      : field.name() == "count" ? std::string("deletion_deadlines")
                                                : field.name();
    mutant.policy = policy_;
    change(access(&mutant.policy));
    mutant.policy.set_version("mutant");
    mutant.turns_answers = rule.turns_answers;
    SayIt(&mutant.policy);
    mutants_.push_back(std::move(mutant));
  }

  const v1::Policy& policy_;
  std::vector<Mutant> mutants_;
};

}  // namespace

std::vector<Mutant> MutantsOf(const v1::Policy& policy) { return Mutator(policy).Run(); }

}  // namespace consent::cases
