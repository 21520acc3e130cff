#include "daemon/store/store.h"

#include "daemon/base/hash.h"

namespace consent::store {
namespace {

constexpr uint8_t kCanonicalVersion = 1;

}  // namespace

std::string CanonicalEvent(const Stamp& stamp, const Event& event) {
  std::string bytes;
  bytes.reserve(1 + 10 + 10 + 2 + event.subject.size() + event.commitment.size() + 5 + event.body.size());
  base::Encoder encoder(&bytes);
  encoder.Byte(kCanonicalVersion);
  encoder.Varint(stamp.sequence);
  encoder.Varint(static_cast<uint64_t>(stamp.time.micros));
  encoder.String(event.subject);
  encoder.Raw(base::View(event.commitment));
  encoder.String(event.body);
  return bytes;
}

base::Digest NextChain(const base::Digest& previous, const Stamp& stamp, const Event& event) {
  return base::Blake2b(base::View(previous), CanonicalEvent(stamp, event));
}

}  // namespace consent::store
