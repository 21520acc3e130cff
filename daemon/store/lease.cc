#include "daemon/store/lease.h"

#include <algorithm>

#include "daemon/store/limits.h"

namespace consent::store {
namespace {

constexpr uint8_t kLeaseVersion = 2;

bool IsName(std::string_view name) { return !name.empty() && name.size() <= kMaxNameBytes; }

}  // namespace

absl::StatusOr<LeaseRow> GrantLease(const std::optional<LeaseRow>& current, std::string_view name,
                                    std::string_view holder, const base::BootTime& now, base::Span length) {
  if (!IsName(name) || !IsName(holder)) {
    return absl::InvalidArgumentError("a lease's name and holder have 1 to 64 bytes");
  }
  if (length.micros <= 0) return absl::InvalidArgumentError("a lease's length must be positive");
  const bool running = current && current->lease.expires.boot == now.boot && now.since < current->lease.expires.since;
  if (running && current->holder != holder) return absl::UnavailableError("the lease is held by another process");
  LeaseRow row;
  row.holder = holder;
  row.lease.token = running ? current->lease.token : (current ? current->lease.token : 0) + 1;
  row.lease.expires = base::BootTime{now.boot, base::Span{now.since.micros + length.micros}};
  // A shorter renewal does not shorten what was granted before.
  if (running) row.lease.expires.since = std::max(row.lease.expires.since, current->lease.expires.since);
  return row;
}

std::string EncodeLease(const LeaseRow& row) {
  std::string bytes;
  base::Encoder encoder(&bytes);
  encoder.Byte(kLeaseVersion);
  encoder.Varint(row.lease.token);
  encoder.Raw(base::View(row.lease.expires.boot));
  encoder.Varint(static_cast<uint64_t>(row.lease.expires.since.micros));
  encoder.String(row.holder);
  return bytes;
}

std::optional<LeaseRow> DecodeLease(std::string_view bytes) {
  base::Decoder decoder(bytes);
  const uint8_t version = decoder.Byte();
  LeaseRow row;
  row.lease.token = decoder.Varint();
  row.lease.expires.boot = decoder.Array<16>();
  row.lease.expires.since.micros = static_cast<int64_t>(decoder.Varint());
  row.holder = decoder.String(kMaxNameBytes);
  if (!decoder.Done() || version != kLeaseVersion || row.holder.empty()) return std::nullopt;
  return row;
}

}  // namespace consent::store
