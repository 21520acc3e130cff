#include "daemon/wire/fields.h"
#include "daemon/base/names.h"
#include "daemon/domain/standards.h"

#include <utility>

#include <algorithm>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/unknown_field_set.h>

namespace consent::wire {
namespace {

constexpr int64_t kMicros = 1'000'000;
constexpr base::Span kClientAhead = base::Seconds(60);

bool IsAlphanumeric(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// "1 to 64" or "at most 64".
std::string Bounds(int64_t min, int64_t max) {
  if (min == max) return std::to_string(max);
  return min == 0 ? "at most " + std::to_string(max) : std::to_string(min) + " to " + std::to_string(max);
}

// "1 to 7", or "1 to 13, 15 to 19": what an enum has beside its zero.
std::string NumbersOf(bool (*is_valid)(int)) {
  constexpr int kMost = 256;
  std::string text;
  for (int first = 1; first < kMost; ++first) {
    if (!is_valid(first)) continue;
    int last = first;
    while (is_valid(last + 1)) ++last;
    text += (text.empty() ? "" : ", ") + std::to_string(first);
    if (last > first) text += " to " + std::to_string(last);
    first = last;
  }
  return text;
}

}  // namespace

void AddLengthFault(size_t min, size_t max, const Path& at, Violations* violations) {
  violations->Add(at, "must be " + Bounds(static_cast<int64_t>(min), static_cast<int64_t>(max)) + " bytes");
}

void AddEnumFault(bool (*is_valid)(int), const Path& at, Violations* violations) {
  violations->Add(at, "is not a number that the enum has in this version, which are " + NumbersOf(is_valid));
}

void CheckLabel(std::string_view text, size_t min, size_t max, const Path& at, Violations* violations) {
  const auto allowed = [](char c) { return IsAlphanumeric(c) || c == '.' || c == '_' || c == '-'; };
  if (text.size() >= min && text.size() <= max && std::all_of(text.begin(), text.end(), allowed)) return;
  violations->Add(
      at, "must be " + Bounds(static_cast<int64_t>(min), static_cast<int64_t>(max)) + " bytes of [A-Za-z0-9._-]");
}

void CheckSystemName(const std::string& name, const Path& at, Violations* violations) {
  std::string why = base::WhyNoSystemName(name);
  if (!why.empty()) violations->Add(at, std::move(why));
}

bool CheckCount(int count, int min, int max, const Path& at, Violations* violations) {
  if (count >= min && count <= max) return true;
  violations->Add(at, "must be " + Bounds(min, max) + " items");
  return false;
}

void CheckRange(int64_t value, int64_t min, int64_t max, const Path& at, Violations* violations) {
  if (value < min || value > max) violations->Add(at, "must be " + std::to_string(min) + " to " + std::to_string(max));
}

void CheckChosen(int value, bool (*is_valid)(int), const Path& at, Violations* violations) {
  if (value == 0) {
    violations->Add(at, "must be set; its numbers are " + NumbersOf(is_valid));
  } else {
    CheckEnum(value, is_valid, at, violations);
  }
}

base::Instant ReadTimestamp(const google::protobuf::Timestamp& time, const Path& at, Violations* violations) {
  if (time.nanos() < 0 || time.nanos() > kLastNano) {
    violations->Add(Path(at, "nanos"), "must be 0 to 999999999");
    return {};
  }
  if (time.seconds() < 0 || time.seconds() > kLastSecond) {
    violations->Add(Path(at, "seconds"), "must lie in the years 1970 to 9999");
    return {};
  }
  return ToInstant(time.seconds(), time.nanos());
}

void CheckPast(base::Instant time, base::Instant now, const Path& at, Violations* violations) {
  if (time > now + kClientAhead) violations->Add(at, "must not lie in the future");
}

void WriteTimestamp(base::Instant time, google::protobuf::Timestamp* out) {
  const base::Instant bounded = std::clamp(time, base::Instant{0}, base::kLastInstant);
  out->set_seconds(bounded.micros / kMicros);
  out->set_nanos(static_cast<int32_t>(bounded.micros % kMicros * 1'000));
}

domain::Region ReadRegion(std::string_view text, const Path& at, Violations* violations) {
  domain::Region region;
  if (!domain::Region::Parse(text, &region)) {
    violations->Add(
        at,
        "must be an ISO 3166-1 alpha-2 code such as DE, or with an ISO 3166-2 subdivision such as US-CA, in "
        "upper case");
  }
  return region;
}

domain::Region ReadCountry(std::string_view text, const Path& at, Violations* violations) {
  domain::Region region;
  if (text.size() != 2 || !domain::Region::Parse(text, &region)) {
    violations->Add(at, "must be an ISO 3166-1 alpha-2 code such as DE, in upper case");
  }
  return region;
}

void CheckAssigned(domain::Region region, const Path& at, Violations* violations) {
  const bool means_something = domain::IsAssigned(region) || domain::IsUserAssigned(region);
  if (region.IsSet() && !means_something) violations->Add(at, domain::WhyNotAssigned(region));
}

void RefuseMistypedHere(const google::protobuf::Message& message, const Path& at, Violations* violations) {
  const google::protobuf::UnknownFieldSet& unknown = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i) {
    const auto* field = message.GetDescriptor()->FindFieldByNumber(unknown.field(i).number());
    if (field != nullptr) {
      violations->AddMalformed(Path(at, field->name().c_str()), "has another wire type than the field declares");
    }
  }
}

void RefuseMistyped(const google::protobuf::Message& message, const Path& at, Violations* violations) {
  RefuseMistypedHere(message, at, violations);
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      RefuseMistyped(reflection.GetMessage(message, field), Path(at, field->name().c_str()), violations);
      continue;
    }
    const int count = reflection.FieldSize(message, field);
    for (int i = 0; i < count && count <= kMaxBatch; ++i) {
      RefuseMistyped(reflection.GetRepeatedMessage(message, field, i), Path(at, field->name().c_str(), i), violations);
    }
  }
}

}  // namespace consent::wire
