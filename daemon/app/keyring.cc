#include "daemon/app/keyring.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace consent::app {
namespace {

// True also where it cannot be told: then no keys are made.
bool StoreMayExist(const std::string& data_dir, const std::string& head_file) {
  std::error_code error;
  if (std::filesystem::exists(head_file, error) || error) return true;
  if (!std::filesystem::exists(data_dir, error)) return static_cast<bool>(error);
  return !std::filesystem::is_empty(data_dir, error) || error;
}

}  // namespace

absl::StatusOr<Keyring> OpenKeyring(const std::string& key_file, const std::string& data_dir, const std::string& head_file) {
  absl::StatusOr<base::Keys> keys = base::Keys::Load(key_file);
  if (keys.ok()) return Keyring{*std::move(keys), false};
  if (!absl::IsNotFound(keys.status())) return keys.status();
  if (StoreMayExist(data_dir, head_file)) {
    return absl::FailedPreconditionError(absl::StrCat("the key file ", key_file, " is missing beside the store ", data_dir,
                                                      ": put the key file back; without it nothing in the store can be found or read"));
  }
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(key_file).parent_path(), error);
  const base::Keys fresh = base::Keys::Generate();
  const absl::Status saved = fresh.Save(key_file);
  if (absl::IsAlreadyExists(saved)) {  // another daemon was a moment faster; the store's lock decides between the two
    keys = base::Keys::Load(key_file);
    if (!keys.ok()) return keys.status();
    return Keyring{*std::move(keys), false};
  }
  if (!saved.ok()) return saved;
  return Keyring{fresh, true};
}

}  // namespace consent::app
