// What of a daemon's status needs a person, and what to do about it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "consent/status.h"

namespace consent::cli {

// One line of the screen.
struct StatusLine {
  // What it is about: "policy", "clock", "disk data", "system audio", ...
  std::string what;
  // How it stands, in words.
  std::string state;
  bool needs_person = false;
  // What to do, as a command where one does it; empty where nothing is to be done.
  std::string next;
};

// Bounds below which a line needs a person. README.md says where each comes from.
inline constexpr int64_t kLeastFreeBytes = int64_t{2} << 30;
inline constexpr int64_t kLeastFreeInodes = 10'000;
inline constexpr std::chrono::days kCertificateWarning{7};
inline constexpr std::chrono::days kCalendarWarning{60};
inline constexpr std::chrono::days kVerificationAge{35};
// From the daemon's start on, where nobody has verified yet.
inline constexpr std::chrono::hours kFirstVerification{24};
inline constexpr std::chrono::days kSuspensionAge{14};
// Of a data system with open tasks, since its worker was last seen.
inline constexpr std::chrono::hours kWorkerSilence{1};
// Since when keys, and other bytes, wait to leave the store's files.
inline constexpr std::chrono::minutes kKeysInFiles{10};
inline constexpr std::chrono::hours kBytesInFiles{24};

// All lines, in the order of the screen. Pure: spans count from the status's own time.
std::vector<StatusLine> ReviewStatus(const DaemonStatus& status);

}  // namespace consent::cli
