#include "daemon/store/lease.h"

#include "daemon/store/limits.h"

namespace consent::store {
namespace {

constexpr uint8_t kVersion = 1;

bool IsName(std::string_view name) { return !name.empty() && name.size() <= kMaxNameBytes; }

}  // namespace

std::string EncodeLeaseGrant(const LeaseGrant& grant) {
  std::string bytes;
  base::Encoder encoder(&bytes);
  encoder.Byte(kVersion);
  encoder.Varint(grant.token);
  encoder.String(grant.holder);
  return bytes;
}

std::string EncodeLeaseRenewal(const LeaseRenewal& renewal) {
  std::string bytes;
  base::Encoder encoder(&bytes);
  encoder.Byte(kVersion);
  encoder.Varint(renewal.token);
  encoder.Varint(renewal.count);
  return bytes;
}

std::optional<LeaseGrant> DecodeLeaseGrant(std::string_view bytes) {
  base::Decoder decoder(bytes);
  const uint8_t version = decoder.Byte();
  LeaseGrant grant;
  grant.token = decoder.Varint();
  grant.holder = decoder.String(kMaxNameBytes);
  if (!decoder.Done() || version != kVersion || grant.token == 0) return std::nullopt;
  return grant;
}

std::optional<LeaseRenewal> DecodeLeaseRenewal(std::string_view bytes) {
  base::Decoder decoder(bytes);
  const uint8_t version = decoder.Byte();
  LeaseRenewal renewal;
  renewal.token = decoder.Varint();
  renewal.count = decoder.Varint();
  if (!decoder.Done() || version != kVersion || renewal.token == 0) return std::nullopt;
  return renewal;
}

bool IsLeaseFree(const LeaseRows& rows) {
  if (!rows.grant) return true;
  const std::optional<LeaseGrant> grant = DecodeLeaseGrant(*rows.grant);
  return grant && grant->holder.empty();
}

absl::StatusOr<LeaseChange> TakeLease(std::string_view name, std::string_view holder, const LeaseRows& seen,
                                      LeaseGrant* grant) {
  if (!IsName(name) || !IsName(holder)) {
    return absl::InvalidArgumentError("a lease's name and holder have 1 to 64 bytes");
  }
  const std::optional<LeaseGrant> before = seen.grant ? DecodeLeaseGrant(*seen.grant) : LeaseGrant{};
  if (!before) return absl::DataLossError("a lease's row is damaged");
  *grant = LeaseGrant{before->token + 1, std::string(holder)};
  const std::string key(name);
  LeaseChange change;
  change.preconditions = {{Table::kLease, key, seen.grant}, {Table::kLeaseRenewal, key, seen.renewal}};
  change.writes = {{Table::kLease, key, EncodeLeaseGrant(*grant)},
                   {Table::kLeaseRenewal, key, EncodeLeaseRenewal({grant->token, 0})}};
  return change;
}

LeaseChange RenewLease(std::string_view name, const LeaseGrant& grant, uint64_t count) {
  const LeaseRenewal renewal{grant.token, count};
  return {{UnderLease(name, grant)}, {{Table::kLeaseRenewal, std::string(name), EncodeLeaseRenewal(renewal)}}};
}

LeaseChange GiveBackLease(std::string_view name, const LeaseGrant& grant) {
  const LeaseGrant nobodys{grant.token, {}};
  return {{UnderLease(name, grant)}, {{Table::kLease, std::string(name), EncodeLeaseGrant(nobodys)}}};
}

Precondition UnderLease(std::string_view name, const LeaseGrant& grant) {
  return {Table::kLease, std::string(name), EncodeLeaseGrant(grant)};
}

bool LeaseWatch::Note(const LeaseRows& rows, base::Span began, base::Span ended) {
  if (rows_ != rows) {
    rows_ = rows;
    since_ = ended;
  }
  return IsLeaseFree(rows) || began.micros - since_.micros >= length_.micros;
}

}  // namespace consent::store
