// Folders that the daemon makes for itself and makes anew with each start.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "absl/status/status.h"

namespace consent::base {

// Whether the daemon makes an entry such as "1/key.pem", relative to its folder, of this type; a link is not followed.
using IsOwnEntry = std::function<bool(const std::filesystem::path& relative, std::filesystem::file_type type)>;

// Removes `folder` with all that is in it, unless an entry is not the daemon's own: then all of it stays. `what` says
// for people what the folder is for, such as "copies of its certificates". OK also where nothing is there.
// FailedPrecondition: it holds something else, or is no folder (a link is none); all others as FileError.
absl::Status RemoveOwnFolder(const std::string& what, const std::string& folder, const IsOwnEntry& is_own);

}  // namespace consent::base
