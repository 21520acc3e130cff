#include "daemon/policy/warnings.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "daemon/domain/types.h"
#include "daemon/json/places.h"
#include "daemon/policy/reading.h"

namespace consent::policy {
namespace {

using json::Problem;

std::string NameOf(domain::Purpose purpose) { return v1::Purpose_Name(static_cast<v1::Purpose>(purpose)); }

// Of a purpose that is in use: where it stands, for the place.
std::string PathOf(const v1::Policy& policy, domain::Purpose purpose) {
  const auto& purposes = policy.purposes();
  const auto at = std::find(purposes.begin(), purposes.end(), static_cast<int>(purpose));
  return absl::StrCat("purposes[", at - purposes.begin(), "]");
}

domain::PurposeSet Toggled(const v1::Policy& policy) {
  domain::PurposeSet toggled;
  for (const v1::Control& control : policy.controls()) toggled = Union(toggled, ToPurposeSet(control.purposes()));
  return toggled;
}

// What notices list that are not superseded by `now`, be they valid or still ahead.
struct ListedPurposes {
  domain::PurposeSet any;
  domain::PurposeSet says_people_listen;
};
ListedPurposes ListedBy(const v1::Policy& policy, base::Instant now) {
  const std::map<std::string, base::Instant> superseded = SupersededFrom(policy);
  ListedPurposes listed;
  for (const v1::Notice& notice : policy.notices()) {
    if (const auto at = superseded.find(notice.version()); at != superseded.end() && at->second <= now) continue;
    const domain::PurposeSet purposes = ToPurposeSet(notice.purposes());
    listed.any = Union(listed.any, purposes);
    if (notice.says_people_listen()) listed.says_people_listen = Union(listed.says_people_listen, purposes);
  }
  return listed;
}

void WarnOfPurposes(const v1::Policy& policy, base::Instant now, std::vector<Problem>* out) {
  const domain::PurposeSet toggled = Toggled(policy);
  const ListedPurposes listed = ListedBy(policy, now);
  for (const domain::Purpose purpose : domain::kAllPurposes) {
    if (!InUse(policy).Has(purpose)) continue;
    const std::string path = PathOf(policy, purpose);
    if (!toggled.Has(purpose)) {
      out->push_back({path, absl::StrCat("no control lists ", NameOf(purpose), ", so no toggle shows it")});
    }
    if (!listed.any.Has(purpose)) {
      out->push_back({path, absl::StrCat("no notice that is not superseded lists ", NameOf(purpose),
                                         ", so nobody can agree to it")});
    } else if (purpose == domain::Purpose::kHumanReview && !listed.says_people_listen.Has(purpose)) {
      out->push_back({path, absl::StrCat("no notice that lists ", NameOf(purpose),
                                         " says that people listen, so no consent to it counts")});
    }
  }
}

void WarnOfNotices(const v1::Policy& policy, base::Instant now, std::vector<Problem>* out) {
  if (policy.notices().empty()) {
    out->push_back({"notices", "there is none, so nobody can agree to anything"});
    return;
  }
  base::Instant first = base::kEndOfTime;
  for (const v1::Notice& notice : policy.notices()) first = std::min(first, ToInstant(notice.valid_from()));
  if (first <= now) return;
  out->push_back({"notices", absl::StrCat("all lie ahead, the first is valid from ", base::FormatRfc3339(first),
                                          ", so nobody can agree to anything until then")});
}

void WarnOfCalendars(const v1::Policy& policy, base::Instant now, std::vector<Problem>* out) {
  for (int i = 0; i < policy.holiday_calendars_size(); ++i) {
    const v1::HolidayCalendar& calendar = policy.holiday_calendars(i);
    base::Date last;
    if (calendar.dates().empty() || !base::ParseDate(*calendar.dates().rbegin(), &last)) continue;
    if (base::BegunEverywhere(last) >= now + base::Days(kCalendarEndsSoonDays)) continue;
    out->push_back({absl::StrCat("holiday_calendars[", i, "].dates[", calendar.dates_size() - 1, "]"),
                    absl::StrCat("the calendar \"", calendar.name(), "\" ends on ", base::FormatDate(last),
                                 base::BegunEverywhere(last) < now ? "" : ", soon", ": add the years to come; without ",
                                 "them only Saturdays and Sundays are no business days")});
  }
}

}  // namespace

std::vector<Problem> WarningsOf(const v1::Policy& policy, base::Instant now) {
  std::vector<Problem> warnings;
  WarnOfPurposes(policy, now, &warnings);
  WarnOfNotices(policy, now, &warnings);
  WarnOfCalendars(policy, now, &warnings);
  return warnings;
}

std::vector<std::string> WarningTexts(const v1::Policy& policy, std::string_view json, base::Instant now) {
  const std::vector<Problem> warnings = WarningsOf(policy, now);
  if (warnings.empty()) return {};
  const json::Places places(json);
  std::vector<std::string> texts;
  texts.reserve(warnings.size());
  for (const Problem& warning : warnings) {
    texts.push_back(absl::StrCat(warning.path, ": ", warning.message, json::PlaceText(places.Find(warning.path))));
  }
  return texts;
}

}  // namespace consent::policy
