#include "daemon/app/keyring.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "daemon/base/random.h"

namespace consent::app {

using Found = store::RocksStore::Found;

absl::StatusOr<base::Keys> ReadKeyFile(const ops::ServeOptions& options) {
  return options.key_is_credential ? base::Keys::LoadCredential(options.key_file) : base::Keys::Load(options.key_file);
}

absl::StatusOr<Keyring> OpenKeyring(const ops::ServeOptions& options, Found found) {
  const std::string& key_file = options.key_file;
  absl::StatusOr<base::Keys> keys = ReadKeyFile(options);
  if (keys.ok()) return Keyring{*std::move(keys), false};
  if (!absl::IsNotFound(keys.status())) return keys.status();
  if (options.key_is_credential) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the credential ", key_file,
        " is missing, and the daemon makes none: name it in LoadCredential= or LoadCredentialEncrypted= of the unit. "
        "Of a new store make the key once by a start with a plain --key-file, then encrypt it with systemd-creds "
        "encrypt; "
        "of a store that is there bring its own key: another one cannot read it"));
  }
  if (found == Found::kStore || found == Found::kHeadAlone) {
    const std::string missing = absl::StrCat("the key file ", key_file, " is missing beside the ");
    constexpr char kPutBack[] = "put the key file back; without it nothing in the store can be found or read";
    return absl::FailedPreconditionError(found == Found::kStore
                                             ? absl::StrCat(missing, "store ", options.data_dir, ": ", kPutBack)
                                             : absl::StrCat(missing, "head file ", options.head_file,
                                                            ", and the store ", options.data_dir,
                                                            " is missing, too: put the store back, and ", kPutBack));
  }
  base::SystemRandom random;
  return Keyring{base::Keys::Generate(random), true};
}

bool IsStoreLost(const Keyring& keyring, Found found) { return !keyring.is_new && found == Found::kNothing; }

}  // namespace consent::app
