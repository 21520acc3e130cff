#include "daemon/service/rows/review_rows.h"

#include <algorithm>
#include <utility>

#include "daemon/base/bounds.h"
#include "daemon/base/bytes.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/row_codec.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

using base::Decoder;
using base::Encoder;

constexpr uint8_t kReviewFormat = 1;
constexpr size_t kMaxSealedBytes = 1024;
// Of a grant.
constexpr uint8_t kRenewedBit = 1, kBurnedBit = 2, kLateDraftBit = 4;
// Of the facts of a recording.
constexpr uint8_t kUncertaintyBit = 1, kRegionBit = 2;

template <typename E>
E GetEnum(Decoder& in, E last) {
  const uint8_t number = in.Byte();
  if (number > static_cast<uint8_t>(last)) in.Fail();
  return static_cast<E>(number);
}

template <typename E>
void PutEnum(Encoder& out, E value) {
  out.Byte(static_cast<uint8_t>(value));
}

void PutBootTime(Encoder& out, const base::BootTime& time) {
  out.Raw(base::View(time.boot));
  out.Varint(static_cast<uint64_t>(time.since.micros));
}

base::BootTime GetBootTime(Decoder& in) {
  base::BootTime time;
  time.boot = in.Array<16>();
  const uint64_t micros = in.Varint();
  if (micros > static_cast<uint64_t>(INT64_MAX)) in.Fail();
  time.since.micros = static_cast<int64_t>(micros);
  return time;
}

domain::Region GetRegion(Decoder& in) { return domain::Region::FromPacked(static_cast<uint32_t>(in.BigEndian(4))); }

void PutFacts(Encoder& out, const domain::RecordingFacts& facts) {
  out.Byte(static_cast<uint8_t>((facts.has_uncertainty ? kUncertaintyBit : 0) | (facts.has_region ? kRegionBit : 0)));
  PutTime(out, facts.captured_at);
  out.Varint(static_cast<uint64_t>(facts.uncertainty.micros));
  PutTime(out, facts.ingested_at);
  out.Byte(static_cast<uint8_t>(facts.profiles.size()));
  for (const base::ProfileHandle& profile : facts.profiles) out.Raw(base::View(profile.bytes));
  out.Raw(base::View(facts.device.bytes));
  out.BigEndian(facts.region.packed(), 4);
  PutEnum(out, facts.wake);
  PutEnum(out, facts.kind);
  PutEnum(out, facts.speakers);
  PutEnum(out, facts.identity);
  PutEnum(out, facts.age);
  PutEnum(out, facts.artefact);
  PutEnum(out, facts.made_for);
  out.Byte(facts.flags);
}

void GetFacts(Decoder& in, domain::RecordingFacts* facts) {
  const uint8_t bits = in.Byte();
  if (bits > (kUncertaintyBit | kRegionBit)) in.Fail();
  facts->has_uncertainty = (bits & kUncertaintyBit) != 0;
  facts->has_region = (bits & kRegionBit) != 0;
  facts->captured_at = GetTime(in);
  facts->uncertainty = GetTime(in) - base::Instant{};
  facts->ingested_at = GetTime(in);
  const uint8_t profiles = in.Byte();
  if (profiles > base::kMaxNamedProfiles) in.Fail();
  for (uint8_t i = 0; in.ok() && i < profiles; ++i) facts->profiles.push_back({in.Array<16>()});
  facts->device.bytes = in.Array<16>();
  facts->region = GetRegion(in);
  facts->wake = GetEnum(in, domain::Wake::kButton);
  facts->kind = GetEnum(in, domain::Kind::kSound);
  facts->speakers = GetEnum(in, domain::Speakers::kSeveral);
  facts->identity = GetEnum(in, domain::Identity::kNotRun);
  facts->age = GetEnum(in, domain::SpeakerAge::kChildPresent);
  facts->artefact = GetEnum(in, domain::Artefact::kDatasetItem);
  facts->made_for = GetEnum(in, domain::Purpose::kAdvertising);
  facts->flags = in.Byte();
}

