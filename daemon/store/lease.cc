#include "daemon/store/lease.h"

#include "daemon/store/limits.h"

namespace consent::store {
namespace {

constexpr uint8_t kLeaseVersion = 1;

bool IsName(std::string_view name) { return !name.empty() && name.size() <= kMaxNameBytes; }

}  // namespace

absl::StatusOr<LeaseRow> GrantLease(const std::optional<LeaseRow>& current, std::string_view name, std::string_view holder,
                                    base::Instant now, base::Span length) {
  if (!IsName(name) || !IsName(holder)) return absl::InvalidArgumentError("a lease's name and holder have 1 to 64 bytes");
  if (length.micros <= 0) return absl::InvalidArgumentError("a lease's length must be positive");
  const bool running = current && now < current->lease.expires;
  if (running && current->holder != holder) return absl::UnavailableError("the lease is held by another process");
  LeaseRow row;
  row.holder = holder;
  row.lease.token = running ? current->lease.token : (current ? current->lease.token : 0) + 1;
  row.lease.expires = now + length;
  // A clock that went back must not shorten what was granted before.
  if (running && row.lease.expires < current->lease.expires) row.lease.expires = current->lease.expires;
  return row;
}

std::string EncodeLease(const LeaseRow& row) {
  std::string bytes;
  base::Encoder encoder(&bytes);
  encoder.Byte(kLeaseVersion);
  encoder.Varint(row.lease.token);
  encoder.Varint(static_cast<uint64_t>(row.lease.expires.micros));
  encoder.String(row.holder);
  return bytes;
}

std::optional<LeaseRow> DecodeLease(std::string_view bytes) {
  base::Decoder decoder(bytes);
  const uint8_t version = decoder.Byte();
  LeaseRow row;
  row.lease.token = decoder.Varint();
  row.lease.expires.micros = static_cast<int64_t>(decoder.Varint());
  row.holder = decoder.String(kMaxNameBytes);
  if (!decoder.Done() || version != kLeaseVersion || row.holder.empty()) return std::nullopt;
  return row;
}

}  // namespace consent::store
