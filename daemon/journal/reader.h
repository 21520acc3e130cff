// Reads a journal's folder, as a restore and `consentd journal` do. Nothing is changed, so a journal may lie on a disk
// that is mounted read-only, and may be read while a daemon appends to it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/journal/entry.h"

namespace consent::journal {

// Where an entry stands.
struct Position {
  std::string file;     // its name in the folder
  uint64_t offset = 0;  // of the frame that holds it
};

// What a folder holds, after every frame of it was verified: checksums, entries that decode, sequences without gaps,
// chains that agree where a file goes on behind another one.
struct Contents {
  base::Bytes16 store_id{};
  std::vector<std::string> files;          // names, in order
  std::vector<base::Bytes16> public_keys;  // fingerprints that files name, each once, in order; zero: no ids there
  std::vector<store::Head> first;          // per partition, where the journal begins: it has what comes after
  std::vector<store::Head> last;           // per partition, the highest that it has
  uint64_t entries = 0;
  uint64_t bytes = 0;
  // What stands behind the last whole entry of the newest file: a write that was cut off, which nobody had an answer
  // to, or damage at the very end, which looks the same. 0: nothing.
  uint64_t torn_bytes = 0;
  Position torn;
};

// Return false to stop.
using VisitEntry = std::function<bool(const Entry& entry, const Position& at)>;

// Verifies the folder and calls `visit` (may be empty) with each entry in the order of writing; what is torn is left
// out, as is a snapshot whose last part is missing. A snapshot's parts come one behind the other.
// NotFound: no such folder, or no journal in it. DataLoss: a damaged record before the end, a gap, or a file that is
// missing; the text names file and byte. FailedPrecondition: files of several stores, or of another format. Else as
// base::FileError.
absl::StatusOr<Contents> ReadFolder(const std::string& folder, const VisitEntry& visit);
// The same of the newest file alone, which is number `number`.
absl::StatusOr<Contents> ReadNewest(const std::string& folder, uint64_t number, const VisitEntry& visit);

}  // namespace consent::journal
