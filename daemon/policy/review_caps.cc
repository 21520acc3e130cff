// How many review grants are given at most: validated, read and compared.
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "daemon/domain/review.h"
#include "daemon/policy/differences.h"
#include "daemon/policy/problems.h"
#include "daemon/policy/reading.h"

namespace consent::policy {
namespace {

constexpr int kMostADay = 1'000'000;
constexpr int kMostAShift = 10'000;
constexpr int kMostRates = 64;
constexpr int kMostCountries = 300;

void CheckRates(const v1::ReviewCaps& caps, const std::string& path, Problems* problems) {
  if (!problems->Count(path, caps.rates_size(), 1, kMostRates)) return;
  std::map<std::string, std::string> seen;
  for (int i = 0; i < caps.rates_size(); ++i) {
    const v1::ReviewRate& rate = caps.rates(i);
    const std::string at = absl::StrCat(path, "[", i, "]");
    problems->Range(at + ".parts_per_million", rate.parts_per_million(), 1, domain::kWholePopulation);
    if (!problems->Count(at + ".countries", rate.countries_size(), 1, kMostCountries)) continue;
    for (int j = 0; j < rate.countries_size(); ++j) {
      const std::string country_at = absl::StrCat(at, ".countries[", j, "]");
      const std::string& country = rate.countries(j);
      if (country == kAny && rate.countries_size() > 1) problems->Add(country_at, "\"*\" must stand alone");
      if (const std::string why = WhyNoCountry(country); country != kAny && !why.empty()) {
        problems->Add(country_at, absl::StrCat(why, "; \"*\" stands for any other"));
      }
      problems->Unique(&seen, country, Quoted(country), country_at);
    }
  }
}

void CheckSelections(const v1::ReviewCaps& caps, const std::string& path, Problems* problems) {
  if (!problems->Count(path, caps.selections_size(), 0, domain::kSelections)) return;
  std::map<int, std::string> seen;
  for (int i = 0; i < caps.selections_size(); ++i) {
    const v1::SelectionCap& of = caps.selections(i);
    const std::string at = absl::StrCat(path, "[", i, "]");
    if (of.selection() == 0 || !v1::Selection_IsValid(of.selection())) {
      problems->Add(at + ".selection", absl::StrCat(static_cast<int>(of.selection()), " is no Selection",
                                                    PermittedOf(*v1::Selection_descriptor())));
    }
    problems->Unique(&seen, static_cast<int>(of.selection()), v1::Selection_Name(of.selection()), at + ".selection");
    problems->Range(at + ".per_day", of.per_day(), 0, caps.per_day());
  }
}

const domain::ReviewCaps& CapsFor(const std::vector<domain::ReviewCaps>& all, domain::Purpose purpose) {
  static const domain::ReviewCaps kNothing;
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& caps) { return caps.purpose == purpose; });
  return found == all.end() ? kNothing : *found;
}

void CompareCaps(const std::string& path, const domain::ReviewCaps& from, const domain::ReviewCaps& to,
                 Differences* out) {
  std::set<domain::Region> countries = {domain::Region{}};  // the unset one stands for every other one
  for (const domain::ReviewRate& rate : from.rates) countries.insert(rate.country);
  for (const domain::ReviewRate& rate : to.rates) countries.insert(rate.country);
  for (const domain::Region country : countries) {
    CompareNumber(absl::StrCat(path, ".rates[\"", country.IsSet() ? country.ToString() : kAny, "\"]"),
                  PartsPerMillion(from, country), PartsPerMillion(to, country), out);
  }
  const auto compare = [&](const char* field, uint64_t before, uint64_t after) {
    CompareNumber(path + field, static_cast<int64_t>(before), static_cast<int64_t>(after), out);
  };
  compare(".per_day", from.per_day, to.per_day);
  for (size_t i = 0; i < domain::kSelections; ++i) {
    const auto selection = static_cast<v1::Selection>(i + 1);
    compare(absl::StrCat(".selections[", v1::Selection_Name(selection), "]").c_str(), from.per_selection_day[i],
            to.per_selection_day[i]);
  }
  compare(".per_site_day", from.per_site_day, to.per_site_day);
  compare(".per_reviewer_shift", from.per_reviewer_shift, to.per_reviewer_shift);
  compare(".per_account", from.per_account, to.per_account);
}

domain::ReviewCaps ToCaps(const v1::ReviewCaps& from) {
  domain::ReviewCaps caps;
  caps.purpose = static_cast<domain::Purpose>(from.purpose());
  for (const v1::ReviewRate& rate : from.rates()) {
    for (const std::string& text : rate.countries()) {
      domain::Region country;
      const bool is_one = text == kAny || domain::Region::Parse(text, &country);
      if (is_one) caps.rates.push_back({country, static_cast<uint32_t>(rate.parts_per_million())});
    }
  }
  caps.per_day = static_cast<uint64_t>(from.per_day());
  caps.per_selection_day.fill(caps.per_day);
  for (const v1::SelectionCap& of : from.selections()) {
    caps.per_selection_day[static_cast<size_t>(of.selection()) - 1] = static_cast<uint64_t>(of.per_day());
  }
  caps.per_site_day = static_cast<uint64_t>(from.per_site_day());
  caps.per_reviewer_shift = static_cast<uint64_t>(from.per_reviewer_shift());
  caps.per_account = static_cast<uint64_t>(from.per_account());
  return caps;
}

}  // namespace

void CheckReviewCaps(const v1::Policy& policy, Problems* problems) {
  if (!problems->Count("review_caps", policy.review_caps_size(), 0, domain::kPurposes)) return;
  const auto& used = policy.purposes();
  std::map<int, std::string> seen;
  for (int i = 0; i < policy.review_caps_size(); ++i) {
    const v1::ReviewCaps& caps = policy.review_caps(i);
    const std::string path = absl::StrCat("review_caps[", i, "]");
    if (std::find(used.begin(), used.end(), static_cast<int>(caps.purpose())) == used.end()) {
      problems->Add(path + ".purpose",
                    absl::StrCat(v1::Purpose_Name(caps.purpose()), " is not among the policy's purposes"));
    }
    problems->Unique(&seen, static_cast<int>(caps.purpose()), v1::Purpose_Name(caps.purpose()), path + ".purpose");
    CheckRates(caps, path + ".rates", problems);
    problems->Range(path + ".per_day", caps.per_day(), 1, kMostADay);
    CheckSelections(caps, path + ".selections", problems);
    problems->Range(path + ".per_site_day", caps.per_site_day(), 1, kMostADay);
    problems->Range(path + ".per_reviewer_shift", caps.per_reviewer_shift(), 1, kMostAShift);
    problems->Range(path + ".per_account", caps.per_account(), 1, domain::kMaxHearings);
  }
}

std::vector<domain::ReviewCaps> ReviewCapsOf(const v1::Policy& policy) {
  std::vector<domain::ReviewCaps> all;
  for (const v1::ReviewCaps& caps : policy.review_caps()) all.push_back(ToCaps(caps));
  return all;
}

void CompareReviewCaps(const v1::Policy& from, const v1::Policy& to, Differences* out) {
  const std::vector<domain::ReviewCaps> before = ReviewCapsOf(from);
  const std::vector<domain::ReviewCaps> after = ReviewCapsOf(to);
  for (const domain::Purpose purpose : domain::kAllPurposes) {
    CompareCaps(absl::StrCat("review_caps[", v1::Purpose_Name(static_cast<v1::Purpose>(purpose)), "]"),
                CapsFor(before, purpose), CapsFor(after, purpose), out);
  }
}

}  // namespace consent::policy
