#include "daemon/app/key_tools.h"

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "daemon/app/exit_codes.h"
#include "daemon/app/keyring.h"
#include "daemon/base/hash.h"
#include "daemon/base/keys.h"
#include "daemon/base/random.h"
#include "daemon/service/rows/key_share_rows.h"
#include "daemon/store/rocksdb/peek.h"

namespace consent::app {
namespace {

int Done(const absl::Status& status, const std::string& said) {
  if (!status.ok()) return TellFailure(ExitCode::kKeys, status);
  std::fputs(said.c_str(), stdout);
  return static_cast<int>(ExitCode::kOk);
}

std::string Shown(const base::Keys& keys) {
  std::string text = absl::StrCat("fingerprint ", base::Hex(base::View(keys.Fingerprint())), "\n");
  for (const uint16_t number : keys.master_numbers()) {
    absl::StrAppend(&text, "master ", number, number == keys.newest_master() ? " newest" : "", "\n");
  }
  return text;
}

absl::Status NotACredential(const ops::ServeOptions& serve) {
  if (!serve.key_is_credential) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the keys are a credential of the service manager, which only it may change: name the plain file with "
      "--key-file, "
      "then seal it again with systemd-creds and restart the daemon");
}

int AddMaster(const ops::ServeOptions& serve) {
  if (absl::Status s = NotACredential(serve); !s.ok()) return TellFailure(ExitCode::kKeys, s);
  uint16_t added = 0;
  const absl::Status changed = base::Keys::Change(serve.key_file, [&added](const base::Keys& keys) {
    base::SystemRandom random;
    absl::StatusOr<base::Keys> more = keys.WithNewMasterKey(random);
    if (more.ok()) added = more->newest_master();
    return more;
  });
  return Done(changed, absl::StrCat("master key ", added,
                                    " added; copy the key file to its safe place, then: consentctl keys rewrap\n"));
}

// Whether the store has no use for the key any more, and never will.
absl::Status CheckIsSpare(const ops::ServeOptions& serve, uint16_t number) {
  const absl::StatusOr<std::string> bytes =
      store::PeekRow(serve.data_dir, service::kMasterKeyPartition, store::Table::kMasterKey, service::kMasterKeyKey);
  if (!bytes.ok()) {
    return absl::UnavailableError(absl::StrCat("cannot tell whether the store ", serve.data_dir, " needs master key ",
                                               number, ": ", bytes.status().message()));
  }
  service::MasterKeyRow row;
  if (!service::DecodeMasterKeyRow(*bytes, &row)) {
    return absl::DataLossError(absl::StrCat("the store ", serve.data_dir, " is damaged: the row of its master keys"));
  }
  if (number < row.reached) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("keys of people still lie under master key ", number,
                   ", or the store's files still hold such: run `consentctl keys rewrap` until its end first"));
}

int DropMaster(const ops::ServeOptions& serve, uint16_t number) {
  if (absl::Status s = NotACredential(serve); !s.ok()) return TellFailure(ExitCode::kKeys, s);
  absl::Status spare;
  const absl::Status changed =
      base::Keys::Change(serve.key_file, [&](const base::Keys& keys) -> absl::StatusOr<base::Keys> {
        absl::StatusOr<base::Keys> fewer = keys.WithoutMasterKey(number);
        if (!fewer.ok()) return fewer;
        spare = CheckIsSpare(serve, number);
        if (!spare.ok()) return spare;
        return fewer;
      });
  if (!spare.ok() && !absl::IsFailedPrecondition(spare)) return TellFailure(ExitCode::kStore, spare);
  return Done(changed,
              absl::StrCat("master key ", number, " dropped; the daemon forgets it with: consentctl keys rewrap\n"));
}

int Export(const ops::ServeOptions& serve, const std::string& file) {
  const absl::StatusOr<base::Keys> keys = ReadKeyFile(serve);
  if (!keys.ok()) return TellFailure(ExitCode::kKeys, keys.status());
  return Done(keys->Save(file),
              absl::StrCat("keys written to ", file,
                           "; keep them apart from every backup: whoever has both reads everything\n"));
}

}  // namespace

int RunKeys(const ops::Invocation& options) {
  switch (options.keys.act) {
    case ops::KeyAct::kShow: {
      const absl::StatusOr<base::Keys> keys = ReadKeyFile(options.serve);
      return keys.ok() ? Done(absl::OkStatus(), Shown(*keys)) : TellFailure(ExitCode::kKeys, keys.status());
    }
    case ops::KeyAct::kAddMaster:
      return AddMaster(options.serve);
    case ops::KeyAct::kDropMaster:
      return DropMaster(options.serve, options.keys.number);
    case ops::KeyAct::kExport:
      return Export(options.serve, options.keys.file);
  }
  return static_cast<int>(ExitCode::kInternal);
}

}  // namespace consent::app
