// Whether a call may go on: who calls, how much it sends, and how many calls are in flight. The same for calls of one
// message and for streams.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/callers/caller_connections.h"
#include "daemon/rpc/authorize.h"

namespace consent::rpc {

// One for the daemon; outlives every token. Thread-safe. What a call costs: two relaxed additions to this thread's
// share of the count.
class Admission {
 public:
  // Held while the call is in flight, from its admission until it is finished. Movable; used by one thread at a time.
  class Token {
   public:
    Token(Token&& other) noexcept
        : count_(std::exchange(other.count_, nullptr)), peer_(std::move(other.peer_)), share_(other.share_) {}
    Token& operator=(Token&& other) noexcept;
    ~Token();

    const Peer& peer() const { return peer_; }
    const service::Caller& caller() const { return peer_.caller; }

    // The call asks `items` more than one. LIMIT_EXCEEDED: nothing may be done.
    absl::Status Charge(int64_t items, callers::Meter::Time now) const;

   private:
    friend class Admission;
    Token(std::atomic<int64_t>* count, Peer peer, callers::Meter::Share share);

    std::atomic<int64_t>* count_;  // nullptr: given on
    Peer peer_;
    callers::Meter::Share share_;  // of peer_'s meter, if it has one
  };

  // `ready` false: NOT_SERVING; set false to drain before the server is shut down. `connections` nullptr: nobody's are
  // bounded.
  explicit Admission(const std::atomic<bool>& ready, callers::CallerConnections* connections = nullptr)
      : ready_(ready), connections_(connections) {}
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // For a call of `peer`, which goes into the token, that came at `now` and whose first message has `bytes`. The first
  // of: what Authorize says, NOT_SERVING, MESSAGE_TOO_LARGE, LIMIT_EXCEEDED; `*peer` is then as it was.
  absl::StatusOr<Token> Admit(Peer* peer, const Method& method, size_t bytes, callers::Meter::Time now);
  // Calls are admitted: the daemon serves and does not drain.
  bool ready() const { return ready_.load(std::memory_order_acquire); }
  // Tokens that are held. Calls that are admitted or end meanwhile may be in it.
  size_t in_flight() const;

 private:
  struct alignas(64) Share {
    std::atomic<int64_t> count{0};
  };
  static constexpr size_t kShares = 8;

  // Of a caller with limits. The connection's come first: what is refused by them takes nothing of the others.
  std::optional<callers::Excess> BeginLimited(const Peer& peer, callers::Meter::Share share, callers::Meter::Time now);

  const std::atomic<bool>& ready_;
  callers::CallerConnections* const connections_;
  std::array<Share, kShares> shares_;
};

// MESSAGE_TOO_LARGE where a message, the first or a later one, has more than kMaxRequestBytes.
absl::Status CheckSize(size_t bytes);

}  // namespace consent::rpc
