// How far a sweep has come, kept in a file so that it can go on after an interruption.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/files.h"
#include "consent/purge.h"

namespace consent::cli {

// What a sweep is about; a state file goes on with none but its own.
struct SweepOf {
  std::string input_hash;  // of the inventory
  std::string system;
  // Tells systems of one name in two stores apart.
  std::string registered_at;
};

// What a line came to.
enum class SweptAs : uint8_t { kKept, kHeld, kPurged, kNotFound, kUnanswered };

// JSON lines: a head, then what was reached, the last line counting; written whole line by whole line, a torn last one
// is ignored. No ids: lines are known by their numbers. Without a path nothing is kept. Not thread-safe.
class SweepState {
 public:
  // Lines that must go and could not be purged. With more the command is broken, and the sweep stops.
  static constexpr size_t kMaxLeft = 100'000;

  // Reads `path`, which may be empty, and changes nothing of it. `now`: what a sweep that begins now is dated by, RFC
  // 3339. FailedPrecondition: it cannot be read or opened for writing, is no state file, or tells of a sweep of
  // something else that is not over.
  static absl::StatusOr<SweepState> Open(const std::string& path, const SweepOf& of, const std::string& now);
  // Cuts off a torn last line and begins a new file. Comes before all that writes.
  absl::Status Begin();
  // -1: nothing is kept.
  int descriptor() const { return file_.descriptor(); }

  // When its first run began.
  const std::string& started_at() const { return started_at_; }
  // All lines up to it are done but those that are left; 0: none.
  uint64_t reached() const { return reached_; }
  // `failed` are those that are left.
  SweepCounts counts() const;
  // The line is to be looked at: nobody has done it, or it is left from before.
  bool IsOpen(uint64_t line) const;
  bool IsLeft(uint64_t line) const { return left_.contains(line); }
  size_t left() const { return left_.size(); }

  // These lines, of those up to `reached` or beyond, came to that: whatever stops the sweep, they are not done again.
  absl::Status Done(const std::vector<uint64_t>& lines, SweptAs how);
  // These must go and are still there. ResourceExhausted: kMaxLeft.
  absl::Status Left(const std::vector<uint64_t>& lines);
  // All lines up to `line` are done or left. `more`: what came of those between that Done was not told of.
  absl::Status Reach(uint64_t line, const SweepCounts& more);
  // The daemon has the report. With nothing left the file is emptied: the next sweep may begin in it.
  absl::Status Reported();

 private:
  absl::Status Load(std::string_view text, const SweepOf& of);
  absl::Status LoadHead(const nlohmann::json& line, const SweepOf& of);
  absl::Status LoadLine(const nlohmann::json& line);
  void Count(const std::vector<uint64_t>& lines, SweptAs how);

  LineFile file_;
  std::string head_;    // the first line, its end included
  uint64_t whole_ = 0;  // bytes of the file that are whole lines
  std::string started_at_;
  bool is_others_ = false;    // the head tells of another sweep
  bool is_reported_ = false;  // and that one is over
  uint64_t reached_ = 0;
  SweepCounts counts_;
  std::set<uint64_t> done_;  // beyond `reached_`
  std::set<uint64_t> left_;
};

}  // namespace consent::cli
