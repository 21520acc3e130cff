#include <algorithm>
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
  std::string text =
      absl::StrCat("policy \"", next.version(), "\" cannot follow \"", previous->document.version(), "\": ");
  for (size_t i = 0; i < reasons.size() && i < kMaxProblems; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : "; ", reasons[i]);
  }
  if (reasons.size() > kMaxProblems) absl::StrAppend(&text, "; and ", reasons.size() - kMaxProblems, " more");
  return absl::FailedPreconditionError(text);
}

}  // namespace consent::policy