void PutGrant(Encoder& out, const domain::ReviewGrant& grant) {
  out.Raw(base::View(grant.id.bytes));
  out.Varint(grant.fence);
  out.Byte(static_cast<uint8_t>((grant.renewed ? kRenewedBit : 0) | (grant.token_is_burned ? kBurnedBit : 0) |
                                (grant.draft_was_late ? kLateDraftBit : 0)));
  out.Varint(grant.numbers.subject);
  out.Varint(grant.numbers.accounts);
  PutTime(out, grant.numbers.policy);
  out.Varint(grant.numbers.suspensions);
  for (const uint64_t number : grant.numbers.revocations) out.Varint(number);
  PutTime(out, grant.given_at);
  PutTime(out, grant.expires_at);
  PutBootTime(out, grant.until);
  PutTime(out, grant.opened_at);
  out.Varint(grant.opens);
  out.Varint(grant.redeems);
  out.Varint(grant.offline_opens);
  out.Raw(base::View(grant.media));
  out.Raw(base::View(grant.token));
  PutBootTime(out, grant.token_until);
  PutEnum(out, grant.outcome);
  PutOptional(out, grant.digest);
}

uint32_t GetCount(Decoder& in) {
  const uint64_t count = in.Varint();
  if (count > UINT32_MAX) in.Fail();
  return static_cast<uint32_t>(count);
}

void GetGrant(Decoder& in, domain::ReviewGrant* grant) {
  grant->id.bytes = in.Array<16>();
  grant->fence = in.Varint();
  const uint8_t bits = in.Byte();
  if (bits > (kRenewedBit | kBurnedBit | kLateDraftBit) || grant->fence == 0) in.Fail();
  grant->renewed = (bits & kRenewedBit) != 0;
  grant->token_is_burned = (bits & kBurnedBit) != 0;
  grant->draft_was_late = (bits & kLateDraftBit) != 0;
  grant->numbers.subject = in.Varint();
  grant->numbers.accounts = in.Varint();
  grant->numbers.policy = GetTime(in);
  grant->numbers.suspensions = in.Varint();
  for (uint64_t& number : grant->numbers.revocations) number = in.Varint();
  grant->given_at = GetTime(in);
  grant->expires_at = GetTime(in);
  grant->until = GetBootTime(in);
  grant->opened_at = GetTime(in);
  grant->opens = GetCount(in);
  grant->redeems = GetCount(in);
  grant->offline_opens = GetCount(in);
  grant->media = in.Array<16>();
  grant->token = in.Array<16>();
  grant->token_until = GetBootTime(in);
  grant->outcome = GetEnum(in, domain::ReviewOutcome::kNotRecorded);
  grant->digest = GetOptionalDigest(in);
}

// The first half of BLAKE2b-256.
base::Bytes16 ShortHash(std::string_view text) {
  const base::Digest digest = base::Blake2b(text);
  base::Bytes16 half{};
  std::copy_n(digest.begin(), half.size(), half.begin());
  return half;
}

std::string ReviewKey(char kind, std::string_view rest) { return std::string(1, kind).append(rest); }

}  // namespace

std::string EncodeGrantRow(const GrantRow& row) {
  std::string bytes;
  Encoder out(&bytes);
  out.Byte(kReviewFormat);
  out.Raw(base::View(row.subject.bytes));
  out.Raw(base::View(row.recording.bytes));
  PutFacts(out, row.facts);
  PutEnum(out, row.purpose);
  out.BigEndian(row.place.country.packed(), 4);
  out.String(row.place.site);
  PutEnum(out, row.place.reviewer_class);
  PutEnum(out, row.selection);
  out.String(row.reviewer);
  PutGrant(out, row.grant);
  out.String(row.sealed);
  return bytes;
}

