#include "daemon/journal/frame.h"

#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "daemon/base/bytes.h"
#include "daemon/journal/entry.h"

namespace consent::journal {
namespace {

constexpr std::string_view kPrefix = "restrictions-";
constexpr std::string_view kSuffix = ".journal";
constexpr size_t kDigits = 20;
constexpr std::string_view kMagic = "CJFR";
constexpr size_t kCheckBytes = 16;
constexpr size_t kSearched = size_t{1} << 20;  // at a time, behind damage

using Check = std::array<uint8_t, kCheckBytes>;

Check CheckOf(uint64_t number, uint64_t offset, std::string_view held) {
  std::string place;
  base::Encoder out(&place);
  out.BigEndian(number, 8);
  out.BigEndian(offset, 8);
  Check check{};
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, check.size());
  crypto_generichash_update(&state, base::Unsigned(place), place.size());
  crypto_generichash_update(&state, base::Unsigned(held), held.size());
  crypto_generichash_final(&state, check.data(), check.size());
  return check;
}

}  // namespace

std::string FileName(uint64_t number) {
  std::string digits = std::to_string(number);
  digits.insert(0, kDigits - digits.size(), '0');
  return std::string(kPrefix) + digits + std::string(kSuffix);
}

bool ReadFileName(std::string_view name, uint64_t* number) {
  if (name.size() != kPrefix.size() + kDigits + kSuffix.size() || !name.starts_with(kPrefix) ||
      !name.ends_with(kSuffix)) {
    return false;
  }
  const std::string_view digits = name.substr(kPrefix.size(), kDigits);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), *number);
  return error == std::errc() && end == digits.data() + digits.size() && *number != 0;
}

absl::StatusOr<std::vector<uint64_t>> ListFiles(const std::string& folder) {
  std::vector<uint64_t> files;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    uint64_t number = 0;
    if (ReadFileName(at->path().filename().string(), &number)) files.push_back(number);
  }
  if (error) return base::FileError(absl::StrCat("the journal: cannot list ", folder), error.value());
  std::sort(files.begin(), files.end());
  return files;
}

void AppendFrame(uint64_t number, uint64_t offset, std::string_view held, std::string* out) {
  base::Encoder encoder(out);
  encoder.Raw(kMagic);
  encoder.BigEndian(held.size(), 4);
  encoder.Raw(base::View(CheckOf(number, offset, held)));
  encoder.Raw(held);
}

absl::StatusOr<FrameReader> FrameReader::Open(const std::string& folder, uint64_t number) {
  const std::string path = absl::StrCat(folder, "/", FileName(number));
  absl::StatusOr<base::FileDescriptor> file = base::OpenRegular("journal's file", path, base::Links::kRefuse);
  if (!file.ok()) return file.status();
  struct stat info {};
  if (fstat(file->fd(), &info) != 0) return base::FileError(absl::StrCat("the journal: cannot look at ", path), errno);
  return FrameReader(*std::move(file), path, number, static_cast<uint64_t>(info.st_size));
}

absl::StatusOr<std::string> FrameReader::ReadAt(uint64_t offset, size_t bytes) const {
  std::string read(static_cast<size_t>(std::min<uint64_t>(bytes, size_ - offset)), '\0');
  size_t got = 0;
  while (got < read.size()) {
    const ssize_t some = pread(file_.fd(), read.data() + got, read.size() - got, static_cast<off_t>(offset + got));
    if (some < 0 && errno == EINTR) continue;
    if (some < 0) {
      return base::FileError(absl::StrCat("the journal: cannot read ", path_, " at byte ", offset + got), errno);
    }
    if (some == 0) break;  // cut meanwhile
    got += static_cast<size_t>(some);
  }
  read.resize(got);
  return read;
}

absl::StatusOr<std::optional<std::string>> FrameReader::FrameAt(uint64_t offset) const {
  const absl::StatusOr<std::string> begin = ReadAt(offset, kFrameOverhead);
  if (!begin.ok()) return begin.status();
  base::Decoder in(*begin);
  if (in.Raw(kMagic.size()) != kMagic) return std::nullopt;
  const uint64_t length = in.BigEndian(4);
  const Check check = in.Array<kCheckBytes>();
  if (!in.ok() || length > kMaxFrameBytes || length > size_ - offset - kFrameOverhead) return std::nullopt;
  absl::StatusOr<std::string> held = ReadAt(offset + kFrameOverhead, static_cast<size_t>(length));
  if (!held.ok()) return held.status();
  if (held->size() != length || CheckOf(number_, offset, *held) != check) return std::nullopt;
  return *std::move(held);
}

absl::StatusOr<std::optional<uint64_t>> FrameReader::FindBehind(uint64_t offset) const {
  for (uint64_t at = offset + 1; at < size_; at += kSearched) {
    const absl::StatusOr<std::string> piece = ReadAt(at, kSearched + kMagic.size() - 1);
    if (!piece.ok()) return piece.status();
    for (size_t found = piece->find(kMagic); found != std::string::npos; found = piece->find(kMagic, found + 1)) {
      const absl::StatusOr<std::optional<std::string>> frame = FrameAt(at + found);
      if (!frame.ok()) return frame.status();
      if (frame->has_value()) return at + found;
    }
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<std::string>> FrameReader::Next() {
  if (end_ == size_) return std::nullopt;
  absl::StatusOr<std::optional<std::string>> frame = FrameAt(end_);
  if (!frame.ok()) return frame.status();
  if (frame->has_value()) {
    began_ = end_;
    end_ += kFrameOverhead + (*frame)->size();
    return frame;
  }
  const absl::StatusOr<std::optional<uint64_t>> behind = FindBehind(end_);
  if (!behind.ok()) return behind.status();
  if (!behind->has_value()) return std::nullopt;
  return absl::DataLossError(absl::StrCat("the journal: ", path_, " is damaged at byte ", end_,
                                          ": a whole record stands behind it, at byte ", **behind));
}

bool SplitEntries(std::string_view held, std::vector<std::string_view>* entries) {
  entries->clear();
  base::Decoder in(held);
  while (in.ok() && in.remaining() > 0) entries->push_back(in.String(kMaxEntryBytes));
  return in.Done();
}

void JoinEntry(std::string_view entry, std::string* held) { base::Encoder(held).String(entry); }

}  // namespace consent::journal
