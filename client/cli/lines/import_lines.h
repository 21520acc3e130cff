// Subjects and choices as JSON lines, and the calls that one line becomes: what `consentctl import` reads, and the
// lines of `settings set --file` and `settings opt-out --file`, which are the same without people. No gRPC.
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
  // Where in the line: "choices[2]".
  std::string part;
  SettingChange change;
  Evidence evidence;
};

struct ImportRetention {
  // "retention", or "retention[1]".
  std::string part;
  RetentionChange change;
};

// What of a line cannot be used, and why; no ids.
struct LineFault {
  std::string part;
  std::string why;
  // What cannot be read here may be a no or a shorter retention.
  bool may_hide_no = false;
};

// One subject. client/cli/README.md documents the line.
struct ImportLine {
  AccountId account_id;
  std::optional<std::string> region;
  std::vector<Profile> profiles;
  std::vector<DeviceId> devices;
  std::vector<ImportChoice> choices;
  std::vector<ImportRetention> retention;
  // What could not be read. The refusals and shorter retentions above count all the same; nothing else of the line
  // does.
  std::vector<LineFault> faults;
  // Yeses that do not count because the line itself says otherwise; they are not among the choices.
  std::vector<LineFault> overruled;
};

// InvalidArgument, and nothing of the line may be used: it is no JSON object, or its account cannot be read, so that it
// may refuse for any account. Whatever else is wrong is a fault of the line, bytes that are not UTF-8 and keys that
// appear twice included: a no counts where account, scope and target can be read. Unknown keys are faults: a misspelt
// refusal must not get lost.
absl::StatusOr<ImportLine> ParseImportLine(std::string_view line);
// The same for changes that are entered: without people and `given_at`, with `channel`, and with `answers` for each
// yes, the time of the no that it answers.
absl::StatusOr<ImportLine> ParseChangeLine(std::string_view line);

// "until-deleted", "do-not-save" or months such as "3m". InvalidArgument: anything else.
absl::StatusOr<Retention> ParseRetention(const std::string& text);

// One call of an import and the part of the line that it is, for messages: "choices[2]".
struct ImportCall {
  std::string part;
  std::variant<OptOutOrder, SettingsUpdate, SubjectUpdate> order;
};

// Everything in the line that can only restrict: refusals, and retention that ends by itself. Each carries a request_id
// made from the line's bytes, so that the same line sent again is the same request.
std::vector<ImportCall> RestrictionsOf(const ImportLine& line, std::string_view bytes);
// The registration, then the consents, one call for each evidence; nothing where the line only restricts or has faults.
// The caller puts the etag of the call before into each.
std::vector<ImportCall> LooseningsOf(const ImportLine& line, std::string_view bytes);

}  // namespace consent
