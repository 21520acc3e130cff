// A callers' file, parsed and found valid as a whole.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "consent/v1/callers.pb.h"

namespace consent::callers {

// The bounds that proto/consent/v1/callers.proto states.
inline constexpr size_t kMaxFileBytes = size_t{1} << 20;
inline constexpr int kMaxCallers = 1'024;
inline constexpr int kMaxIdentities = 64;  // of one caller
inline constexpr int kMaxAllIdentities = 8'192;
inline constexpr size_t kMaxIdentityBytes = 512;
inline constexpr int kMaxSystems = 64;
inline constexpr int kMaxCertificateHours = 26'304;
inline constexpr int kMostConnections = 512;

// Reads `json`, one JSON object of consent.v1.CallersFile, strictly (daemon/json), and checks every bound, and what
// holds between its entries. InvalidArgument: the first problem of form, or all problems of content as far as
// json::kMaxProblems, each with its path; printable ASCII. Pure; thread-safe.
absl::StatusOr<v1::CallersFile> ParseFile(const std::string& json);

// The part of a URI identity before its last segment: "spiffe://example.org/sampler" of
// "spiffe://example.org/sampler/one" and of "spiffe://example.org/sampler/*". Empty where it has no such segment, or
// that is empty, "." or "..".
std::string_view StemOf(std::string_view uri);

}  // namespace consent::callers
