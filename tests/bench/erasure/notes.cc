#include "tests/bench/erasure/notes.h"

#include "daemon/domain/facts_codec.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/rows/subject_rows.h"
#include "tests/bench/population.h"

namespace consent::bench {
namespace {

using store::Table;

constexpr size_t kHandleBytes = 16;

class Noting {
 public:
  Noting(Offline& offline, Notes* notes) : context_(offline.core()), notes_(notes) {}

  void Note(const Leaver& leaver) {
    who_ = "account " + std::to_string(leaver.subject) + ": ";
    subject_ = context_.hasher.Subject(AccountId(leaver.subject));
    partition_ = context_.PartitionOf(subject_);
    key_ = context_.SubjectKey(subject_);
    NoteRequest(leaver.asks != Asks::kCancelled);
    if (!leaver.hold_id.empty()) NoteHold(leaver);
    if (leaver.asks == Asks::kClosure) NoteAccount(leaver);
    notes_->clear.Note(AccountId(leaver.subject), who_ + "its raw id");
    for (const std::string* id : {&leaver.profile, &leaver.device, &leaver.asked, &leaver.reported}) {
      notes_->clear.Note(*id, who_ + "a raw id");
    }
  }

 private:
  // Gone before COMPLETED.
  void Key(const std::string& bytes, const std::string& what) {
    Bytes(bytes, what);
    notes_->keys.Note(bytes, who_ + what);
  }
  // Gone with the bytes' step.
  void Bytes(const std::string& bytes, const std::string& what) {
    if (bytes.size() < test::Traces::kPiece) Give(absl::InternalError(who_ + what + " is not stored"));
    notes_->all.Note(bytes, who_ + what);
    notes_->names.insert(who_ + what);
  }
  std::string Row(Table table, const std::string& key) {
    notes_->rows[partition_].rows.push_back({table, key});
    return Need(context_.store.Get(partition_, table, key));
  }
  // Keys of the rows of `table` that begin with `prefix`.
  std::vector<std::string> KeysOf(Table table, const std::string& prefix) {
    std::vector<std::string> keys;
    const absl::Status scanned =
        context_.store.Scan(partition_, table, prefix, "", SIZE_MAX, [&](std::string_view key, std::string_view) {
          if (!key.starts_with(prefix)) return false;
          keys.emplace_back(key);
          return true;
        });
    if (!scanned.ok()) Give(scanned);
    return keys;
  }

  // Nothing gates the end of a cancelled request.
  void NoteRequest(bool gated) {
    const std::vector<std::string> listed = KeysOf(Table::kDeletionBySubject, key_);
    if (listed.size() != 1) Give(absl::InternalError(who_ + "has " + std::to_string(listed.size()) + " requests"));
    const service::DeletionPlace place{partition_, service::NumberOfKey(listed.front())};
    const std::string share_key = service::DeletionShareKey(context_, place);
    const std::string share = Row(Table::kKeyShare, share_key);
    gated ? Key(share, "its request's key share") : Bytes(share, "its request's key share");
    gated ? Key(share_key, "where its request's key share lay") : Bytes(share_key, "where its request's key share lay");
    notes_->rows[partition_].rows.push_back({Table::kDeletion, service::DeletionKey(place.number)});
    const service::DeletionRow row = Need(service::LoadDeletion(context_, place));
    Bytes(row.sealed, "what was asked");
    if (row.request.selector.IsOpenEnded()) return;
    const std::string same = service::OpenDeletionKey(context_, subject_, row.request.selector);
    (void)Row(Table::kOpenDeletionBySelector, same);
    // Others may have asked for the same, and other keys begin with the subject's: half of each is this row's alone.
    constexpr size_t kHalf = test::Traces::kPiece / 2;
    Bytes(same.substr(kHandleBytes - kHalf, 2 * kHalf), "the hash of what was asked");
  }

  void NoteHold(const Leaver& leaver) {
    const std::string prefix = service::HoldOfKey(context_, subject_, 0);
    const std::vector<std::string> listed = KeysOf(Table::kHold, prefix.substr(0, prefix.size() - 8));
    if (listed.size() != 1) Give(absl::InternalError(who_ + "has " + std::to_string(listed.size()) + " holds"));
    const service::HoldPlace place{partition_, service::SequenceOfHoldKey(listed.front())};
    const std::string share_key = service::HoldShareKey(context_, place);
    Bytes(Row(Table::kKeyShare, share_key), "its hold's key share");
    Bytes(share_key, "where its hold's key share lay");
    std::string bytes;
    notes_->rows[partition_].rows.push_back({Table::kHold, service::HoldKey(place.sequence)});
    Bytes(Need(service::LoadHold(context_, place, &bytes)).sealed, "what its hold names");
    if (leaver.asks == Asks::kClosure) Bytes(leaver.authority, "who ordered its hold");
  }

  void NoteAccount(const Leaver& leaver) {
    Key(Row(Table::kKeyShare, key_), "its key share");
    Bytes(Row(Table::kNames, key_), "its names");
    const base::RecordingHandle recording = context_.hasher.Recording(leaver.reported);
    const std::string recording_key = context_.RecordingKey(subject_, recording);
    Bytes(Row(Table::kRecording, recording_key).substr(kHandleBytes), "a recording's marks");
    Bytes(recording_key.substr(kHandleBytes), "where a recording's marks lay");
    // The record: handles of people and devices, which also stand in its history.
    Bytes(std::string(base::View(context_.hasher.Profile(leaver.profile).bytes)), "a profile's handle");
    Bytes(std::string(base::View(context_.hasher.Profile(ProfileId(leaver.subject)).bytes)),
          "its first profile's handle");
    Bytes(std::string(base::View(context_.hasher.Device(leaver.device).bytes)), "a device's handle");
    const std::string record = Row(Table::kSubject, key_);
    domain::SubjectFacts facts;
    if (!domain::DecodeFacts(std::string_view(record).substr(kHandleBytes), &facts)) {
      Give(absl::DataLossError(who_ + "its record"));
    }
    for (store::Sequence next = facts.revision; next != 0;) {
      const store::FeedRow feed = Need(context_.store.FeedAt(partition_, next));
      service::ChangeRow row;
      if (!service::DecodeChangeRow(feed.event.body, &row)) Give(absl::DataLossError(who_ + "its history"));
      Bytes(row.sealed, "evidence of change " + std::to_string(next));
      Bytes(std::string(base::View(feed.event.commitment)), "commitment of change " + std::to_string(next));
      notes_->rows[partition_].feed.push_back(next);
      next = row.previous;
    }
  }

  const service::Core& context_;
  Notes* const notes_;
  std::string who_;
  base::SubjectHandle subject_;
  store::Partition partition_;
  std::string key_;
};

}  // namespace

Notes NoteStored(Offline& offline, const Cohort& cohort) {
  Notes notes;
  Noting noting(offline, &notes);
  for (const Leaver& leaver : cohort.leavers()) noting.Note(leaver);
  for (const std::string& error : cohort.errors()) {
    notes.all.Note(error, "a task's error " + error);
    notes.names.insert("a task's error " + error);
  }
  return notes;
}

}  // namespace consent::bench
