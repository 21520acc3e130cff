#include "daemon/service/rows/load_subject.h"

#include <algorithm>
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

absl::StatusOr<base::SubjectHandle> ResolveAlias(const Core& core, base::SubjectHandle subject) {
  for (size_t i = 0; i <= domain::kMaxJoinedFrom; ++i) {
    const absl::StatusOr<StoredFacts> stored = LoadFacts(core, subject);
    if (!stored.ok()) return stored.status();
    if (stored->facts.join != domain::JoinState::kAlias) return subject;
    subject = stored->facts.joined_into;
  }
  return wire::MakeError(v1::ERROR_REASON_INTERNAL, "an account's aliases are too many");
}

namespace {

// The strictest of what is stored of one recording under several accounts.
void AddMarks(const domain::RecordingState& other, domain::RecordingState* marks) {
  marks->flags = static_cast<uint8_t>(marks->flags | other.flags);
  marks->on_hold = marks->on_hold || other.on_hold;
  // Each account's report holds by itself: the last one holds longest.
  marks->safety_since = std::max(marks->safety_since, other.safety_since);
  if (!other.has_tombstone) return;
  marks->tombstone = marks->has_tombstone ? std::max(marks->tombstone, other.tombstone) : other.tombstone;
  marks->has_tombstone = true;
}

}  // namespace

absl::StatusOr<GroupFacts> LoadGroup(const Core& core, base::SubjectHandle subject, base::RecordingHandle recording) {
  GroupFacts group;
  const absl::StatusOr<base::SubjectHandle> resolved = ResolveAlias(core, subject);
  if (!resolved.ok()) return resolved.status();
  group.decided_by = *resolved;
  group.accounts.push_back(*resolved);
  absl::StatusOr<StoredFacts> own = LoadFacts(core, *resolved);
  if (!own.ok()) return own.status();
  group.found = own->found;
  group.bytes = std::move(own->bytes);
  group.facts = std::move(own->facts);
  const auto add_marks = [&](const domain::SubjectFacts& facts, base::SubjectHandle of) -> absl::Status {
    if (!facts.has_recording_marks) return absl::OkStatus();
    const absl::StatusOr<domain::RecordingState> marks = LoadMarks(core, of, recording);
    if (marks.ok()) AddMarks(*marks, &group.marks);
    return marks.status();
  };
  if (absl::Status s = add_marks(group.facts, *resolved); !s.ok()) return s;
  for (const domain::JoinedFrom& from : group.facts.joined_from) {
    absl::StatusOr<StoredFacts> alias = LoadFacts(core, from.subject);
    if (!alias.ok()) return alias.status();
    group.bytes += alias->bytes;
    // It was given up, or its account was closed and forgotten, and its id may be somebody else's.
    if (alias->facts.join == domain::JoinState::kNone) continue;
    if (absl::Status s = add_marks(alias->facts, from.subject); !s.ok()) return s;
    group.accounts.push_back(from.subject);
    const bool is_behind = domain::IsJoining(alias->facts.join) && alias->facts.revision != from.revision;
    group.facts.beside.push_back(
        {std::make_shared<const domain::SubjectFacts>(std::move(alias->facts)), from.subject == subject, is_behind});
  }
  return group;
}

bool IsJoined(const domain::SubjectFacts& facts) {
  return facts.join == domain::JoinState::kAlias || !facts.joined_from.empty();
}

namespace {

// `others`: GroupOf. `way`: the subject, what it was joined into, and so on, whose rows of names have the others' ids.
struct Group {
  std::vector<base::SubjectHandle> others;
  std::vector<base::SubjectHandle> way;
};

absl::StatusOr<Group> LoadGroupOf(const Core& core, base::SubjectHandle subject) {
  Group group;
  const auto add = [&](base::SubjectHandle other) {
    const bool is_known = std::find(group.others.begin(), group.others.end(), other) != group.others.end();
    if (other != subject && !is_known) group.others.push_back(other);
  };
  for (base::SubjectHandle at = subject; group.way.size() <= domain::kMaxJoinedFrom;) {
    group.way.push_back(at);
    const absl::StatusOr<StoredFacts> stored = LoadFacts(core, at);
    if (!stored.ok()) return stored.status();
    for (const domain::JoinedFrom& from : stored->facts.joined_from) {
      const absl::StatusOr<StoredFacts> alias = LoadFacts(core, from.subject);
      if (!alias.ok()) return alias.status();
      if (alias->facts.join != domain::JoinState::kNone) add(from.subject);
    }
    if (stored->facts.join != domain::JoinState::kAlias) return group;
    at = stored->facts.joined_into;
    add(at);
  }
  return wire::MakeError(v1::ERROR_REASON_INTERNAL, "an account's aliases are too many");
}

}  // namespace

absl::StatusOr<std::vector<base::SubjectHandle>> GroupOf(const Core& core, base::SubjectHandle subject) {
  absl::StatusOr<Group> group = LoadGroupOf(core, subject);
  if (!group.ok()) return group.status();
  return std::move(group->others);
}

absl::StatusOr<std::vector<std::pair<base::SubjectHandle, std::string>>> JoinedWith(const Core& core,
                                                                                    base::SubjectHandle subject) {
  const absl::StatusOr<Group> group = LoadGroupOf(core, subject);
  if (!group.ok()) return group.status();
  std::vector<std::pair<base::SubjectHandle, std::string>> others;
  if (group->others.empty()) return others;
  std::vector<std::pair<base::SubjectHandle, std::string>> known;
  for (const base::SubjectHandle at : group->way) {
    absl::StatusOr<Payload> names = LoadNames(core, at);
    if (!names.ok()) return names.status();
    for (auto& account : names->accounts) known.push_back(std::move(account));
  }
  for (const base::SubjectHandle other : group->others) {
    const auto at = std::find_if(known.begin(), known.end(), [&](const auto& one) { return one.first == other; });
    others.emplace_back(other, at != known.end() ? at->second : std::string());
  }
  return others;
}

absl::StatusOr<Payload> LoadNames(const Core& core, base::SubjectHandle subject) {
  const auto row = core.store.Get(core.PartitionOf(subject), store::Table::kNames, core.SubjectKey(subject));
  if (absl::IsNotFound(row.status())) return Payload{};
  if (!row.ok()) return StoreUnreadable();
  const absl::StatusOr<base::Digest> key = PayloadKeyOf(core, subject);
  if (!key.ok()) return key.status();
  return OpenPayload(*key, *row, subject);
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
