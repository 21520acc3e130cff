#include "daemon/app/keyring.h"

#include "absl/strings/str_cat.h"
#include "daemon/base/random.h"

namespace consent::app {

using Found = store::RocksStore::Found;

absl::StatusOr<Keyring> OpenKeyring(const std::string& key_file, const std::string& data_dir,
                                    const std::string& head_file, Found found) {
  absl::StatusOr<base::Keys> keys = base::Keys::Load(key_file);
  if (keys.ok()) return Keyring{*std::move(keys), false};
  if (!absl::IsNotFound(keys.status())) return keys.status();
  if (found == Found::kStore || found == Found::kHeadAlone) {
    const std::string missing = absl::StrCat("the key file ", key_file, " is missing beside the ");
    constexpr char kPutBack[] = "put the key file back; without it nothing in the store can be found or read";
    return absl::FailedPreconditionError(
        found == Found::kStore ? absl::StrCat(missing, "store ", data_dir, ": ", kPutBack)
                               : absl::StrCat(missing, "head file ", head_file, ", and the store ", data_dir,
                                              " is missing, too: put the store back, and ", kPutBack));
  }
  base::SystemRandom random;
  return Keyring{base::Keys::Generate(random), true};
}

bool IsStoreLost(const Keyring& keyring, Found found) { return !keyring.is_new && found == Found::kNothing; }

}  // namespace consent::app
