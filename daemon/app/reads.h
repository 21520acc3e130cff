// What this process reads from followed descriptors, seen before its reader sees it.
//
// gRPC offers no place between its socket and its parser. But it calls recvmsg, close and SSL_read through the dynamic
// linker, which finds the definitions of the executable before libc's and OpenSSL's: those in reads.cc. Server::Listen
// calls itself once to see that this still holds.
//
// gRPC's TLS reads from memory, so an SSL object knows no descriptor. It is found by the random of its ClientHello
// (RFC 8446, 4.1.2), which went by in recvmsg before: 32 bytes of the peer's choice, of which no two live connections
// may show the same. What belongs to no followed connection is not passed on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace consent::app {

// One descriptor's follower. The calls for it come one after the other, from any thread.
class Follower {
 public:
  virtual ~Follower() = default;
  // `bytes` were read at `now`, in milliseconds of a clock that does not go back. False: they are not passed on, the
  // reader gets ECONNRESET.
  virtual bool MayPass(const uint8_t* bytes, size_t size, int64_t now) = 0;
  // As MayPass, for what TLS deciphered. `life`: as it was given to FollowDeciphered; false where the follower has
  // another life by now. From any thread, also after Closed.
  virtual bool MayPassDeciphered(uint64_t life, const uint8_t* bytes, size_t size, int64_t now) = 0;
  // The descriptor is about to be closed, and its number may come again. The last call.
  virtual void Closed() = 0;
};

// Descriptors from here on cannot be followed.
inline constexpr int kMostDescriptors = 65'536;

using HelloRandom = std::array<uint8_t, 32>;
// How many bytes at the beginning of a connection hold it.
inline constexpr size_t kHelloBytes = 43;
// False: these bytes are not how a TLS connection begins.
bool ReadHelloRandom(std::string_view first, HelloRandom* random);
// Thread-safe. False: another connection that lives has shown it. `follower` must outlive UnfollowDeciphered and what
// was under way then.
bool FollowDeciphered(const HelloRandom& random, Follower* follower, uint64_t life);
void UnfollowDeciphered(const HelloRandom& random);
// How often deciphered bytes were seen in this process. None while TLS calls arrive: they do not pass through here.
uint64_t DecipheredReads();
// Whether the dynamic linker finds the definition of SSL_read that is here before OpenSSL's.
bool SeesDeciphered();

// Thread-safe. False: `fd` is out of range. `follower` must live until its Closed, or until Unfollow.
bool Follow(int fd, Follower* follower);
void Unfollow(int fd);

}  // namespace consent::app
