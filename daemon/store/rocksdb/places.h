// Names and folders beside a database. Internal to this folder. Thread-safe.
#pragma once

#include <filesystem>
#include <string>

#include "absl/status/status.h"

namespace consent::store {

// The folder's own name where links lead to it: what is built beside it can then take its place.
std::string WithoutLinks(const std::string& path);
// Whether RocksDB makes an entry of this name in a database's folder.
bool IsOfDatabase(const std::filesystem::path& relative, std::filesystem::file_type type);
// Removes what a killed process left of a copy that it had staged (staged_copy.h).
absl::Status RemoveStaged(const std::string& db_path);

}  // namespace consent::store
