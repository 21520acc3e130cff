// Backups of the daemon's store, as they are taken.
#pragma once

#include <cstdint>
#include <string>

#include "consent/ids.h"

namespace consent {

// Also what its folder is to be called: 1 to 64 bytes of [A-Za-z0-9-].
using BackupId = Id<struct BackupTag>;

// Bytes of one of its files.
struct BackupPiece {
  // False: the daemon still makes and verifies the copy; ask again.
  bool ready = false;
  // How far it is with that.
  int64_t rows_verified = 0;
  // At most 1 MiB; empty: the file ends there.
  std::string data;
};

}  // namespace consent
