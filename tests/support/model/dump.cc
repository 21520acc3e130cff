#include <cstdio>
#include <sstream>

#include "tests/support/model/case.h"
#include "tests/support/reason_name.h"

namespace consent::model {
namespace {

using domain::Instant;

constexpr const char* kPurposeNames[] = {"NONE",
                                         "HUMAN_REVIEW",
                                         "MODEL_TRAINING",
                                         "FEATURE_DEVELOPMENT",
                                         "MESSAGE_TRANSCRIPTION",
                                         "VOICE_IDENTIFICATION",
                                         "PERSONALISATION",
                                         "ADVERTISING"};
constexpr const char* kChoices[] = {"UNSET", "GIVEN", "REFUSED", "WITHDRAWN"};
constexpr const char* kScopes[] = {"account", "profile", "device"};
constexpr const char* kStates[] = {"PENDING", "DENIED", "VERIFIED"};
constexpr const char* kAges[] = {"UNKNOWN", "ADULT", "CHILD", "BORN"};

template <size_t N>
std::string Name(const char* const (&names)[N], size_t number) {
  return number < N ? names[number] : "#" + std::to_string(number);
}

std::string Name(domain::Purpose purpose) { return Name(kPurposeNames, static_cast<size_t>(purpose)); }

std::string Text(Instant t) {
  if (!t.IsSet()) return "unset";
  if (t == base::kEndOfTime) return "end-of-time";
  if (t < Instant{0} || t > base::kLastInstant) return "#" + std::to_string(t.micros);
  return base::FormatRfc3339(t);
}

std::string Text(domain::Span span) {
  char text[64];
  std::snprintf(text, sizeof text, "%.6fs", static_cast<double>(span.micros) / 1e6);
  return text;
}

std::string Text(const base::Bytes16& handle) {
  std::string text;
  for (const uint8_t byte : handle) {
    char two[4];
    std::snprintf(two, sizeof two, "%02x", byte);
    text += two;
  }
  return text.substr(0, 4);
}

std::string Text(domain::PurposeSet set) {
  std::string text = "{";
  for (const domain::Purpose purpose : domain::kAllPurposes) {
    if (set.Has(purpose)) text += " " + Name(purpose);
  }
  return text + " }";
}

std::string Text(const domain::AgeOfConsent& consent) {
  std::string text;
  for (const domain::AgeOfConsent::Step& step : consent.steps()) {
    text += (text.empty() ? "" : ", then ") + std::to_string(step.years);
    if (step.from.IsSet()) text += " from " + Text(step.from);
  }
  return text;
}

std::string Text(const domain::OrderedTimes& times) {
  return "[" + Text(times.from()) + ", surely " + Text(times.sure()) + ", perhaps " + Text(times.latest()) + "]";
}

std::string Text(const domain::Interval& interval) {
  return "[" + Text(interval.from) + ", " + Text(interval.to) + "]";
}

void List(std::ostream& out, const domain::Countries& countries) {
  if (countries.any) out << '*';
  for (const domain::Region country : countries.named) out << country.ToString() << ',';
}

void When(std::ostream& out, const char* name, Instant t) {
  if (t.IsSet()) out << ' ' << name << '=' << Text(t);
}

void Mark(std::ostream& out, const char* name, bool on) {
  if (on) out << ' ' << name;
}

void DumpRegime(std::ostream& out, const domain::Regime& r, size_t index) {
  out << "  regime " << index << (r.default_rule == domain::DefaultRule::kOptOut ? " OPT_OUT" : " OPT_IN");
  out << " ttl=" << Text(r.false_wake_ttl) << " countries=";
  List(out, r.countries);
  for (const domain::PurposeCountries& other : r.other_countries) {
    out << " countries of " << Name(other.purpose) << '=';
    List(out, other.countries);
  }
  out << " sites=" << (r.any_site ? "*" : "");
  for (const std::string& site : r.sites) out << site << ',';
  Mark(out, "employees", r.employees);
  Mark(out, "contractors", r.contractors);
  Mark(out, "several", r.allow_several_speakers);
  Mark(out, "unmatched", r.allow_unmatched_speakers);
  Mark(out, "unidentified", r.allow_unidentified_single_adult);
  out << " inactive_months=" << r.child_inactive_months << " notice_period=" << Text(r.child_notice_period) << '\n';
}

void DumpCaps(std::ostream& out, const domain::ReviewCaps& caps) {
  out << "  caps " << Name(caps.purpose) << " day=" << caps.per_day << " selections=";
  for (const uint64_t of_selection : caps.per_selection_day) out << of_selection << ',';
  out << " site=" << caps.per_site_day << " reviewer=" << caps.per_reviewer_shift << " account=" << caps.per_account;
  for (const domain::ReviewRate& rate : caps.rates) {
    out << ' ' << (rate.country.IsSet() ? rate.country.ToString() : "*") << '=' << rate.parts_per_million << "ppm";
  }
  out << '\n';
}

void DumpRules(std::ostream& out, const domain::Rules& rules) {
  out << "rules: longest_answer=" << Text(rules.longest_answer_age)
      << " uncertainty=" << Text(rules.default_uncertainty) << " unknown=" << rules.unknown_regime
      << " age=" << Text(rules.default_age_of_consent) << " in_use=" << Text(rules.purposes)
      << " safety_hold=" << Text(rules.safety.hold) << '\n';
  for (const domain::Purpose p : domain::kAllPurposes) When(out, "in_use_since", rules.InUseSince(p));
  When(out, "restored_at", rules.restored_at);
  for (size_t i = 0; i < rules.regimes.size(); ++i) DumpRegime(out, rules.regimes[i], i);
  for (const auto& [region, found] : rules.regions) {
    out << "  region " << region.ToString() << " regime=" << found.regime;
    When(out, "opt_out_since", found.opt_out_since);
    out << '\n';
  }
  for (const auto& [country, consent] : rules.ages_of_consent) {
    out << "  age in " << country.ToString() << ' ' << Text(consent) << '\n';
  }
  for (const domain::Control& control : rules.controls) {
    out << "  control " << int{control.number} << ' ' << Text(control.purposes) << '\n';
  }
  for (const domain::Notice& notice : rules.notices) {
    out << "  notice " << notice.number << ' ' << Text(notice.purposes);
    Mark(out, "people", notice.says_people_listen);
    Mark(out, "past", notice.covers_past);
    When(out, "superseded", notice.superseded_from);
    out << " lifetime=" << notice.consent_lifetime_months << '\n';
  }
  for (const domain::Suspension& suspension : rules.suspensions) {
    out << "  suspension " << Name(suspension.purpose) << " region=" << suspension.region.ToString();
    Mark(out, "active", suspension.active);
    When(out, "from", suspension.suspended_at);
    When(out, "resumed", suspension.resumed_at);
    out << '\n';
  }
  for (const domain::ReviewCaps& caps : rules.review_caps) DumpCaps(out, caps);
}

void DumpGrants(std::ostream& out, const domain::GrantCounts& grants) {
  out << "grants: selection=" << static_cast<int>(grants.selection) << " population=" << grants.population << " given=";
  for (const uint64_t given : grants.given) out << given << ',';
  out << '\n';
}

void DumpScope(std::ostream& out, const domain::ScopeFacts& scope) {
  out << "  " << Name(kScopes, static_cast<size_t>(scope.kind)) << ' ' << Text(scope.handle)
      << (scope.registered ? "" : " unregistered");
  When(out, "refused_all", scope.refused_all_since);
  for (const domain::ControlRefusal& refusal : scope.refused_controls) {
    out << " refused_control=" << int{refusal.control} << '@' << Text(refusal.since);
  }
  if (scope.retention.kind == domain::RetentionKind::kMonths) {
    out << " retention=" << int{scope.retention.months} << 'm';
  }
  Mark(out, "DO_NOT_SAVE", scope.retention.kind == domain::RetentionKind::kDoNotSave);
  When(out, "floor", scope.purge_floor);
  When(out, "default_from", scope.default_from);
  if (scope.kind == domain::ScopeKind::kProfile) {
    out << " age=" << Name(kAges, static_cast<size_t>(scope.age.kind));
    if (scope.age.kind == domain::AgeKind::kBorn) out << ' ' << base::FormatDate(scope.age.born);
    When(out, "adult_since", scope.age.adult_since);
    if (scope.age.born_before.has_value()) out << " born_before=" << base::FormatDate(*scope.age.born_before);
    Mark(out, "guardian", scope.guardian.IsSet());
    When(out, "guardian_since", scope.guardian_since);
    When(out, "last_active", scope.last_active);
    When(out, "inactivity_notice", scope.inactivity_notice);
  }
  out << '\n';
  for (const domain::Purpose purpose : domain::kAllPurposes) {
    const domain::PurposeChoice& choice = scope.choices[static_cast<size_t>(purpose) - 1];
    if (choice == domain::PurposeChoice()) continue;
    out << "    " << Name(purpose) << ' ' << Name(kChoices, static_cast<size_t>(choice.choice))
        << " notice=" << choice.notice;
    Mark(out, "by_guardian", choice.by_guardian);
    Mark(out, "imported", choice.imported);
    When(out, "since", choice.since);
    When(out, "renewed", choice.renewed);
    When(out, "refused_from", choice.refused_from);
    When(out, "copies_owed_until", choice.copies_owed_until);
    Mark(out, "has_ended", choice.has_ended);
    Mark(out, "end_was_expiry", choice.end_was_expiry);
    Mark(out, "inherited", choice.inherited);
    Mark(out, "was_suspended", choice.was_suspended);
    Mark(out, "unconfirmed", choice.unconfirmed);
    Mark(out, "copies_forgiven", choice.copies_forgiven);
    out << '\n';
  }
}

void DumpSubject(std::ostream& out, const domain::SubjectFacts& subject) {
  out << "subject:" << (subject.registered ? "" : " unregistered") << " revision=" << subject.revision
      << " region=" << subject.region.ToString();
  When(out, "default_from", subject.default_from);
  When(out, "default_denied", subject.default_denied);
  When(out, "closed_at", subject.closed_at);
  When(out, "reopened_at", subject.reopened_at);
  When(out, "restored_at", subject.restored_at);
  if (subject.join != domain::JoinState::kNone) out << " join=" << static_cast<int>(subject.join);
  for (const domain::FormerRegion& former : subject.former_regions) {
    out << " former_region=" << (former.several ? "several" : former.region.ToString());
    When(out, "until", former.until);
  }
  out << '\n';
  for (const domain::ScopeFacts& scope : subject.scopes) DumpScope(out, scope);
  for (const domain::Tombstone& tombstone : subject.tombstones) {
    out << "  tombstone " << Name(kStates, static_cast<size_t>(tombstone.state)) << ' '
        << Name(kScopes, static_cast<size_t>(tombstone.scope)) << ' ' << Text(tombstone.handle) << ' '
        << Text(tombstone.captured) << " copies of " << static_cast<int>(tombstone.copies_of.bits) << '\n';
  }
  for (const domain::Hold& hold : subject.holds) {
    out << "  hold " << Name(kScopes, static_cast<size_t>(hold.scope)) << ' ' << Text(hold.handle) << ' '
        << Text(hold.captured) << '\n';
  }
}

void DumpRecording(std::ostream& out, const domain::RecordingFacts& r) {
  static constexpr const char* kWakes[] = {"-", "INTENDED", "ACCIDENTAL", "BUTTON"};
  static constexpr const char* kKinds[] = {"-", "COMMAND", "MESSAGE", "SOUND"};
  static constexpr const char* kSpeakers[] = {"-", "ONE", "SEVERAL"};
  static constexpr const char* kIdentities[] = {"-", "MATCHED", "UNMATCHED", "NOT_RUN"};
  static constexpr const char* kSpeakerAges[] = {"-", "ADULT", "CHILD_PRESENT"};
  static constexpr const char* kArtefacts[] = {"SOURCE",     "1",       "TRANSCRIPT",  "REVIEW_COPY",
                                               "ANNOTATION", "FEATURE", "DATASET_ITEM"};
  out << "recording: captured=" << Text(r.captured_at);
  if (r.has_uncertainty) out << " uncertainty=" << Text(r.uncertainty);
  When(out, "ingested", r.ingested_at);
  for (const base::ProfileHandle& profile : r.profiles) out << " profile=" << Text(profile.bytes);
  if (r.device.IsSet()) out << " device=" << Text(r.device.bytes);
  if (r.has_region) out << " region=" << r.region.ToString();
  out << ' ' << Name(kWakes, static_cast<size_t>(r.wake)) << ' ' << Name(kKinds, static_cast<size_t>(r.kind)) << ' '
      << Name(kSpeakers, static_cast<size_t>(r.speakers)) << ' ' << Name(kIdentities, static_cast<size_t>(r.identity))
      << ' ' << Name(kSpeakerAges, static_cast<size_t>(r.age)) << ' '
      << Name(kArtefacts, static_cast<size_t>(r.artefact)) << " made_for=" << Name(r.made_for)
      << " flags=" << int{r.flags} << '\n';
}

}  // namespace

std::string Dump(const Case& c) {
  std::ostringstream out;
  out << "seed " << c.seed << ", asked for " << Name(c.purpose) << " at " << Text(c.now) << ", surely " << Text(c.lag)
      << " before";
  Mark(out, "doubtful", c.doubtful);
  Mark(out, "behind", c.behind);
  out << '\n';
  DumpRules(out, c.rules);
  if (c.known) {
    DumpSubject(out, c.subject);
  } else {
    out << "subject: unknown\n";
  }
  out << "marks: flags=" << int{c.marks.flags};
  if (c.marks.has_tombstone) out << " tombstone=" << Name(kStates, static_cast<size_t>(c.marks.tombstone));
  Mark(out, "on_hold", c.marks.on_hold);
  if (c.marks.safety_since.IsSet()) out << " safety_since=" << Text(c.marks.safety_since);
  out << '\n';
  DumpRecording(out, c.recording);
  out << "place: " << c.place.country.ToString() << " site='" << c.place.site
      << "' class=" << static_cast<int>(c.place.reviewer_class) << '\n';
  if (c.grants.has_value()) DumpGrants(out, *c.grants);
  return out.str();
}

std::string Dump(const domain::Decision& decision) {
  static constexpr const char* kEligibilities[] = {"-", "NOT_ELIGIBLE", "ELIGIBLE"};
  static constexpr const char* kDispositions[] = {"-", "KEEP", "PURGE", "HOLD"};
  std::ostringstream out;
  out << Name(kEligibilities, static_cast<size_t>(decision.eligibility)) << ' '
      << Name(kDispositions, static_cast<size_t>(decision.disposition)) << " because of";
  decision.ForEachReason([&](domain::Reason reason) { out << ' ' << test::ReasonName(reason); });
  out << "; revision " << decision.revision << ", checked " << Text(decision.checked_at) << ", good until "
      << Text(decision.good_until);
  return out.str();
}

}  // namespace consent::model
