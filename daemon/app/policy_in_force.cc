#include "daemon/app/policy_in_force.h"

#include <memory>
#include <optional>

#include "daemon/policy/compare.h"
#include "daemon/policy/warnings.h"
#include "daemon/wire/errors.h"

namespace consent::app {
namespace {

using ops::OperatorText;

// Whether nothing but the time keeps a policy from being in force.
bool WaitsForTime(const absl::Status& status) {
  const v1::ErrorReason reason = wire::DetailOf(status).reason;
  return reason == v1::ERROR_REASON_CLOCK_DOUBTFUL || reason == v1::ERROR_REASON_CLOCK_BEHIND;
}

// Whether it may come into force once somebody has named what it loosens.
bool WaitsForItsWords(const absl::Status& status) {
  return wire::DetailOf(status).reason == v1::ERROR_REASON_LOOSENING_NOT_NAMED;
}

}  // namespace

PolicyInForce::PolicyInForce(const service::PolicyBook& policies, service::PolicyAdmin& admin, const base::Clock& clock,
                             ops::Log& log, ops::EventCounter& reloads, std::atomic<int64_t>& read_at, bool has_file)
    : policies_(policies),
      admin_(admin),
      clock_(clock),
      log_(log),
      reloads_(reloads),
      read_at_(read_at),
      has_file_(has_file) {
  admin_.TellActivations([this](const policy::PolicyRow* before, const policy::Document& document,
                                const std::string& by) { TellActivation(before, document, by); });
}

absl::Status PolicyInForce::Activate(const policy::Document& document) {
  const std::shared_ptr<const policy::PolicyRow> before = policies_.current();
  if (!has_file_ && before != nullptr && !before->activated_by.empty()) return absl::OkStatus();
  // A file names nothing that it loosens, so one that loosens waits until somebody does.
  absl::Status status = admin_.Activate(document, {});
  if (!status.ok()) {
    waits_for_time_.store(WaitsForTime(status));
    admin_.NoteWaiting(service::WaitingPolicy{document.version(), document.hash(), std::string(status.message())});
    return status;
  }
  waits_for_time_.store(false);
  admin_.NoteWaiting(std::nullopt);
  read_at_.store(clock_.Now().micros);
  for (const std::string& warning : policy::WarningTexts(document.policy(), document.json(), clock_.Now())) {
    log_.Warn("policy promises what cannot work",
              {{"version", OperatorText(document.version())}, {"what", OperatorText(warning)}});
  }
  const bool changed = before == nullptr || before->document.hash() != document.hash();
  log_.Info("policy in force", {{"version", OperatorText(document.version())}, {"changed", changed}});
  return absl::OkStatus();
}

void PolicyInForce::TellActivation(const policy::PolicyRow* before, const policy::Document& document,
                                   const std::string& by) {
  if (by.empty() || before == nullptr) return;  // a file's is told by who read it
  log_.Info("policy activated", {{"version", OperatorText(document.version())}, {"by", OperatorText(by)}});
  for (const policy::Difference& difference : policy::Compare(*before, document)) {
    if (!policy::Loosens(difference)) continue;
    log_.Warn("policy loosened", {{"version", OperatorText(document.version())},
                                  {"field", OperatorText(difference.path)},
                                  {"what", OperatorText(difference.what)},
                                  {"by", OperatorText(by)}});
  }
}

absl::Status PolicyInForce::ActivateFirst(const policy::Document& document) {
  absl::Status status = Activate(document);
  if (status.ok() || policies_.current() == nullptr) return status;
  if (!WaitsForTime(status) && !WaitsForItsWords(status)) return status;
  // The daemon starts all the same, because restrictions are to be taken.
  log_.Warn("the policy file is not in force yet; the policy before is", {{"why", OperatorText(status)}});
  reloads_.Add({"refused"});
  return absl::OkStatus();
}

absl::Status PolicyInForce::Reload(const absl::StatusOr<policy::Document>& read) {
  absl::Status status = read.ok() ? Activate(*read) : read.status();
  if (!read.ok()) admin_.NoteWaiting(service::WaitingPolicy{"", {}, std::string(status.message())});
  reloads_.Add({status.ok() ? "ok" : "refused"});
  return status;
}

}  // namespace consent::app
