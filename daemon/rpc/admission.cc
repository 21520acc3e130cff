#include "daemon/rpc/admission.h"

#include <string>

#include "daemon/rpc/limits.h"
#include "daemon/wire/errors.h"

namespace consent::rpc {
namespace {

// Threads are dealt out in turn.
size_t ShareOfThread() {
  static std::atomic<size_t> dealt{0};
  thread_local const size_t mine = dealt.fetch_add(1, std::memory_order_relaxed);
  return mine;
}

}  // namespace

Admission::Token::Token(std::atomic<int64_t>* count, Peer peer) : count_(count), peer_(std::move(peer)) {
  count_->fetch_add(1, std::memory_order_relaxed);
}

Admission::Token& Admission::Token::operator=(Token&& other) noexcept {
  std::swap(count_, other.count_);
  std::swap(peer_, other.peer_);
  return *this;
}

Admission::Token::~Token() {
  if (count_ != nullptr) count_->fetch_sub(1, std::memory_order_relaxed);
}

absl::StatusOr<Admission::Token> Admission::Admit(Peer peer, const Method& method, size_t bytes) {
  if (absl::Status status = Authorize(peer, method); !status.ok()) return status;
  if (!ready()) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SERVING,
                           "the daemon is starting or stopping: repeat later; no answer means no");
  }
  if (absl::Status status = CheckSize(bytes); !status.ok()) return status;
  return Token(&shares_[ShareOfThread() % kShares].count, std::move(peer));
}

size_t Admission::in_flight() const {
  int64_t sum = 0;
  for (const Share& share : shares_) sum += share.count.load(std::memory_order_relaxed);
  return sum < 0 ? 0 : static_cast<size_t>(sum);
}

absl::Status CheckSize(size_t bytes) {
  if (bytes <= kMaxRequestBytes) return absl::OkStatus();
  return wire::MakeError(v1::ERROR_REASON_MESSAGE_TOO_LARGE,
                         "the request is larger than " + std::to_string(kMaxRequestBytes) + " bytes; split it",
                         {{"limit", std::to_string(kMaxRequestBytes)}});
}

}  // namespace consent::rpc
