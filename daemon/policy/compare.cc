#include "daemon/policy/compare.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "daemon/policy/differences.h"
#include "daemon/policy/reading.h"

namespace consent::policy {
namespace {

using Kind = DifferenceKind;

constexpr size_t kMaxListedNames = 12;

void Add(Differences* out, std::string path, std::string what, Kind kind) {
  out->push_back({std::move(path), std::move(what), kind, 0, 0});
}

void CompareSets(const std::string& path, const std::set<std::string>& from, const std::set<std::string>& to,
                 Differences* out) {
  std::vector<std::string> gained;
  std::vector<std::string> lost;
  std::set_difference(to.begin(), to.end(), from.begin(), from.end(), std::back_inserter(gained));
  std::set_difference(from.begin(), from.end(), to.begin(), to.end(), std::back_inserter(lost));
  if (!gained.empty()) Add(out, path, absl::StrCat("gains ", Listed(gained)), Kind::kLoosening);
  if (!lost.empty()) Add(out, path, absl::StrCat("loses ", Listed(lost)), Kind::kRestriction);
}

template <typename Strings>
std::set<std::string> ToSet(const Strings& strings) {
  return {strings.begin(), strings.end()};
}

std::set<std::string> PurposeNames(domain::PurposeSet purposes) {
  std::set<std::string> names;
  for (const domain::Purpose p : domain::kAllPurposes) {
    if (purposes.Has(p)) names.insert(v1::Purpose_Name(static_cast<v1::Purpose>(p)));
  }
  return names;
}

std::set<std::string> ClassNames(const v1::Regime& regime) {
  std::set<std::string> names;
  for (const int c : regime.allowed_reviewer_classes()) {
    names.insert(v1::ReviewerClass_Name(static_cast<v1::ReviewerClass>(c)));
  }
  return names;
}

std::set<std::string> CountriesFor(const v1::Regime& regime, v1::Purpose purpose) {
  for (const v1::PurposeCountries& other : regime.other_countries()) {
    if (other.purpose() == purpose) return ToSet(other.allowed_countries());
  }
  return ToSet(regime.allowed_countries());
}

const v1::Regime* FindRegime(const v1::Policy& policy, const std::string& name) {
  for (const v1::Regime& regime : policy.regimes()) {
    if (regime.name() == name) return &regime;
  }
  return nullptr;
}

void AddAge(const std::string& path, int from, int to, Differences* out) {
  if (to < from) {
    Add(out, path,
        absl::StrCat(from, " becomes ", to,
                     ": profiles come of age earlier; guardians' consents for them end, and a default can cover ",
                     "what they say from the activation on"),
        Kind::kLoosening);
  } else if (to > from) {
    Add(out, path,
        absl::StrCat(from, " becomes ", to,
                     ": profiles count as children for longer; own consents of those in between do not count, and ",
                     "guardians' consents that had ended stay ended"),
        Kind::kRestriction);
  }
}

void CompareAges(const v1::Policy& from, const v1::Policy& to, Differences* out) {
  std::set<std::string> countries;
  for (const auto& entry : from.ages_of_consent()) countries.insert(entry.first);
  for (const auto& entry : to.ages_of_consent()) countries.insert(entry.first);
  const auto age = [](const v1::Policy& policy, const std::string& country) {
    const auto at = policy.ages_of_consent().find(country);
    return at == policy.ages_of_consent().end() ? policy.default_age_of_consent() : at->second;
  };
  for (const std::string& country : countries) {
    AddAge(absl::StrCat("ages_of_consent[\"", country, "\"]"), age(from, country), age(to, country), out);
  }
  AddAge("default_age_of_consent", from.default_age_of_consent(), to.default_age_of_consent(), out);
}

std::set<std::string> RetentionNames(const v1::RetentionChoices& choices) {
  std::set<std::string> names;
  if (choices.until_deleted()) names.insert("until_deleted");
  if (choices.do_not_save()) names.insert("do_not_save");
  for (const int months : choices.months()) names.insert(absl::StrCat(months, " months"));
  return names;
}

// A yes that no record can be made of is a no, so a purpose that loses its mark has more of them.
void CompareRecorded(const v1::Policy& from, const v1::Policy& to, Differences* out) {
  const domain::PurposeSet before = ToPurposeSet(from.recorded_purposes());
  const domain::PurposeSet after = ToPurposeSet(to.recorded_purposes());
  const auto add = [out](const std::set<std::string>& names, const char* how, Kind kind) {
    if (!names.empty()) Add(out, "recorded_purposes", absl::StrCat(how, Listed({names.begin(), names.end()})), kind);
  };
  add(PurposeNames(Without(after, before)), "gains ", Kind::kRestriction);
  add(PurposeNames(Without(before, after)), "loses ", Kind::kLoosening);
}

// Regions that come under a regime of another name, one difference for each pair of regimes.
void CompareRegions(const v1::Policy& from, const v1::Policy& to, Differences* out) {
  const RegimeIndex before(from);
  const RegimeIndex after(to);
  std::set<domain::Region> regions = {domain::Region{}};  // the unset one stands for every unknown one
  for (const auto& [region, regime] : before.named()) regions.insert(region);
  for (const auto& [region, regime] : after.named()) regions.insert(region);
  std::map<std::pair<int, int>, std::vector<std::string>> moves;
  for (const domain::Region region : regions) {
    const int old_regime = before.For(region);
    const int new_regime = after.For(region);
    if (from.regimes(old_regime).name() == to.regimes(new_regime).name()) continue;
    moves[{old_regime, new_regime}].push_back(region.IsSet() ? region.ToString() : "unknown regions");
  }
  for (const auto& [pair, names] : moves) {
    const v1::Regime& old_regime = from.regimes(pair.first);
    const v1::Regime& new_regime = to.regimes(pair.second);
    Differences fields;
    CompareRegime(old_regime, new_regime, "", &fields);
    Kind kind = Kind::kNeutral;
    for (const Difference& field : fields) kind = std::min(kind, field.kind);
    Add(out, absl::StrCat("regimes[\"", new_regime.name(), "\"].regions"),
        absl::StrCat("takes ", Listed(names), " over from \"", old_regime.name(), "\""), kind);
  }
}

// A hold that ends earlier lets go what must be kept, as one that is released does. A longer one is like one that is
// placed: what was ordered away goes later, within the bound, and nothing becomes eligible.
void CompareSafety(const v1::Policy& from, const v1::Policy& to, Differences* out) {
  if (from.safety_hold_hours() != to.safety_hold_hours()) {
    Add(out, "safety_hold_hours", absl::StrCat(from.safety_hold_hours(), " becomes ", to.safety_hold_hours()),
        to.safety_hold_hours() < from.safety_hold_hours() ? Kind::kLoosening : Kind::kNeutral);
  }
  CompareNumber("safety_acknowledge_hours", SafetyAcknowledgeHours(from), SafetyAcknowledgeHours(to), out);
  CompareNumber("safety_handle_hours", SafetyHandleHours(from), SafetyHandleHours(to), out);
}

}  // namespace

void CompareNumber(const std::string& path, int64_t from, int64_t to, Differences* out) {
  if (from != to) {
    Add(out, path, absl::StrCat(from, " becomes ", to), to > from ? Kind::kLoosening : Kind::kRestriction);
  }
}

std::string Listed(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size() && i < kMaxListedNames; ++i) absl::StrAppend(&text, i == 0 ? "" : ", ", names[i]);
  if (names.size() > kMaxListedNames) absl::StrAppend(&text, " and ", names.size() - kMaxListedNames, " more");
  return text;
}

