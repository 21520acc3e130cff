// The connections that gRPC serves: how many there may be, which goes when there is no room, and what each may send.
//
// gRPC 1.51 bounds none of it. So connections are accepted by the daemon itself (acceptor.h), and what gRPC reads from
// them passes through here first (reads.h).
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/app/frames.h"
#include "daemon/base/mutex.h"
#include "daemon/callers/caller_connections.h"

namespace consent::app {

struct ConnectionLimits {
  size_t connections = 512;
  size_t per_peer = 256;  // from one address or of one user
  size_t leaving = 64;    // turned out, but not closed by gRPC yet
  std::chrono::milliseconds after_cut{
      20};  // between a peer's new connections, for a second after one of its own was cut
  std::chrono::milliseconds least_stay{25};  // of a silent one that has to make way: its first bytes may be on the way
  uint64_t open_body_bytes = uint64_t{48} << 20;  // of requests that have begun and not ended, all connections together
  FrameLimits frames;
};

// Why a connection ended. Those of FrameFault come first, with its numbers.
enum class CloseReason : uint8_t {
  kEnded = 0,  // by the peer, by a time limit or by a drain: nothing was wrong
  // FrameFault 1 to 7
  kEvicted = 8,     // made way for another one before it had made a call
  kTurnedAway = 9,  // came when all others were at work, or silent while too many of its peer had only just come
  kDrained = 10,    // idle or silent while the daemon drained
  kOverLimit = 11,  // its caller stayed over its limits
};
inline constexpr size_t kCloseReasons = 12;
// As metrics and logs say it.
const char* CloseReasonName(CloseReason reason);

// What a peer is to say first.
enum class Spoken : uint8_t { kHttp2 = 0, kTls = 1 };

struct ConnectionCounts {
  size_t open = 0;
  std::array<uint64_t, kCloseReasons> closed{};  // by CloseReason, since the process began
  uint64_t handshakes_failed = 0;                // TLS connections that ended before anything was deciphered
  // Cut because of what was sent.
  uint64_t cut() const;
};

enum class Admission : uint8_t {
  kTurnedAway = 0,  // all are at work, or too many of the peer have only just come: the caller closes the descriptor
  kLater = 1,       // whoever is to make way has only just come: the caller asks again
  kAdmitted = 2,
};

// Thread-safe.
class Connections {
 public:
  // `callers` hears which TLS connections are open, and outlives it; may be null.
  explicit Connections(const ConnectionLimits& limits, callers::CallerConnections* callers = nullptr);
  // Waits a while for connections that have yet to be closed.
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  // Whether so many leave that no other may be accepted for a moment.
  bool Crowded() const;
  // Follows the connected socket `fd` of `peer` (an address or a user; any bytes) from here on. Where there is no room,
  // the oldest connection that has sent nothing goes, else the oldest that has made no call. One of a peer that has
  // taken all its own room, and no more, does not make others wait unless it has sent something.
  Admission Admit(int fd, const std::string& peer, Spoken spoken = Spoken::kHttp2);
  // Follows `fd`, the daemon's connection to itself: beyond all room, so that a full daemon can still be asked whether
  // it lives, never turned out for another one, and not counted. False: it cannot be followed, the caller closes it.
  bool AdmitOwn(int fd);
  // When the next connection of `peer` may be admitted: now, or, after one of its own was cut, in turn with those that
  // came before; nullopt: 32 have their turns already. A flood that comes back as often as it is cut would else cost a
  // new connection each time. A call takes the turn that it answers.
  std::optional<std::chrono::steady_clock::time_point> MayComeAt(const std::string& peer);
  // Whether `waiting` connections more, that are accepted and not admitted yet, leave room.
  bool HasRoomFor(size_t waiting) const;
  // The caller has closed one that it could not let wait.
  void CountTurnedAway();
  // Frames that were seen on `fd`; 0 where it is not followed.
  uint64_t FramesSeen(int fd) const;
  // Cuts the TLS connections of these names (callers::CallerConnections), whatever they do. Returns how many.
  size_t EndNamed(const std::vector<std::string>& names, CloseReason reason);
  // Once calls are refused: those that have never made one go at once.
  void EndCallless();
  // Those from which nothing was read since EndCallless: a living peer answers the ping of a drain.
  void EndSilent();

  ConnectionCounts Counts() const;

 private:
  enum class Stage : uint8_t { kFree, kSilent, kGreeted, kCalled, kLeaving };
  class Connection;
  // The one that had best go, of `peer` alone unless null; null: none may.
  Connection* Choose(const std::string* peer) const REQUIRES(mutex_);
  void TurnOut(Connection* connection, CloseReason reason) REQUIRES(mutex_);
  // A connection of `peer` is cut now, so the next ones come in turn (MayComeAt).
  void BeginPace(const std::string& peer) REQUIRES(mutex_);
  void Uncount(Connection* connection) REQUIRES(mutex_);
  Connection* NewConnection() REQUIRES(mutex_);
  void Use(Connection* connection, int fd, bool own, Spoken spoken) REQUIRES(mutex_);
  // What a connection tells of itself.
  void Cut(Connection* connection, FrameFault fault);
  void MoveOn(Connection* connection, bool called);
  void CountOpenBodies(int64_t more);
  void Forget(Connection* connection, bool handshake_failed);

  const ConnectionLimits limits_;
  callers::CallerConnections* const callers_;
  // Below zero for a moment where a connection is turned out between telling its bytes and their being added.
  std::atomic<int64_t> open_body_bytes_{0};
  mutable base::Mutex mutex_;
  base::CondVar forgotten_;
  std::vector<std::unique_ptr<Connection>> all_ GUARDED_BY(mutex_);
  std::vector<Connection*> free_ GUARDED_BY(mutex_);
  std::map<uint64_t, Connection*> used_ GUARDED_BY(mutex_);  // by their order
  std::map<std::string, size_t> peers_ GUARDED_BY(mutex_);
  struct Pace {
    std::chrono::steady_clock::time_point cut;   // the last time
    std::chrono::steady_clock::time_point next;  // turn
  };
  std::map<std::string, Pace> paces_ GUARDED_BY(mutex_);  // of peers that were cut a short while ago
  uint64_t admitted_ GUARDED_BY(mutex_) = 0;
  size_t open_ GUARDED_BY(mutex_) = 0;  // without those that leave
  std::array<uint64_t, kCloseReasons> closed_ GUARDED_BY(mutex_){};
  uint64_t handshakes_failed_ GUARDED_BY(mutex_) = 0;
};

}  // namespace consent::app
