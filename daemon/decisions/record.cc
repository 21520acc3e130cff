#include "daemon/decisions/record.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "consent/v1/eligibility_service.pb.h"
#include "consent/v1/types.pb.h"
#include "daemon/base/hash.h"
#include "proto/enum_names.h"

namespace consent::decisions {
namespace {

constexpr std::string_view kBegin = R"({"v":3,"n":)";
constexpr std::string_view kPrevious = R"(,"prev":")";
constexpr size_t kUsualHead = 640;   // what a record has beside its yeses
constexpr size_t kUsualEntry = 144;  // of a recording with one profile

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
char* WriteHex(const std::array<uint8_t, N>& bytes, char* at) {
  for (const uint8_t byte : bytes) at = std::copy_n(kHexPairs.data() + 2 * size_t{byte}, 2, at);
  return at;
}

template <size_t N>
void AppendHex(const std::array<uint8_t, N>& bytes, std::string* out) {
  std::array<char, 2 * N> digits;
  WriteHex(bytes, digits.data());
  out->append(digits.data(), digits.size());
}

// RecordHead; its size.
size_t WriteHead(uint64_t number, const base::Digest& previous, std::array<char, Record::kHeadRoom>* head) {
  constexpr std::string_view kEnd = R"(",)";
  char* at = std::copy(kBegin.begin(), kBegin.end(), head->data());
  at = std::to_chars(at, head->data() + head->size(), number).ptr;
  at = std::copy(kPrevious.begin(), kPrevious.end(), at);
  at = WriteHex(previous, at);
  at = std::copy(kEnd.begin(), kEnd.end(), at);
  return static_cast<size_t>(at - head->data());
}

// The text of one entry, in a place that holds the longest.
class Entry {
 public:
  void Text(std::string_view text) { at_ = std::copy(text.begin(), text.end(), at_); }
  void Number(int64_t number) { at_ = std::to_chars(at_, text_.data() + text_.size(), number).ptr; }
  void Time(base::Instant time) {
    if (!time.IsSet()) return Text("null");
    Number(time.micros);
  }
  // As base::EncodeBase64Url in quotes, which takes the same time for all bytes, too.
  void Handle(const base::Bytes16& handle) {
    constexpr std::string_view kBase64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    *at_++ = '"';
    for (size_t i = 0; i + 3 <= handle.size(); i += 3) {
      const uint32_t bits = uint32_t{handle[i]} << 16 | uint32_t{handle[i + 1]} << 8 | uint32_t{handle[i + 2]};
      *at_++ = kBase64Digits[bits >> 18];
      *at_++ = kBase64Digits[bits >> 12 & 63];
      *at_++ = kBase64Digits[bits >> 6 & 63];
      *at_++ = kBase64Digits[bits & 63];
    }
    *at_++ = kBase64Digits[handle.back() >> 2];
    *at_++ = kBase64Digits[(handle.back() & 3) << 4];
    *at_++ = '"';
  }
  std::string_view text() const { return {text_.data(), static_cast<size_t>(at_ - text_.data())}; }

 private:
  static constexpr size_t kHandle = 25;  // with its comma
  static constexpr size_t kNumber = 21;
  std::array<char, 8 + (3 + base::kMaxNamedProfiles) * kHandle + 6 * kNumber> text_;
  char* at_ = text_.data();
};

// Any valid UTF-8 as a JSON string.
void AppendQuoted(std::string_view text, std::string* out) {
  const bool is_plain =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
  if (is_plain) {
    out->append(1, '"').append(text).append(1, '"');
  } else {
    out->append(nlohmann::json(std::string(text)).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
  }
}

// proto::EnumName, looked up once: descriptors are searched by hashes.
template <typename Enum, typename Value>
std::string_view NameOf(Value value) {
  static const std::vector<std::string_view> kNames = [] {
    std::vector<std::string_view> names;
    const google::protobuf::EnumDescriptor& all = *google::protobuf::GetEnumDescriptor<Enum>();
    for (int i = 0; i < all.value_count(); ++i) {
      const int number = all.value(i)->number();
      names.resize(std::max(names.size(), static_cast<size_t>(number) + 1));
      names[static_cast<size_t>(number)] = proto::EnumName<Enum>(number);
    }
    return names;
  }();
  const auto number = static_cast<size_t>(value);
  return number < kNames.size() ? kNames[number] : std::string_view();
}

// "now" and "call", which no two calls have in common.
void AppendCall(const Asker& asker, std::string* out) {
  constexpr std::string_view kNow = R"("now":[)";
  constexpr std::string_view kCall = R"(],"call":")";
  constexpr size_t kLongest = 20;
  std::array<char, kNow.size() + 4 * (kLongest + 1) + kCall.size() + CallId::kMaxProcess + 1 + kLongest + 2> text;
  char* at = std::copy(kNow.begin(), kNow.end(), text.data());
  const auto number = [&](auto value) { at = std::to_chars(at, text.data() + text.size(), value).ptr; };
  const base::Now& now = asker.now;
  number(now.wall.micros);
  for (const base::Instant time : {now.earliest, now.latest, now.not_before}) {
    *at++ = ',';
    number(time.micros);
  }
  at = std::copy(kCall.begin(), kCall.end(), at);
  at = std::copy_n(asker.call.process.data(), std::min(asker.call.process.size(), CallId::kMaxProcess), at);
  *at++ = '-';
  number(asker.call.number);
  *at++ = '"';
  *at++ = ',';
  out->append(text.data(), static_cast<size_t>(at - text.data()));
}

