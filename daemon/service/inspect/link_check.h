// Whether what names another row finds it: what InspectStore looks for beside the rows themselves. Without keys it
// cannot tell whose an idempotency key, a request's key share or the mark of a recording is that somebody took away;
// what names one is found. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "daemon/base/ids.h"
#include "daemon/store/frozen_store.h"

namespace consent::service {

class LinkCheck {
 public:
  using Problems = std::map<std::pair<std::string, std::string>, uint64_t>;
  // Both outlive it.
  LinkCheck(const store::FrozenStore& store, Problems& problems) : store_(store), problems_(problems) {}

  // Of each row that can be decoded, in FrozenStore's order.
  void SeeRow(store::Partition partition, store::Table table, std::string_view key, std::string_view value);
  // Of each event that is not erased, after all rows.
  void SeeEvent(store::Partition partition, const store::Stamp& stamp, const store::Event& event);
  // After all of that. DataLoss, Unavailable: a row could not be looked up.
  absl::Status Finish(const std::vector<store::Head>& heads);

 private:
  struct Subject {
    base::Bytes16 handle{};
    base::Bytes16 disk_key{};
    uint64_t revision = 0;
    store::Partition partition;
  };

  void Wrong(store::Table table, const char* what);
  const Subject* Find(const base::Bytes16& handle);
  // The row of `to` under `key` must be there and begin with `expected`; else `from` has a row that is wrong.
  void Want(store::Partition partition, store::Table from, const char* what, store::Table to, std::string_view key,
            std::string_view expected = {});
  void WantSubject(store::Partition partition, store::Table from, base::SubjectHandle subject, std::string_view key);
  void SeeSubject(store::Partition partition, std::string_view key, std::string_view value);
  void SeeRecording(store::Partition partition, store::Table table, std::string_view key, std::string_view value);
  void SeeDeletion(store::Partition partition, std::string_view key, std::string_view value);
  void SeeTask(store::Partition partition, std::string_view key);
  void SeeHold(store::Partition partition, std::string_view key, std::string_view value);
  void SeeMonthKey(store::Partition partition, std::string_view key, std::string_view value);
  // A row that all partitions are to have.
  void SeeCommon(store::Partition partition, store::Table table, std::string_view key, std::string_view value);

  const store::FrozenStore& store_;
  Problems& problems_;
  std::vector<Subject> subjects_;  // in the order of their handles once all were seen
  bool is_sorted_ = false;
  absl::Status read_;                                                // of look-ups so far
  std::map<std::pair<store::Table, std::string>, uint16_t> common_;  // how many partitions have it
};

}  // namespace consent::service
