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

// The record, its marks and every answer stay as they are.
class HandleFlagHook final : public ChangeHook {
 public:
  HandleFlagHook(base::SubjectHandle subject, base::RecordingHandle recording)
      : subject_(subject), recording_(recording) {}

  absl::StatusOr<Prepared> Prepare(const Core& core, const HookInput&) override {
    key_ = core.RecordingKey(subject_, recording_);
    const absl::StatusOr<SafetyFlagRow> row = LoadSafetyFlag(core, core.PartitionOf(subject_), key_, &bytes_);
    if (row.ok()) return Prepared::kGoOn;
    if (!absl::IsNotFound(row.status())) return row.status();
    const auto marks = LoadMarks(core, subject_, recording_);
    if (!marks.ok()) return marks.status();
    if ((marks->flags & domain::Flags::kSafety) != 0) {
      return wire::MakeError(v1::ERROR_REASON_SAFETY_FLAG_HANDLED,
                             "somebody handled it before: the account's history says when, and what was done");
    }
    return wire::MakeError(v1::ERROR_REASON_SAFETY_FLAG_NOT_FOUND,
                           "nobody reported SAFETY of that recording of that account");
  }

  void AddPreconditions(std::vector<store::Precondition>& preconditions) const override {
    preconditions.push_back({store::Table::kSafetyFlag, key_, bytes_});
  }

  void Build(const Core&, const store::Stamp&, HookOutput& out) override {
    out.writes.push_back({store::Table::kSafetyFlag, key_, std::nullopt});
  }

 private:
  const base::SubjectHandle subject_;
  const base::RecordingHandle recording_;
  std::string key_;
  std::string bytes_;
};

}  // namespace

absl::StatusOr<std::optional<SafetyFlagView>> SafetyFlags::Read(const OpenSafetyFlags::Place& place) const {
  std::string unused;
  const absl::StatusOr<SafetyFlagRow> row = LoadSafetyFlag(core_, place.partition, place.key, &unused);
  if (absl::IsNotFound(row.status())) return std::optional<SafetyFlagView>();
  if (!row.ok()) return row.status();
  const absl::StatusOr<StoredFacts> facts = LoadFacts(core_, row->subject);
  if (!facts.ok()) return facts.status();
  if (!facts->found || domain::IsForgotten(facts->facts)) return std::optional<SafetyFlagView>();
  const auto feed = core_.store.FeedAt(place.partition, row->reported);
  if (!feed.ok()) return StoreUnreadable();
  if (feed->erased) return std::optional<SafetyFlagView>();
  ChangeRow change;
  if (!DecodeChangeRow(feed->event.body, &change)) return DamagedRow("the report of a SAFETY flag");
  const auto key = PayloadKeyOf(core_, row->subject);
  if (!key.ok()) return key.status();
  absl::StatusOr<Payload> payload = OpenPayload(*key, change.sealed, row->subject);
  if (!payload.ok()) return payload.status();
  return SafetyFlagView{std::move(payload->account_id), std::move(payload->recording_id), row->reported_at,
                        std::move(payload->caller)};
}

absl::StatusOr<SafetyFlagPage> SafetyFlags::List(base::SubjectHandle subject, size_t limit,
                                                 const PageToken& from) const {
  if (!core_.ready.load(std::memory_order_acquire)) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting or stopping");
  }
  SafetyFlagPage page;
  const std::string of = subject.IsSet() ? core_.SubjectKey(subject) : std::string();
  const OpenSafetyFlags::Place first{base::Instant{static_cast<int64_t>(from.position)}, from.partition, {}};
  const std::vector<OpenSafetyFlags::Place> places = core_.safety_flags.From(first, of, limit + 1);
  for (size_t i = 0; i < std::min(limit, places.size()); ++i) {
    absl::StatusOr<std::optional<SafetyFlagView>> view = Read(places[i]);
    if (!view.ok()) return view.status();
    if (view->has_value()) page.flags.push_back(*std::move(*view));
  }
  if (places.size() > limit) {
    const OpenSafetyFlags::Place& next = places.back();
    page.next = PageToken{next.partition, static_cast<uint64_t>(next.reported_at.micros)};
  }
  return page;
}

void SafetyFlags::Handle(ChangeRequest change, ChangeDone done) {
  change.kind = ChangeKind::kSafetyFlagHandled;
  change.hook = std::make_shared<HandleFlagHook>(change.subject, change.recording);
  changes_.Submit(std::move(change), std::move(done));
}

}  // namespace consent::service
