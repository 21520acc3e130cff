// What lies in the files of a store, read past the engine: as raw bytes, and with the engine's framing taken away where
// it could hide something. Table files shorten keys by what they share with the key before, and logs cut records at the
// borders of blocks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace consent::test {

// The key of every entry of a table file, versions and deletion markers included, each with the engine's 8 bytes behind
// it. Nothing where the file is not a whole table file; a test failure where it is one and cannot be followed, or is
// compressed.
std::optional<std::vector<std::string>> TableKeys(std::string_view file);

// The records of a log file or MANIFEST, one after another.
std::string LogRecords(std::string_view file);

// Bytes that are looked for. Of what is noted, every piece of kPiece bytes counts, so that a part of it is found, too.
class Traces {
 public:
  static constexpr size_t kPiece = 12;

  // `what` says in the report what it was. At least kPiece bytes.
  void Note(std::string_view bytes, const std::string& what);
  bool empty() const { return pieces_.empty(); }
  // By file, in all folders below: what was found in it. Files that vanish meanwhile are passed over. `searched`: adds
  // the bytes of the files.
  std::map<std::string, std::set<std::string>> FindIn(const std::filesystem::path& folder,
                                                      uint64_t* searched = nullptr) const;

 private:
  void Find(std::string_view bytes, std::set<std::string>* found) const;

  std::unordered_map<std::string, std::string> pieces_;   // to what they are of
  std::vector<bool> maybe_ = std::vector<bool>(1 << 24);  // by the hash of a piece: spares most look-ups
};

// For failure messages.
std::string Describe(const std::map<std::string, std::set<std::string>>& found);

}  // namespace consent::test
