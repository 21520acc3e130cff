// What is wrong with a request, field by field, and where. Nothing is allocated before the first fault is found.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace consent::wire {

// A place in a message, such as `recordings[3].account_id`: a chain of stack frames, written out only where it is
// reported. The parent and the name (a literal or a descriptor's) must outlive it.
class Path {
 public:
  // The request itself.
  constexpr Path() = default;
  constexpr Path(const Path& parent, const char* field, int index = -1)
      : parent_(&parent), field_(field), index_(index) {}
  // Empty for the request itself.
  std::string ToString() const;

 private:
  const Path* parent_ = nullptr;
  const char* field_ = nullptr;
  int index_ = -1;
};

// Collects violations. Not thread-safe.
class Violations {
 public:
  // As many are kept; further ones only count as "at least one".
  static constexpr size_t kMax = 16;
  static constexpr size_t kMaxWhyBytes = 256;

  // `description` names the bound and never the value.
  void Add(const Path& at, std::string description);
  // As Add; the request then counts as malformed: it is not even the declared message.
  void AddMalformed(const Path& at, std::string description);
  bool empty() const { return found_.empty(); }
  // Adds all of `other`.
  void Append(const Violations& other);
  // What ToStatus() says, at most kMaxWhyBytes of it; empty where nothing was found.
  std::string Why() const;
  void Clear() {
    found_.clear();
    malformed_ = false;
  }
  // OK where empty, else INVALID_FIELD or MALFORMED_MESSAGE with all that was found.
  absl::Status ToStatus() const;

 private:
  std::vector<std::pair<std::string, std::string>> found_;
  bool malformed_ = false;
};

}  // namespace consent::wire
