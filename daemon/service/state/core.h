// What the use cases share: the parts of a running daemon, owned by the composition root.
#pragma once

#include <atomic>
#include <string>

#include "daemon/base/ids.h"
#include "daemon/base/keys.h"
#include "daemon/base/random.h"
#include "daemon/base/share_keys.h"
#include "daemon/base/trusted_clock.h"
#include "daemon/service/state/appeal_gauges.h"
#include "daemon/service/state/deletion_gauges.h"
#include "daemon/service/state/erasure_changes.h"
#include "daemon/service/state/facts_index.h"
#include "daemon/service/state/hold_gauges.h"
#include "daemon/service/state/open_joins.h"
#include "daemon/service/state/open_safety_flags.h"
#include "daemon/service/state/partition_policies.h"
#include "daemon/service/state/policy_book.h"
#include "daemon/service/state/pool.h"
#include "daemon/service/state/published_heads.h"
#include "daemon/service/state/review_counts.h"
#include "daemon/service/state/subject_gauges.h"
#include "daemon/service/state/tokens.h"
#include "daemon/store/store.h"

namespace consent::service {

// Where a subject's rows lie, of so many partitions: by two bytes of its handle, so that each of 1,024 gets as many.
store::Partition PartitionOf(base::SubjectHandle subject, uint16_t partitions);

// Keys of rows: of a subject's own, and of what was reported of one of its recordings.
std::string SubjectKey(const base::Keys& keys, base::SubjectHandle subject);
std::string RecordingKey(const base::Keys& keys, base::SubjectHandle subject, base::RecordingHandle recording);

// Outlives every use case. The references are not owned.
struct Core {
  store::Store& store;
  base::TrustedClock& time;
  base::Random& random;
  base::Keys keys;         // but for the master keys: the places of rows, and the tags of tokens
  base::ShareKeys shares;  // the master keys
  base::IdHasher hasher;
  Tokens tokens;
  PolicyBook policies;
  FactsIndex index;
  SubjectGauges gauges;
  Pool& writers;  // prepare commits and send replies
  PartitionPolicies partition_policies;
  DeletionGauges deletions{};
  AppealGauges appeals{};
  HoldGauges holds{};
  ErasureChanges erasure_changes{};
  OpenSafetyFlags safety_flags{};
  OpenJoins joins{};
  ReviewCounts reviews{};
  PublishedHeads heads{};
  std::atomic<bool> ready{false};              // the index is filled and the policy is active
  std::atomic<uint64_t> rows_filled{0};        // by FillIndex so far, in steps of a thousand
  std::atomic<bool> perhaps_unsettled{false};  // there may be requests that wait for the time to be settled
  std::atomic<int64_t> last_stamp{
      0};  // micros of the latest stamp of any partition, published before its acknowledgement

  store::Partition PartitionOf(base::SubjectHandle subject) const;
  // As a stamp of now would be: the clock, but never before the last stamp, and the trusted time while the wall is
  // doubtful and ahead.
  base::Instant Now() const;
  // Now, as what decides and changes asks for it. Takes no lock.
  base::Now Present() const;
  void NoteStamp(base::Instant stamp);

  // As of its keys.
  std::string SubjectKey(base::SubjectHandle subject) const;
  std::string RecordingKey(base::SubjectHandle subject, base::RecordingHandle recording) const;
};

}  // namespace consent::service
