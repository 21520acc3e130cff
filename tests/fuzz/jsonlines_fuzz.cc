// Lines from strangers: recordings, imports, the decision log's and command-line defaults. A line that is taken holds
// to the bounds, and what is written about it is one line of JSON that names nobody.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "client/cli/lines/decision_lines.h"
#include "client/cli/lines/import_lines.h"
#include "client/lines/json_fields.h"
#include "consent/recording_lines.h"
#include "daemon/base/ids.h"
#include "daemon/base/utf8.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void Recording(std::string_view line) {
  const auto parsed = consent::ParseRecordingLine(line, {});
  if (!parsed.ok()) {
    Require(!parsed.status().message().empty());
    return;
  }
  const consent::Recording& recording = parsed->recording;
  Require(line.size() <= consent::kMaxLineBytes && consent::base::IsUtf8(line));
  Require(!recording.recording_id.empty() && recording.recording_id.value().size() <= consent::base::kMaxIdBytes);
  Require(!recording.account_id.empty() && recording.account_id.value().size() <= consent::base::kMaxIdBytes);
  Require(recording.profile_ids.size() <= 8 && recording.flags.size() <= 8);
  const std::string written = consent::AnonymousLine(recording, "0123456789abcdef0123456789abcdef");
  Require(written.find('\n') == std::string::npos);
  const nlohmann::json read = nlohmann::json::parse(written, nullptr, false);
  Require(read.is_object() && read.size() <= 8 && read.at("recording_id") == recording.recording_id.value());
  Require(!read.contains("account_id") && !read.contains("profile_ids") && !read.contains("device_id"));
}

// If any byte stands before or behind the value, nothing is taken; so the value is all of the line.
void OneValue(std::string_view line) {
  if (!consent::ParseObject(line).ok()) return;
  Require(line.front() == '{' && line.back() == '}' && line.find('\0') == std::string_view::npos &&
          line.find('\r') == std::string_view::npos);
  for (const char* byte : {" ", "\n", "\r", "\t", "}", "0", ",", "\xEF\xBB\xBF", "{}"}) {
    Require(!consent::ParseObject(std::string(line) + byte).ok() &&
            !consent::ParseObject(byte + std::string(line)).ok());
  }
  Require(!consent::ParseObject(std::string(line) + '\0').ok());
}

void Import(std::string_view line) {
  const auto parsed = consent::ParseImportLine(line);
  if (!parsed.ok()) return;
  for (const consent::ImportCall& call : consent::RestrictionsOf(*parsed, line)) {
    // Nothing that allows more may stand among the restrictions.
    Require(!std::holds_alternative<consent::SubjectUpdate>(call.order));
    if (const auto* update = std::get_if<consent::SettingsUpdate>(&call.order)) {
      Require(update->changes.empty());
      for (const auto& change : update->retention) {
        Require(change.retention.kind != consent::Retention::Kind::kUntilDeleted);
      }
    }
  }
  for (const consent::ImportCall& call : consent::LooseningsOf(*parsed, line)) {
    Require(!std::holds_alternative<consent::OptOutOrder>(call.order));
  }
}

void Decision(std::string_view line) {
  const auto parsed = consent::ParseDecisionLine(line);
  if (!parsed.ok()) {
    Require(!parsed.status().message().empty());
    return;
  }
  const consent::DecisionRecord& record = parsed->record;
  Require(parsed->number > 0 && parsed->previous.size() == 64 && record.store_id.size() == 16 && !record.month.empty());
  // A yes or a read, never both and never neither.
  Require(parsed->read.empty() != record.yeses.empty() && record.yeses.size() <= 1000);
  Require(parsed->read_subject.empty() || (!parsed->read.empty() && parsed->read_subject.size() == 16));
  for (const consent::RecordedYes& yes : record.yeses) {
    Require(yes.subject.size() == 16 && yes.recording.size() == 16 && yes.profiles.size() <= 8);
    for (const std::string& profile : yes.profiles) Require(profile.size() == 16);
    Require((yes.device.empty() || yes.device.size() == 16) && yes.flags >= 0 && yes.flags <= 15 && yes.revision > 0);
  }
  Require(consent::DecisionLineHash(line).size() == 64);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  OneValue(line);
  Recording(line);
  Import(line);
  Decision(line);
  const size_t equals = line.find('=');
  if (equals != std::string_view::npos) {
    (void)consent::LineDefaults::Create({{std::string(line.substr(0, equals)), std::string(line.substr(equals + 1))}});
  }
  return 0;
}
