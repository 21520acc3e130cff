// Paths that `consentd serve` is told, made whole, and the defaults of those that hang on the environment. Pure.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/ops/config.h"

namespace consent::ops {

// As seen from the working directory, without dots and a slash at the end; an empty path stays empty.
std::string Absolute(const std::string& path, const ProcessEnvironment& environment);
// Where the API is served unless somebody says otherwise.
std::string DefaultListen(const ProcessEnvironment& environment);
// InvalidArgument: the environment does not say where the user's folders are.
absl::StatusOr<std::string> DefaultDataDir(const ProcessEnvironment& environment);
// Sets key_file and key_is_credential of `out`, whose data_dir is set. `given`: as --key-file has it; empty: the
// default. InvalidArgument: a credential without a usable name, or that nobody brought.
absl::Status ResolveKeyFile(const std::string& given, const ProcessEnvironment& environment, ServeOptions* out);

}  // namespace consent::ops
