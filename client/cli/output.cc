#include "client/cli/output.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "client/cli/exit_codes.h"
#include "consent/error.h"

namespace consent::cli {
namespace {

// Characters, not bytes, of UTF-8.
size_t Width(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string Table::ForTerminal() const {
  if (rows_.empty()) return "";
  std::vector<size_t> widths;
  for (const std::string& header : headers_) widths.push_back(Width(header));
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(Printable(row[i])));
  }
  std::string text;
  const auto line = [&](const std::vector<std::string>& cells) {
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string cell = Printable(cells[i]);
      text += cell;
      if (i + 1 < cells.size()) text += std::string(widths[i] - Width(cell) + 2, ' ');
    }
    text += '\n';
  };
  line(headers_);
  for (const auto& row : rows_) line(row);
  return text + "\n";
}

std::string Table::Plain() const {
  std::string text;
  for (const auto& row : rows_) {
    text += name_;
    for (const std::string& cell : row) text += "\t" + Printable(cell);
    text += '\n';
  }
  return text;
}

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
  std::fprintf(stderr, "consentctl: standard output cannot be written\n");
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

int Print(const Report& report, bool as_json, int code) {
  std::string text;
  if (as_json) {
    text = JsonText(report.json);
  } else {
    const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    for (const Table& table : report.tables) text += terminal ? table.ForTerminal() : table.Plain();
  }
  return PrintText(text, code);
}

int PrintError(const absl::Status& status, bool as_json) {
  std::fprintf(stderr, "consentctl: %s\n", ErrorText(status).c_str());
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
