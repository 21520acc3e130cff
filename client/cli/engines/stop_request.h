// SIGTERM and SIGINT for a long command that has threads.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "absl/status/status.h"
#include "client/cli/files.h"
#include "client/lines/line_reader.h"

namespace consent::cli {

// How long a command that reads lines waits for what is under way.
inline constexpr std::chrono::seconds kLinesPatience{10};

// Asked once: finish what is under way and begin nothing new. Asked again, or after a patience, what is under way must
// end at once. Thread-safe. Blocks the two signals for the calling thread and those that it starts: make it before any
// other thread.
class StopRequest {
 public:
  // What happens when everything must end at once.
  enum class AtOnce {
    // The owner sees to it.
    kIsSaid,
    // The process ends with kStopped: what is under way may end anywhere, and loses nothing that is kept.
    kEndsProcess,
  };

  explicit StopRequest(std::chrono::milliseconds patience, AtOnce at_once = AtOnce::kIsSaid);
  // Ends the thread; the signals stay blocked.
  ~StopRequest();
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  // OK, or why signals cannot be waited for.
  const absl::Status& status() const { return status_; }
  bool Asked() const { return is_asked_.load(); }
  // For whoever reads lines.
  StopSign sign() const { return {&is_asked_, asked_.get()}; }
  // Descriptors that can be read from the moment that it was asked, and from the moment that everything must end at
  // once.
  int asked() const { return asked_.get(); }
  int at_once() const { return at_once_.get(); }
  // Returns after `time`, or as soon as `descriptor`, one of the two, can be read: then true.
  static bool Pause(int descriptor, std::chrono::milliseconds time);

 private:
  void Run();

  const std::chrono::milliseconds patience_;
  const AtOnce when_at_once_;
  std::atomic<bool> is_asked_{false};
  Descriptor signals_;
  Descriptor asked_;
  Descriptor at_once_;
  // Readable: the thread shall end.
  Descriptor over_;
  absl::Status status_;
  std::thread thread_;
};

}  // namespace consent::cli