void AppendCaller(const Asker& asker, const base::MonthKeyName& key, std::string* out) {
  out->append(R"("store":")");
  AppendHex(asker.store_id, out);
  out->append(R"(","caller":)");
  AppendQuoted(asker.caller, out);
  out->append(R"(,"month":")").append(key.ToText()).append(1, '"');
}

}  // namespace

Record::Record(std::string_view body) {
  text_.reserve(kHeadRoom + body.size() + 1);
  text_.append(kHeadRoom, ' ').append(body).append(1, '\n');
}

Record Record::WithRoom(std::string text) {
  Record record;
  record.text_ = std::move(text);
  record.text_.append(1, '\n');
  return record;
}

Position Record::PutBehind(const Position& previous) {
  std::array<char, kHeadRoom> head;
  const size_t size = WriteHead(previous.count + 1, previous.hash, &head);
  begin_ = kHeadRoom - size;
  std::copy_n(head.begin(), size, text_.begin() + static_cast<ptrdiff_t>(begin_));
  const std::string_view with_end = line();
  return {previous.count + 1, RecordHash(with_end.substr(0, with_end.size() - 1))};
}

RecordWriter::Common::Common(const domain::RecordingFacts& facts)
    : has_uncertainty(facts.has_uncertainty),
      has_region(facts.has_region),
      uncertainty(facts.has_uncertainty ? facts.uncertainty : base::Span{}),
      region(facts.has_region ? facts.region : domain::Region{}),
      wake(facts.wake),
      kind(facts.kind),
      speakers(facts.speakers),
      identity(facts.identity),
      age(facts.age),
      artefact(facts.artefact),
      made_for(facts.made_for),
      flags(facts.flags) {}

bool RecordWriter::Context::Is(const Asked& asked, const base::MonthKeyName& asked_key) const {
  return policy_hash == asked.rules.hash && caller == asked.asker.caller && purpose == asked.purpose &&
         selection == asked.selection && country == asked.place.country &&
         reviewer_class == asked.place.reviewer_class && site == asked.place.site && key == asked_key &&
         policy == asked.rules.version && store_id == asked.asker.store_id;
}

RecordWriter::~RecordWriter() {
  if (cipher_ != nullptr) keys_.GiveBack(std::move(cipher_));
}

