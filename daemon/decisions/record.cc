#include "daemon/decisions/record.h"

#include <sodium.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "consent/v1/eligibility_service.pb.h"
#include "consent/v1/types.pb.h"
#include "daemon/base/hash.h"
#include "proto/enum_names.h"

namespace consent::decisions {
namespace {

constexpr std::string_view kBegin = R"({"v":1,"n":)";
constexpr std::string_view kPrevious = R"(,"prev":")";
constexpr size_t kUsualBytes = 768;  // of a record with one yes

// Any valid UTF-8 as a JSON string.
std::string Quoted(std::string_view text) {
  return nlohmann::json(std::string(text)).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

template <typename Enum, typename Value>
std::string_view NameOf(Value value) {
  return proto::EnumName<Enum>(static_cast<int>(value));
}

}  // namespace

RecordWriter::RecordWriter(HandleKeys& keys, const Asked& asked)
    : keys_(keys), cipher_(keys.Borrow(Month::Of(asked.now.latest))) {
  const base::Now& now = asked.now;
  body_.reserve(kUsualBytes);
  absl::StrAppend(&body_, R"("now":[)", now.wall.micros, ",", now.earliest.micros, ",", now.latest.micros, ",",
                  now.not_before.micros, R"(],"store":")", base::Hex(base::View(asked.store_id)), R"(","caller":)",
                  Quoted(asked.caller), R"(,"call":")", absl::string_view(asked.call.data(), asked.call.size()));
  const auto add = [this](std::string_view key, std::string_view value) {
    body_.append(R"(",")").append(key).append(R"(":")").append(value);
  };
  add("purpose", NameOf<v1::Purpose>(asked.purpose));
  add("selection", NameOf<v1::Selection>(asked.selection));
  add("country", asked.place.country.IsSet() ? asked.place.country.ToString() : "");
  add("reviewer", asked.place.reviewer_class == domain::ReviewerClass::kMissing
                      ? std::string_view()
                      : NameOf<v1::ReviewerClass>(asked.place.reviewer_class));
  add("policy", asked.rules.version);
  add("policy_hash", base::Hex(base::View(asked.rules.hash)));
  add("month", cipher_->month().ToText());
  body_.append(R"(","site":)").append(Quoted(asked.place.site)).append(R"(,"yes":[)");
}

RecordWriter::~RecordWriter() { keys_.GiveBack(std::move(cipher_)); }

void RecordWriter::AddHandle(const base::Bytes16& handle) {
  constexpr size_t kHandleDigits = 32;
  const base::Bytes16 sealed = cipher_->Encrypt(handle);
  char hex[kHandleDigits + 1];
  sodium_bin2hex(hex, sizeof hex, sealed.data(), sealed.size());
  body_.append(1, '"').append(hex, kHandleDigits).append(1, '"');
}

void RecordWriter::AddNumber(int64_t number) {
  char digits[24];
  const char* const end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  body_.append(1, ',').append(digits, static_cast<size_t>(end - digits));
}

void RecordWriter::AddTime(base::Instant time) {
  if (time.IsSet()) {
    AddNumber(time.micros);
  } else {
    body_.append(",null");
  }
}

void RecordWriter::Add(const Yes& yes) {
  const domain::RecordingFacts& facts = yes.facts;
  body_.append(body_.back() == '[' ? "[" : ",[");
  AddHandle(yes.subject.bytes);
  body_.append(1, ',');
  AddHandle(yes.recording.bytes);
  body_.append(",[");
  for (size_t i = 0; i < facts.profiles.size(); ++i) {
    if (i != 0) body_.append(1, ',');
    AddHandle(facts.profiles[i].bytes);
  }
  body_.append("],");
  if (facts.device.IsSet()) {
    AddHandle(facts.device.bytes);
  } else {
    body_.append("null");
  }
  AddTime(facts.captured_at);
  if (facts.has_uncertainty) {
    AddNumber(facts.uncertainty.micros);
  } else {
    body_.append(",null");
  }
  AddTime(facts.ingested_at);
  body_.append(R"(,")");
  if (facts.has_region) body_.append(facts.region.ToString());
  body_.append(1, '"');
  for (const int number :
       {static_cast<int>(facts.wake), static_cast<int>(facts.kind), static_cast<int>(facts.speakers),
        static_cast<int>(facts.identity), static_cast<int>(facts.age), static_cast<int>(facts.artefact),
        static_cast<int>(facts.made_for), static_cast<int>(facts.flags)}) {
    AddNumber(number);
  }
  AddNumber(static_cast<int64_t>(yes.head));
  AddNumber(static_cast<int64_t>(yes.revision));
  AddNumber(static_cast<int64_t>(yes.reason));
  body_.append(1, ']');
}

std::string RecordWriter::Take() {
  body_.append("]}");
  return std::move(body_);
}

std::string RecordHead(uint64_t number, const base::Digest& previous) {
  std::string head(kBegin);
  absl::StrAppend(&head, number);
  return head.append(kPrevious).append(base::Hex(base::View(previous))).append(R"(",)");
}

base::Digest RecordHash(std::string_view head, std::string_view body) { return base::Blake2b(head, body); }

bool ReadRecordNumber(std::string_view line, uint64_t* number) {
  if (!line.starts_with(kBegin)) return false;
  line.remove_prefix(kBegin.size());
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), *number);
  return error == std::errc() && *number != 0 &&
         line.substr(static_cast<size_t>(end - line.data())).starts_with(kPrevious);
}

}  // namespace consent::decisions
