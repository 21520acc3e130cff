#include "daemon/service/erasure/master_keys.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "daemon/service/commit/commit_now.h"
#include "daemon/service/commit/retry.h"
#include "daemon/service/rows/key_share_rows.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

absl::Status RefusedKeyFile(const std::string& why) {
  return wire::MakeError(v1::ERROR_REASON_KEY_FILE_REFUSED, absl::StrCat("the key file cannot be used: ", why));
}

bool Has(const base::Keys& file, uint16_t number, const base::MasterCheck& check) {
  const absl::StatusOr<base::MasterCheck> its = file.MasterCheckOf(number);
  return its.ok() && *its == check;
}

// Of every share that there is.
absl::StatusOr<std::set<uint16_t>> NumbersInUse(const store::Store& store) {
  std::set<uint16_t> numbers;
  for (uint16_t partition = 0; partition < store.partition_count(); ++partition) {
    const absl::Status scanned = store.Scan({partition}, store::Table::kKeyShare, "", "", SIZE_MAX,
                                            [&](std::string_view, std::string_view share) {
                                              numbers.insert(base::MasterNumberOf(share));
                                              return true;
                                            });
    if (!scanned.ok()) return StoreUnreadable();
  }
  return numbers;
}

absl::Status CheckKeyFile(const store::Store& store, const base::Keys& file, const MasterKeyRow& row) {
  if (file.newest_master() < row.newest) {
    return RefusedKeyFile(
        absl::StrCat("its newest master key is ", file.newest_master(), ", and ", row.newest,
                     " has been in force: it is a copy of before a rotation; put back the one of after it"));
  }
  for (const auto& [number, check] : {std::pair{row.newest, row.check}, std::pair{row.reached, row.reached_check}}) {
    if (Has(file, number, check)) continue;
    return RefusedKeyFile(absl::StrCat("it lacks master key ", number,
                                       ", or has another key under that number: put back a key file that has it"));
  }
  if (row.reached == row.newest) return absl::OkStatus();
  // A rotation that has not come to its end: also what lies between may be needed.
  const absl::StatusOr<std::set<uint16_t>> needed = NumbersInUse(store);
  if (!needed.ok()) return needed.status();
  for (const uint16_t number : *needed) {
    if (file.MasterCheckOf(number).ok()) continue;
    return RefusedKeyFile(absl::StrCat("it lacks master key ", number,
                                       ", under which keys of people lie: put back a key file that has it"));
  }
  return absl::OkStatus();
}

// Of the row; kConflict: somebody else has written it since.
store::Outcome Write(Core& core, const MasterKeyRow& before, const MasterKeyRow& after) {
  store::Precondition as_it_was{store::Table::kMasterKey, std::string(kMasterKeyKey), std::nullopt};
  if (before.newest != 0) as_it_was.expected = EncodeMasterKeyRow(before);
  return CommitPatiently(core, kMasterKeyPartition, {as_it_was},
                         [&after](const store::Stamp&) {
                           return store::Change{
                               {{store::Table::kMasterKey, std::string(kMasterKeyKey), EncodeMasterKeyRow(after)}},
                               PlainEvent(ChangeKind::kKeysRotated, "")};
                         })
      .outcome;
}

// What was built before it is in the store when it returns: no share that was made under an older key comes later.
absl::Status AwaitOlderCommits(Core& core) {
  std::vector<PartitionCommit> commits;
  for (uint16_t number = 0; number < core.store.partition_count(); ++number) {
    commits.push_back({store::Partition{number}, {}, [](const store::Stamp&) {
                         return store::Change{{}, PlainEvent(ChangeKind::kKeysRotated, "")};
                       }});
  }
  for (const store::CommitResult& result : CommitAllPatiently(core, std::move(commits))) {
    if (absl::Status s = OutcomeStatus(result.outcome); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status MasterKeys::Take(const base::Keys& file) {
  base::MutexLock lock(mutex_);
  if (file.Fingerprint() != core_.keys.Fingerprint()) return RefusedKeyFile("it is that of another store");
  absl::Status written = RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    const absl::StatusOr<MasterKeyRow> before = ReadMasterKeyRow(core_.store);
    if (!before.ok()) return before.status();
    MasterKeyRow after = *before;
    if (before->newest == 0) {
      after.reached = file.master_numbers().front();  // of a new store: no share lies under an older one
      after.reached_check = *file.MasterCheckOf(after.reached);
    } else if (absl::Status s = CheckKeyFile(core_.store, file, *before); !s.ok()) {
      return s;
    }
    after.newest = file.newest_master();
    after.check = *file.MasterCheckOf(after.newest);
    return after == *before ? store::Outcome::kCommitted : Write(core_, *before, after);
  });
  if (written.ok()) core_.shares.Replace(file);
  return written;
}

absl::Status MasterKeys::BeginRewrapping() {
  base::MutexLock lock(mutex_);
  return RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    const absl::StatusOr<MasterKeyRow> before = ReadMasterKeyRow(core_.store);
    if (!before.ok()) return before.status();
    if (before->wanted == before->newest || before->reached == before->newest) return store::Outcome::kCommitted;
    if (absl::Status s = AwaitOlderCommits(core_); !s.ok()) return s;
    MasterKeyRow after = *before;
    after.wanted = before->newest;
    return Write(core_, *before, after);
  });
}

}  // namespace consent::service
