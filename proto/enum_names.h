// The names of enum values without the prefix that each of an enum's values repeats: "HUMAN_REVIEW" of
// consent.v1.PURPOSE_HUMAN_REVIEW. JSON, flags, errors and metric labels take their names from here, so that they are
// written down once, in the protos. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/generated_enum_reflection.h>

namespace consent::proto {

// "PURPOSE_" of Purpose: what stands before UNSPECIFIED in the name of zero.
template <typename Enum>
std::string_view EnumPrefix() {
  constexpr std::string_view kZero = "UNSPECIFIED";
  std::string_view zero = google::protobuf::GetEnumDescriptor<Enum>()->FindValueByNumber(0)->name();
  zero.remove_suffix(kZero.size());
  return zero;
}

// Empty for a number that the enum does not have. Lives as long as the process.
template <typename Enum>
std::string_view EnumName(int number) {
  const auto* value = google::protobuf::GetEnumDescriptor<Enum>()->FindValueByNumber(number);
  return value == nullptr ? std::string_view() : std::string_view(value->name()).substr(EnumPrefix<Enum>().size());
}

// Takes the short name and the full one. Nothing for any other text, and for zero, which is no value to choose.
template <typename Enum>
std::optional<int> EnumNumber(std::string_view name) {
  const std::string_view prefix = EnumPrefix<Enum>();
  if (name.substr(0, prefix.size()) == prefix) name.remove_prefix(prefix.size());
  const auto* value =
      google::protobuf::GetEnumDescriptor<Enum>()->FindValueByName(std::string(prefix) + std::string(name));
  if (value == nullptr || value->number() == 0) return std::nullopt;
  return value->number();
}

}  // namespace consent::proto
