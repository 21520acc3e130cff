#include "daemon/policy/validate.h"

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "daemon/base/time.h"
#include "daemon/domain/rules.h"
#include "daemon/domain/standards.h"
#include "daemon/policy/problems.h"
#include "daemon/policy/reading.h"

namespace consent::policy {
namespace {

constexpr int64_t kMaxFalseWakeSeconds = int64_t{90} * 24 * 3600;
constexpr int64_t kLastSecond = base::kLastInstant.micros / 1'000'000;
constexpr int kMaxMonths = 120;
constexpr int kMaxBackupDays = 400;
constexpr int kMaxSafetyHours = 720;

bool IsVersionCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
}

// A policy may name what is assigned, and give a meaning to what is user-assigned.
bool MayBeNamed(domain::Region region) { return domain::IsAssigned(region) || domain::IsUserAssigned(region); }

class Validator : private Problems {
 public:
  explicit Validator(const v1::Policy& policy) : policy_(policy) {}

  std::vector<Problem> Run() {
    Name("version", policy_.version(), IsVersionCharacter, "[A-Za-z0-9._-]");
    CheckRegimes();
    CheckUnknownRegime();
    CheckPurposes("purposes", policy_.purposes(), 1, false);
    CheckControls();
    CheckNotices();
    CheckAges();
    CheckRetentionChoices();
    Range("longest_answer_age_seconds", policy_.longest_answer_age_seconds(), 1, 86'400);
    Range("default_capture_uncertainty_ms", policy_.default_capture_uncertainty_ms(), 0, 86'400'000);
    if (const int64_t began = policy_.service_began_at().seconds();
        policy_.has_service_began_at() && (began < 1 || began > kLastSecond)) {
      Add("service_began_at", "is not within the years 1970 to 9999");
    }
    CheckHolidayCalendars(policy_, this);
    CheckPurposes("recorded_purposes", policy_.recorded_purposes(), 0, true);
    CheckTextsOf(policy_, this);
    CheckApprovals(policy_, this);
    Range("backup_keep_days", policy_.backup_keep_days(), 0, kMaxBackupDays);
    Range("decision_log_keep_months", policy_.decision_log_keep_months(), 0, kMaxMonths);
    CheckSafety();
    CheckReviewCaps(policy_, this);
    return Take();
  }

 private:
  void CheckRegimes();
  void CheckRegime(const v1::Regime& regime, const std::string& path);
  void CheckRegimeRegions(const v1::Regime& regime, const std::string& path);
  template <typename Texts>
  void CheckCountries(const Texts& texts, const std::string& path);
  void CheckOtherCountries(const v1::Regime& regime, const std::string& path);
  void CheckPlaces(const v1::Regime& regime, const std::string& path);
  void CheckUnknownRegime();
  template <typename Purposes>
  void CheckPurposes(const std::string& path, const Purposes& purposes, int least, bool in_use);
  void CheckControls();
  void CheckNotices();
  void CheckNotice(const v1::Notice& notice, const std::string& path);
  void CheckSupersedes(const std::map<std::string, int>& index);
  void CheckCycles(const std::map<std::string, int>& index);
  void CheckAges();
  void CheckRetentionChoices();
  void CheckSafety();

  const v1::Policy& policy_;
  std::map<domain::Region, std::string> region_paths_;
  size_t regions_ = 0;
};

void Validator::CheckRegimes() {
  if (!Count("regimes", policy_.regimes_size(), 1, kMaxRegimes)) return;
  std::map<std::string, std::string> names;
  for (int i = 0; i < policy_.regimes_size(); ++i) {
    const std::string path = absl::StrCat("regimes[", i, "]");
    CheckRegime(policy_.regimes(i), path);
    Unique(&names, policy_.regimes(i).name(), Quoted(policy_.regimes(i).name()), path + ".name");
  }
  if (regions_ > kMaxRegions) {
    Add("regimes", absl::StrCat("name ", regions_, " regions together; at most ", kMaxRegions, " are allowed"));
  }
}

void Validator::CheckRegime(const v1::Regime& regime, const std::string& path) {
  Name(path + ".name", regime.name(), IsRegimeCharacter, "[a-z0-9_-]");
  CheckRegimeRegions(regime, path);
  if (!v1::DefaultRule_IsValid(regime.default_rule())) {
    Add(path + ".default_rule", absl::StrCat(static_cast<int>(regime.default_rule()), " is no DefaultRule",
                                             PermittedOf(*v1::DefaultRule_descriptor())));
  }
  Range(path + ".false_wake_ttl_seconds", regime.false_wake_ttl_seconds(), 0, kMaxFalseWakeSeconds);
  const bool opt_out = regime.default_rule() == v1::DEFAULT_RULE_OPT_OUT;
  if (!opt_out && regime.false_wake_ttl_seconds() != 0) {
    Add(path + ".false_wake_ttl_seconds", "must be 0 in an OPT_IN regime");
  }
  if (!opt_out && regime.allow_several_speakers()) {
    Add(path + ".allow_several_speakers", "only an OPT_OUT regime may allow it");
  }
  if (!opt_out && regime.allow_unmatched_speakers()) {
    Add(path + ".allow_unmatched_speakers", "only an OPT_OUT regime may allow it");
  }
  CheckPlaces(regime, path);
  Range(path + ".child_inactive_months", regime.child_inactive_months(), 1, kMaxMonths);
  Range(path + ".child_notice_days", regime.child_notice_days(), 1, 90);
  CheckDeadlines(policy_, regime, path, this);
}

void Validator::CheckRegimeRegions(const v1::Regime& regime, const std::string& path) {
  regions_ += static_cast<size_t>(regime.regions_size());
  if (regions_ > kMaxRegions) return;  // said once, by CheckRegimes
  for (int i = 0; i < regime.regions_size(); ++i) {
    const std::string at = absl::StrCat(path, ".regions[", i, "]");
    const std::string& text = regime.regions(i);
    domain::Region region;
    if (!domain::Region::Parse(text, &region) || !region.IsSet()) {
      Add(at,
          absl::StrCat(Quoted(text), " is not ISO 3166-1 alpha-2 (\"DE\") or ISO 3166-2 (\"US-CA\") in upper case"));
      continue;
    }
    if (!MayBeNamed(region)) Add(at, domain::WhyNotAssigned(region));
    Unique(&region_paths_, region, Quoted(text), at);
  }
}

template <typename Texts>
void Validator::CheckCountries(const Texts& texts, const std::string& path) {
  if (!Count(path, texts.size(), 0, kMaxListed)) return;
  std::map<std::string, std::string> seen;
  for (int i = 0; i < texts.size(); ++i) {
    const std::string at = absl::StrCat(path, "[", i, "]");
    const std::string& text = texts.Get(i);
    if (text == kAny && texts.size() > 1) Add(at, "\"*\" must stand alone");
    if (const std::string why = WhyNoCountry(text); text != kAny && !why.empty()) {
      Add(at, absl::StrCat(why, "; \"*\" stands for any"));
    }
    Unique(&seen, text, Quoted(text), at);
  }
}

void Validator::CheckOtherCountries(const v1::Regime& regime, const std::string& path) {
  if (!Count(path, regime.other_countries_size(), 0, domain::kPurposes - 1)) return;
  std::map<int, std::string> seen;
  for (int i = 0; i < regime.other_countries_size(); ++i) {
    const std::string at = absl::StrCat(path, "[", i, "]");
    const v1::PurposeCountries& other = regime.other_countries(i);
    if (!v1::Purpose_IsValid(other.purpose()) || other.purpose() == v1::PURPOSE_UNSPECIFIED) {
      Add(at + ".purpose",
          absl::StrCat(static_cast<int>(other.purpose()), " is no Purpose", PermittedOf(*v1::Purpose_descriptor())));
    } else if (other.purpose() == v1::PURPOSE_HUMAN_REVIEW) {
      Add(at + ".purpose", "where people may listen is said by allowed_countries");
    }
    Unique(&seen, static_cast<int>(other.purpose()), v1::Purpose_Name(other.purpose()), at + ".purpose");
    CheckCountries(other.allowed_countries(), at + ".allowed_countries");
  }
}

void Validator::CheckPlaces(const v1::Regime& regime, const std::string& path) {
  CheckCountries(regime.allowed_countries(), path + ".allowed_countries");
  CheckOtherCountries(regime, path + ".other_countries");
  if (Count(path + ".allowed_sites", regime.allowed_sites_size(), 0, kMaxListed)) {
    std::map<std::string, std::string> seen;
    for (int i = 0; i < regime.allowed_sites_size(); ++i) {
      const std::string at = absl::StrCat(path, ".allowed_sites[", i, "]");
      const std::string& text = regime.allowed_sites(i);
      if (text == kAny && regime.allowed_sites_size() > 1) Add(at, "\"*\" must stand alone");
      const bool printable = std::none_of(text.begin(), text.end(),
                                          [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); });
      if (text.empty() || text.size() > kMaxName || !printable) {
        Add(at, absl::StrCat(Quoted(text), " is not 1 to ", kMaxName, " bytes without control characters"));
      }
      Unique(&seen, text, Quoted(text), at);
    }
  }
  std::map<int, std::string> seen;
  if (!Count(path + ".allowed_reviewer_classes", regime.allowed_reviewer_classes_size(), 0,
             v1::ReviewerClass_ARRAYSIZE - 1)) {
    return;
  }
  for (int i = 0; i < regime.allowed_reviewer_classes_size(); ++i) {
    const std::string at = absl::StrCat(path, ".allowed_reviewer_classes[", i, "]");
    const int value = regime.allowed_reviewer_classes(i);
    if (value == 0 || !v1::ReviewerClass_IsValid(value)) {
      Add(at, absl::StrCat(value, " is no ReviewerClass that can be allowed",
                           PermittedOf(*v1::ReviewerClass_descriptor())));
    }
    Unique(&seen, value, absl::StrCat(value), at);
  }
}

void Validator::CheckUnknownRegime() {
  const std::string& name = policy_.unknown_region_regime();
  for (const v1::Regime& regime : policy_.regimes()) {
    if (regime.name() != name) continue;
    if (regime.default_rule() == v1::DEFAULT_RULE_OPT_OUT) {
      Add("unknown_region_regime", absl::StrCat(Quoted(name), " must be OPT_IN"));
    }
    return;
  }
  Add("unknown_region_regime", absl::StrCat(Quoted(name), " names no regime"));
}

template <typename Purposes>
void Validator::CheckPurposes(const std::string& path, const Purposes& purposes, int least, bool in_use) {
  if (!Count(path, purposes.size(), least, domain::kPurposes)) return;
  std::map<int, std::string> seen;
  for (int i = 0; i < purposes.size(); ++i) {
    const std::string at = absl::StrCat(path, "[", i, "]");
    const int value = purposes.Get(i);
    if (value == 0 || !v1::Purpose_IsValid(value)) {
      Add(at, absl::StrCat(value, " is no Purpose", PermittedOf(*v1::Purpose_descriptor())));
      continue;
    }
    const auto& used = policy_.purposes();
    if (in_use && std::find(used.begin(), used.end(), value) == used.end()) {
      Add(at, absl::StrCat(v1::Purpose_Name(value), " is not among the policy's purposes"));
    }
    Unique(&seen, value, v1::Purpose_Name(value), at);
  }
}

void Validator::CheckControls() {
  if (!Count("controls", policy_.controls_size(), 0, domain::kMaxControls)) return;
  std::map<std::string, std::string> names;
  for (int i = 0; i < policy_.controls_size(); ++i) {
    const v1::Control& control = policy_.controls(i);
    const std::string path = absl::StrCat("controls[", i, "]");
    Name(path + ".name", control.name(), IsControlCharacter, "[a-z0-9_]");
    Unique(&names, control.name(), Quoted(control.name()), path + ".name");
    CheckPurposes(path + ".purposes", control.purposes(), 1, true);
  }
}

void Validator::CheckNotices() {
  if (!Count("notices", policy_.notices_size(), 0, kMaxNotices)) return;
  std::map<std::string, std::string> versions;
  std::map<std::string, int> index;
  for (int i = 0; i < policy_.notices_size(); ++i) {
    const v1::Notice& notice = policy_.notices(i);
    const std::string path = absl::StrCat("notices[", i, "]");
    Unique(&versions, notice.version(), Quoted(notice.version()), path + ".version");
    index.emplace(notice.version(), i);
    CheckNotice(notice, path);
  }
  CheckSupersedes(index);
  CheckCycles(index);
}

void Validator::CheckNotice(const v1::Notice& notice, const std::string& path) {
  Name(path + ".version", notice.version(), IsVersionCharacter, "[A-Za-z0-9._-]");
  if (Count(path + ".languages", notice.languages_size(), 1, kMaxListed)) {
    std::map<std::string, std::string> seen;
    for (int i = 0; i < notice.languages_size(); ++i) {
      const std::string at = absl::StrCat(path, ".languages[", i, "]");
      const std::string& tag = notice.languages(i);
      if (!domain::IsLanguageTag(tag)) {
        Add(at, absl::StrCat(Quoted(tag), " is not a well-formed BCP 47 tag of at most 35 bytes"));
      }
      Unique(&seen, std::string(absl::AsciiStrToLower(tag)), Quoted(tag), at);
    }
  }
  CheckPurposes(path + ".purposes", notice.purposes(), 1, false);
  const int64_t seconds = notice.valid_from().seconds();
  if (!notice.has_valid_from()) {
    Add(path + ".valid_from", "is missing");
  } else if (seconds < 1 || seconds > kLastSecond) {
    Add(path + ".valid_from", "is not within the years 1970 to 9999");
  }
  Range(path + ".consent_lifetime_months", notice.consent_lifetime_months(), 0, kMaxMonths);
}

void Validator::CheckSupersedes(const std::map<std::string, int>& index) {
  for (int i = 0; i < policy_.notices_size(); ++i) {
    const v1::Notice& notice = policy_.notices(i);
    std::map<std::string, std::string> seen;
    for (int j = 0; j < notice.supersedes_size(); ++j) {
      const std::string at = absl::StrCat("notices[", i, "].supersedes[", j, "]");
      const std::string& other = notice.supersedes(j);
      if (other == notice.version()) Add(at, "a notice cannot supersede itself");
      if (index.count(other) == 0) Add(at, absl::StrCat(Quoted(other), " is no notice of this policy"));
      Unique(&seen, other, Quoted(other), at);
    }
  }
}

// Depth first without recursion: an edge back into the open path closes a cycle.
void Validator::CheckCycles(const std::map<std::string, int>& index) {
  enum class Mark : uint8_t { kNew, kOpen, kDone };
  struct Step {
    int notice;
    int next_edge;
  };
  std::vector<Mark> marks(static_cast<size_t>(policy_.notices_size()), Mark::kNew);
  for (int start = 0; start < policy_.notices_size(); ++start) {
    if (marks[static_cast<size_t>(start)] != Mark::kNew) continue;
    std::vector<Step> path = {{start, 0}};
    marks[static_cast<size_t>(start)] = Mark::kOpen;
    while (!path.empty()) {
      Step& step = path.back();
      const v1::Notice& notice = policy_.notices(step.notice);
      if (step.next_edge == notice.supersedes_size()) {
        marks[static_cast<size_t>(step.notice)] = Mark::kDone;
        path.pop_back();
        continue;
      }
      const int edge = step.next_edge++;
      const auto to = index.find(notice.supersedes(edge));
      if (to == index.end() || to->second == step.notice) continue;  // CheckSupersedes speaks of these
      Mark& mark = marks[static_cast<size_t>(to->second)];
      if (mark == Mark::kOpen) {
        Add(absl::StrCat("notices[", step.notice, "].supersedes[", edge, "]"),
            absl::StrCat(Quoted(notice.supersedes(edge)), " supersedes this notice, directly or through others"));
      } else if (mark == Mark::kNew) {
        mark = Mark::kOpen;
        path.push_back({to->second, 0});
      }
    }
  }
}

void Validator::CheckAges() {
  const std::map<std::string, int> ages(policy_.ages_of_consent().begin(),
                                        policy_.ages_of_consent().end());  // in a fixed order
  if (Count("ages_of_consent", static_cast<int>(ages.size()), 0, kMaxListed)) {
    for (const auto& [country, years] : ages) {
      const std::string path = absl::StrCat("ages_of_consent[", Quoted(country), "]");
      if (const std::string why = WhyNoCountry(country); !why.empty()) Add(path, absl::StrCat("the key: ", why));
      Range(path, years, kMinAgeOfConsent, kMaxAgeOfConsent);
    }
  }
  Range("default_age_of_consent", policy_.default_age_of_consent(), kMinAgeOfConsent, kMaxAgeOfConsent);
}

void Validator::CheckRetentionChoices() {
  const v1::RetentionChoices& choices = policy_.retention_choices();
  if (!choices.until_deleted() && !choices.do_not_save() && choices.months_size() == 0) {
    Add("retention_choices", "at least one choice is needed");
  }
  if (!Count("retention_choices.months", choices.months_size(), 0, kMaxMonths)) return;
  std::map<int, std::string> seen;
  for (int i = 0; i < choices.months_size(); ++i) {
    const std::string at = absl::StrCat("retention_choices.months[", i, "]");
    Range(at, choices.months(i), 1, kMaxMonths);
    Unique(&seen, choices.months(i), absl::StrCat(choices.months(i)), at);
  }
}

void Validator::CheckSafety() {
  Range("safety_hold_hours", policy_.safety_hold_hours(), 0, kMaxSafetyHours);
  Range("safety_acknowledge_hours", policy_.safety_acknowledge_hours(), 0, kMaxSafetyHours);
  Range("safety_handle_hours", policy_.safety_handle_hours(), 0, kMaxSafetyHours);
  if (SafetyHandleHours(policy_) < SafetyAcknowledgeHours(policy_)) {
    Add("safety_handle_hours", "is less than safety_acknowledge_hours: nobody handles what nobody has acknowledged");
  }
}

}  // namespace

std::string WhyNoCountry(const std::string& text) {
  domain::Region region;
  if (!domain::Region::Parse(text, &region) || region.Country() != region) {
    return absl::StrCat(Quoted(text), " is not ISO 3166-1 alpha-2 in upper case");
  }
  return MayBeNamed(region) ? "" : domain::WhyNotAssigned(region);
}

std::vector<Problem> Validate(const v1::Policy& policy) { return Validator(policy).Run(); }

}  // namespace consent::policy
