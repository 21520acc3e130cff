// Where the daemon keeps its files: looked at as a whole before anything is made.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "daemon/app/exit_codes.h"
#include "daemon/ops/config.h"

namespace consent::app {

// Room in a file system; unset where it reports no size.
struct Room {
  std::optional<uint64_t> bytes;  // for a user without privileges
  std::optional<uint64_t> inodes;
  std::optional<uint64_t> size;  // all bytes, free or not
};
Room RoomAt(const std::string& path);

// The folders in which store, keys and head file lie or are to be made: they are there and can be written, and there is
// room for the store; key file and head file need little. Looks at no file itself. The folder of the store may be made
// by MakeParent; the others' must be there, because a missing one is rather a disk that is not mounted.
std::optional<Failure> CheckPlaces(const ops::ServeOptions& options);
// Makes the folder that the store's folder lies in.
std::optional<Failure> MakeParent(const ops::ServeOptions& options);

}  // namespace consent::app
