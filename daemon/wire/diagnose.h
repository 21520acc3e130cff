// What is wrong with bytes that protobuf's parser refused: it says only "no", and gRPC would make INTERNAL of it.
#pragma once

#include <string_view>

#include <google/protobuf/descriptor.h>

#include "absl/status/status.h"

namespace consent::wire {

// Walks `bytes` as a message of `type` and names the first offending field, for example `recordings[3].account_id`: not
// valid UTF-8, truncated, of another wire type than declared, nested too deep. MALFORMED_MESSAGE always; where the walk
// finds nothing the violation has no field. Never shows a value. Total on any bytes: linear time, depth at most
// kMaxDepth. Thread-safe.
absl::Status Diagnose(std::string_view bytes, const google::protobuf::Descriptor& type);

// As Diagnose, but OK where the walk finds nothing.
absl::Status FindMalformation(std::string_view bytes, const google::protobuf::Descriptor& type);

// Of messages and groups; that of protobuf's parser.
inline constexpr int kMaxDepth = 100;

}  // namespace consent::wire