void CompareRegime(const v1::Regime& from, const v1::Regime& to, const std::string& path, Differences* out) {
  const auto flag = [&](const char* field, bool before, bool after) {
    if (before != after) {
      Add(out, path + field, after ? "turned on" : "turned off", after ? Kind::kLoosening : Kind::kRestriction);
    }
  };
  const bool was_opt_out = from.default_rule() == v1::DEFAULT_RULE_OPT_OUT;
  const bool is_opt_out = to.default_rule() == v1::DEFAULT_RULE_OPT_OUT;
  if (was_opt_out != is_opt_out) {
    Add(out, path + ".default_rule",
        is_opt_out ? "OPT_IN becomes OPT_OUT, for captures from the activation on" : "OPT_OUT becomes OPT_IN",
        is_opt_out ? Kind::kLoosening : Kind::kRestriction);
  }
  CompareNumber(path + ".false_wake_ttl_seconds", from.false_wake_ttl_seconds(), to.false_wake_ttl_seconds(), out);
  CompareSets(path + ".allowed_countries", ToSet(from.allowed_countries()), ToSet(to.allowed_countries()), out);
  for (const domain::Purpose p : domain::kAllPurposes) {
    const auto purpose = static_cast<v1::Purpose>(p);
    if ((from.other_countries().empty() && to.other_countries().empty()) || p == domain::Purpose::kHumanReview) {
      continue;
    }
    CompareSets(absl::StrCat(path, ".other_countries[", v1::Purpose_Name(purpose), "]"), CountriesFor(from, purpose),
                CountriesFor(to, purpose), out);
  }
  CompareSets(path + ".allowed_sites", ToSet(from.allowed_sites()), ToSet(to.allowed_sites()), out);
  CompareSets(path + ".allowed_reviewer_classes", ClassNames(from), ClassNames(to), out);
  flag(".allow_several_speakers", from.allow_several_speakers(), to.allow_several_speakers());
  flag(".allow_unmatched_speakers", from.allow_unmatched_speakers(), to.allow_unmatched_speakers());
  flag(".allow_unidentified_single_adult", from.allow_unidentified_single_adult(),
       to.allow_unidentified_single_adult());
  CompareNumber(path + ".child_inactive_months", from.child_inactive_months(), to.child_inactive_months(), out);
  CompareNumber(path + ".child_notice_days", from.child_notice_days(), to.child_notice_days(), out);
  CompareDeadlines(from, to, path, out);
  CompareAppeals(from, to, path, out);
}

