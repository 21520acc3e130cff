#include "client/cli/output.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "absl/strings/match.h"
#include "client/cli/exit_codes.h"
#include "client/cli/terminal.h"
#include "consent/error.h"

namespace consent::cli {
Json ErrorJson(const absl::Status& status) {
  const Error error = ErrorOf(status);
  Json json;
  json["code"] = std::string(absl::StatusCodeToString(status.code()));
  json["reason"] = error.reason;
  json["message"] = std::string(status.message());
  json["metadata"] = error.metadata;
  json["fields"] = Json::array();
  for (const FieldViolation& field : error.fields) {
    json["fields"].push_back({{"field", field.field}, {"description", field.description}});
  }
  return json;
}

std::string ErrorText(const absl::Status& status) {
  const Error error = ErrorOf(status);
  std::string text = error.reason.empty() ? std::string(absl::StatusCodeToString(status.code())) : error.reason;
  // The message says what the first field says.
  if (error.fields.empty()) return text + ": " + Printable(std::string(status.message()));
  const auto told = [](const FieldViolation& field) {
    return (field.field.empty() ? "" : Printable(field.field) + ": ") + Printable(field.description);
  };
  if (error.fields.size() == 1) return text + ": " + told(error.fields.front());
  text += ": " + std::to_string(error.fields.size()) + " fields cannot be used";
  for (const FieldViolation& field : error.fields) text += "\n  " + told(field);
  return text;
}

std::string JsonText(const Json& json) {
  return PrintableJson(json.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n";
}

bool WriteAll(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

int PrintText(const std::string& text, int code) {
  if (WriteAll(STDOUT_FILENO, text)) return code;
  if (errno != EPIPE) std::fprintf(stderr, "consentctl: standard output cannot be written\n");
  return kFiles;
}

void WarnOfOddId(const std::string& flag, const std::string& id) {
  const std::string odd = Oddity(id);
  if (!odd.empty()) std::fprintf(stderr, "consentctl: %s %s: %s\n", flag.c_str(), Printable(id).c_str(), odd.c_str());
}

void TellNewSubject(bool is_new, Report* report) {
  report->json["subject_is_new"] = is_new;
  Table table("subject_is_new", {"NEW SUBJECT"});
  table.Add({is_new ? "yes: nothing was known of this account before; look at its id if that surprises" : "no"});
  report->tables.push_back(table);
}

void TellUnusable(const std::string& unusable, Report* report) {
  if (unusable.empty()) return;
  report->json["unusable"] = unusable;
  Table table("unusable", {"LEFT OUT"});
  table.Add({unusable});
  report->tables.push_back(table);
}

int Print(const Report& report, const OutputForm& form, int code) {
  if (form.json) return PrintText(JsonText(report.json), code);
  const size_t columns = TerminalColumns(STDOUT_FILENO);
  const TerminalForm terminal{columns, MayColour(STDOUT_FILENO), form.header};
  std::string text;
  for (const Table& table : report.tables) text += columns > 0 ? table.ForTerminal(terminal) : table.Plain(form.header);
  return PrintText(text, code);
}

int Print(const Report& report, bool as_json, int code) { return Print(report, OutputForm{as_json, true}, code); }

int PrintError(const absl::Status& status, bool as_json) {
  std::fprintf(stderr, "consentctl: %s\n", ErrorText(status).c_str());
  if (absl::IsUnavailable(status) && absl::StrContains(status.message(), "failed to connect")) {
    std::fprintf(stderr, "Nobody answers there: is consentd running, and is --endpoint (or CONSENT_ENDPOINT) right?\n");
  }
  const std::string reason = ErrorOf(status).reason;
  if (reason == "ETAG_REQUIRED" || reason == "ETAG_MISMATCH") {
    std::fprintf(
        stderr,
        "What allows more must name the state that was looked at: see `settings get`, `subject get`, `policy show`, "
        "`requests show` or `holds list`, and repeat the command with its --etag.\n");
  }
  if (as_json && !WriteAll(STDOUT_FILENO, JsonText(Json{{"error", ErrorJson(status)}}))) return kFiles;
  return CodeFor(status);
}

}  // namespace consent::cli
