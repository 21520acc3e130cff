// Bytes as a request: the first byte chooses which, the rest is the message as it comes from the network.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include <google/protobuf/arena.h>
#include <google/protobuf/stubs/logging.h>

#include "daemon/wire/diagnose.h"
#include "daemon/wire/digest.h"
#include "daemon/wire/errors.h"
#include "tests/unit/wire/requests.h"

namespace {

using namespace consent;

void Require(bool condition) {
  if (!condition) std::abort();
}

// What a client is told: a reason of ours, at most 16 violations, and nothing but our own words.
void RequireTellable(const absl::Status& status) {
  const wire::ErrorDetail detail = wire::DetailOf(status);
  Require(detail.reason != v1::ERROR_REASON_INTERNAL);
  Require(detail.violations.size() <= 16);
  for (const auto& [field, description] : detail.violations) {
    Require(!description.empty());
    for (const char c : field + description) Require(c >= ' ' && c <= '~');
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const google::protobuf::LogSilencer silencer;
  if (size == 0) return 0;
  const auto& kinds = testing::AllRequests();
  const testing::RequestKind& kind = kinds[data[0] % kinds.size()];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  google::protobuf::Arena arena;
  google::protobuf::Message* message = kind.prototype->New(&arena);
  const absl::Status malformed = wire::FindMalformation(bytes, *kind.prototype->GetDescriptor());
  if (!message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    // What the parser refuses is always explained.
    Require(!malformed.ok());
    RequireTellable(wire::Diagnose(bytes, *kind.prototype->GetDescriptor()));
    return 0;
  }
  const absl::Status read = kind.read(*message);
  if (!read.ok()) {
    RequireTellable(read);
    return 0;
  }
  // What was accepted is accepted again after a round trip, and is the same request.
  std::unique_ptr<google::protobuf::Message> again(kind.prototype->New());
  Require(again->ParseFromString(message->SerializeAsString()));
  Require(kind.read(*again).ok());
  Require(wire::RequestDigest(*again) == wire::RequestDigest(*message));
  return 0;
}
