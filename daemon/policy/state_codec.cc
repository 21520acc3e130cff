#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "daemon/base/bytes.h"
#include "daemon/policy/reading.h"
#include "daemon/policy/state.h"

namespace consent::policy {
namespace {

using base::Decoder;
using base::Encoder;
using base::Instant;
using domain::Region;

constexpr uint8_t kStateFormat = 4;
constexpr uint8_t kVersionFormat = 3;
constexpr size_t kMaxStoredName = 64;
constexpr uint16_t kAllPurposeBits = (1U << domain::kPurposes) - 1;

// A time not after `latest`; a failure otherwise. Every time in a state is one of an activation so far.
Instant ReadTime(Decoder* in, Instant latest) {
  const uint64_t micros = in->Varint();
  if (micros > static_cast<uint64_t>(latest.micros)) in->Fail();
  return in->ok() ? Instant{static_cast<int64_t>(micros)} : Instant{};
}

// A count of at most `limit`, and of no more entries than the bytes left can hold.
size_t ReadCount(Decoder* in, size_t limit) {
  const uint64_t n = in->Varint();
  if (n > limit || n > in->remaining()) in->Fail();
  return in->ok() ? static_cast<size_t>(n) : 0;
}

// A name of 1 to kMaxStoredName bytes, after `last` in order.
std::string ReadName(Decoder* in, const std::string& last) {
  std::string name(in->String(kMaxStoredName));
  if (name.empty() || name <= last) in->Fail();
  return name;
}

domain::PurposeSet ReadPurposes(Decoder* in) {
  const auto bits = static_cast<uint16_t>(in->BigEndian(2));
  if (bits > kAllPurposeBits) in->Fail();
  return {bits};
}

// Each of 1..count exactly once.
bool Numbered(const std::set<uint64_t>& numbers, size_t count) {
  return numbers.size() == count && (count == 0 || (*numbers.begin() == 1 && *numbers.rbegin() == count));
}

void ReadNotices(Decoder* in, State* state) {
  const size_t count = ReadCount(in, kMaxNoticesEver);
  std::set<uint64_t> numbers;
  std::string name;
  for (size_t i = 0; i < count && in->ok(); ++i) {
    name = ReadName(in, name);
    const uint64_t number = in->Varint();
    numbers.insert(number);
    state->notices.emplace(name, static_cast<domain::NoticeNumber>(number));
  }
  if (in->ok() && !Numbered(numbers, count)) in->Fail();
}

void ReadControls(Decoder* in, State* state) {
  const size_t count = ReadCount(in, kMaxControlsEver);
  std::set<uint64_t> numbers;
  std::string name;
  for (size_t i = 0; i < count && in->ok(); ++i) {
    name = ReadName(in, name);
    const uint8_t number = in->Byte();
    const domain::PurposeSet covers = ReadPurposes(in);
    const domain::PurposeSet last_listed = ReadPurposes(in);
    numbers.insert(number);
    state->controls.emplace(name, ControlState{number, covers, last_listed});
  }
  if (in->ok() && !Numbered(numbers, count)) in->Fail();
}

void ReadRegions(Decoder* in, size_t most, Instant latest, std::map<Region, Instant>* times) {
  const size_t count = ReadCount(in, most);
  uint64_t last = 0;
  for (size_t i = 0; i < count && in->ok(); ++i) {
    const uint64_t packed = in->Varint();
    const Instant time = ReadTime(in, latest);
    Region again;
    if (packed <= last || packed > UINT32_MAX) in->Fail();
    if (!in->ok()) return;
    const Region region = Region::FromPacked(static_cast<uint32_t>(packed));
    if (!Region::Parse(region.ToString(), &again) || again != region) return in->Fail();  // names no region
    times->emplace(region, time);
    last = packed;
  }
}

void PutRegions(Encoder& out, const std::map<Region, Instant>& times) {
  out.Varint(times.size());
  for (const auto& [region, time] : times) {
    out.Varint(region.packed());
    out.Varint(static_cast<uint64_t>(time.micros));
  }
}

// Steps of which each differs from the one before and is later; only the first has no time.
void ReadAge(Decoder* in, State* state, Region country) {
  const size_t count = ReadCount(in, kMaxAgeSteps);
  domain::AgeOfConsent consent;
  Instant last;
  for (size_t i = 0; i < count && in->ok(); ++i) {
    const Instant from = ReadTime(in, state->activated_at);
    const int years = in->Byte();
    const bool in_order = i == 0 ? !from.IsSet() : from > last && years != consent.years();
    if (!in_order) in->Fail();
    if (i == 0) consent = domain::AgeOfConsent(years);
    if (i > 0) consent.ChangeTo(years, from);
    last = from;
  }
  if (count == 0) in->Fail();
  state->ages_of_consent.emplace(country, std::move(consent));
}

void ReadAges(Decoder* in, State* state) {
  const size_t count = ReadCount(in, kMaxStateRegions);
  uint64_t next = 0;
  for (size_t i = 0; i < count && in->ok(); ++i) {
    const uint64_t packed = in->Varint();
    Region again;
    if (packed < next || packed > UINT32_MAX) in->Fail();
    if (!in->ok()) return;
    const Region country = Region::FromPacked(static_cast<uint32_t>(packed));
    const bool names_one =
        Region::Parse(country.ToString(), &again) && again == country && country == country.Country();
    if (country.IsSet() && !names_one) return in->Fail();
    ReadAge(in, state, country);
    next = packed + 1;
  }
}

bool AgesFit(const v1::Policy& policy, const State& state) {
  const auto age = [&](const Region& country) {
    const auto& listed = policy.ages_of_consent();
    const auto at = country.IsSet() ? listed.find(country.ToString()) : listed.end();
    return at != listed.end() ? at->second : policy.default_age_of_consent();
  };
  const auto others = state.ages_of_consent.find(Region{});
  if (others == state.ages_of_consent.end()) return false;
  for (const auto& [text, years] : policy.ages_of_consent()) {
    Region country;
    if (Region::Parse(text, &country) && state.ages_of_consent.count(country) == 0) return false;
  }
  return std::all_of(state.ages_of_consent.begin(), state.ages_of_consent.end(), [&](const auto& entry) {
    const bool needed = !entry.first.IsSet() || policy.ages_of_consent().count(entry.first.ToString()) != 0 ||
                        !(entry.second == others->second);
    return needed && entry.second.years() == age(entry.first);
  });
}

bool RegionsFit(const RegimeIndex& index, const State& state) {
  for (const auto& [region, regime] : index.named()) {
    if (state.opt_out_since.count(region) == 0) return false;
  }
  return std::all_of(state.opt_out_since.begin(), state.opt_out_since.end(), [&](const auto& entry) {
    const auto& [region, since] = entry;
    if (index.Names(region)) return since.IsSet() == index.OptOut(region);
    return since.IsSet() && index.OptOut(region);
  });
}

// Whether Advance could have made `state` for `document`.
bool Fits(const Document& document, const State& state) {
  const v1::Policy& policy = document.policy();
  if (!state.activated_at.IsSet()) return false;
  const domain::PurposeSet in_use = InUse(policy);
  for (const domain::Purpose p : domain::kAllPurposes) {
    if (state.in_use_since[static_cast<size_t>(p) - 1].IsSet() != in_use.Has(p)) return false;
  }
  for (const v1::Notice& notice : policy.notices()) {
    if (state.notices.count(notice.version()) == 0) return false;
  }
  std::map<std::string, domain::PurposeSet> listed;
  for (const v1::Control& control : policy.controls()) {
    if (state.controls.count(control.name()) == 0) return false;
    listed.emplace(control.name(), ToPurposeSet(control.purposes()));
  }
  for (const auto& [name, control] : state.controls) {
    if (Both(control.covers, in_use) != listed[name]) return false;
    if (!listed[name].Empty() && control.last_listed != listed[name]) return false;
  }
  return RegionsFit(RegimeIndex(policy), state) && AgesFit(policy, state);
}

}  // namespace

std::string EncodeState(const State& state) {
  std::string bytes;
  Encoder out(&bytes);
  out.Byte(kStateFormat);
  out.Varint(static_cast<uint64_t>(state.activated_at.micros));
  size_t purposes = state.in_use_since.size();
  while (purposes > 0 && !state.in_use_since[purposes - 1].IsSet()) --purposes;
  out.Varint(purposes);
  for (size_t i = 0; i < purposes; ++i) out.Varint(static_cast<uint64_t>(state.in_use_since[i].micros));
  out.Varint(state.notices.size());
  for (const auto& [version, number] : state.notices) {
    out.String(version);
    out.Varint(number);
  }
  out.Varint(state.controls.size());
  for (const auto& [name, control] : state.controls) {
    out.String(name);
    out.Byte(control.number);
    out.BigEndian(control.covers.bits, 2);
    out.BigEndian(control.last_listed.bits, 2);
  }
  PutRegions(out, state.opt_out_since);
  out.Varint(state.ages_of_consent.size());
  for (const auto& [country, consent] : state.ages_of_consent) {
    out.Varint(country.packed());
    out.Varint(consent.steps().size());
    for (const domain::AgeOfConsent::Step& step : consent.steps()) {
      out.Varint(static_cast<uint64_t>(step.from.micros));
      out.Byte(static_cast<uint8_t>(step.years));
    }
  }
  PutRegions(out, state.opt_out_until);
  return bytes;
}

absl::StatusOr<State> DecodeState(std::string_view bytes) {
  if (bytes.size() > kMaxStateBytes) return absl::DataLossError("policy state: too long");
  Decoder in(bytes);
  if (in.Byte() != kStateFormat) in.Fail();
  State state;
  state.activated_at = ReadTime(&in, base::kLastInstant);
  // Up to the last one in use, so that a purpose that comes later changes no state.
  const size_t purposes = ReadCount(&in, domain::kPurposes);
  for (size_t i = 0; i < purposes; ++i) state.in_use_since[i] = ReadTime(&in, state.activated_at);
  if (purposes > 0 && !state.in_use_since[purposes - 1].IsSet()) in.Fail();
  ReadNotices(&in, &state);
  ReadControls(&in, &state);
  ReadRegions(&in, kMaxStateRegions, state.activated_at, &state.opt_out_since);
  ReadAges(&in, &state);
  ReadRegions(&in, kMaxOnceOptOut, state.activated_at, &state.opt_out_until);
  for (const auto& [region, until] : state.opt_out_until) {
    if (!until.IsSet()) in.Fail();
  }
  if (!in.Done()) return absl::DataLossError("policy state: damaged");
  return state;
}

std::string EncodeVersion(const VersionRow& row) {
  std::string bytes;
  Encoder out(&bytes);
  out.Byte(kVersionFormat);
  out.Raw(base::View(row.document));
  out.String(row.activated_by);
  out.String(row.proposed_by);
  out.String(EncodeState(row.state));
  return bytes;
}

absl::StatusOr<VersionRow> DecodeVersion(std::string_view bytes) {
  Decoder in(bytes);
  if (in.Byte() != kVersionFormat) in.Fail();
  VersionRow row;
  row.document = in.Array<32>();
  row.activated_by = in.String(kMaxActivatedByBytes);
  row.proposed_by = in.String(kMaxActivatedByBytes);
  const std::string_view state_bytes = in.String(kMaxStateBytes);
  if (!in.Done()) return absl::DataLossError("policy version: damaged");
  absl::StatusOr<State> state = DecodeState(state_bytes);
  if (!state.ok()) return state.status();
  row.state = *std::move(state);
  return row;
}

absl::StatusOr<PolicyRow> Join(Document document, VersionRow row) {
  if (row.document != document.hash() || !Fits(document, row.state)) {
    return absl::DataLossError("policy version: the state belongs to another policy");
  }
  return PolicyRow{std::move(document), std::move(row.state), std::move(row.activated_by), std::move(row.proposed_by)};
}

}  // namespace consent::policy
