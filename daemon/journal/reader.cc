#include "daemon/journal/reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/journal/frame.h"

namespace consent::journal {
namespace {

// Reads one folder from its first file to its last.
class FolderReader {
 public:
  FolderReader(const std::string& folder, const VisitEntry& visit) : folder_(folder), visit_(visit) {}

  absl::StatusOr<Contents> Read() {
    const absl::StatusOr<std::vector<uint64_t>> files = ListFiles(folder_);
    if (!files.ok()) return files.status();
    for (size_t i = 0; i < files->size(); ++i) {
      const bool is_newest = i + 1 == files->size();
      if (absl::Status status = ReadFile((*files)[i], is_newest); !status.ok()) return status;
    }
    return Finish();
  }
  absl::StatusOr<Contents> ReadNewest(uint64_t number) {
    if (absl::Status status = ReadFile(number, /*is_newest=*/true); !status.ok()) return status;
    return Finish();
  }

 private:
  absl::StatusOr<Contents> Finish() {
    if (contents_.files.empty()) return absl::NotFoundError(absl::StrCat("there is no journal in ", folder_));
    return std::move(contents_);
  }

  absl::Status Damage(const std::string& file, uint64_t offset, const std::string& what) const {
    return absl::DataLossError(absl::StrCat("the journal: ", folder_, "/", file, ", byte ", offset, ": ", what));
  }

  absl::Status ReadFile(uint64_t number, bool is_newest) {
    absl::StatusOr<FrameReader> frames = FrameReader::Open(folder_, number);
    if (!frames.ok()) return frames.status();
    const std::string name = FileName(number);
    absl::StatusOr<std::optional<std::string>> frame = frames->Next();
    if (!frame.ok()) return frame.status();
    if (!frame->has_value()) {
      if (!is_newest) return Damage(name, 0, "the file has no beginning");
      return NoteTorn(name, *frames);  // it was about to be begun
    }
    if (absl::Status status = TakeHeader(name, number, **frame); !status.ok()) return status;
    whole_end_ = frames->end();
    for (;;) {
      frame = frames->Next();
      if (!frame.ok()) return frame.status();
      if (!frame->has_value()) break;
      if (absl::Status status = TakeFrame({name, frames->began()}, **frame); !status.ok()) return status;
      if (snapshot_.empty()) whole_end_ = frames->end();
    }
    contents_.bytes += whole_end_;
    const bool is_torn = frames->torn_bytes() != 0 || !snapshot_.empty();
    if (!is_torn) return absl::OkStatus();
    if (!is_newest) return Damage(name, whole_end_, "the file ends in the middle of a record, and another one follows");
    snapshot_.clear();
    contents_.torn = {name, whole_end_};
    contents_.torn_bytes = frames->end() + frames->torn_bytes() - whole_end_;
    return absl::OkStatus();
  }

  absl::Status NoteTorn(const std::string& name, const FrameReader& frames) {
    contents_.torn = {name, 0};
    contents_.torn_bytes = frames.torn_bytes();
    return absl::OkStatus();
  }

  absl::Status TakeHeader(const std::string& name, uint64_t number, const std::string& bytes) {
    FileHeader header;
    if (!DecodeFileHeader(bytes, &header)) {
      return absl::FailedPreconditionError(absl::StrCat(
          "the journal: ", folder_, "/", name, " is of another format: read it with the version that made it"));
    }
    if (contents_.files.empty()) {
      contents_.store_id = header.store_id;
      contents_.first = header.heads;
      contents_.last = header.heads;
    } else {
      if (header.store_id != contents_.store_id || header.heads.size() != contents_.last.size()) {
        return absl::FailedPreconditionError(absl::StrCat("the journal: ", folder_, "/", name,
                                                          " is of another store than the file before it: a folder has "
                                                          "the journal of one store"));
      }
      if (number != last_number_ + 1) {
        return absl::DataLossError(absl::StrCat("the journal: ", folder_, "/", FileName(last_number_ + 1),
                                                " is missing, and a later file is there: put it back"));
      }
      for (size_t p = 0; p < header.heads.size(); ++p) {
        const store::Head& here = header.heads[p];
        const store::Head& before = contents_.last[p];
        if (here.stamp.sequence != before.stamp.sequence || here.chain != before.chain) {
          return Damage(name, 0, absl::StrCat("it does not go on where the file before it ends, in partition ", p));
        }
      }
    }
    last_number_ = number;
    contents_.files.push_back(name);
    auto& keys = contents_.public_keys;
    if (std::find(keys.begin(), keys.end(), header.public_key) == keys.end()) keys.push_back(header.public_key);
    return absl::OkStatus();
  }

