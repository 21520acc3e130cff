#include "daemon/app/copy_tool.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/app/exit_codes.h"
#include "daemon/backup/folder.h"
#include "daemon/base/hash.h"
#include "daemon/base/keys.h"
#include "daemon/base/random.h"
#include "daemon/service/inspect/inspect_store.h"
#include "daemon/service/inspect/row_check.h"
#include "daemon/service/rekey/rekey.h"
#include "daemon/store/rocksdb/copy_store.h"
#include "daemon/store/rocksdb/frozen_rocks.h"

namespace consent::app {
namespace {

namespace fs = std::filesystem;
using service::InspectReport;

// Of the store, and of its copy.
struct CopyKeys {
  base::Keys before;
  base::Keys after;
  bool is_new = false;  // `after` is in no file yet
};

// An earlier run that was killed may have left the new ones; they are as good as others, and may be in a safe place
// already.
absl::StatusOr<CopyKeys> TakeKeys(const ops::StoreToolOptions& options, base::Random& random) {
  absl::StatusOr<base::Keys> before = base::Keys::Load(options.key_file);
  if (!before.ok()) return before.status();
  absl::StatusOr<base::Keys> after = base::Keys::Load(options.new_key_file);
  const bool is_new = absl::IsNotFound(after.status());
  if (is_new) after = before->Renewed(random);
  if (!after.ok()) return absl::FailedPreconditionError(std::string(after.status().message()));
  if (const auto layer = after->LayerOver(*before); !layer.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(options.new_key_file, " was not made out of ", options.key_file,
                                                      ": name a file that is not there"));
  }
  return CopyKeys{*std::move(before), *std::move(after), is_new};
}

absl::StatusOr<std::unique_ptr<store::FrozenStore>> OpenStore(const std::string& folder) {
  if (fs::exists(fs::path(folder) / std::string(backup::kManifestName))) {
    return absl::FailedPreconditionError(
        folder + " is a backup: `consentd restore` makes a store of it, with what was refused since");
  }
  return store::OpenFrozenLocked(folder, folder + ".head");
}

absl::StatusOr<InspectReport> InspectSound(const store::FrozenStore& store) {
  service::InspectOptions options;
  options.links = true;
  absl::StatusOr<InspectReport> report = service::InspectStore(store, options);
  if (!report.ok()) return report;
  if (report->IsSound()) return report;
  return absl::DataLossError("the store has rows that cannot be read: `consentd store verify` says which");
}

// The tables whose rows a copy under new keys does not have, or has by others.
bool IsLeftOut(const std::string& table) {
  return table == service::TableName(store::Table::kRequest) ||
         table == service::TableName(store::Table::kDecisionLog) ||
         table == service::TableName(store::Table::kMasterKey);
}

// What differs between a store and its copy; empty: nothing that may not.
std::string Differs(const InspectReport& before, const InspectReport& after, const service::Rekey* rekey) {
  if (rekey == nullptr) return before.tables == after.tables ? "" : "tables";
  for (const auto& [table, size] : before.tables) {
    if (IsLeftOut(table)) continue;
    const auto at = after.tables.find(table);
    uint64_t rows = at == after.tables.end() ? 0 : at->second.rows;
    if (table == service::TableName(store::Table::kOpenDeletionBySelector)) rows += rekey->counts().unlisted;
    if (table == service::TableName(store::Table::kKeyShare)) rows += rekey->counts().log_keys;
    if (rows != size.rows) return table;
  }
  for (size_t p = 0; p < before.heads.size(); ++p) {
    if (before.heads[p].stamp.sequence != after.heads[p].stamp.sequence) return "feed";
    if (before.subjects[p] != after.subjects[p]) return "partitions";
  }
  return "";
}

absl::StatusOr<InspectReport> CheckCopy(const ops::StoreToolOptions& options, const InspectReport& before,
                                        const service::Rekey* rekey) {
  const absl::StatusOr<std::unique_ptr<store::FrozenStore>> copy =
      store::OpenFrozenLocked(options.to, options.to + ".head");
  if (!copy.ok()) return copy.status();
  absl::StatusOr<InspectReport> after = InspectSound(**copy);
  if (!after.ok()) return after;
  const std::string what = Differs(before, *after, rekey);
  if (what.empty()) return after;
  return absl::InternalError(absl::StrCat("the copy differs from the store (", what, "): do not use it"));
}

void Tell(const ops::StoreToolOptions& options, const InspectReport& copied, const base::Bytes16& store_id,
          const service::Rekey* rekey) {
  unsigned long long changes = 0;
  for (const store::Head& head : copied.heads) changes += head.stamp.sequence;
  std::printf("copied %llu changes to %s, store %s\n", changes, options.to.c_str(),
              base::Hex(base::View(store_id)).c_str());
  if (rekey == nullptr) return;
  std::printf(
      "its keys are %s; it has none of %llu request_ids, and of %llu entries of the history the key was destroyed "
      "before\n"
      "etags, revisions and page tokens of before are refused; take a backup of it at once, and give it an empty "
      "folder "
      "for its restriction journal and another one for its decision log\n",
      options.new_key_file.c_str(), static_cast<unsigned long long>(rekey->counts().requests),
      static_cast<unsigned long long>(rekey->counts().unopened));
}

}  // namespace

int CopyTool(const ops::StoreToolOptions& options) {
  const absl::StatusOr<std::unique_ptr<store::FrozenStore>> from = OpenStore(options.folder);
  if (!from.ok()) return TellFailure(ExitCode::kStore, from.status());
  const absl::StatusOr<InspectReport> before = InspectSound(**from);
  if (!before.ok()) return TellFailure(ExitCode::kStore, before.status());
  base::SystemRandom random;
  store::StoreIdentity identity = (*from)->identity();
  random.Fill(identity.store_id.data(), identity.store_id.size());
  std::optional<CopyKeys> keys;
  std::unique_ptr<service::Rekey> rekey;
  if (!options.key_file.empty()) {
    absl::StatusOr<CopyKeys> taken = TakeKeys(options, random);
    if (!taken.ok()) return TellFailure(ExitCode::kKeys, taken.status());
    keys.emplace(*std::move(taken));
    absl::StatusOr<std::unique_ptr<service::Rekey>> made =
        service::Rekey::Create(**from, keys->before, keys->after, random);
    if (!made.ok()) return TellFailure(ExitCode::kKeys, made.status());
    // Before the store that needs them.
    const absl::Status saved = keys->is_new ? keys->after.Save(options.new_key_file) : absl::OkStatus();
    if (!saved.ok()) return TellFailure(ExitCode::kKeys, saved);
    rekey = *std::move(made);
    identity.key_fingerprint = keys->after.Fingerprint();
  }
  const absl::Status copied = store::CopyStoreTo(**from, identity, rekey.get(), options.to, options.to + ".head");
  if (!copied.ok()) return TellFailure(ExitCode::kStore, copied);
  const absl::StatusOr<InspectReport> after = CheckCopy(options, *before, rekey.get());
  if (!after.ok()) return TellFailure(ExitCode::kStore, after.status());
  Tell(options, *after, identity.store_id, rekey.get());
  return static_cast<int>(ExitCode::kOk);
}

}  // namespace consent::app
