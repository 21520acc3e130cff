#include "daemon/service/rows/cap_rows.h"

#include "daemon/base/bytes.h"
#include "daemon/base/hash.h"
#include "daemon/service/rows/row_codec.h"

namespace consent::service {
namespace {

using base::Decoder;
using base::Encoder;

constexpr uint8_t kCapFormat = 1;
constexpr size_t kHashBytes = 16;

template <typename E>
std::string Byte(E value) {
  return std::string(1, static_cast<char>(value));
}

CapName Named(domain::CapKind kind, std::string_view name) {
  const base::Digest digest = base::Blake2b(name);
  std::string key = Byte(kCapCounters) + Byte(kind);
  key.append(base::View(digest).substr(0, kHashBytes));
  return {kind, std::move(key)};
}

}  // namespace

CapName RateCap(domain::Purpose purpose, domain::Region country) {
  std::string name = Byte(purpose);
  Encoder(&name).BigEndian(country.packed(), 4);
  return Named(domain::CapKind::kRate, name);
}

CapName DayCap(domain::Purpose purpose) { return Named(domain::CapKind::kDay, Byte(purpose)); }

CapName SelectionCap(domain::Purpose purpose, domain::Selection selection) {
  return Named(domain::CapKind::kSelection, Byte(purpose) + Byte(selection));
}

CapName SiteCap(std::string_view site) { return Named(domain::CapKind::kSite, site); }

CapName ReviewerCap(std::string_view reviewer) { return Named(domain::CapKind::kReviewer, reviewer); }

store::Partition PartitionOf(const CapName& name, uint16_t partitions) {
  const uint64_t hash = Decoder(std::string_view(name.key).substr(2)).BigEndian(2);
  return {static_cast<uint16_t>(hash % partitions)};
}

std::string EncodeCapCounter(const domain::CapCounter& counter) {
  std::string bytes;
  Encoder out(&bytes);
  out.Byte(kCapFormat);
  PutTime(out, counter.since);
  out.Varint(counter.given);
  return bytes;
}

bool DecodeCapCounter(std::string_view bytes, domain::CapCounter* counter) {
  Decoder in(bytes);
  const uint8_t format = in.Byte();
  counter->since = GetTime(in);
  counter->given = in.Varint();
  return in.Done() && format == kCapFormat && counter->since.IsSet() && counter->given > 0;
}

}  // namespace consent::service
