#include "daemon/service/subject/safety_flags.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "daemon/service/commit/change_hook.h"
#include "daemon/service/rows/load_subject.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/safety_flag_rows.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

absl::Status Acknowledged() {
  return wire::MakeError(v1::ERROR_REASON_SAFETY_FLAG_ACKNOWLEDGED,
                         "somebody said before that it is theirs: the account's history says who, and when");
}
absl::Status Handled() {
  return wire::MakeError(v1::ERROR_REASON_SAFETY_FLAG_HANDLED,
                         "somebody handled it before: the account's history says when, and what was done");
}

// The record, its marks and every answer stay as they are.
class TakeUpHook final : public ChangeHook {
 public:
  // `handles`: the person was looked after; else somebody says that it is theirs.
  TakeUpHook(base::SubjectHandle subject, base::RecordingHandle recording, bool handles)
      : subject_(subject), recording_(recording), handles_(handles) {}

  absl::StatusOr<Prepared> Prepare(const Core& core, const HookInput&) override {
    key_ = core.RecordingKey(subject_, recording_);
    const absl::StatusOr<SafetyFlagRow> row = LoadSafetyFlag(core, core.PartitionOf(subject_), key_, &bytes_);
    if (absl::IsNotFound(row.status())) return WhyNone(core);
    if (!row.ok()) return row.status();
    row_ = *row;
    if (!row_.IsOpen()) return Handled();
    if (!handles_ && row_.acknowledged_at.IsSet()) return Acknowledged();
    return Prepared::kGoOn;
  }

  void AddPreconditions(std::vector<store::Precondition>& preconditions) const override {
    preconditions.push_back({store::Table::kSafetyFlag, key_, bytes_});
  }

  void Build(const Core&, const store::Stamp& stamp, HookOutput& out) override {
    SafetyFlagRow next = row_;
    (handles_ ? next.handled_at : next.acknowledged_at) = stamp.time;
    (handles_ ? next.handled : next.acknowledged) = stamp.sequence;
    out.writes.push_back({store::Table::kSafetyFlag, key_, EncodeSafetyFlagRow(next)});
  }

 private:
  // Rows of flags that were handled before there were times for it are gone.
  absl::Status WhyNone(const Core& core) const {
    const auto marks = LoadMarks(core, subject_, recording_);
    if (!marks.ok()) return marks.status();
    if ((marks->flags & domain::Flags::kSafety) != 0) return Handled();
    return wire::MakeError(v1::ERROR_REASON_SAFETY_FLAG_NOT_FOUND,
                           "nobody reported SAFETY of that recording of that account");
  }

  const base::SubjectHandle subject_;
  const base::RecordingHandle recording_;
  const bool handles_;
  SafetyFlagRow row_;
  std::string key_;
  std::string bytes_;
};

// What was said in that change, opened; nothing: its account is erased, or a restore lost it.
absl::StatusOr<std::optional<Payload>> SaidIn(const Core& core, const SafetyFlagRow& row, store::Sequence sequence) {
  const auto feed = core.store.FeedAt(core.PartitionOf(row.subject), sequence);
  if (absl::IsOutOfRange(feed.status()) || absl::IsNotFound(feed.status())) return std::optional<Payload>();
  if (!feed.ok()) return StoreUnreadable();
  if (feed->erased) return std::optional<Payload>();
  ChangeRow change;
  if (!DecodeChangeRow(feed->event.body, &change)) return DamagedRow("a change of a SAFETY flag");
  const auto key = PayloadKeyOf(core, row.subject);
  if (!key.ok()) return key.status();
  absl::StatusOr<Payload> payload = OpenPayload(*key, change.sealed, row.subject);
  if (!payload.ok()) return payload.status();
  return std::optional<Payload>(*std::move(payload));
}

}  // namespace

absl::StatusOr<std::optional<SafetyFlagView>> SafetyFlags::Read(const OpenSafetyFlags::Place& place) const {
  std::string unused;
  const absl::StatusOr<SafetyFlagRow> row = LoadSafetyFlag(core_, place.partition, place.key, &unused);
  if (absl::IsNotFound(row.status())) return std::optional<SafetyFlagView>();
  if (!row.ok()) return row.status();
  const absl::StatusOr<StoredFacts> facts = LoadFacts(core_, row->subject);
  if (!facts.ok()) return facts.status();
  if (!facts->found || domain::IsForgotten(facts->facts) || !row->IsOpen()) return std::optional<SafetyFlagView>();
  absl::StatusOr<std::optional<Payload>> report = SaidIn(core_, *row, row->reported);
  if (!report.ok()) return report.status();
  if (!report->has_value()) return std::optional<SafetyFlagView>();
  const auto marks = LoadMarks(core_, row->subject, row->recording);
  if (!marks.ok()) return marks.status();
  const domain::SafetyPeriods periods = core_.policies.rules()->safety;
  SafetyFlagView view;
  view.account_id = std::move((*report)->account_id);
  view.recording_id = std::move((*report)->recording_id);
  view.reported_at = row->reported_at;
  view.reported_by = std::move((*report)->caller);
  view.acknowledge_by = row->reported_at + periods.acknowledge_within;
  view.handle_by = row->reported_at + periods.handle_within;
  if (periods.Holds(marks->safety_since, core_.Present())) view.held_until = periods.HeldUntil(marks->safety_since);
  if (!row->acknowledged_at.IsSet()) return std::optional<SafetyFlagView>(std::move(view));
  absl::StatusOr<std::optional<Payload>> said = SaidIn(core_, *row, row->acknowledged);
  if (!said.ok()) return said.status();
  view.acknowledged_at = row->acknowledged_at;
  if (said->has_value()) view.acknowledged_by = std::move((*said)->caller);
  return std::optional<SafetyFlagView>(std::move(view));
}

absl::StatusOr<SafetyFlagPage> SafetyFlags::List(base::SubjectHandle subject, bool overdue, size_t limit,
                                                 const PageToken& from) const {
  if (!core_.ready.load(std::memory_order_acquire)) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting or stopping");
  }
  const base::Instant now = core_.Now();
  SafetyFlagPage page;
  const std::string of = subject.IsSet() ? core_.SubjectKey(subject) : std::string();
  const OpenSafetyFlags::Place first{base::Instant{static_cast<int64_t>(from.position)}, from.partition, {}};
  const std::vector<OpenSafetyFlags::Place> places = core_.safety_flags.From(first, of, limit + 1);
  for (size_t i = 0; i < std::min(limit, places.size()); ++i) {
    absl::StatusOr<std::optional<SafetyFlagView>> view = Read(places[i]);
    if (!view.ok()) return view.status();
    if (!view->has_value() || (overdue && !(*view)->IsOverdue(now))) continue;
    page.flags.push_back(*std::move(*view));
  }
  if (places.size() > limit) {
    const OpenSafetyFlags::Place& next = places.back();
    page.next = PageToken{next.partition, static_cast<uint64_t>(next.reported_at.micros)};
  }
  return page;
}

void SafetyFlags::Acknowledge(ChangeRequest change, ChangeDone done) {
  change.kind = ChangeKind::kSafetyFlagAcknowledged;
  change.hook = std::make_shared<TakeUpHook>(change.subject, change.recording, false);
  changes_.Submit(std::move(change), std::move(done));
}

void SafetyFlags::Handle(ChangeRequest change, ChangeDone done) {
  change.kind = ChangeKind::kSafetyFlagHandled;
  change.hook = std::make_shared<TakeUpHook>(change.subject, change.recording, true);
  changes_.Submit(std::move(change), std::move(done));
}

}  // namespace consent::service
