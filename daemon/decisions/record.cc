#include "daemon/decisions/record.h"

#include <algorithm>
#include <array>
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

constexpr std::array<char, 512> kHexPairs = [] {
  constexpr std::string_view kAllDigits = "0123456789abcdef";
  std::array<char, 512> pairs{};
  for (size_t byte = 0; byte < 256; ++byte) {
    pairs[2 * byte] = kAllDigits[byte >> 4];
    pairs[2 * byte + 1] = kAllDigits[byte & 15];
  }
  return pairs;
}();

// As base::Hex, which takes the same time for all bytes as secrets need it: several times as long, and a record has no
// secret.
template <size_t N>
void AppendHex(const std::array<uint8_t, N>& bytes, std::string* out) {
  std::array<char, 2 * N> digits;
  for (size_t i = 0; i < N; ++i) std::copy_n(kHexPairs.data() + 2 * size_t{bytes[i]}, 2, digits.data() + 2 * i);
  out->append(digits.data(), digits.size());
}

// Any valid UTF-8 as a JSON string.
std::string Quoted(std::string_view text) {
  const bool is_plain =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
  if (is_plain) return std::string(1, '"').append(text).append(1, '"');
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
                  now.not_before.micros, R"(],"store":")");
  AppendHex(asked.store_id, &body_);
  absl::StrAppend(&body_, R"(","caller":)", Quoted(asked.caller), R"(,"call":")",
                  absl::string_view(asked.call.data(), asked.call.size()));
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
  add("policy_hash", "");
  AppendHex(asked.rules.hash, &body_);
  add("month", cipher_->month().ToText());
  body_.append(R"(","site":)").append(Quoted(asked.place.site)).append(R"(,"yes":[)");
}

RecordWriter::~RecordWriter() { keys_.GiveBack(std::move(cipher_)); }

void RecordWriter::AddHandle(const base::Bytes16& handle) {
  body_.append(1, '"');
  AppendHex(handle, &body_);
  body_.append(1, '"');
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
  std::array<base::Bytes16, 3 + base::kMaxNamedProfiles> handles;
  handles[0] = yes.subject.bytes;
  handles[1] = yes.recording.bytes;
  handles[2] = facts.device.bytes;
  const size_t profiles = std::min<size_t>(facts.profiles.size(), base::kMaxNamedProfiles);
  for (size_t i = 0; i < profiles; ++i) handles[3 + i] = facts.profiles[i].bytes;
  cipher_->EncryptAll(handles.data(), 3 + profiles);
  body_.append(body_.back() == '[' ? "[" : ",[");
  AddHandle(handles[0]);
  body_.append(1, ',');
  AddHandle(handles[1]);
  body_.append(",[");
  for (size_t i = 0; i < profiles; ++i) {
    if (i != 0) body_.append(1, ',');
    AddHandle(handles[3 + i]);
  }
  body_.append("],");
  if (facts.device.IsSet()) {
    AddHandle(handles[2]);
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
  head.append(kPrevious);
  AppendHex(previous, &head);
  return head.append(R"(",)");
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
