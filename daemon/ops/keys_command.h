// `consentd keys ...`: what is done to the key file.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/ops/config.h"

namespace consent::ops {

// `arguments` begin with `keys`. After the word and what it takes come the options of `serve`, of which those count
// that say where keys and store are; environment and configuration file are looked at as by `serve`. InvalidArgument:
// how it is used, or as ParseInvocation says.
absl::StatusOr<Invocation> ParseKeysCommand(const std::vector<std::string>& arguments,
                                            const ProcessEnvironment& environment);

}  // namespace consent::ops
