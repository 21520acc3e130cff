#include "client/cli/lines/decision_lines.h"

#include <chrono>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "client/lines/json_fields.h"
#include "daemon/base/base64.h"
#include "daemon/base/hash.h"
#include "daemon/base/month.h"

namespace consent {
namespace {

using Json = nlohmann::json;

constexpr size_t kHandleBytes = 16;
constexpr size_t kHashBytes = 32;
constexpr size_t kYesElements = 10;
constexpr size_t kFactsElements = 10;
constexpr int64_t kLastMicro = 253'402'300'799'999'999;  // of the year 9999
constexpr int64_t kMaxSequence = 1'000'000'000'000'000;
constexpr int64_t kMaxUncertaintyMicros = base::kMaxUncertaintyMs * 1000;
constexpr int kAllFlags = 15;

// False: no 16 bytes in base64url.
bool ReadHandle(const Json& value, std::string* handle) {
  if (!value.is_string()) return false;
  std::optional<std::string> bytes = base::DecodeBase64Url(value.get_ref<const std::string&>(), kHandleBytes);
  if (!bytes.has_value()) return false;
  *handle = *std::move(bytes);
  return true;
}

// Reads an array of `count` elements, one after another. After the first mistake it reads nothing more.
class Elements {
 public:
  Elements(const Json& array, size_t count) : array_(array), ok_(array.is_array() && array.size() == count) {}

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
  const Json* Next() { return ok_ ? &array_[at_++] : nullptr; }
  std::string HandleIn(const Json& value) {
    std::string handle;
    ok_ = ok_ && ReadHandle(value, &handle);
    return handle;
  }

  const Json& array_;
  size_t at_ = 0;
  bool ok_;
};

// What an element of `facts` says goes into `yes`.
bool ReadFacts(const Json& json, RecordedYes* yes) {
  Elements elements(json, kFactsElements);
  if (const auto micros = elements.Number(0, kMaxUncertaintyMicros, true); micros.has_value()) {
    yes->uncertainty = std::chrono::microseconds(*micros);
  }
  yes->region = elements.Text(base::kMaxNameBytes);
  yes->wake = elements.Named<Wake>();
  yes->kind = elements.Named<Kind>();
  yes->speakers = elements.Named<Speakers>();
  yes->identity = elements.Named<Identity>();
  yes->age = elements.Named<SpeakerAge>();
  yes->artefact = elements.Named<Artefact>();
  yes->made_for = elements.Named<Purpose>();
  yes->flags = static_cast<int>(elements.Number(0, kAllFlags).value_or(0));
  return elements.ok();
}

// `facts`: what each of its elements says.
bool ReadYes(const Json& json, const std::vector<RecordedYes>& facts, RecordedYes* yes) {
  Elements elements(json, kYesElements);
  std::string subject = elements.Handle();
  std::string recording = elements.Handle();
  std::vector<std::string> profiles = elements.Handles();
  std::string device = elements.Handle(/*may_be_null=*/true);
  const std::optional<Time> captured_at = elements.At();
  const std::optional<Time> ingested_at = elements.At();
  const auto place = elements.Number(0, static_cast<int64_t>(facts.size()) - 1);
  if (!place.has_value()) return false;
  *yes = facts[static_cast<size_t>(*place)];
  yes->subject = std::move(subject);
  yes->recording = std::move(recording);
  yes->profiles = std::move(profiles);
  yes->device = std::move(device);
  yes->captured_at = captured_at;
  yes->ingested_at = ingested_at;
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

// What every record says.
void ReadAsker(Fields& fields, DecisionLine* line) {
  std::optional<int64_t> version;
  std::optional<int64_t> number;
  fields.ReadInteger("v", 3, 3, &version);
  fields.ReadInteger("n", 1, INT64_MAX, &number);
  line->number = static_cast<uint64_t>(number.value_or(0));
  fields.ReadText("prev", 2 * kHashBytes, 2 * kHashBytes, &line->previous);
  ReadNow(fields, &line->record);
  ReadHex(fields, "store", kHandleBytes, &line->record.store_id);
  fields.ReadText("caller", 0, kMaxDecisionLineBytes, &line->caller);
  fields.ReadText("call", 1, base::kMaxIdBytes, &line->call);
  fields.ReadText("month", base::MonthKeyName::kBytes, base::MonthKeyName::kBytes, &line->record.month);
}

void ReadYeses(Fields& fields, DecisionRecord* record) {
  std::vector<RecordedYes> facts;
  for (const Json& each : fields.ReadArray("facts", base::kMaxBatch)) {
    if (!ReadFacts(each, &facts.emplace_back())) {
      return fields.Fail("facts", "element " + std::to_string(facts.size() - 1) + " is none of version 3");
    }
  }
  for (const Json& yes : fields.ReadArray("yes", base::kMaxBatch)) {
    if (!ReadYes(yes, facts, &record->yeses.emplace_back())) {
      return fields.Fail("yes", "entry " + std::to_string(record->yeses.size() - 1) + " is none of version 3");
    }
  }
  if (record->yeses.empty()) fields.Fail("yes", "must have an entry");
}

absl::Status ReadDecisions(Fields& fields, DecisionLine* line) {
  DecisionRecord& record = line->record;
  static constexpr auto kKeys = {"v",    "n",      "prev",        "now",       "store",   "caller",
                                 "call", "month",  "purpose",     "selection", "country", "reviewer",
                                 "site", "policy", "policy_hash", "yes",       "facts"};
  fields.Require(kKeys);
  ReadAsker(fields, line);
  fields.ReadName("purpose", &record.purpose);
  fields.ReadName("selection", &line->selection);
  fields.ReadText("country", 0, base::kMaxNameBytes, &record.place.country);
  ReadNameOrNone(fields, "reviewer", &record.place.reviewer);
  fields.ReadText("site", 0, base::kMaxNameBytes, &record.place.site);
  fields.ReadText("policy", 1, base::kMaxNameBytes, &record.policy_version);
  ReadHex(fields, "policy_hash", kHashBytes, &record.policy_hash);
  ReadYeses(fields, &record);
  fields.AllowOnly(kKeys);
  return fields.status();
}

absl::Status ReadRead(Fields& fields, const Json& object, DecisionLine* line) {
  fields.Require({"v", "n", "prev", "now", "store", "caller", "call", "month", "read"});
  ReadAsker(fields, line);
  fields.ReadText("read", 1, base::kMaxIdBytes, &line->read);
  const auto subject = object.find("subject");
  if (subject == object.end() || (!subject->is_null() && !ReadHandle(*subject, &line->read_subject))) {
    fields.Fail("subject", "must be a handle or null");
  }
  fields.AllowOnly({"v", "n", "prev", "now", "store", "caller", "call", "month", "read", "subject"});
  return fields.status();
}

}  // namespace

absl::StatusOr<DecisionLine> ParseDecisionLine(std::string_view line) {
  const absl::StatusOr<Json> object = ParseObject(line, kMaxDecisionLineBytes);
  if (!object.ok()) return object.status();
  Fields fields(*object);
  DecisionLine read;
  const absl::Status status =
      object->contains("read") ? ReadRead(fields, *object, &read) : ReadDecisions(fields, &read);
  if (!status.ok()) return status;
  return read;
}

std::string DecisionLineHash(std::string_view line) {
  const base::Digest hash = base::Sha256(line);
  return base::Hex(base::View(hash));
}

}  // namespace consent
