// What one entry of the restriction journal says: values and bytes. Layout: FORMAT.md. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/bytes.h"
#include "daemon/base/time.h"
#include "daemon/domain/transitions.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/store/store.h"

namespace consent::journal {

inline constexpr size_t kMaxEntryBytes = 4 << 20;  // of one entry's bytes: a commit's rows and what is sealed of it
inline constexpr size_t kMaxSealedBytes = 512 << 10;
inline constexpr size_t kMaxLoosened = 16384;

// What an entry has of a row.
enum class Content : uint8_t {
  kDeleted = 0,  // the row is not there any more
  kValue = 1,    // its value
  kThere = 2,    // the row is there; its value is never journaled (key shares, names). In snapshots alone
};

struct Row {
  store::Table table = store::Table::kSubject;
  std::string key;
  Content content = Content::kDeleted;
  std::string value;  // of kValue; else empty
  bool operator==(const Row&) const = default;
};

// What may have turned an answer towards yes or KEEP. Of it the subject's record is not journaled, unless the same
// commit restricted something, too.
enum class LoosenedWhat : uint8_t {
  kFact = 1,               // `change` says what
  kDeletionCancelled = 2,  // the request's rows are journaled all the same: it stays cancelled
  kHoldReleased = 3,       // its rows are not journaled: the hold stays
};
struct Loosened {
  LoosenedWhat what = LoosenedWhat::kFact;
  domain::ChangedWhat change = domain::ChangedWhat::kPurpose;  // of kFact
  domain::ScopeRef scope;
  domain::Purpose purpose = domain::Purpose::kNone;  // of a purpose's choice
  bool operator==(const Loosened&) const = default;
};

// The ids that data systems will need of a deletion request or a hold, sealed to the backup's public key
// (crypto_box_seal). Plain: see SealedIds.
enum class PayloadOf : uint8_t { kDeletion = 1, kHold = 2 };
struct SealedPayload {
  PayloadOf of = PayloadOf::kDeletion;
  uint64_t number = 0;  // of a deletion its DeletionNumber, of a hold the sequence of its placing, in the partition
  std::string sealed;   // at most kMaxSealedBytes
  bool operator==(const SealedPayload&) const = default;
};

enum class EntryKind : uint8_t {
  kCommit = 1,    // one commit of the store
  kSnapshot = 2,  // a part of all rows that a partition has, as they were at `stamp` or later
};

// A commit, or a part of a snapshot.
//
// A commit says what it wrote of the tables that decide (select.h), or nothing of it (`rows` empty), where it was
// filled in from the feed afterwards; a snapshot of its partition then stands before it.
//
// A snapshot is complete: what it does not name of its tables (SnapshotTables) is not there. Its parts follow each
// other in one file with no other entry between. Commits of the partition up to its `stamp.sequence` add nothing to it,
// wherever they stand; later ones do, and its rows may be as new as they.
struct Entry {
  EntryKind kind = EntryKind::kCommit;
  store::Partition partition;
  store::Stamp stamp;
  // Of a commit.
  base::Digest chain{};                       // of the feed, at that sequence
  std::string subject;                        // 16 bytes, or empty: none, or erased before the entry was made
  std::optional<service::ChangeKind> change;  // absent: the feed's row was erased before the entry was made
  std::vector<Loosened> loosened;
  // Of a snapshot.
  bool is_first = false;
  bool is_last = false;
  // Of both.
  std::vector<Row> rows;
  std::vector<SealedPayload> payloads;
  bool operator==(const Entry&) const;
};

// Appends the entry's bytes.
void EncodeEntry(const Entry& entry, std::string* out);
// False on anything that EncodeEntry does not write. Total.
bool DecodeEntry(std::string_view bytes, Entry* entry);

// How a file begins. All files of a folder are of one store.
struct FileHeader {
  base::Bytes16 store_id{};
  uint64_t number = 0;             // 1 is the first file ever; one more with each
  base::Bytes16 public_key{};      // fingerprint of what payloads are sealed to (keys.h); zero: no ids are journaled
  std::vector<store::Head> heads;  // per partition, 1 .. 1024: what stands in the files before, or in nothing at all
};
// Appends the header's bytes.
void EncodeFileHeader(const FileHeader& header, std::string* out);
// False on anything that EncodeFileHeader does not write. Total.
bool DecodeFileHeader(std::string_view bytes, FileHeader* header);

}  // namespace consent::journal
