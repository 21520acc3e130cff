// Gathers what is wrong with a file, so that all of it is said at once.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace consent::json {

inline constexpr size_t kMaxProblems = 32;
// Of names, versions and sites.
inline constexpr size_t kMaxName = 64;

// `path` uses the names of the file's message, for example `regimes[2].regions[0]` or `ages_of_consent["DE"]`.
// `message` says what is wrong and the bound.
struct Problem {
  std::string path;
  std::string message;
};

// Printable, in quotation marks, cut where it is long.
std::string Quoted(const std::string& text);

// At most kMaxProblems.
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

}  // namespace consent::json
