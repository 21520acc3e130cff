#include "daemon/service/subject/shown_texts.h"

#include <memory>
#include <optional>
#include <vector>

#include "daemon/policy/texts.h"

namespace consent::service {
namespace {

template <typename TextsT>
std::optional<domain::Text> FindIn(const TextsT& texts, const domain::ShownText& shown) {
  for (const v1::LocalizedText& text : texts) {
    if (text.language() != shown.language) continue;
    domain::Text found = domain::MakeText(text.language(), text.title(), policy::ReadMarks(text.sentence()).shown);
    if (found.sha256 == shown.sha256) return found;
  }
  return std::nullopt;
}

std::optional<domain::Text> FindIn(const v1::Policy& policy, const domain::ShownText& shown) {
  if (shown.kind == domain::ShownKind::kNotice) {
    for (const v1::Notice& notice : policy.notices()) {
      if (notice.version() == shown.name) return FindIn(notice.texts(), shown);
    }
    return std::nullopt;
  }
  for (const v1::Control& control : policy.controls()) {
    if (control.name() == shown.name) return FindIn(control.texts(), shown);
  }
  return std::nullopt;
}

}  // namespace

domain::Text ShownTexts::Find(const domain::ShownText& shown, const std::string& policy_version) const {
  if (const std::shared_ptr<const policy::PolicyRow> row = policies_.Find(policy_version)) {
    if (std::optional<domain::Text> found = FindIn(row->document.policy(), shown)) return *std::move(found);
  }
  for (const std::shared_ptr<const policy::PolicyRow>& row : policies_.All()) {
    if (std::optional<domain::Text> found = FindIn(row->document.policy(), shown)) return *std::move(found);
  }
  return {};
}

void ShownTexts::Add(const domain::ShownText& shown, const std::string& policy_version) {
  if (texts_.size() < kMaxTexts && texts_.count(shown) == 0) texts_.emplace(shown, Find(shown, policy_version));
}

}  // namespace consent::service
