#include "client/cli/task_input.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "client/cli/render.h"
#include "client/cli/render_deletion.h"

namespace consent::cli {
namespace {

constexpr std::array<std::string_view, 8> kNames = {"CONSENT_TASK_ID", "CONSENT_ACCOUNT_ID",    "CONSENT_SELECTOR",   "CONSENT_FROM",
                                                    "CONSENT_TO",      "CONSENT_RECORDING_IDS", "CONSENT_PROFILE_ID", "CONSENT_DEVICE_ID"};

bool IsOurs(std::string_view variable) {
  const std::string_view name = variable.substr(0, variable.find('='));
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// Collects variables; notes what they cannot carry.
class Variables {
 public:
  explicit Variables(std::vector<std::string>* out) : out_(out) {}
  void Set(const char* name, const std::string& value) {
    if (value.find('\0') != std::string::npos) fits_ = false;
    out_->push_back(std::string(name) + "=" + value);
  }
  void SetList(const char* name, const std::vector<RecordingId>& values) {
    std::string text;
    for (const RecordingId& value : values) {
      if (value.value().find('\n') != std::string::npos) fits_ = false;
      text += (text.empty() ? "" : "\n") + value.value();
    }
    Set(name, text);
  }
  bool fits() const { return fits_; }

 private:
  std::vector<std::string>* out_;
  bool fits_ = true;
};

}  // namespace

absl::StatusOr<TaskInput> MakeTaskInput(const PurgeTask& task, const std::vector<std::string>& inherited, bool stdin_only) {
  const std::string kind = SelectorKind(task.selector);
  if (kind.empty()) return absl::InvalidArgumentError("this version does not know what is to be deleted; use a newer one");
  TaskInput input;
  const Json json = {{"task_id", task.task_id.value()},
                     {"account_id", task.account_id.value()},
                     {"selector", SelectorJson(task.selector)},
                     {"covers", RangeJson(task.covers)},
                     {"due_at", TimeText(task.due_at)},
                     {"attempt", task.attempt},
                     {"again_for_late_data", task.again_for_late_data}};
  input.line = json.dump() + "\n";
  std::copy_if(inherited.begin(), inherited.end(), std::back_inserter(input.environment),
               [](const std::string& variable) { return !IsOurs(variable); });
  if (stdin_only) return input;
  Variables variables(&input.environment);
  variables.Set("CONSENT_TASK_ID", task.task_id.value());
  variables.Set("CONSENT_ACCOUNT_ID", task.account_id.value());
  variables.Set("CONSENT_SELECTOR", kind);
  if (task.covers.has_value() && task.covers->from.has_value()) variables.Set("CONSENT_FROM", TimeText(task.covers->from));
  if (task.covers.has_value() && task.covers->to.has_value()) variables.Set("CONSENT_TO", TimeText(task.covers->to));
  if (const auto* recordings = std::get_if<std::vector<RecordingId>>(&task.selector)) {
    variables.SetList("CONSENT_RECORDING_IDS", *recordings);
  }
  if (const auto* profile = std::get_if<ProfileId>(&task.selector)) variables.Set("CONSENT_PROFILE_ID", profile->value());
  if (const auto* device = std::get_if<DeviceId>(&task.selector)) variables.Set("CONSENT_DEVICE_ID", device->value());
  if (!variables.fits()) {
    return absl::InvalidArgumentError("an id holds a byte that the environment cannot carry; run the worker with --stdin-only");
  }
  return input;
}

}  // namespace consent::cli
