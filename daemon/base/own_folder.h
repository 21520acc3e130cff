// Folders that the daemon makes for itself.
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

// Makes `folder` with mode 0750 where it is not there; the folder above it has to be. `what` is whose it is, such as
// "the journal", and begins the texts. FailedPrecondition: it is no folder, another user's, or others may write it; all
// others as FileError.
absl::Status PrepareOwnFolder(const std::string& what, const std::string& folder);

// Makes durable which entries `folder` has; empty: the working directory. As FileError.
absl::Status SyncFolder(const std::string& folder);
// The same of the folder that has `path`.
absl::Status SyncFolderOf(const std::string& path);

}  // namespace consent::base