void CompareRegimes(const v1::Policy& from, const v1::Policy& to, Differences* out) {
  for (const v1::Regime& old_regime : from.regimes()) {
    const std::string path = absl::StrCat("regimes[\"", old_regime.name(), "\"]");
    if (const v1::Regime* new_regime = FindRegime(to, old_regime.name())) {
      CompareRegime(old_regime, *new_regime, path, out);
    } else {
      Add(out, path, "dropped", Kind::kNeutral);
    }
  }
  for (const v1::Regime& regime : to.regimes()) {
    if (FindRegime(from, regime.name()) == nullptr) {
      Add(out, absl::StrCat("regimes[\"", regime.name(), "\"]"), "new", Kind::kNeutral);
    }
  }
  CompareRegions(from, to, out);
}

std::vector<Difference> Compare(const PolicyRow& previous, const Document& next) {
  const v1::Policy& from = previous.document.policy();
  const v1::Policy& to = next.policy();
  Differences out;
  CompareRegimes(from, to, &out);
  CompareSets("purposes", PurposeNames(InUse(from)), PurposeNames(InUse(to)), &out);
  CompareControls(previous, to, &out);
  CompareNotices(previous, to, &out);
  CompareAges(from, to, &out);
  CompareSets("retention_choices", RetentionNames(from.retention_choices()), RetentionNames(to.retention_choices()),
              &out);
  CompareNumber("longest_answer_age_seconds", from.longest_answer_age_seconds(), to.longest_answer_age_seconds(), &out);
  if (from.default_capture_uncertainty_ms() != to.default_capture_uncertainty_ms()) {
    // Either way some border moves towards yes or KEEP: less of it admits captures close to a change, more of it keeps
    // longer.
    Add(&out, "default_capture_uncertainty_ms",
        absl::StrCat(from.default_capture_uncertainty_ms(), " becomes ", to.default_capture_uncertainty_ms()),
        Kind::kLoosening);
  }
  if (const base::Instant began = ServiceBeganAt(from), begins = ServiceBeganAt(to); began != begins) {
    // Either way some recording gains or loses a time: one that has none is never eligible, and by its time it may have
    // to go.
    Add(&out, "service_began_at", absl::StrCat(base::FormatRfc3339(began), " becomes ", base::FormatRfc3339(begins)),
        begins < began ? Kind::kLoosening : Kind::kRestriction);
  }
  CompareHolidayCalendars(from, to, &out);
  CompareRecorded(from, to, &out);
  CompareApprovals(from, to, &out);
  CompareNumber("backup_keep_days", BackupKeepDays(from), BackupKeepDays(to), &out);
  CompareNumber("decision_log_keep_months", DecisionLogKeepMonths(from), DecisionLogKeepMonths(to), &out);
  CompareSafety(from, to, &out);
  CompareReviewCaps(from, to, &out);
  return out;
}

}  // namespace consent::policy
