// Subjects and choices as JSON lines, and the calls that one line becomes: what `consentctl import` reads. No gRPC.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "consent/settings.h"
#include "consent/subject.h"

namespace consent {

struct ImportChoice {
  SettingChange change;
  Evidence evidence;
};

// One subject. client/cli/README.md documents the line.
struct ImportLine {
  AccountId account_id;
  std::optional<std::string> region;
  std::vector<Profile> profiles;
  std::vector<DeviceId> devices;
  std::vector<ImportChoice> choices;
  std::vector<RetentionChange> retention;
};

// InvalidArgument: whatever is wrong, without ids. Unknown keys are refused: a misspelt refusal must not get lost.
absl::StatusOr<ImportLine> ParseImportLine(std::string_view line);

// "until-deleted", "do-not-save" or months such as "3m". InvalidArgument: anything else.
absl::StatusOr<Retention> ParseRetention(const std::string& text);

// One call of an import and the part of the line that it is, for messages: "choices[2]".
struct ImportCall {
  std::string part;
  std::variant<OptOutOrder, SettingsUpdate, SubjectUpdate> order;
};

// Everything in the line that can only restrict: refusals, and retention that ends by itself. Each carries a request_id made
// from the line's bytes, so that the same line sent again is the same request.
std::vector<ImportCall> RestrictionsOf(const ImportLine& line, std::string_view bytes);
// The registration, then the consents, one call for each evidence; nothing where the line only restricts. The caller puts the
// etag of the call before into each.
std::vector<ImportCall> LooseningsOf(const ImportLine& line, std::string_view bytes);

}  // namespace consent
