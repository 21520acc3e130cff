#include "tests/fault/store/raw_files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <fstream>

#include "daemon/base/bytes.h"

namespace consent::test {
namespace {

namespace fs = std::filesystem;

uint64_t LittleEndian(std::string_view bytes) {
  uint64_t v = 0;
  for (size_t i = bytes.size(); i-- > 0;) v = v << 8 | static_cast<uint8_t>(bytes[i]);
  return v;
}

// Format version 5 of the engine's block-based tables, their index in two levels.
class TableFile {
 public:
  static constexpr size_t kFooter = 53;

  explicit TableFile(std::string_view file) : file_(file) {}

  bool IsWhole() const {
    return file_.size() >= kFooter && LittleEndian(file_.substr(file_.size() - 8)) == 0x88e241b785f4cff7;
  }

  std::vector<std::string> Keys() const {
    const std::string_view footer = file_.substr(file_.size() - kFooter);
    EXPECT_EQ(LittleEndian(footer.substr(41, 4)), 5u) << "format version";
    base::Decoder handles(footer.substr(1, 40));
    ReadHandle(handles);  // of what is not an entry
    const Handle index = ReadHandle(handles);
    EXPECT_TRUE(handles.ok());
    std::vector<std::string> keys;
    for (const Handle& part : Index(index)) {
      for (const Handle& block : Index(part)) AppendKeys(block, &keys);
    }
    return keys;
  }

 private:
  struct Handle {
    uint64_t offset = 0;
    uint64_t size = 0;
  };

  static Handle ReadHandle(base::Decoder& from) {
    Handle handle;
    handle.offset = from.Varint();
    handle.size = from.Varint();
    return handle;
  }

  // The entries of a block, without the table of restarts.
  std::string_view Entries(Handle handle) const {
    const std::string_view block = file_.substr(handle.offset, handle.size);
    EXPECT_EQ(file_[handle.offset + handle.size], 0) << "compressed";
    const uint64_t restarts = LittleEndian(block.substr(block.size() - 4));
    return block.substr(0, block.size() - 4 - 4 * restarts);
  }

  // Each entry of an index starts anew: its key is whole, as the raw search sees it, and its value is a handle.
  std::vector<Handle> Index(Handle handle) const {
    std::vector<Handle> handles;
    base::Decoder entries(Entries(handle));
    while (entries.remaining() > 0 && entries.ok()) {
      EXPECT_EQ(entries.Varint(), 0u) << "shared bytes in an index";
      entries.Raw(entries.Varint());
      handles.push_back(ReadHandle(entries));
    }
    EXPECT_TRUE(entries.ok());
    return handles;
  }

  void AppendKeys(Handle handle, std::vector<std::string>* keys) const {
    base::Decoder entries(Entries(handle));
    std::string key;
    while (entries.remaining() > 0 && entries.ok()) {
      const uint64_t shared = entries.Varint();
      const uint64_t own = entries.Varint();
      const uint64_t value = entries.Varint();
      EXPECT_LE(shared, key.size());
      key.resize(shared);
      key.append(entries.Raw(own));
      entries.Raw(value);
      keys->push_back(key);
    }
    EXPECT_TRUE(entries.ok());
  }

  const std::string_view file_;
};

// What runs of hexadecimal digits stand for, from their first digit on and from the second.
std::string FromHex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  std::string bytes;
  for (const size_t start : {0, 1}) {
    for (size_t i = start; i + 1 < text.size(); i += 2) {
      const bool both =
          std::isxdigit(static_cast<unsigned char>(text[i])) && std::isxdigit(static_cast<unsigned char>(text[i + 1]));
      bytes.push_back(static_cast<char>(both ? digit(text[i]) << 4 | digit(text[i + 1]) : 0));
    }
  }
  return bytes;
}

// Empty where it has vanished. In large pieces: stores may have gigabytes.
std::string ReadFile(const fs::path& path) {
  constexpr size_t kRead = 1 << 20;
  std::ifstream in(path, std::ios::binary);
  std::string bytes;
  while (in) {
    const size_t size = bytes.size();
    bytes.resize(size + kRead);
    in.read(bytes.data() + size, kRead);
    bytes.resize(size + static_cast<size_t>(in.gcount()));
  }
  return bytes;
}

size_t Slot(const char* piece, size_t slots) {
  uint64_t v = 0;
  std::memcpy(&v, piece, sizeof v);
  return ((v * 0x9e3779b97f4a7c15) >> 20) & (slots - 1);
}

}  // namespace

