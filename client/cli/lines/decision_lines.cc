#include "client/cli/lines/decision_lines.h"

#include <chrono>
#include <optional>
#include <utility>

#include "client/cli/lines/json_fields.h"
#include "daemon/base/hash.h"

namespace consent {
namespace {

using Json = nlohmann::json;

constexpr size_t kHandleBytes = 16;
constexpr size_t kHashBytes = 32;
constexpr size_t kElements = 19;
constexpr int64_t kLastMicro = 253'402'300'799'999'999;  // of the year 9999
constexpr int64_t kMaxSequence = 1'000'000'000'000'000;
constexpr int64_t kMaxUncertaintyMicros = base::kMaxUncertaintyMs * 1000;
constexpr int kAllFlags = 15;

// Reads the array of one yes, element after element. After the first mistake it reads nothing more.
class Elements {
 public:
  explicit Elements(const Json& yes) : yes_(yes), ok_(yes.is_array() && yes.size() == kElements) {}

  std::string Handle(bool may_be_null = false) {
    const Json* const value = Next();
    if (value == nullptr || (may_be_null && value->is_null())) return "";
    return HandleIn(*value);
  }
  std::vector<std::string> Handles() {
    std::vector<std::string> handles;
    const Json* const value = Next();
    if (value == nullptr) return handles;
    ok_ = ok_ && value->is_array() && value->size() <= base::kMaxNamedProfiles;
    if (!ok_) return handles;
    for (const Json& handle : *value) handles.push_back(HandleIn(handle));
    return handles;
  }
  std::optional<int64_t> Number(int64_t low, int64_t high, bool may_be_null = false) {
    const Json* const value = Next();
    if (value == nullptr || (may_be_null && value->is_null())) return std::nullopt;
    ok_ = value->is_number_integer() && value->get<int64_t>() >= low && value->get<int64_t>() <= high;
    return ok_ ? std::optional<int64_t>(value->get<int64_t>()) : std::nullopt;
  }
  template <typename Enum>
  Enum Named() {
    return FromNumber<Enum>(static_cast<int>(Number(0, 255).value_or(0)));
  }
  std::optional<Time> At() {
    const std::optional<int64_t> micros = Number(1, kLastMicro, true);
    return micros.has_value() ? std::optional<Time>(std::chrono::microseconds(*micros)) : std::nullopt;
  }
  std::string Text(size_t most) {
    const Json* const value = Next();
    if (value == nullptr) return "";
    ok_ = value->is_string() && value->get_ref<const std::string&>().size() <= most;
    return ok_ ? value->get<std::string>() : "";
  }
  bool ok() const { return ok_; }

 private:
  const Json* Next() { return ok_ ? &yes_[at_++] : nullptr; }
  std::string HandleIn(const Json& value) {
    std::string handle(kHandleBytes, '\0');
    ok_ = ok_ && value.is_string() && base::FromHex(value.get_ref<const std::string&>(), handle.data(), kHandleBytes);
    return ok_ ? handle : "";
  }

