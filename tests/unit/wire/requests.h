// Every request of the API with the function that checks it, and valid samples that together set every field. Shared by
// the tests that walk all requests and by the fuzzer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "daemon/base/time.h"

namespace consent::testing {

struct RequestKind {
  const google::protobuf::Message* prototype;
  // Checks and converts; for a batch also each recording, whose faults then are the status.
  std::function<absl::Status(const google::protobuf::Message&)> read;
  std::vector<std::string> samples;  // in protobuf's text format; each is valid
};

// What `read` takes for now: 2026-11-21T12:00:00Z.
inline constexpr base::Instant kNow{1'795'262'400'000'000};

const std::vector<RequestKind>& AllRequests();

// The sample as a message.
std::unique_ptr<google::protobuf::Message> Parse(const RequestKind& kind, const std::string& sample);

}  // namespace consent::testing
