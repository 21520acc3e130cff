// What a journal says of a store's rows, independently of the code that restores: the last word on each row wins.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/journal/reader.h"
#include "daemon/journal/select.h"
#include "daemon/service/rows/erasure_rows.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/rows/subject_rows.h"

namespace consent::test {

class Replay {
 public:
  using Key = std::pair<store::Table, std::string>;
  using Rows = std::map<Key, std::string>;

  // As the store is when the journal begins: what a backup would have.
  explicit Replay(const store::Store& store) : partitions_(store.partition_count()) {
    for (uint16_t p = 0; p < partitions_.size(); ++p) partitions_[p] = RowsOf(store, p);
  }

  void Take(const journal::Entry& entry) {
    Rows& rows = partitions_[entry.partition.number];
    if (entry.kind == journal::EntryKind::kSnapshot) {
      if (entry.is_first) Begin(entry, rows);
      for (const journal::Row& row : entry.rows) {
        if (row.content == journal::Content::kThere) kept_.insert({row.table, row.key});
      }
    }
    for (const journal::Row& row : entry.rows) {
      if (row.content == journal::Content::kValue) rows[{row.table, row.key}] = row.value;
      if (row.content == journal::Content::kDeleted) rows.erase({row.table, row.key});
    }
    if (entry.kind == journal::EntryKind::kSnapshot && entry.is_last) End(rows);
    for (const journal::SealedPayload& payload : entry.payloads) {
      payloads_[{static_cast<uint8_t>(payload.of), {entry.partition.number, payload.number}}] = payload.sealed;
    }
    for (const journal::Row& row : entry.rows) {
      // What a closed account leaves behind is listed there, and then erased outside of commits.
      base::Instant since;
      store::EraseTargets targets;
      const bool lists = row.table == store::Table::kErasure && row.content == journal::Content::kValue;
      if (lists && !service::DecodeWaiting(row.value, &since, &targets))
        problems_.push_back("no list of what is erased");
      for (const store::RowKey& target : targets.rows) {
        to_erase_.insert({entry.partition.number, {target.table, target.key}});
      }
      if (row.table == store::Table::kSubject) stale_.erase(row.value.substr(0, 16));
    }
    if (entry.kind == journal::EntryKind::kCommit && !entry.loosened.empty()) {
      if (entry.subject.empty()) problems_.push_back("loosened by nobody");
      loosened_.insert(entry.subject);
      for (const journal::Loosened& one : entry.loosened) {
        if (one.what == journal::LoosenedWhat::kHoldReleased) held_again_.insert(entry.subject);
      }
      const bool has_record = std::any_of(entry.rows.begin(), entry.rows.end(),
                                          [](const journal::Row& row) { return row.table == store::Table::kSubject; });
      if (!has_record && entry.stamp.sequence > snapshots_[entry.partition.number]) stale_.insert(entry.subject);
    }
  }

  // What the store has and the journal does not, and the other way round; empty: nothing.
  std::vector<std::string> Differences(const service::Core& core) const {
    const store::Store& store = core.store;
    std::vector<std::string> found = problems_;
    for (uint16_t p = 0; p < partitions_.size(); ++p) {
      const Rows there = RowsOf(store, p);
      const std::set<Key> released = OfReleasedHolds(core, p, there);
      for (const auto& [key, value] : there) {
        if (!released.contains(key)) Compare(p, key, value, found);
      }
      for (const auto& [key, value] : partitions_[p]) {
        // What was erased from the files is crossed off outside of commits: erasing it once more harms nothing.
        if (key.first == store::Table::kErasure || to_erase_.contains({p, key})) continue;
        if (there.contains(key) || released.contains(key) || IsOfOneHeldAgain(key, value, "")) continue;
        found.push_back("left over in table " + std::to_string(static_cast<int>(key.first)));
      }
    }
    return found;
  }
  const std::string* Payload(journal::PayloadOf of, uint16_t partition, uint64_t number) const {
    const auto at = payloads_.find({static_cast<uint8_t>(of), {partition, number}});
    return at == payloads_.end() ? nullptr : &at->second;
  }
  bool IsLoosened(const std::string& subject) const { return loosened_.contains(subject); }

