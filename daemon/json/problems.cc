#include "daemon/json/problems.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "daemon/json/scan.h"

namespace consent::json {
namespace {

constexpr size_t kMaxQuoted = 40;

}  // namespace

std::string Quoted(const std::string& text) { return absl::StrCat("\"", Printable(text, kMaxQuoted), "\""); }

void Problems::Add(std::string path, std::string message) {
  if (list_.size() < kMaxProblems) list_.push_back({std::move(path), std::move(message)});
}

void Problems::Range(const std::string& path, int64_t value, int64_t from, int64_t to) {
  if (value < from || value > to) Add(path, absl::StrCat(value, " is not within ", from, " to ", to));
}

void Problems::Name(const std::string& path, const std::string& name, bool (*allowed)(char), const char* set) {
  if (name.empty() || name.size() > kMaxName || !std::all_of(name.begin(), name.end(), allowed)) {
    Add(path, absl::StrCat(Quoted(name), " is not 1 to ", kMaxName, " bytes of ", set));
  }
}

bool Problems::Count(const std::string& path, int size, int from, int to) {
  if (size >= from && size <= to) return true;
  Add(path, absl::StrCat(size, " entries are not within ", from, " to ", to));
  return false;
}

}  // namespace consent::json