bool DecodeGrantRow(std::string_view bytes, GrantRow* row) {
  *row = GrantRow{};
  Decoder in(bytes);
  if (in.Byte() != kReviewFormat) return false;
  row->subject.bytes = in.Array<16>();
  row->recording.bytes = in.Array<16>();
  GetFacts(in, &row->facts);
  row->purpose = GetEnum(in, domain::Purpose::kAdvertising);
  row->place.country = GetRegion(in);
  row->place.site = in.String(kMaxLabelBytes);
  row->place.reviewer_class = GetEnum(in, domain::ReviewerClass::kContractor);
  row->selection = GetEnum(in, domain::Selection::kOther);
  row->reviewer = in.String(kMaxLabelBytes);
  GetGrant(in, &row->grant);
  row->sealed = in.String(kMaxSealedBytes);
  return in.Done();
}

HeardRow HeardOf(const GrantRow& row) {
  const domain::ReviewGrant& grant = row.grant;
  HeardRow heard;
  heard.id = grant.id;
  heard.given_at = grant.given_at;
  heard.expires_at = grant.expires_at;
  heard.heard_at = grant.opened_at;
  heard.opens = grant.opens;
  heard.redeems = grant.redeems;
  heard.offline_opens = grant.offline_opens;
  heard.purpose = row.purpose;
  heard.country = row.place.country;
  heard.reviewer_class = row.place.reviewer_class;
  heard.outcome = grant.outcome;
  return heard;
}

std::string EncodeHeardRow(const HeardRow& row) {
  std::string bytes;
  Encoder out(&bytes);
  out.Byte(kReviewFormat);
  out.Raw(base::View(row.id.bytes));
  PutTime(out, row.given_at);
  PutTime(out, row.expires_at);
  PutTime(out, row.heard_at);
  out.Varint(row.opens);
  out.Varint(row.redeems);
  out.Varint(row.offline_opens);
  PutEnum(out, row.purpose);
  out.BigEndian(row.country.packed(), 4);
  PutEnum(out, row.reviewer_class);
  PutEnum(out, row.outcome);
  return bytes;
}

bool DecodeHeardRow(std::string_view bytes, HeardRow* row) {
  Decoder in(bytes);
  const uint8_t format = in.Byte();
  row->id.bytes = in.Array<16>();
  row->given_at = GetTime(in);
  row->expires_at = GetTime(in);
  row->heard_at = GetTime(in);
  row->opens = GetCount(in);
  row->redeems = GetCount(in);
  row->offline_opens = GetCount(in);
  row->purpose = GetEnum(in, domain::Purpose::kAdvertising);
  row->country = GetRegion(in);
  row->reviewer_class = GetEnum(in, domain::ReviewerClass::kContractor);
  row->outcome = GetEnum(in, domain::ReviewOutcome::kNotRecorded);
  return in.Done() && format == kReviewFormat && row->heard_at.IsSet();
}

std::string EncodeHearings(const std::vector<domain::Hearing>& hearings) {
  std::string bytes;
  Encoder out(&bytes);
  out.Byte(kReviewFormat);
  out.Varint(hearings.size());
  for (const domain::Hearing& hearing : hearings) {
    out.Raw(base::View(hearing.reviewer));
    out.BigEndian(static_cast<uint32_t>(hearing.day.days), 4);
  }
  return bytes;
}

bool DecodeHearings(std::string_view bytes, std::vector<domain::Hearing>* hearings) {
  hearings->clear();
  Decoder in(bytes);
  if (in.Byte() != kReviewFormat) return false;
  const uint64_t count = in.Varint();
  if (count > domain::kMaxHearings) return false;
  for (uint64_t i = 0; in.ok() && i < count; ++i) {
    domain::Hearing hearing;
    hearing.reviewer = in.Array<16>();
    hearing.day.days = static_cast<int32_t>(static_cast<uint32_t>(in.BigEndian(4)));
    hearings->push_back(hearing);
  }
  return in.Done();
}

std::string EncodeRevocationRow(const RevocationRow& row) {
  std::string bytes;
  Encoder out(&bytes);
  out.Byte(kReviewFormat);
  out.BigEndian(row.number, 8);
  PutTime(out, row.time);
  out.String(row.by);
  out.String(row.reason);
  return bytes;
}

bool DecodeRevocationRow(std::string_view bytes, RevocationRow* row) {
  Decoder in(bytes);
  const uint8_t format = in.Byte();
  row->number = in.BigEndian(8);
  row->time = GetTime(in);
  row->by = in.String(kMaxLabelBytes);
  row->reason = in.String(kMaxTextBytes);
  return in.Done() && format == kReviewFormat && row->number != 0;
}