std::optional<std::vector<std::string>> TableKeys(std::string_view file) {
  const TableFile table(file);
  if (!table.IsWhole()) return std::nullopt;
  return table.Keys();
}

std::string LogRecords(std::string_view file) {
  constexpr size_t kBlock = 32'768;
  constexpr size_t kHeader = 7;  // CRC (4), length (2), type (1)
  std::string records;
  for (size_t start = 0; start < file.size(); start += kBlock) {
    const std::string_view block = file.substr(start, kBlock);
    for (size_t at = 0; block.size() - at > kHeader;) {
      const uint64_t length = LittleEndian(block.substr(at + 4, 2));
      records.append(block.substr(at + kHeader, length));
      at += kHeader + std::min<uint64_t>(length, block.size() - at - kHeader);
    }
  }
  return records;
}

void Traces::Note(std::string_view bytes, const std::string& what) {
  ASSERT_GE(bytes.size(), kPiece);
  for (size_t at = 0; at + kPiece <= bytes.size(); ++at) {
    pieces_[std::string(bytes.substr(at, kPiece))] = what;
    maybe_[Slot(bytes.data() + at, maybe_.size())] = true;
  }
}

void Traces::Find(std::string_view bytes, std::set<std::string>* found) const {
  for (size_t at = 0; at + kPiece <= bytes.size(); ++at) {
    if (!maybe_[Slot(bytes.data() + at, maybe_.size())]) continue;
    const auto piece = pieces_.find(std::string(bytes.substr(at, kPiece)));
    if (piece != pieces_.end()) found->insert(piece->second);
  }
}

std::map<std::string, std::set<std::string>> Traces::FindIn(const fs::path& folder, uint64_t* searched) const {
  std::vector<fs::path> paths;
  std::error_code vanished;
  for (fs::recursive_directory_iterator at(folder, vanished), end; at != end; at.increment(vanished)) {
    std::error_code gone;
    if (at->is_regular_file(gone)) paths.push_back(at->path());
  }
  std::map<std::string, std::set<std::string>> all;
  for (const fs::path& path : paths) {
    const std::string name = path.filename().string();
    const std::string bytes = ReadFile(path);
    if (searched != nullptr) *searched += bytes.size();
    std::set<std::string> found;
    Find(name, &found);
    Find(bytes, &found);
    if (path.extension() == ".sst") {
      for (const std::string& key : TableKeys(bytes).value_or(std::vector<std::string>())) Find(key, &found);
    }
    if (path.extension() == ".log" || name.starts_with("MANIFEST-")) Find(LogRecords(bytes), &found);
    if (name.starts_with("LOG") || name.starts_with("OPTIONS-")) Find(FromHex(bytes), &found);
    if (!found.empty()) all.emplace(name, std::move(found));
  }
  return all;
}

std::string Describe(const std::map<std::string, std::set<std::string>>& found) {
  constexpr size_t kShown = 5;
  std::string text;
  for (const auto& [file, whats] : found) {
    text += file + " holds " + std::to_string(whats.size()) + " of them:";
    size_t shown = 0;
    for (const std::string& what : whats) {
      if (shown++ < kShown) text += " " + what + ";";
    }
    text += "\n";
  }
  return text;
}

}  // namespace consent::test
