#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "daemon/policy/compare.h"
#include "daemon/policy/validate.h"

namespace consent::policy {
namespace {

// Why `difference` is refused; empty: it is not.
std::string Refusal(const Difference& difference, const Usage& usage) {
  if (difference.kind != DifferenceKind::kBreaksStored) return {};
  if (difference.notice != 0 && usage.notices.count(difference.notice) != 0) {
    return absl::StrCat(difference.path, ": ", difference.what,
                        ", and stored consents refer to the notice: publish a notice of a new version");
  }
  if (difference.control != 0 && usage.controls.count(difference.control) != 0) {
    return absl::StrCat(difference.path, ": ", difference.what,
                        ", and stored refusals refer to the control: they must keep what they cover");
  }
  return {};
}

// At most kMaxProblems of them, and how many more there are.
std::string Joined(const std::vector<std::string>& texts) {
  std::string text;
  for (size_t i = 0; i < texts.size() && i < kMaxProblems; ++i) absl::StrAppend(&text, i == 0 ? "" : "; ", texts[i]);
  if (texts.size() > kMaxProblems) absl::StrAppend(&text, "; and ", texts.size() - kMaxProblems, " more");
  return text;
}

}  // namespace

absl::Status CheckActivation(const PolicyRow* previous, const Document& next, const Usage& usage) {
  if (previous == nullptr) return absl::OkStatus();
  std::vector<std::string> reasons;
  if (previous->document.version() == next.version()) {
    const absl::Status same = CheckSameContent(previous->document.hash(), next);
    if (!same.ok()) reasons.emplace_back(same.message());
  }
  for (const Difference& difference : Compare(*previous, next)) {
    std::string reason = Refusal(difference, usage);
    if (!reason.empty()) reasons.push_back(std::move(reason));
  }
  const absl::Status numbers = Advance(previous->state, next, previous->state.activated_at).status();
  if (!numbers.ok()) reasons.emplace_back(numbers.message());
  if (reasons.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("policy \"", next.version(), "\" cannot follow \"",
                                                    previous->document.version(), "\": ", Joined(reasons)));
}

std::string Words(const Difference& difference) { return absl::StrCat(difference.path, ": ", difference.what); }

absl::Status CheckNamed(const PolicyRow* previous, const Document& next, const std::vector<std::string>& named) {
  std::set<std::string> strangers(named.begin(), named.end());
  std::vector<std::string> unnamed;
  if (previous != nullptr) {
    for (const Difference& difference : Compare(*previous, next)) {
      if (!Loosens(difference)) continue;
      std::string words = Words(difference);
      if (std::find(named.begin(), named.end(), words) != named.end()) {
        strangers.erase(words);
      } else {
        unnamed.push_back(std::move(words));
      }
    }
  }
  if (!unnamed.empty()) {
    return absl::FailedPreconditionError(absl::StrCat("policy \"", next.version(), "\" loosens what is not named (",
                                                      unnamed.size(), "): ", Joined(unnamed)));
  }
  if (strangers.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "policy \"", next.version(), "\" does not loosen ", strangers.size(),
      strangers.size() == 1 ? " thing that is named" : " things that are named", "; see what it differs in"));
}

}  // namespace consent::policy