  absl::Status TakeFrame(const Position& at, const std::string& held) {
    std::vector<std::string_view> entries;
    if (!SplitEntries(held, &entries)) return Damage(at.file, at.offset, "a record that is none");
    begins_with_part_ = false;
    for (const std::string_view bytes : entries) {
      Entry entry;
      if (!DecodeEntry(bytes, &entry)) return Damage(at.file, at.offset, "an entry that is none");
      if (entry.partition.number >= contents_.last.size()) {
        return Damage(at.file, at.offset, "an entry of a partition that the store does not have");
      }
      if (bytes.data() == entries.front().data()) begins_with_part_ = entry.kind == EntryKind::kSnapshot;
      if (absl::Status status = TakeEntry(at, std::move(entry)); !status.ok()) return status;
    }
    // What is cut off with a snapshot that has no end is nothing but that.
    if (!snapshot_.empty() && snapshot_at_.offset == at.offset && !begins_with_part_) {
      return Damage(at.file, at.offset, "a snapshot that begins within a record and does not end there");
    }
    return absl::OkStatus();
  }

  absl::Status TakeEntry(const Position& at, Entry entry) {
    if (entry.kind == EntryKind::kSnapshot) return TakePart(at, std::move(entry));
    if (!snapshot_.empty()) return Damage(at.file, at.offset, "a snapshot without its end");
    store::Head& last = contents_.last[entry.partition.number];
    if (entry.stamp.sequence != last.stamp.sequence + 1) {
      return Damage(at.file, at.offset,
                    absl::StrCat("partition ", entry.partition.number, " goes on at ", entry.stamp.sequence, " behind ",
                                 last.stamp.sequence));
    }
    last = store::Head{entry.stamp, entry.chain};
    ++contents_.entries;
    Visit(entry, at);
    return absl::OkStatus();
  }

  absl::Status TakePart(const Position& at, Entry part) {
    const bool goes_on = !snapshot_.empty() && snapshot_.back().partition == part.partition;
    if (part.is_first ? !snapshot_.empty() : !goes_on) return Damage(at.file, at.offset, "a part of another snapshot");
    const bool is_last = part.is_last;
    if (snapshot_.empty()) snapshot_at_ = at;
    snapshot_.push_back(std::move(part));
    if (!is_last) return absl::OkStatus();
    for (const Entry& whole : snapshot_) Visit(whole, snapshot_at_);
    ++contents_.entries;
    snapshot_.clear();
    return absl::OkStatus();
  }

  void Visit(const Entry& entry, const Position& at) {
    if (visit_ && !stopped_) stopped_ = !visit_(entry, at);
  }

  const std::string folder_;
  const VisitEntry& visit_;
  Contents contents_;
  uint64_t last_number_ = 0;
  uint64_t whole_end_ = 0;       // of the file that is being read
  std::vector<Entry> snapshot_;  // parts of one whose last has not come
  Position snapshot_at_;
  bool begins_with_part_ = false;  // the frame that is being taken
  bool stopped_ = false;
};

}  // namespace

absl::StatusOr<Contents> ReadFolder(const std::string& folder, const VisitEntry& visit) {
  return FolderReader(folder, visit).Read();
}

absl::StatusOr<Contents> ReadNewest(const std::string& folder, uint64_t number, const VisitEntry& visit) {
  return FolderReader(folder, visit).ReadNewest(number);
}

}  // namespace consent::journal
