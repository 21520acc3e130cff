// What the RPCs tell the metrics. Implemented by ops; rpc knows nothing of how it is counted.
//
// Nothing here can name a person or a recording: no id, no text that a caller chose freely. `control` is the only name,
// and only one that the policy has; a trace's id has no room for another.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "daemon/base/trace_id.h"
#include "daemon/domain/decision.h"
#include "daemon/domain/transitions.h"
#include "daemon/domain/types.h"
#include "daemon/service/rows/change_row.h"

namespace consent::rpc {

// A call that takes longer is slow.
inline constexpr std::chrono::seconds kSlowCall{1};

// One call, answered. Also those that were refused before anything was done.
struct CallSeen {
  std::string_view method;  // "consent.v1.EligibilityService/Check"; lives as long as the service object
  absl::StatusCode code = absl::StatusCode::kInternal;
  std::chrono::nanoseconds latency{};       // from the request's arrival in the handler until its reply is handed over
  bool slow = false;                        // over kSlowCall, and not because the caller asked to wait
  std::string_view reason = {};             // of a failed call: "ETAG_MISMATCH"; valid during the call
  std::optional<base::TraceId> trace = {};  // that a failed or slow call named by a valid `traceparent`
  // As the callers' file or its listener names it; "unknown": a certificate without an entry; valid during the call.
  std::string_view caller = {};
};

// `count` recordings of one call that were answered alike.
struct DecisionsSeen {
  domain::Purpose purpose = domain::Purpose::kNone;  // kNone: dispositions only
  domain::Eligibility eligibility = domain::Eligibility::kNotAnswered;
  domain::Disposition disposition = domain::Disposition::kNotAnswered;
  domain::Reason reason = domain::Reason::kNone;  // domain::Decision::FirstReason
  uint32_t count = 0;
};

// Recordings of one call that were asked about for a purpose, of one regime. Together with DecisionsSeen, which knows
// neither caller nor regime, because that would be a series for each reason, caller and regime.
struct AskedSeen {
  std::string_view caller;  // as in CallSeen
  domain::Purpose purpose = domain::Purpose::kNone;
  std::string_view regime;  // of where the subject lives, as the policy names it; valid during the call
  uint32_t eligible = 0;
  uint32_t not_eligible = 0;
};

// One write that was acknowledged; a repeated request_id is seen again.
struct ChangeSeen {
  service::ChangeKind kind = service::ChangeKind::kUpdateSettings;
  domain::Channel channel = domain::Channel::kMissing;
  bool registered_now = false;
  uint32_t parts_changed = 0;    // applied, and something is different now
  uint32_t parts_unchanged = 0;  // applied, and it already was so
  uint32_t parts_refused = 0;
  uint8_t flags = 0;       // of kReportRecording: those reported (domain::Flags)
  bool opted_out = false;  // it turned something off that was not off before
};

// One choice of such a write.
struct ChoiceSeen {
  service::ChangeKind kind = service::ChangeKind::kUpdateSettings;
  domain::Channel channel = domain::Channel::kMissing;
  domain::ScopeKind scope = domain::ScopeKind::kAccount;
  domain::TargetKind target = domain::TargetKind::kAll;
  std::string_view control;  // where target is kControl and was applied, so that the policy has it; else empty; valid
                             // during the call
  domain::Purpose purpose = domain::Purpose::kNone;  // where target is kPurpose
  bool on = false;
  domain::Refusal refusal = domain::Refusal::kNone;  // kNone: applied
  bool changed = false;
};

// Thread-safe; called from gRPC's threads before the reply leaves, so it must neither block nor throw: some tens of
// nanoseconds.
class RpcObserver {
 public:
  virtual ~RpcObserver() = default;
  // Once for every call, before OnCall; as soon as it is known to be one that counts.
  virtual void OnStarted(std::string_view method) = 0;
  // Once for every call.
  virtual void OnCall(const CallSeen& call) = 0;
  // Once for each distinct answer of a Check or BatchCheck.
  virtual void OnDecisions(const DecisionsSeen& decisions) = 0;
  // Once for each regime in a Check or BatchCheck for a purpose.
  virtual void OnAsked(const AskedSeen& asked) = 0;
  // `count` recordings of a call of `caller` lacked that fact.
  virtual void OnMissingFact(std::string_view caller, domain::MissingFact fact, uint32_t count) = 0;
  // Items of a BatchCheck that got an error in place of an answer.
  virtual void OnItemErrors(uint32_t count) = 0;
  // Recordings of one call whose region of capture is a code that means nothing: they were answered as from an unknown
  // region.
  virtual void OnUnknownRegions(uint32_t count) = 0;
  // Once for each acknowledged write.
  virtual void OnChange(const ChangeSeen& change) = 0;
  // Once for each choice of an acknowledged write, refused ones included.
  virtual void OnChoice(const ChoiceSeen& choice) = 0;
};

}  // namespace consent::rpc