  const Json& yes_;
  size_t at_ = 0;
  bool ok_;
};

bool ReadYes(const Json& json, RecordedYes* yes) {
  Elements elements(json);
  yes->subject = elements.Handle();
  yes->recording = elements.Handle();
  yes->profiles = elements.Handles();
  yes->device = elements.Handle(/*may_be_null=*/true);
  yes->captured_at = elements.At();
  if (const auto micros = elements.Number(0, kMaxUncertaintyMicros, true); micros.has_value()) {
    yes->uncertainty = std::chrono::microseconds(*micros);
  }
  yes->ingested_at = elements.At();
  yes->region = elements.Text(base::kMaxNameBytes);
  yes->wake = elements.Named<Wake>();
  yes->kind = elements.Named<Kind>();
  yes->speakers = elements.Named<Speakers>();
  yes->identity = elements.Named<Identity>();
  yes->age = elements.Named<SpeakerAge>();
  yes->artefact = elements.Named<Artefact>();
  yes->made_for = elements.Named<Purpose>();
  yes->flags = static_cast<int>(elements.Number(0, kAllFlags).value_or(0));
  yes->head = elements.Number(0, kMaxSequence).value_or(0);
  yes->revision = elements.Number(1, kMaxSequence).value_or(0);
  yes->reason = elements.Named<Reason>();
  return elements.ok() && yes->reason != Reason::kUnset;
}

void ReadHex(Fields& fields, const char* key, size_t bytes, std::string* out) {
  std::string hex;
  out->assign(bytes, '\0');
  if (fields.ReadText(key, 2 * bytes, 2 * bytes, &hex) && !base::FromHex(hex, out->data(), bytes)) {
    fields.Fail(key, "must be lower-case hexadecimal");
  }
}

// The four times of `now`; 0 is none.
void ReadNow(Fields& fields, DecisionRecord* record) {
  const Json& times = fields.ReadArray("now", 4);
  std::optional<Time>* const to[] = {&record->wall, &record->earliest, &record->latest, &record->not_before};
  if (times.size() != std::size(to)) return fields.Fail("now", "must be four times");
  for (size_t i = 0; i < std::size(to); ++i) {
    if (!times[i].is_number_integer() || times[i].get<int64_t>() < 0 || times[i].get<int64_t>() > kLastMicro) {
      return fields.Fail("now", "must be four times, in microseconds since 1970");
    }
    if (times[i].get<int64_t>() != 0) *to[i] = Time(std::chrono::microseconds(times[i].get<int64_t>()));
  }
}

template <typename Enum>
void ReadNameOrNone(Fields& fields, const char* key, Enum* out) {
  std::string text;
  if (!fields.ReadText(key, 0, base::kMaxNameBytes, &text) || text.empty()) return;
  if (!ParseName(text, out)) fields.Fail(key, "is no name that this version knows");
}

}  // namespace

absl::StatusOr<DecisionLine> ParseDecisionLine(std::string_view line) {
  const absl::StatusOr<Json> object = ParseObject(line, kMaxDecisionLineBytes);
  if (!object.ok()) return object.status();
  Fields fields(*object);
  DecisionLine read;
  DecisionRecord& record = read.record;
  std::optional<int64_t> version;
  std::optional<int64_t> number;
  fields.Require({"v", "n", "prev", "now", "store", "caller", "call", "purpose", "selection", "country", "reviewer",
                  "policy", "policy_hash", "month", "site", "yes"});
  fields.ReadInteger("v", 1, 1, &version);
  fields.ReadInteger("n", 1, INT64_MAX, &number);
  fields.ReadText("prev", 2 * kHashBytes, 2 * kHashBytes, &read.previous);
  ReadNow(fields, &record);
  ReadHex(fields, "store", kHandleBytes, &record.store_id);
  fields.ReadText("caller", 0, kMaxDecisionLineBytes, &read.caller);
  fields.ReadText("call", 1, base::kMaxIdBytes, &read.call);
  fields.ReadName("purpose", &record.purpose);
  fields.ReadName("selection", &read.selection);
  fields.ReadText("country", 0, base::kMaxNameBytes, &record.place.country);
  ReadNameOrNone(fields, "reviewer", &record.place.reviewer);
  fields.ReadText("policy", 1, base::kMaxNameBytes, &record.policy_version);
  ReadHex(fields, "policy_hash", kHashBytes, &record.policy_hash);
  fields.ReadText("month", 1, base::kMaxNameBytes, &record.month);
  fields.ReadText("site", 0, base::kMaxNameBytes, &record.place.site);
  for (const Json& yes : fields.ReadArray("yes", base::kMaxBatch)) {
    if (!ReadYes(yes, &record.yeses.emplace_back())) {
      fields.Fail("yes", "entry " + std::to_string(record.yeses.size() - 1) + " is none of version 1");
      break;
    }
  }
  if (record.yeses.empty()) fields.Fail("yes", "must have an entry");
  fields.AllowOnly({"v", "n", "prev", "now", "store", "caller", "call", "purpose", "selection", "country", "reviewer",
                    "policy", "policy_hash", "month", "site", "yes"});
  if (!fields.status().ok()) return fields.status();
  read.number = static_cast<uint64_t>(*number);
  return read;
}

std::string DecisionLineHash(std::string_view line) {
  const base::Digest hash = base::Blake2b(line);
  return base::Hex(base::View(hash));
}

}  // namespace consent
