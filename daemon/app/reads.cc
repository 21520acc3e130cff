#include "daemon/app/reads.h"

#include <dlfcn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <ctime>

namespace consent::app {
namespace {

// By number, as the kernel's own table, and therefore one for the process.
std::array<std::atomic<Follower*>, kMostDescriptors>& Followers() {
  static std::array<std::atomic<Follower*>, kMostDescriptors> followers{};
  return followers;
}

Follower* FollowerOf(int fd) {
  return fd >= 0 && fd < kMostDescriptors ? Followers()[fd].load(std::memory_order_acquire) : nullptr;
}

int64_t Milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

bool MayPass(Follower* follower, const msghdr& message, size_t size) {
  const int64_t now = Milliseconds();
  for (size_t i = 0; i < message.msg_iovlen && size > 0; ++i) {
    const size_t part = std::min(size, message.msg_iov[i].iov_len);
    if (!follower->MayPass(static_cast<const uint8_t*>(message.msg_iov[i].iov_base), part, now)) return false;
    size -= part;
  }
  return true;
}

// The definition that the linker would have found without this file's.
template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

bool Follow(int fd, Follower* follower) {
  if (fd < 0 || fd >= kMostDescriptors) return false;
  Followers()[fd].store(follower, std::memory_order_release);
  return true;
}

void Unfollow(int fd) {
  if (fd >= 0 && fd < kMostDescriptors) Followers()[fd].store(nullptr);
}

}  // namespace consent::app

extern "C" {

__attribute__((visibility("default"))) ssize_t recvmsg(int fd, msghdr* message, int flags) {
  static auto* const next = consent::app::Next<ssize_t(int, msghdr*, int)>("recvmsg");
  const ssize_t size = next(fd, message, flags);
  if (size <= 0 || (flags & (MSG_ERRQUEUE | MSG_PEEK)) != 0) return size;
  consent::app::Follower* const follower = consent::app::FollowerOf(fd);
  if (follower == nullptr || consent::app::MayPass(follower, *message, static_cast<size_t>(size))) return size;
  errno = ECONNRESET;
  return -1;
}

__attribute__((visibility("default"))) int close(int fd) {
  static auto* const next = consent::app::Next<int(int)>("close");
  if (fd >= 0 && fd < consent::app::kMostDescriptors) {
    consent::app::Follower* const follower = consent::app::Followers()[fd].exchange(nullptr);
    if (follower != nullptr) follower->Closed();
  }
  return next(fd);
}
}
