#include "daemon/wire/violations.h"

#include "daemon/wire/errors.h"

namespace consent::wire {

std::string Path::ToString() const {
  if (parent_ == nullptr) return {};
  std::string text = parent_->ToString();
  if (!text.empty()) text += '.';
  text += field_;
  if (index_ >= 0) text += '[' + std::to_string(index_) + ']';
  return text;
}

void Violations::Add(const Path& at, std::string description) {
  if (found_.size() < kMax) found_.emplace_back(at.ToString(), std::move(description));
}

void Violations::AddMalformed(const Path& at, std::string description) {
  malformed_ = true;
  Add(at, std::move(description));
}

void Violations::Append(const Violations& other) {
  malformed_ = malformed_ || other.malformed_;
  for (const auto& fault : other.found_) {
    if (found_.size() < kMax) found_.push_back(fault);
  }
}

std::string Violations::Why() const { return std::string(ToStatus().message().substr(0, kMaxWhyBytes)); }

absl::Status Violations::ToStatus() const {
  if (found_.empty()) return absl::OkStatus();
  return malformed_ ? MalformedError(found_) : FieldErrors(found_);
}

}  // namespace consent::wire
