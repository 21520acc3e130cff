// What the parts of Validate share. Internal to this folder.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "daemon/policy/validate.h"

namespace consent::policy {

// Of names, versions and sites.
inline constexpr size_t kMaxName = 64;

// Printable, in quotation marks, cut where it is long.
std::string Quoted(const std::string& text);

bool IsControlCharacter(char c);  // [a-z0-9_]
bool IsRegimeCharacter(char c);   // [a-z0-9_-]

// Gathers problems, at most kMaxProblems.
class Problems {
 public:
  void Add(std::string path, std::string message);
  void Range(const std::string& path, int64_t value, int64_t from, int64_t to);
  // 1 to kMaxName bytes that are all `allowed`; `set` shows them.
  void Name(const std::string& path, const std::string& name, bool (*allowed)(char), const char* set);
  // True if `size` is within the bound; loops over what is too long are skipped.
  bool Count(const std::string& path, int size, int from, int to);
  template <typename Key>
  void Unique(std::map<Key, std::string>* seen, const Key& key, const std::string& shown, const std::string& path) {
    const auto [at, added] = seen->emplace(key, path);
    if (!added) Add(path, shown + " is already at " + at->second);
  }
  std::vector<Problem> Take() { return std::move(list_); }

 private:
  std::vector<Problem> list_;
};

// deletion_deadlines and holiday_calendar of one regime, at `path`.
void CheckDeadlines(const v1::Policy& policy, const v1::Regime& regime, const std::string& path, Problems* problems);
void CheckHolidayCalendars(const v1::Policy& policy, Problems* problems);

}  // namespace consent::policy
