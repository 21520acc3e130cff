#include "daemon/service/commit/report_flags.h"

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

void ReportFlags::Build(const Core& core, const store::Stamp& stamp, HookOutput& out) {
  const domain::RecordingState marks = domain::AddFlags(before_, flags_);
  const auto added = static_cast<uint8_t>(marks.flags & ~before_.flags);
  out.transition.after.has_recording_marks = true;
  if (added != 0) {
    domain::FactChange change;
    change.what = domain::ChangedWhat::kFlags;
    change.flags = added;
    out.transition.changes.push_back(change);
  }
  // A forgotten account has no key, so nobody could be told whom to look after.
  if ((added & domain::Flags::kSafety) != 0 && !domain::IsForgotten(out.transition.after)) {
    out.writes.push_back({store::Table::kSafetyFlag, core.RecordingKey(subject_, recording_),
                          EncodeSafetyFlagRow(SafetyFlagRow{subject_, recording_, stamp.time, stamp.sequence})});
  }
  out.writes.push_back(
      {store::Table::kRecording, core.RecordingKey(subject_, recording_), EncodeMarksRow(subject_, recording_, marks)});
  out.flags = marks.flags;
}

}  // namespace consent::service
