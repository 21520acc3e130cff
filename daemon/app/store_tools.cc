#include "daemon/app/store_tools.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "daemon/app/copy_tool.h"
#include "daemon/app/exit_codes.h"
#include "daemon/backup/folder.h"
#include "daemon/base/hash.h"
#include "daemon/service/inspect/inspect_store.h"
#include "daemon/store/rocksdb/copy_store.h"
#include "daemon/store/rocksdb/frozen_rocks.h"
#include "daemon/store/rocksdb/rows.h"

namespace consent::app {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using service::InspectReport;

struct OpenedStore {
  std::unique_ptr<store::FrozenStore> store;
  bool is_backup = false;
};

// A backup is readable whoever runs; a store only while no daemon has it.
absl::StatusOr<OpenedStore> OpenEither(const std::string& folder) {
  OpenedStore opened;
  opened.is_backup = fs::exists(fs::path(folder) / std::string(backup::kManifestName));
  absl::StatusOr<std::unique_ptr<store::FrozenStore>> store = absl::UnknownError("not opened");
  if (opened.is_backup) {
    const absl::StatusOr<v1::BackupManifest> manifest = backup::ReadManifest(folder);
    if (!manifest.ok()) return manifest.status();
    if (absl::Status s = backup::CheckFiles(folder, *manifest); !s.ok()) return s;
    store = store::OpenFrozen(absl::StrCat(folder, "/", std::string(backup::kStoreFolder)));
  } else {
    store = store::OpenFrozenLocked(folder, folder + ".head");
  }
  if (!store.ok()) return store.status();
  opened.store = *std::move(store);
  return opened;
}

uint64_t Changes(const InspectReport& report) {
  uint64_t changes = 0;
  for (const store::Head& head : report.heads) changes += head.stamp.sequence;
  return changes;
}

Json ReportJson(const store::FrozenStore& store, const InspectReport& report) {
  const store::StoreIdentity& identity = store.identity();
  Json json = {{"store_id", base::Hex(base::View(identity.store_id))},
               {"data_format", store::DataFormat()},
               {"created", base::FormatRfc3339(identity.created)},
               {"partitions", identity.partitions},
               {"changes", Changes(report)},
               {"tables", Json::object()},
               {"problems", Json::array()}};
  for (const auto& [table, size] : report.tables) json["tables"][table] = {{"rows", size.rows}, {"bytes", size.bytes}};
  for (const auto& [what, rows] : report.problems) {
    json["problems"].push_back({{"table", what.first}, {"what", what.second}, {"rows", rows}});
  }
  return json;
}

void PrintTables(const InspectReport& report) {
  for (const auto& [table, size] : report.tables) {
    std::printf("%-26s %12llu rows %14llu bytes\n", table.c_str(), static_cast<unsigned long long>(size.rows),
                static_cast<unsigned long long>(size.bytes));
  }
}

int Verify(const ops::StoreToolOptions& options) {
  const absl::StatusOr<OpenedStore> opened = OpenEither(options.folder);
  if (!opened.ok()) return TellFailure(ExitCode::kStore, opened.status());
  service::InspectOptions inspect;
  inspect.links = true;
  const absl::StatusOr<InspectReport> report = service::InspectStore(*opened->store, inspect);
  if (!report.ok()) return TellFailure(ExitCode::kStore, report.status());
  if (options.json) {
    std::printf("%s\n", ReportJson(*opened->store, *report).dump(2).c_str());
  } else {
    PrintTables(*report);
    for (const auto& [what, rows] : report->problems) {
      std::printf("%s: %llu rows %s\n", what.first.c_str(), static_cast<unsigned long long>(rows), what.second.c_str());
    }
    std::printf("%s: %llu changes, %s\n", opened->is_backup ? "backup" : "store",
                static_cast<unsigned long long>(Changes(*report)),
                report->IsSound() ? "nothing is wrong" : "something is wrong: keep it as it is, and use a good copy");
  }
  return static_cast<int>(report->IsSound() ? ExitCode::kOk : ExitCode::kProblems);
}

int Stats(const ops::StoreToolOptions& options) {
  const absl::StatusOr<OpenedStore> opened = OpenEither(options.folder);
  if (!opened.ok()) return TellFailure(ExitCode::kStore, opened.status());
  absl::StatusOr<InspectReport> report = service::InspectStore(*opened->store, {});
  if (!report.ok()) return TellFailure(ExitCode::kStore, report.status());
  std::sort(report->subjects.begin(), report->subjects.end());
  const auto at = [&](size_t n) { return report->subjects[n]; };
  const size_t last = report->subjects.size() - 1;
  if (options.json) {
    Json json = ReportJson(*opened->store, *report);
    json["subjects_per_partition"] = {{"least", at(0)}, {"median", at(last / 2)}, {"most", at(last)}};
    json["files"] = Json::object();
    for (const auto& part : opened->store->Parts()) {
      json["files"][part.name] = {{"files", part.files}, {"bytes", part.bytes}};
    }
    if (report->oldest_erasure.IsSet()) json["oldest_erasure"] = base::FormatRfc3339(report->oldest_erasure);
    std::printf("%s\n", json.dump(2).c_str());
    return static_cast<int>(ExitCode::kOk);
  }
  PrintTables(*report);
  for (const auto& part : opened->store->Parts()) {
    std::printf("files of %-17s %12llu      %14llu bytes\n", part.name.c_str(),
                static_cast<unsigned long long>(part.files), static_cast<unsigned long long>(part.bytes));
  }
  std::printf("subjects per partition: %llu to %llu, median %llu\n", static_cast<unsigned long long>(at(0)),
              static_cast<unsigned long long>(at(last)), static_cast<unsigned long long>(at(last / 2)));
  std::printf("waits to be erased since: %s\n",
              report->oldest_erasure.IsSet() ? base::FormatRfc3339(report->oldest_erasure).c_str() : "nothing waits");
  std::printf("format %d, made %s\n", store::DataFormat(),
              base::FormatRfc3339(opened->store->identity().created).c_str());
  return static_cast<int>(ExitCode::kOk);
}

int Compact(const ops::StoreToolOptions& options) {
  if (fs::exists(fs::path(options.folder) / std::string(backup::kManifestName))) {
    return TellFailure(ExitCode::kStore, absl::FailedPreconditionError(
                                             options.folder + " is a backup, and its hashes hold for its files as they "
                                                              "are: compact the store that is restored from it"));
  }
  if (absl::Status s = store::CompactStore(options.folder); !s.ok()) return TellFailure(ExitCode::kStore, s);
  std::printf("compacted\n");
  return static_cast<int>(ExitCode::kOk);
}

}  // namespace

int RunStoreTool(const ops::StoreToolOptions& options) {
  umask(077);
  switch (options.act) {
    case ops::StoreAct::kVerify:
      return Verify(options);
    case ops::StoreAct::kStats:
      return Stats(options);
    case ops::StoreAct::kCompact:
      return Compact(options);
    case ops::StoreAct::kCopy:
      return CopyTool(options);
  }
  return static_cast<int>(ExitCode::kInternal);
}

}  // namespace consent::app
