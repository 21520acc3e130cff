#include "daemon/app/reads.h"

#include <dlfcn.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <map>
#include <memory>

#include "daemon/base/mutex.h"

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

// Who follows what an SSL object deciphers. Held by the object, too, which may outlive the connection.
struct Deciphered {
  Deciphered(Follower* by, uint64_t its_life) : follower(by), life(its_life) {}
  Follower* const follower;
  const uint64_t life;
  std::atomic<bool> ended{false};
};

class Hellos {
 public:
  bool Add(const HelloRandom& random, Follower* follower, uint64_t life) EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    return by_random_.emplace(random, std::make_shared<Deciphered>(follower, life)).second;
  }
  void Remove(const HelloRandom& random) EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    const auto at = by_random_.find(random);
    if (at == by_random_.end()) return;
    at->second->ended.store(true);
    by_random_.erase(at);
  }
  std::shared_ptr<Deciphered> Find(const HelloRandom& random) EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    const auto at = by_random_.find(random);
    return at == by_random_.end() ? nullptr : at->second;
  }

 private:
  base::Mutex mutex_;
  std::map<HelloRandom, std::shared_ptr<Deciphered>> by_random_ GUARDED_BY(mutex_);
};

Hellos& AllHellos() {
  static auto& all = *new Hellos();  // read until the last thread ends
  return all;
}

std::atomic<uint64_t>& SeenDeciphered() {
  static std::atomic<uint64_t> seen{0};
  return seen;
}

int SslIndex() {
  static const int index =
      SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, [](void*, void* kept, CRYPTO_EX_DATA*, int, long, void*) {
        delete static_cast<std::shared_ptr<Deciphered>*>(kept);
      });
  return index;
}

// Null: nobody follows it.
Deciphered* FollowerOf(SSL* ssl) {
  auto* const kept = static_cast<std::shared_ptr<Deciphered>*>(SSL_get_ex_data(ssl, SslIndex()));
  if (kept != nullptr) return kept->get();
  HelloRandom random{};
  if (SSL_get_client_random(ssl, random.data(), random.size()) != random.size()) return nullptr;
  auto found = std::make_unique<std::shared_ptr<Deciphered>>(AllHellos().Find(random));
  if (*found == nullptr || SSL_set_ex_data(ssl, SslIndex(), found.get()) != 1) return nullptr;
  return found.release()->get();
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

bool ReadHelloRandom(std::string_view first, HelloRandom* random) {
  // A record of a handshake (RFC 8446, 5.1), of TLS 1.x; a ClientHello (4.1.2) of which the first fragment holds the
  // random.
  constexpr size_t kVersion = 1;
  constexpr size_t kType = 5;
  constexpr size_t kRandom = 11;
  static_assert(kRandom + sizeof(HelloRandom) == kHelloBytes);
  if (first.size() < kHelloBytes || first[0] != 22 || first[kVersion] != 3 || first[kType] != 1) return false;
  std::memcpy(random->data(), first.data() + kRandom, random->size());
  return true;
}

bool FollowDeciphered(const HelloRandom& random, Follower* follower, uint64_t life) {
  return AllHellos().Add(random, follower, life);
}

void UnfollowDeciphered(const HelloRandom& random) { AllHellos().Remove(random); }

uint64_t DecipheredReads() { return SeenDeciphered().load(std::memory_order_relaxed); }

bool SeesDeciphered() { return dlsym(RTLD_DEFAULT, "SSL_read") == reinterpret_cast<void*>(&SSL_read); }

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

// Of a connection that is to go no further it answers as of one that broke: -1, and no error of OpenSSL's.
__attribute__((visibility("default"))) int SSL_read(SSL* ssl, void* buffer, int size) {
  static auto* const next = consent::app::Next<int(SSL*, void*, int)>("SSL_read");
  const int read = next(ssl, buffer, size);
  if (read <= 0 || SSL_is_server(ssl) == 0) return read;
  consent::app::Deciphered* const deciphered = consent::app::FollowerOf(ssl);
  if (deciphered == nullptr || deciphered->ended.load()) return -1;
  consent::app::SeenDeciphered().fetch_add(1, std::memory_order_relaxed);
  const auto* const bytes = static_cast<const uint8_t*>(buffer);
  const bool passes = deciphered->follower->MayPassDeciphered(deciphered->life, bytes, static_cast<size_t>(read),
                                                              consent::app::Milliseconds());
  return passes ? read : -1;
}
}
