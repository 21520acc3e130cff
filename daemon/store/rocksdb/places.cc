#include "daemon/store/rocksdb/places.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "daemon/base/file.h"

namespace consent::store {

namespace fs = std::filesystem;

std::string WithoutLinks(const std::string& path) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  return error ? path : real.string();
}

bool IsOfDatabase(const fs::path& relative, fs::file_type type) {
  const std::string name = relative.string();
  const size_t digits = std::min(name.find_first_not_of("0123456789"), name.size());
  const std::string_view ending = std::string_view(name).substr(digits);
  const bool is_numbered = digits != 0 && (ending == ".log" || ending == ".sst" || ending == ".dbtmp");
  const bool is_one = name == "CURRENT" || name == "IDENTITY" || name == "LOCK" || name == "LOG";
  const bool is_of_many = name.starts_with("LOG.old.") || name.starts_with("MANIFEST-") || name.starts_with("OPTIONS-");
  return type == fs::file_type::regular && (is_numbered || is_one || is_of_many);
}

}  // namespace consent::store
