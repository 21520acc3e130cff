// What consentctl prints: one JSON object, tables on a terminal, tab-separated text otherwise.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/printable.h"
#include "client/cli/table.h"

namespace consent::cli {

using Json = nlohmann::ordered_json;

// What the caller wants to see of a reply.
struct OutputForm {
  // One JSON object.
  bool json = false;
  // Tables begin with a line of their columns' names.
  bool header = true;
};

// The reply of one command in both forms.
struct Report {
  Json json = Json::object();
  std::vector<Table> tables;
};

// {"code", "reason", "message", "metadata", "fields"}.
Json ErrorJson(const absl::Status& status);
// One line; of several fields at fault one more for each. What is wrong with a field is said once.
std::string ErrorText(const absl::Status& status);

// Indented, with a line's end; bytes that are no UTF-8 are replaced.
std::string JsonText(const Json& json);

// Writes all of it or fails; errno says why.
bool WriteAll(int descriptor, std::string_view bytes);

// Writes to standard output. Returns `code`, or kFiles where it cannot be written: without a word where its reader has
// gone away, as `head -1` does.
int PrintText(const std::string& text, int code);
// Says on standard error what looks mistaken about an id that was typed as `flag`; nothing where nothing does.
void WarnOfOddId(const std::string& flag, const std::string& id);
// Adds whether the account was new to the daemon: the only sign of a mistyped id.
void TellNewSubject(bool is_new, Report* report);
// Adds what of a restriction's call the daemon left out; nothing where that is empty.
void TellUnusable(const std::string& unusable, Report* report);
// Prints the report to standard output. Returns `code`, or kFiles where standard output cannot be written.
int Print(const Report& report, const OutputForm& form, int code);
int Print(const Report& report, bool as_json, int code);
// Prints the error to standard error and, with as_json, as an object {"error": …} to standard output. Returns the exit
// code.
int PrintError(const absl::Status& status, bool as_json);

}  // namespace consent::cli
