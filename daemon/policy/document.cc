#include "daemon/policy/document.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "daemon/base/hash.h"
#include "daemon/base/time_zone.h"
#include "daemon/json/document.h"
#include "daemon/json/places.h"
#include "daemon/policy/validate.h"

namespace consent::policy {
namespace {

constexpr char kWhat[] = "policy";

}  // namespace

absl::StatusOr<Document> Document::Parse(std::string json) {
  auto content = std::make_shared<Content>();
  absl::Status status = json::Parse(kWhat, json, kMaxFileBytes, &content->policy);
  if (!status.ok()) return status;
  std::vector<Problem> problems = Validate(content->policy);
  if (!problems.empty()) {
    const json::Places places(json);
    for (Problem& problem : problems) problem.message += json::PlaceText(places.Find(problem.path));
    return json::ToStatus(kWhat, problems);
  }
  content->hash = base::Sha256(json);
  content->json = std::move(json);
  return Document(std::move(content));
}

absl::Status CheckTimeZones(const Document& document) {
  std::vector<Problem> problems;
  for (int i = 0; i < document.policy().regimes_size(); ++i) {
    const std::string& name = document.policy().regimes(i).time_zone();
    if (name.empty() || base::TimeZone::Load(name)) continue;
    problems.push_back(
        {absl::StrCat("regimes[", i, "].time_zone"),
         absl::StrCat("\"", name,
                      "\" is no zone in this machine's time zone database (tzdata), such as Europe/Bucharest")});
  }
  return problems.empty() ? absl::OkStatus() : json::ToStatus(kWhat, problems);
}

absl::Status CheckSameContent(const base::Digest& used_before, const Document& next) {
  if (used_before == next.hash()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("version \"", next.version(), "\" was activated before with another content (SHA-256 ",
                   base::Hex(base::View(used_before)), ", now ", base::Hex(base::View(next.hash())),
                   "): give the new content a version of its own"));
}

}  // namespace consent::policy
