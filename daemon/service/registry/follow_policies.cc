#include "daemon/service/registry/follow_policies.h"

#include <algorithm>
#include <utility>

#include "daemon/service/rows/policy_rows.h"

namespace consent::service {
namespace {

std::string CoverageKey(store::Table table, std::string_view key) {
  return static_cast<char>(table) + std::string(key);
}

// Nothing: damaged.
absl::StatusOr<policy::PolicyRow> JoinVersion(
    std::string_view bytes, const std::function<absl::StatusOr<std::string>(const std::string&)>& find_document) {
  absl::StatusOr<policy::VersionRow> version = policy::DecodeVersion(bytes);
  if (!version.ok()) return version.status();
  const absl::StatusOr<std::string> json = find_document(PolicyDocumentKey(version->document));
  if (!json.ok()) return json.status();
  absl::StatusOr<policy::Document> document = policy::Document::Parse(*json);
  if (!document.ok()) return document.status();
  return policy::Join(*std::move(document), *std::move(version));
}

}  // namespace

PolicyFollower::PolicyFollower(Core& core) : core_(core), coverage_(core.store.partition_count()) {}

bool PolicyFollower::Follow(const store::Committed& committed) {
  const FindDocument find_document = [&committed](const std::string& key) -> absl::StatusOr<std::string> {
    for (const store::Write& write : committed.writes) {
      if (write.table == store::Table::kPolicy && write.key == key && write.value.has_value()) return *write.value;
    }
    return absl::NotFoundError("a version's document is not beside it");
  };
  for (const store::Write& write : committed.writes) {
    const bool is_policy = write.table == store::Table::kPolicy;
    if (!is_policy && write.table != store::Table::kSuspension) continue;
    if (!write.value.has_value()) return false;
    const bool is_whole = is_policy ? FollowPolicy(committed.partition, write.key, *write.value, find_document)
                                    : FollowSuspension(committed.partition, write.key, *write.value);
    if (!is_whole) return false;
  }
  return true;
}

bool PolicyFollower::FollowPolicy(store::Partition partition, std::string_view key, std::string_view value,
                                  const FindDocument& find_document) {
  UsageMark mark;
  if (DecodeMarkKey(key, &mark)) {
    core_.partition_policies.Add(partition, mark);
    return true;
  }
  if (key == kCurrentPolicyKey) {
    CurrentPolicy current;
    if (!DecodeCurrentPolicy(value, &current)) return false;
    core_.partition_policies.SetCurrent(partition, current);
    return true;
  }
  base::MutexLock lock(mutex_);
  switch (key.empty() ? '\0' : key.front()) {
    case kStates:
      return FollowVersion(key, value, find_document);
    case kInForceRows:
      return FollowInForce(partition, key);
    case kDocuments:
      return true;
    default:
      return false;
  }
}

bool PolicyFollower::FollowVersion(std::string_view key, std::string_view value, const FindDocument& find_document) {
  const std::string in_force = kInForceRows + std::string(key.substr(1));
  const std::string name = CoverageKey(store::Table::kPolicy, in_force);
  if (coverage_.IsComplete(name)) return true;
  absl::StatusOr<policy::PolicyRow> row = JoinVersion(value, find_document);
  if (!row.ok() || PolicyTimeKey(kStates, row->state.activated_at) != key) return false;
  versions_.insert_or_assign(name, *std::move(row));
  return true;
}

bool PolicyFollower::FollowInForce(store::Partition partition, std::string_view key) {
  const std::string name = CoverageKey(store::Table::kPolicy, key);
  if (coverage_.IsComplete(name)) return true;
  const auto version = versions_.find(name);
  if (version == versions_.end()) return false;
  if (!coverage_.Add(name, partition)) return true;
  core_.NoteStamp(version->second.state.activated_at);
  core_.policies.Publish(std::move(version->second));
  versions_.erase(version);
  return true;
}

bool PolicyFollower::FollowSuspension(store::Partition partition, std::string_view key, std::string_view value) {
  if (key == kSuspensionsVersionKey) return true;
  SuspensionRow row;
  if (!DecodeSuspension(value, &row)) return false;
  const std::string name = CoverageKey(store::Table::kSuspension, key);
  base::MutexLock lock(mutex_);
  if (coverage_.IsComplete(name)) return true;
  if (!coverage_.Add(name, partition)) {
    suspensions_.insert_or_assign(name, std::move(row));
    return true;
  }
  suspensions_.erase(name);
  core_.NoteStamp(row.time);
  core_.policies.Publish(std::move(row));
  return true;
}

absl::Status PolicyFollower::Fill() {
  for (uint16_t number = 0; number < core_.store.partition_count(); ++number) {
    const store::Partition partition{number};
    const FindDocument find_document = [this, partition](const std::string& key) {
      return core_.store.Get(partition, store::Table::kPolicy, key);
    };
    bool damaged = false;
    absl::Status scanned = core_.store.Scan(partition, store::Table::kPolicy, "", "", SIZE_MAX,
                                            [&](std::string_view key, std::string_view value) {
                                              damaged = !FollowPolicy(partition, key, value, find_document);
                                              return !damaged;
                                            });
    if (!scanned.ok()) return scanned;
    if (damaged) return absl::DataLossError("a row of the policies cannot be decoded");
    scanned = core_.store.Scan(partition, store::Table::kSuspension, "", "", SIZE_MAX,
                               [&](std::string_view key, std::string_view value) {
                                 damaged = !FollowSuspension(partition, key, value);
                                 return !damaged;
                               });
    if (!scanned.ok()) return scanned;
    if (damaged) return absl::DataLossError("a stored suspension cannot be decoded");
  }
  return absl::OkStatus();
}

PolicyFollower::Unfinished<policy::PolicyRow> PolicyFollower::UnfinishedVersions() const {
  base::MutexLock lock(mutex_);
  Unfinished<policy::PolicyRow> unfinished;
  for (const auto& [name, row] : versions_) unfinished.emplace_back(row, coverage_.Lacking(name));
  return unfinished;
}

PolicyFollower::Unfinished<SuspensionRow> PolicyFollower::UnfinishedSuspensions() const {
  base::MutexLock lock(mutex_);
  Unfinished<SuspensionRow> unfinished;
  for (const auto& [name, row] : suspensions_) unfinished.emplace_back(row, coverage_.Lacking(name));
  std::sort(unfinished.begin(), unfinished.end(),
            [](const auto& a, const auto& b) { return a.first.time < b.first.time; });
  return unfinished;
}

}  // namespace consent::service