void RecordWriter::WriteContext(const Asked& asked, const base::MonthKeyName& key) {
  context_text_.clear();
  AppendCaller(asked.asker, key, &context_text_);
  const auto add = [this](std::string_view member, std::string_view value) {
    context_text_.append(R"(,")").append(member).append(R"(":")").append(value).append(1, '"');
  };
  add("purpose", NameOf<v1::Purpose>(asked.purpose));
  add("selection", NameOf<v1::Selection>(asked.selection));
  add("country", asked.place.country.IsSet() ? asked.place.country.ToString() : "");
  add("reviewer", asked.place.reviewer_class == domain::ReviewerClass::kMissing
                      ? std::string_view()
                      : NameOf<v1::ReviewerClass>(asked.place.reviewer_class));
  context_text_.append(R"(,"site":)");
  AppendQuoted(asked.place.site, &context_text_);
  add("policy", asked.rules.version);
  context_text_.append(R"(,"policy_hash":")");
  AppendHex(asked.rules.hash, &context_text_);
  context_text_.append(R"(","yes":[)");
  context_ = Context{.store_id = asked.asker.store_id,
                     .caller = std::string(asked.asker.caller),
                     .key = key,
                     .purpose = asked.purpose,
                     .selection = asked.selection,
                     .country = asked.place.country,
                     .reviewer_class = asked.place.reviewer_class,
                     .site = asked.place.site,
                     .policy = asked.rules.version,
                     .policy_hash = asked.rules.hash};
}

bool RecordWriter::Begin(const Asked& asked, size_t most) {
  const base::Month month = base::Month::Of(asked.asker.now.latest);
  if (cipher_ == nullptr || cipher_->name().month != month) {
    if (cipher_ != nullptr) keys_.GiveBack(std::move(cipher_));
    cipher_ = keys_.Borrow(month);
  }
  if (cipher_ == nullptr) return false;
  if (!context_.has_value() || !context_->Is(asked, cipher_->name())) WriteContext(asked, cipher_->name());
  text_.clear();
  text_.reserve(Record::kHeadRoom + kUsualHead + most * kUsualEntry);
  facts_.clear();
  known_.clear();
  facts_count_ = 0;
  is_empty_ = true;
  text_.append(Record::kHeadRoom, ' ');
  AppendCall(asked.asker, &text_);
  text_.append(context_text_);
  return true;
}

size_t RecordWriter::PlaceOf(const domain::RecordingFacts& facts) {
  const Common common(facts);
  const auto known = std::find(known_.begin(), known_.end(), common);
  if (known != known_.end()) return static_cast<size_t>(known - known_.begin());
  if (known_.size() < kMostKnown) known_.push_back(common);
  if (facts_count_ == 0 && first_facts_ == common) {
    facts_.append(first_facts_text_);
    return facts_count_++;
  }
  absl::StrAppend(&facts_, facts_count_ == 0 ? "[" : ",[");
  if (common.has_uncertainty) {
    absl::StrAppend(&facts_, common.uncertainty.micros);
  } else {
    facts_.append("null");
  }
  facts_.append(R"(,")").append(common.has_region ? common.region.ToString() : "").append(1, '"');
  for (const int number :
       {static_cast<int>(common.wake), static_cast<int>(common.kind), static_cast<int>(common.speakers),
        static_cast<int>(common.identity), static_cast<int>(common.age), static_cast<int>(common.artefact),
        static_cast<int>(common.made_for), static_cast<int>(common.flags)}) {
    absl::StrAppend(&facts_, ",", number);
  }
  facts_.append(1, ']');
  if (facts_count_ == 0) {
    first_facts_ = common;
    first_facts_text_ = facts_;
  }
  return facts_count_++;
}

void RecordWriter::Add(const Yes& yes) {
  if (cipher_ == nullptr) return;
  const domain::RecordingFacts& facts = yes.facts;
  std::array<base::Bytes16, 3 + base::kMaxNamedProfiles> handles;
  handles[0] = yes.subject.bytes;
  handles[1] = yes.recording.bytes;
  handles[2] = facts.device.bytes;
  const size_t profiles = std::min<size_t>(facts.profiles.size(), base::kMaxNamedProfiles);
  for (size_t i = 0; i < profiles; ++i) handles[3 + i] = facts.profiles[i].bytes;
  cipher_->EncryptAll(handles.data(), 3 + profiles);
  Entry entry;
  entry.Text(std::exchange(is_empty_, false) ? "[" : ",[");
  entry.Handle(handles[0]);
  entry.Text(",");
  entry.Handle(handles[1]);
  entry.Text(",[");
  for (size_t i = 0; i < profiles; ++i) {
    if (i != 0) entry.Text(",");
    entry.Handle(handles[3 + i]);
  }
  entry.Text("],");
  if (facts.device.IsSet()) {
    entry.Handle(handles[2]);
  } else {
    entry.Text("null");
  }
  entry.Text(",");
  entry.Time(facts.captured_at);
  entry.Text(",");
  entry.Time(facts.ingested_at);
  for (const uint64_t number :
       {uint64_t{PlaceOf(facts)}, yes.head, yes.revision, static_cast<uint64_t>(static_cast<int>(yes.reason))}) {
    entry.Text(",");
    entry.Number(static_cast<int64_t>(number));
  }
  entry.Text("]");
  text_.append(entry.text());
}

Record RecordWriter::Take() {
  text_.append(R"(],"facts":[)").append(facts_).append("]}");
  return Record::WithRoom(std::exchange(text_, {}));
}

void RecordWriter::Reuse(Record record) {
  std::string memory = std::move(record).TakeMemory();
  if (memory.capacity() > text_.capacity() && memory.capacity() <= kMostKept) text_ = std::move(memory);
}

std::optional<Record> ReadRecord(HandleKeys& keys, const Asker& asker, std::string_view method,
                                 const std::optional<base::SubjectHandle>& subject) {
  std::unique_ptr<HandleCipher> cipher = keys.Borrow(base::Month::Of(asker.now.latest));
  if (cipher == nullptr) return std::nullopt;
  std::string text(Record::kHeadRoom, ' ');
  AppendCall(asker, &text);
  AppendCaller(asker, cipher->name(), &text);
  text.append(R"(,"read":")").append(method).append(R"(","subject":)");
  Entry handle;
  if (subject.has_value()) {
    handle.Handle(cipher->Encrypt(subject->bytes));
  } else {
    handle.Text("null");
  }
  keys.GiveBack(std::move(cipher));
  text.append(handle.text()).append(1, '}');
  return Record::WithRoom(std::move(text));
}

std::string RecordHead(uint64_t number, const base::Digest& previous) {
  std::array<char, Record::kHeadRoom> head;
  return {head.data(), WriteHead(number, previous, &head)};
}

base::Digest RecordHash(std::string_view line) { return base::Sha256(line); }

bool ReadRecordNumber(std::string_view line, uint64_t* number) {
  if (!line.starts_with(kBegin)) return false;
  line.remove_prefix(kBegin.size());
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), *number);
  return error == std::errc() && *number != 0 &&
         line.substr(static_cast<size_t>(end - line.data())).starts_with(kPrevious);
}

}  // namespace consent::decisions
