#include "client/lines/line_reader.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace consent {
namespace {

constexpr size_t kBlock = 64 * 1024;

}  // namespace

LineReader::LineReader(int descriptor, size_t most_bytes, StopSign stop, Copy copy)
    : descriptor_(descriptor), most_bytes_(most_bytes), stop_(stop), copy_(std::move(copy)) {}

bool LineReader::Wait(std::chrono::milliseconds idle, Result* why) const {
  pollfd waits[] = {{descriptor_, POLLIN, 0}, {stop_.descriptor, POLLIN, 0}};
  int ready = 0;
  do {
    ready = ::poll(waits, stop_.descriptor < 0 ? 1 : 2, static_cast<int>(idle.count()));
  } while (ready < 0 && errno == EINTR);
  if (stop_.IsUp()) {
    *why = Result::kStopped;
    return false;
  }
  *why = Result::kIdle;
  return ready != 0;
}

bool LineReader::Fill(std::chrono::milliseconds idle, Result* why) {
  buffer_.erase(0, begin_);
  searched_ -= begin_;
  begin_ = 0;
  if ((idle.count() >= 0 || stop_.descriptor >= 0) && !Wait(idle, why)) return false;
  const size_t held = buffer_.size();
  buffer_.resize(held + kBlock);
  ssize_t count = 0;
  do {
    count = ::read(descriptor_, buffer_.data() + held, kBlock);
  } while (count < 0 && errno == EINTR);
  buffer_.resize(held + static_cast<size_t>(count > 0 ? count : 0));
  if (count > 0) {
    bytes_ += static_cast<uint64_t>(count);
    if (!copy_ || copy_(std::string_view(buffer_).substr(held))) return true;
    buffer_.resize(held);
    *why = Result::kCopyFailed;
    return false;
  }
  ended_ = count == 0;
  *why = count == 0 ? Result::kEnd : Result::kError;
  return false;
}

bool LineReader::TakeLine(std::string* line, Result* result) {
  size_t end = buffer_.find('\n', searched_);
  const bool found = end != std::string::npos;
  if (!found) {
    end = buffer_.size();
    searched_ = end;
    // One byte more than the bound, for the CR of a CRLF.
    if (end - begin_ > most_bytes_ + 1) {
      skipping_ = true;
      begin_ = end;
    }
    if (!ended_ || (begin_ == end && !skipping_)) return false;
  }
  ++number_;
  size_t length = end - begin_;
  // A CR belongs to the end of a line only where an LF follows.
  if (found && length > 0 && buffer_[end - 1] == '\r') --length;
  *result = skipping_ || length > most_bytes_ ? Result::kTooLong : Result::kLine;
  line->clear();
  if (*result == Result::kLine) line->assign(buffer_, begin_, length);
  skipping_ = false;
  begin_ = found ? end + 1 : end;
  searched_ = begin_;
  return true;
}

LineReader::Result LineReader::Next(std::string* line, std::chrono::milliseconds idle) {
  Result result = Result::kEnd;
  for (;;) {
    if (stop_.IsUp()) return Result::kStopped;
    if (TakeLine(line, &result)) return result;
    if (ended_) return Result::kEnd;
    Result why = Result::kEnd;
    if (!Fill(idle, &why) && why != Result::kEnd) return why;
  }
}

}  // namespace consent
