// What this process reads from followed descriptors, seen before its reader sees it.
//
// gRPC offers no place between its socket and its parser. But it calls recvmsg and close through the dynamic linker,
// which finds the definitions of the executable before libc's: those in reads.cc. Server::Listen calls itself once to
// see that this still holds.
#pragma once

#include <cstddef>
#include <cstdint>

namespace consent::app {

// One descriptor's follower. The calls for it come one after the other, from any thread.
class Follower {
 public:
  virtual ~Follower() = default;
  // `bytes` were read at `now`, in milliseconds of a clock that does not go back. False: they are not passed on, the
  // reader gets ECONNRESET.
  virtual bool MayPass(const uint8_t* bytes, size_t size, int64_t now) = 0;
  // The descriptor is about to be closed, and its number may come again. The last call.
  virtual void Closed() = 0;
};

// Descriptors from here on cannot be followed.
inline constexpr int kMostDescriptors = 65'536;

// Thread-safe. False: `fd` is out of range. `follower` must live until its Closed, or until Unfollow.
bool Follow(int fd, Follower* follower);
void Unfollow(int fd);

}  // namespace consent::app
