#include "daemon/rpc/admission.h"

#include <optional>
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

absl::Status LimitError(const callers::Excess& excess) {
  const std::string limit = callers::LimitName(excess.limit);
  const std::string value = std::to_string(excess.value);
  return wire::MakeRetryError(v1::ERROR_REASON_LIMIT_EXCEEDED,
                              "the caller is over its limit of " + value + " " + limit +
                                  "; nothing was done: repeat after the time that RetryInfo says",
                              {{"limit", limit}, {"value", value}}, excess.wait);
}

}  // namespace

Admission::Token::Token(std::atomic<int64_t>* count, Peer peer, callers::Meter::Share share)
    : count_(count), peer_(std::move(peer)), share_(share) {
  count_->fetch_add(1, std::memory_order_relaxed);
}

Admission::Token& Admission::Token::operator=(Token&& other) noexcept {
  std::swap(count_, other.count_);
  std::swap(peer_, other.peer_);
  std::swap(share_, other.share_);
  return *this;
}

Admission::Token::~Token() {
  if (count_ == nullptr) return;
  count_->fetch_sub(1, std::memory_order_relaxed);
  if (peer_.meter != nullptr) peer_.meter->End(share_);
}

absl::Status Admission::Token::Charge(int64_t items, callers::Meter::Time now) const {
  if (peer_.meter == nullptr) return absl::OkStatus();
  const std::optional<callers::Excess> excess = peer_.meter->Charge(share_, items, now);
  return excess.has_value() ? LimitError(*excess) : absl::OkStatus();
}

absl::StatusOr<Admission::Token> Admission::Admit(Peer* peer, const Method& method, size_t bytes,
                                                  callers::Meter::Time now) {
  if (absl::Status status = Authorize(*peer, method); !status.ok()) return status;
  if (!ready()) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SERVING,
                           "the daemon is starting or stopping: repeat later; no answer means no");
  }
  if (absl::Status status = CheckSize(bytes); !status.ok()) return status;
  const auto share = method.may_restrict() ? callers::Meter::Share::kRestrictions : callers::Meter::Share::kOrdinary;
  if (peer->meter != nullptr) {
    if (const auto excess = BeginLimited(*peer, share, now); excess.has_value()) return LimitError(*excess);
  }
  return Token(&shares_[ShareOfThread() % kShares].count, std::move(*peer), share);
}

std::optional<callers::Excess> Admission::BeginLimited(const Peer& peer, callers::Meter::Share share,
                                                       callers::Meter::Time now) {
  if (connections_ != nullptr) {
    std::optional<callers::Excess> excess = connections_->Use(peer.connection, share, peer.meter, now);
    if (excess.has_value()) return excess;
  }
  return peer.meter->Begin(share, now);
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
