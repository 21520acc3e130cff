#include "daemon/ops/log.h"

#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"

namespace consent::ops {
namespace {

// Bytes of the well-formed UTF-8 sequence at `at`, 0 where there is none (RFC 3629: no surrogates, nothing over-long).
size_t SequenceLength(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0}; };
  const auto tail = [&](size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const uint8_t first = byte(at);
  const uint8_t second = byte(at + 1);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(at + 1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
    return tail(at + 1) && tail(at + 2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
    return tail(at + 1) && tail(at + 2) && tail(at + 3) ? 4 : 0;
  }
  return 0;
}

void AppendQuoted(std::string_view text, std::string* out) {
  out->push_back('"');
  for (size_t at = 0; at < text.size();) {
    const size_t length = SequenceLength(text, at);
    const auto c = static_cast<uint8_t>(text[at]);
    if (length == 0) {
      out->append("\\ufffd");
      ++at;
      continue;
    }
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(static_cast<char>(c));
    } else if (c < 0x20 || c == 0x7f) {
      absl::StrAppend(out, "\\u00", absl::Hex(c, absl::kZeroPad2));
    } else {
      out->append(text.substr(at, length));
    }
    at += length;
  }
  out->push_back('"');
}

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

OperatorText::OperatorText(const absl::Status& status) : text(status.message()) {}

std::string FormatJson(Literal event, std::initializer_list<Field> fields) {
  std::string line = "\"event\":";
  AppendQuoted(event.view(), &line);
  for (const Field& field : fields) {
    line.push_back(',');
    AppendQuoted(field.key(), &line);
    line.push_back(':');
    if (field.quoted()) {
      AppendQuoted(field.value(), &line);
    } else {
      line.append(field.value());
    }
  }
  return line;
}

std::string FormatText(Literal event, std::initializer_list<Field> fields) {
  std::string line(event.view());
  for (const Field& field : fields) {
    absl::StrAppend(&line, " ", absl::string_view(field.key().data(), field.key().size()), "=");
    if (field.quoted()) {
      AppendQuoted(field.value(), &line);
    } else {
      line.append(field.value());
    }
  }
  return line;
}

Log::Log(LogFormat format, LogLevel level) {
  json_ = format == LogFormat::kJson || (format == LogFormat::kAuto && isatty(STDERR_FILENO) == 0);
  // A logger of our own, outside spdlog's global registry.
  auto sink = std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>();
  // https://no-color.org. Off a terminal there are no colours in any case.
  const char* const no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && no_colour[0] != '\0') sink->set_color_mode(spdlog::color_mode::never);
  logger_ = std::make_shared<spdlog::logger>("consentd", std::move(sink));
  logger_->set_level(ToSpdlog(level));
  logger_->flush_on(spdlog::level::trace);
  logger_->set_pattern(
      json_ ? R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v})" : "%Y-%m-%d %H:%M:%S.%eZ %^%-7l%$ %v",
      spdlog::pattern_time_type::utc);
}

Log::~Log() = default;

void Log::Write(LogLevel level, Literal event, std::initializer_list<Field> fields) {
  const spdlog::level::level_enum spdlog_level = ToSpdlog(level);
  if (!logger_->should_log(spdlog_level)) return;
  const std::string line = json_ ? FormatJson(event, fields) : FormatText(event, fields);
  logger_->log(spdlog_level, spdlog::string_view_t(line.data(), line.size()));
}

void Log::Debug(Literal event, std::initializer_list<Field> fields) { Write(LogLevel::kDebug, event, fields); }
void Log::Info(Literal event, std::initializer_list<Field> fields) { Write(LogLevel::kInfo, event, fields); }
void Log::Warn(Literal event, std::initializer_list<Field> fields) { Write(LogLevel::kWarn, event, fields); }
void Log::Error(Literal event, std::initializer_list<Field> fields) { Write(LogLevel::kError, event, fields); }

}  // namespace consent::ops
