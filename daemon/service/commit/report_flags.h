// ReportRecording's part of a change: flags of one recording, which are only ever added. A SAFETY flag is
// open from its first report until somebody handles it (safety_flags.h), and holds the recording from then on for as
// long as the policy says (domain::SafetyPeriods): as a legal hold that is placed it takes leases of purge tasks back.
#pragma once

#include "daemon/service/commit/change_hook.h"

namespace consent::service {

class ReportFlags final : public ChangeHook {
 public:
  ReportFlags(base::SubjectHandle subject, base::RecordingHandle recording, uint8_t flags)
      : subject_(subject), recording_(recording), flags_(flags) {}

  absl::StatusOr<Prepared> Prepare(const Core& core, const HookInput& input) override;
  void Build(const Core& core, const store::Stamp& stamp, HookOutput& out) override;

 private:
  const base::SubjectHandle subject_;
  const base::RecordingHandle recording_;
  const uint8_t flags_;
  domain::RecordingState before_;
};

}  // namespace consent::service
