// Structured logs on stderr: one event, a few typed fields. JSON lines where stderr is not a terminal, readable text
// where it is.
//
// Ids of people and recordings must not reach a log. So a field takes numbers, booleans, string literals and, wrapped
// by name, text that an operator wrote or that the daemon made (paths, addresses, policy versions, status messages) --
// never a plain std::string or string_view, which is what an id is. A trace's id is a type that holds nothing else.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"
#include "daemon/base/trace_id.h"
#include "daemon/ops/config.h"

namespace spdlog {
class logger;
}

namespace consent::ops {

// A string literal; anything made at run time does not compile.
class Literal {
 public:
  template <size_t N>
  consteval Literal(const char (&text)[N]) : text_(text, N - 1) {}  // NOLINT(google-explicit-constructor)
  constexpr std::string_view view() const { return text_; }

 private:
  std::string_view text_;
};

// Text of the operator's world: a path, an address, a policy version, what a status says. Never anything of a request.
struct OperatorText {
  std::string text;
  explicit OperatorText(std::string value) : text(std::move(value)) {}
  // Messages of this code base hold no ids; payloads are not taken.
  explicit OperatorText(const absl::Status& status);
};

// `key`=value. Values are kept as they will be printed.
class Field {
 public:
  Field(Literal key, Literal value) : key_(key.view()), value_(value.view()), quoted_(true) {}
  Field(Literal key, OperatorText value) : key_(key.view()), value_(std::move(value.text)), quoted_(true) {}
  // Absent: null.
  Field(Literal key, const std::optional<base::TraceId>& value)
      : key_(key.view()), value_(value.has_value() ? value->ToText() : "null"), quoted_(value.has_value()) {}
  template <typename T>
  requires std::is_arithmetic_v<T> Field(Literal key, T value) : key_(key.view()) {
    if constexpr (std::is_same_v<T, bool>) {
      value_ = value ? "true" : "false";
    } else {
      value_ = std::to_string(value);
    }
  }
  std::string_view key() const { return key_; }
  const std::string& value() const { return value_; }
  bool quoted() const { return quoted_; }

 private:
  std::string_view key_;
  std::string value_;
  bool quoted_ = false;
};

// The part of a line that is this event's: `"event":"...","key":value` or `event key=value`. Control characters and
// bytes that are no UTF-8 come out escaped, so that one event is always one line. Pure.
std::string FormatJson(Literal event, std::initializer_list<Field> fields);
std::string FormatText(Literal event, std::initializer_list<Field> fields);

// Thread-safe. Writes and flushes at once, and waits where standard error does: for events of the daemon's life. What
// calls have to tell goes through CallLog.
class Log {
 public:
  // kAuto: by whether stderr is a terminal.
  Log(LogFormat format, LogLevel level);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void Debug(Literal event, std::initializer_list<Field> fields = {});
  void Info(Literal event, std::initializer_list<Field> fields = {});
  void Warn(Literal event, std::initializer_list<Field> fields = {});
  void Error(Literal event, std::initializer_list<Field> fields = {});

 private:
  void Write(LogLevel level, Literal event, std::initializer_list<Field> fields);
  bool json_ = false;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace consent::ops
