#include "daemon/service/commit/report_flags.h"

#include <algorithm>

#include "daemon/service/rows/load_subject.h"
#include "daemon/service/rows/safety_flag_rows.h"
#include "daemon/service/rows/subject_rows.h"

namespace consent::service {

absl::StatusOr<ChangeHook::Prepared> ReportFlags::Prepare(const Core& core, const HookInput&) {
  const auto marks = LoadMarks(core, subject_, recording_);
  if (!marks.ok()) return marks.status();
  before_ = *marks;
  return Prepared::kGoOn;
}

namespace {

// Never earlier than the report was, as far as a clock can tell: a stamp goes by a wall that lags behind, too.
base::Instant HeldSince(const Core& core, const store::Stamp& stamp) {
  const base::TrustedClock::View time = core.time.Look();
  return time.doubtful ? std::max(stamp.time, time.trusted) : stamp.time;
}

}  // namespace

void ReportFlags::Build(const Core& core, const store::Stamp& stamp, HookOutput& out) {
  // A forgotten account has no key, so nobody could be told whom to look after, nor whose recording is held.
  const bool can_be_told = !domain::IsForgotten(out.transition.after);
  const domain::RecordingState marks =
      domain::AddFlags(before_, flags_, can_be_told ? HeldSince(core, stamp) : base::Instant{});
  const auto added = static_cast<uint8_t>(marks.flags & ~before_.flags);
  out.transition.after.has_recording_marks = true;
  if (added != 0) {
    domain::FactChange change;
    change.what = domain::ChangedWhat::kFlags;
    change.flags = added;
    out.transition.changes.push_back(change);
  }
  if ((added & domain::Flags::kSafety) != 0 && can_be_told) {
    out.transition.after.holds_changed = stamp.sequence;  // it takes leases back, and puts tasks off
    SafetyFlagRow row;
    row.subject = subject_;
    row.recording = recording_;
    row.reported_at = stamp.time;
    row.reported = stamp.sequence;
    out.writes.push_back(
        {store::Table::kSafetyFlag, core.RecordingKey(subject_, recording_), EncodeSafetyFlagRow(row)});
  }
  out.writes.push_back(
      {store::Table::kRecording, core.RecordingKey(subject_, recording_), EncodeMarksRow(subject_, recording_, marks)});
  out.flags = marks.flags;
}

}  // namespace consent::service
