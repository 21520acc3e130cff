// A folder that goes when the test ends. In memory where the system has such a place: what these tests ask does not
// depend on the disk, and thousands of syncs would.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace consent::test {

class TempFolder {
 public:
  TempFolder() {
    std::error_code ignored;
    const std::filesystem::path memory = "/dev/shm";
    const bool in_memory = std::filesystem::is_directory(memory, ignored);
    std::string pattern =
        ((in_memory ? memory : std::filesystem::temp_directory_path()) / "consent-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace consent::test