std::string EncodeMediaKeyRow(const MediaKeyRow& row) {
  std::string bytes;
  Encoder out(&bytes);
  out.Byte(kReviewFormat);
  out.Raw(base::View(row.public_key));
  PutTime(out, row.made_at);
  return bytes;
}

bool DecodeMediaKeyRow(std::string_view bytes, MediaKeyRow* row) {
  Decoder in(bytes);
  const uint8_t format = in.Byte();
  row->public_key = in.Array<32>();
  row->made_at = GetTime(in);
  return in.Done() && format == kReviewFormat && row->made_at.IsSet();
}

std::string GrantKey(std::string_view recording_key, domain::Artefact artefact) {
  std::string key = ReviewKey(kGrants, recording_key);
  key.push_back(static_cast<char>(artefact));
  return key;
}

std::string ReviewRowsOf(char kind, std::string_view subject_key) { return ReviewKey(kind, subject_key); }

std::string HeardKey(std::string_view subject_key, store::Sequence sequence) {
  std::string key = ReviewKey(kHeard, subject_key);
  Encoder(&key).BigEndian(sequence, 8);
  return key;
}

std::string HearingsKey(std::string_view subject_key) { return ReviewKey(kHearings, subject_key); }

std::string GrantIdKey(const base::GrantId& id) { return ReviewKey(kGrantsById, base::View(id.bytes)); }

std::string RevocationKey(domain::RevocationKind kind, std::string_view name) {
  std::string key(1, kRevocations);
  key.push_back(static_cast<char>(kind));
  return key.append(base::View(ShortHash(name)));
}

base::Bytes16 ReviewerTag(std::string_view reviewer) { return ShortHash(reviewer); }

base::SubjectHandle MediaKeyWrapHandle() {
  base::SubjectHandle handle;
  static_assert(sizeof(handle.bytes) == kMediaKeyShareKey.size());
  std::copy(kMediaKeyShareKey.begin(), kMediaKeyShareKey.end(), handle.bytes.begin());
  return handle;
}

absl::StatusOr<StoredRow<GrantRow>> LoadGrant(const Core& core, store::Partition partition, const std::string& key) {
  StoredRow<GrantRow> stored;
  absl::StatusOr<std::string> bytes = core.store.Get(partition, store::Table::kReview, key);
  if (absl::IsNotFound(bytes.status())) return stored;
  if (!bytes.ok()) return StoreUnreadable();
  if (!DecodeGrantRow(*bytes, &stored.row)) return DamagedRow("a review grant");
  stored.bytes = *std::move(bytes);
  return stored;
}

absl::StatusOr<StoredRow<std::vector<domain::Hearing>>> LoadHearings(const Core& core, base::SubjectHandle subject) {
  StoredRow<std::vector<domain::Hearing>> stored;
  absl::StatusOr<std::string> bytes =
      core.store.Get(core.PartitionOf(subject), store::Table::kReview, HearingsKey(core.SubjectKey(subject)));
  if (absl::IsNotFound(bytes.status())) return stored;
  if (!bytes.ok()) return StoreUnreadable();
  if (!DecodeHearings(*bytes, &stored.row)) return DamagedRow("the list of who has heard an account");
  stored.bytes = *std::move(bytes);
  return stored;
}

absl::Status NoSuchGrant() {
  return wire::MakeError(v1::ERROR_REASON_GRANT_NOT_FOUND, "no review grant has that grant_id");
}

absl::StatusOr<std::string> FindGrant(const Core& core, const base::GrantId& id) {
  const store::Partition partition{id.partition()};
  if (partition.number >= core.store.partition_count()) return NoSuchGrant();
  absl::StatusOr<std::string> key = core.store.Get(partition, store::Table::kReview, GrantIdKey(id));
  if (absl::IsNotFound(key.status())) return NoSuchGrant();
  if (!key.ok()) return StoreUnreadable();
  return key;
}

}  // namespace consent::service
