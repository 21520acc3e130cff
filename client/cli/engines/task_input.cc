#include "client/cli/engines/task_input.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "client/cli/render/render.h"
#include "client/cli/render/render_deletion.h"
#include "client/cli/render/render_hold.h"
#include "daemon/base/hash.h"

namespace consent::cli {
namespace {

constexpr std::array<std::string_view, 15> kNames = {
    "CONSENT_TASK_ID",    "CONSENT_ACCOUNT_ID",    "CONSENT_CAUSE",      "CONSENT_SELECTOR",  "CONSENT_FROM",
    "CONSENT_TO",         "CONSENT_RECORDING_IDS", "CONSENT_PROFILE_ID", "CONSENT_DEVICE_ID", "CONSENT_PURPOSES",
    "CONSENT_EXCEPTIONS", "CONSENT_AGAIN",         "CONSENT_LOOKED_AT",  "CONSENT_ARTEFACT",  "CONSENT_DIGEST"};
constexpr char kSweep[] = "SWEEP";
constexpr char kCopies[] = "copies";
// Linux refuses a variable of 128 KiB or more (MAX_ARG_STRLEN), its name and the closing NUL included.
constexpr size_t kLongestVariable = size_t{128} * 1024 - 1;

bool IsOurs(std::string_view variable) {
  const std::string_view name = variable.substr(0, variable.find('='));
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// Collects variables; notes what they cannot carry.
class Variables {
 public:
  explicit Variables(std::vector<std::string>* out) : out_(out) {}
  void Set(const char* name, const std::string& value) {
    out_->push_back(std::string(name) + "=" + value);
    if (value.find('\0') != std::string::npos || out_->back().size() > kLongestVariable) fits_ = false;
  }
  void SetList(const char* name, const std::vector<RecordingId>& values) {
    std::string text;
    for (const RecordingId& value : values) {
      if (value.value().find('\n') != std::string::npos) fits_ = false;
      text += (text.empty() ? "" : "\n") + value.value();
    }
    Set(name, text);
  }
  void SetScope(const Scope& scope) {
    if (!scope.profile.empty()) Set("CONSENT_PROFILE_ID", scope.profile.value());
    if (!scope.device.empty()) Set("CONSENT_DEVICE_ID", scope.device.value());
  }
  void SetSelector(const DeletionSelector& selector) {
    Set("CONSENT_SELECTOR", SelectorKind(selector));
    if (const auto* recordings = std::get_if<std::vector<RecordingId>>(&selector)) {
      SetList("CONSENT_RECORDING_IDS", *recordings);
    }
    if (const auto* profile = std::get_if<ProfileId>(&selector)) SetScope({*profile, {}});
    if (const auto* device = std::get_if<DeviceId>(&selector)) SetScope({{}, *device});
    if (const auto* voice = std::get_if<VoiceIdOf>(&selector)) SetScope({voice->profile, {}});
    if (const auto* draft = std::get_if<Draft>(&selector)) {
      SetList("CONSENT_RECORDING_IDS", {draft->recording});
      Set("CONSENT_DIGEST", base::Hex(draft->digest));
    }
    if (const auto* copies = std::get_if<PurposeCopies>(&selector)) {
      Set("CONSENT_PURPOSES", NamesText(copies->purposes));
      SetScope(copies->scope);
    }
  }
  bool fits() const { return fits_; }

 private:
  std::vector<std::string>* out_;
  bool fits_ = true;
};

// A list; null where one of them is not known.
Json ExceptionsJson(const std::vector<HoldSelector>& exceptions) {
  Json list = Json::array();
  for (const HoldSelector& exception : exceptions) {
    list.push_back(HoldSelectorJson(exception));
    if (list.back().is_null()) return nullptr;
  }
  return list;
}

}  // namespace

std::vector<std::string> OwnEnvironment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  return variables;
}

absl::StatusOr<TaskInput> MakeTaskInput(const PurgeTask& task, const std::vector<std::string>& inherited,
                                        bool stdin_only) {
  const Json exceptions = ExceptionsJson(task.exceptions);
  if (SelectorKind(task.selector).empty() || exceptions.is_null()) {
    return absl::InvalidArgumentError(
        "this version does not know what is to be deleted or left alone; use a newer one");
  }
  TaskInput input;
  const Json json = {{"task_id", task.task_id.value()},
                     {"account_id", task.account_id.value()},
                     {"selector", SelectorJson(task.selector)},
                     {"covers", RangeJson(task.covers)},
                     {"exceptions", exceptions},
                     {"cause", task.cause == DeletionCause::kUnset ? "" : Name(task.cause)},
                     {"due_at", TimeText(task.due_at)},
                     {"attempt", task.attempt},
                     {"again", task.again == TaskAgain::kUnset ? "" : Name(task.again)},
                     {"looked_at", TimeText(task.looked_at)}};
  input.line = json.dump() + "\n";
  std::copy_if(inherited.begin(), inherited.end(), std::back_inserter(input.environment),
               [](const std::string& variable) { return !IsOurs(variable); });
  if (stdin_only) return input;
  Variables variables(&input.environment);
  variables.Set("CONSENT_TASK_ID", task.task_id.value());
  variables.Set("CONSENT_ACCOUNT_ID", task.account_id.value());
  if (task.cause != DeletionCause::kUnset) variables.Set("CONSENT_CAUSE", std::string(Name(task.cause)));
  if (task.again != TaskAgain::kUnset) variables.Set("CONSENT_AGAIN", std::string(Name(task.again)));
  if (task.looked_at.has_value()) variables.Set("CONSENT_LOOKED_AT", TimeText(task.looked_at));
  variables.SetSelector(task.selector);
  if (task.covers.has_value() && task.covers->from.has_value()) {
    variables.Set("CONSENT_FROM", TimeText(task.covers->from));
  }
  if (task.covers.has_value() && task.covers->to.has_value()) variables.Set("CONSENT_TO", TimeText(task.covers->to));
  if (!task.exceptions.empty()) variables.Set("CONSENT_EXCEPTIONS", exceptions.dump());
  if (!variables.fits()) {
    return absl::InvalidArgumentError(
        "the environment cannot carry an id's bytes, or all exceptions; run the worker with --stdin-only");
  }
  return input;
}

absl::StatusOr<TaskInput> MakeSweepInput(const SweptRecordings& swept, const std::vector<std::string>& inherited,
                                         bool stdin_only) {
  const bool is_source = swept.artefact == Artefact::kUnset || swept.artefact == Artefact::kSource;
  if (!is_source && swept.made_for == Purpose::kUnset) {
    return absl::InvalidArgumentError("a copy that does not say what it was made for cannot be told from others");
  }
  Json selector = SelectorJson(swept.recordings);
  if (!is_source) {
    selector["kind"] = kCopies;
    selector["artefact"] = Name(swept.artefact);
    selector["purposes"] = NamesJson(std::vector<Purpose>{swept.made_for});
  }
  TaskInput input;
  const Json json = {{"task_id", ""},
                     {"account_id", swept.account_id.value()},
                     {"selector", selector},
                     {"covers", nullptr},
                     {"exceptions", Json::array()},
                     {"cause", kSweep},
                     {"due_at", ""},
                     {"attempt", 1},
                     {"again", ""},
                     {"looked_at", ""}};
  input.line = json.dump() + "\n";
  std::copy_if(inherited.begin(), inherited.end(), std::back_inserter(input.environment),
               [](const std::string& variable) { return !IsOurs(variable); });
  if (stdin_only) return input;
  Variables variables(&input.environment);
  variables.Set("CONSENT_ACCOUNT_ID", swept.account_id.value());
  variables.Set("CONSENT_CAUSE", kSweep);
  variables.Set("CONSENT_SELECTOR", is_source ? SelectorKind(swept.recordings) : kCopies);
  variables.SetList("CONSENT_RECORDING_IDS", swept.recordings);
  if (!is_source) {
    variables.Set("CONSENT_ARTEFACT", std::string(Name(swept.artefact)));
    variables.Set("CONSENT_PURPOSES", std::string(Name(swept.made_for)));
  }
  if (!variables.fits()) {
    return absl::InvalidArgumentError("the environment cannot carry an id's bytes; sweep with --stdin-only");
  }
  return input;
}

}  // namespace consent::cli