 private:
  static Rows RowsOf(const store::Store& store, uint16_t partition) {
    Rows rows;
    for (const store::Table table : journal::SnapshotTables()) {
      const bool whole = journal::RowsOf(table) == journal::Rows::kAll;
      const absl::Status scanned =
          store.Scan({partition}, table, {}, {}, SIZE_MAX, [&](std::string_view key, std::string_view value) {
            rows[{table, std::string(key)}] = whole ? std::string(value) : "";
            return true;
          });
      if (!scanned.ok()) rows[{table, "unreadable"}] = "";
    }
    return rows;
  }
  // Of a snapshot: what it does not name is not there; shares and names are a backup's, unless they are gone.
  void Begin(const journal::Entry& first, Rows& rows) {
    kept_.clear();
    snapshots_[first.partition.number] = first.stamp.sequence;
    std::erase_if(rows, [](const auto& row) { return journal::RowsOf(row.first.first) == journal::Rows::kAll; });
  }
  void End(Rows& rows) {
    std::erase_if(rows, [&](const auto& row) {
      return journal::RowsOf(row.first.first) == journal::Rows::kDeletions && !kept_.contains(row.first);
    });
  }
  void Compare(uint16_t p, const Key& key, const std::string& value, std::vector<std::string>& found) const {
    const auto mine = partitions_[p].find(key);
    const bool is_there = mine != partitions_[p].end();
    if (journal::RowsOf(key.first) == journal::Rows::kDeletions) return;  // a value that is new is in no journal
    // The record of who was only loosened since is an older one, or none.
    if (key.first == store::Table::kSubject && stale_.contains(value.substr(0, 16))) return;
    if (IsOfOneHeldAgain(key, value, is_there ? mine->second : "")) return;
    if (!is_there) {
      found.push_back("missing in table " + std::to_string(static_cast<int>(key.first)));
    } else if (key.first != store::Table::kTask && mine->second != value) {  // how often it was leased is not journaled
      found.push_back("another value in table " + std::to_string(static_cast<int>(key.first)));
    }
  }
  // Marks that are the same but for a hold, of somebody whose hold is in force again.
  bool IsOfOneHeldAgain(const Key& key, const std::string& one, const std::string& other) const {
    base::SubjectHandle subject;
    base::RecordingHandle recording;
    domain::RecordingState a;
    domain::RecordingState b;
    if (key.first != store::Table::kRecording || !service::DecodeMarksRow(one, &subject, &recording, &a)) return false;
    if (!other.empty() && !service::DecodeMarksRow(other, &subject, &recording, &b)) return false;
    a.on_hold = b.on_hold = false;
    return a == b && held_again_.contains(std::string(base::View(subject.bytes)));
  }
  // Of holds that were released, which is not journaled: their rows, their shares, and what waits to be erased of them.
  static std::set<Key> OfReleasedHolds(const service::Core& core, uint16_t p, const Rows& there) {
    std::set<Key> keys;
    for (const auto& [key, value] : there) {
      service::HoldRow hold;
      if (key.first != store::Table::kHold || !service::IsHoldKey(key.second)) continue;
      if (!service::DecodeHoldRow(value, &hold) || hold.InForce()) continue;
      keys.insert(key);
      const store::Sequence placed = service::SequenceOfHoldKey(key.second);
      keys.insert({store::Table::kKeyShare, service::HoldShareKey(core, {{p}, placed})});
      for (const auto& [other, unused] : there) {
        const bool waits = other.first == store::Table::kErasure &&
                           service::NumberOfWaiting(other.second) == service::NumberOf(hold.changed);
        if (waits) keys.insert(other);
      }
    }
    return keys;
  }

  std::vector<Rows> partitions_;
  std::map<std::pair<uint8_t, std::pair<uint16_t, uint64_t>>, std::string> payloads_;
  std::set<std::pair<uint16_t, Key>> to_erase_;
  std::set<std::string> loosened_;
  std::set<std::string> held_again_;
  std::set<std::string> stale_;  // whose record in the journal is older than what was loosened
  std::map<uint16_t, store::Sequence> snapshots_;
  std::set<Key> kept_;
  std::vector<std::string> problems_;
};

}  // namespace consent::test
