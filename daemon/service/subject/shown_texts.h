// Finds the very texts that were shown again, in the stored policies.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "daemon/domain/texts.h"
#include "daemon/service/state/policy_book.h"

namespace consent::service {

// For one answer. Not thread-safe; `policies` outlives it.
class ShownTexts {
 public:
  // So that an answer fits a message: texts of at most 4,352 bytes each, beside the policy and the settings.
  static constexpr size_t kMaxTexts = 256;

  explicit ShownTexts(const PolicyBook& policies) : policies_(policies) {}

  // Remembers that `shown`, of a consent given under `policy_version`, belongs to the answer. Does nothing once there
  // are kMaxTexts: of what is not in texts() the answer tells the hash alone.
  void Add(const domain::ShownText& shown, const std::string& policy_version);
  // Each that was added once, with its text: that of the policy under which it was shown, or else of any that has it.
  // Without title and sentence where none does.
  const std::map<domain::ShownText, domain::Text>& texts() const { return texts_; }

 private:
  domain::Text Find(const domain::ShownText& shown, const std::string& policy_version) const;

  const PolicyBook& policies_;
  std::map<domain::ShownText, domain::Text> texts_;
};

}  // namespace consent::service
