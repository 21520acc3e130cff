#include "daemon/service/rows/load_subject.h"

#include <memory>
#include <utility>

#include "daemon/domain/facts_codec.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {

absl::StatusOr<StoredFacts> LoadFacts(const Core& core, base::SubjectHandle subject) {
  StoredFacts stored;
  const Found found = core.index.FindBytes(subject, &stored.bytes);
  if (found == Found::kUnknown) return stored;
  if (found == Found::kNotInIndex) {
    const auto row = core.store.Get(core.PartitionOf(subject), store::Table::kSubject, core.SubjectKey(subject));
    if (absl::IsNotFound(row.status())) return stored;
    if (!row.ok()) return StoreUnreadable();
    base::SubjectHandle named;
    std::string_view facts;
    if (!SplitSubjectRow(*row, &named, &facts) || named != subject) {
      return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a subject's record is damaged");
    }
    stored.bytes = std::string(facts);
  }
  stored.found = true;
  if (!domain::DecodeFacts(stored.bytes, &stored.facts)) {
    return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a subject's record cannot be decoded");
  }
  if (!stored.facts.has_more_tombstones) return stored;
  const uint64_t version = core.index.TombstonesVersion();
  stored.facts.cover = core.index.FindTombstones(subject);
  if (stored.facts.cover != nullptr) return stored;
  absl::StatusOr<domain::TombstoneIntervals> cover = LoadTombstoneIntervals(core, subject, 0, [](DeletionNumber) {});
  if (!cover.ok()) return cover.status();
  stored.facts.cover = std::make_shared<const domain::TombstoneIntervals>(*std::move(cover));
  // The lines change only with the record: where that is still the same, they are what belongs to it.
  const auto again = core.store.Get(core.PartitionOf(subject), store::Table::kSubject, core.SubjectKey(subject));
  if (found == Found::kFound && again.ok() && *again == EncodeSubjectRow(subject, stored.bytes)) {
    core.index.KeepTombstones(subject, stored.facts.cover, version);
  }
  return stored;
}

absl::StatusOr<domain::RecordingState> LoadMarks(const Core& core, base::SubjectHandle subject,
                                                 base::RecordingHandle recording) {
  domain::RecordingState marks;
  if (core.index.FindMarks(subject, recording, &marks) != Found::kNotInIndex) return marks;
  const auto row =
      core.store.Get(core.PartitionOf(subject), store::Table::kRecording, core.RecordingKey(subject, recording));
  if (absl::IsNotFound(row.status())) return domain::RecordingState{};
  if (!row.ok()) return StoreUnreadable();
  base::SubjectHandle named;
  base::RecordingHandle named_recording;
  if (!DecodeMarksRow(*row, &named, &named_recording, &marks) || named != subject || named_recording != recording) {
    return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a recording's row is damaged");
  }
  return marks;
}

absl::StatusOr<base::Digest> PayloadKeyOf(const Core& core, base::SubjectHandle subject) {
  const auto share = core.store.Get(core.PartitionOf(subject), store::Table::kKeyShare, core.SubjectKey(subject));
  if (absl::IsNotFound(share.status())) {
    return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a subject's record has no key beside it: the store is damaged");
  }
  if (!share.ok()) return StoreUnreadable();
  absl::StatusOr<base::Digest> key = core.shares.OpenShare(subject, *share);
  if (key.ok()) return key;
  return wire::MakeError(
      v1::ERROR_REASON_INTERNAL,
      "a subject's key cannot be opened: the store is damaged, or the key file lacks its master key");
}

}  // namespace consent::service
