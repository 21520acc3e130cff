#include "daemon/domain/facts_codec.h"

#include <algorithm>

#include "daemon/base/bytes.h"
#include "daemon/domain/scope_codec.h"

namespace consent::domain {
namespace {

using base::Decoder;
using base::Encoder;
using internal::GetScope;
using internal::GetSetTime;
using internal::GetTime;
using internal::PutScope;
using internal::PutTime;

constexpr uint8_t kFormat = 4;
// Beside the account: profiles and devices, as many again that only restrictions named or that were removed, and what
// the rest folds into.
constexpr size_t kMaxScopes = 4 * kMaxProfiles + 2;

// Of a subject.
constexpr uint64_t kRegistered = 1, kMarks = 2, kRegion = 4, kDefaultFrom = 8, kClosed = 16, kSelectors = 32,
                   kMoreScopes = 64, kReopened = 128, kDefaultDenied = 256, kForgotten = 512, kUnverified = 1024,
                   kLeftDefault = 2048, kFormerRegions = 4096, kRestored = 8192, kJoin = 16384, kJoinedFrom = 32768,
                   kRestricted = 65536;
// Instead of their number: more than the record holds, and none in it.
constexpr uint64_t kManyTombstones = kMaxTombstones + 1;
// In place of a former region that is several in one; the packed form of none.
constexpr uint32_t kSeveralRegions = UINT32_MAX;
// Of a tombstone; the low two bits are its state.
constexpr uint8_t kOfCopies = 4, kUnsure = 8, kNoEnd = 16, kNoBeginning = 32;

void PutScopeName(Encoder& out, ScopeKind kind, const base::Bytes16& handle) {
  out.Byte(static_cast<uint8_t>(kind));
  if (kind != ScopeKind::kAccount) out.Raw(base::View(handle));
}

void GetScopeName(Decoder& in, ScopeKind* kind, base::Bytes16* handle) {
  const uint8_t number = in.Byte();
  if (number > static_cast<uint8_t>(ScopeKind::kDevice)) in.Fail();
  *kind = static_cast<ScopeKind>(number);
  if (*kind != ScopeKind::kAccount) *handle = in.Array<16>();
}

void PutTombstone(Encoder& out, const Tombstone& tombstone) {
  const OrderedTimes& times = tombstone.captured;
  const bool of_copies = !tombstone.copies_of.Empty();
  const bool unsure = times.sure() != times.latest();
  out.Byte(static_cast<uint8_t>(static_cast<uint8_t>(tombstone.state) | (of_copies ? kOfCopies : 0) |
                                (unsure ? kUnsure : 0) | (times.HasEnd() ? 0 : kNoEnd) |
                                (times.HasBeginning() ? 0 : kNoBeginning)));
  if (of_copies) out.BigEndian(tombstone.copies_of.bits, 2);
  PutScopeName(out, tombstone.scope, tombstone.handle);
  if (times.HasBeginning()) PutTime(out, times.from());
  if (times.HasEnd()) PutTime(out, times.latest());
  if (unsure) PutTime(out, times.sure());
}

Tombstone GetTombstone(Decoder& in) {
  Tombstone tombstone;
  const uint8_t bits = in.Byte();
  const uint8_t state = bits & 3;
  if (state > static_cast<uint8_t>(TombstoneState::kVerified) || (bits >> 6) != 0) in.Fail();
  tombstone.state = static_cast<TombstoneState>(state);
  if ((bits & kOfCopies) != 0) {
    tombstone.copies_of.bits = static_cast<uint16_t>(in.BigEndian(2));
    if (tombstone.copies_of.Empty() || tombstone.copies_of.bits >= 1U << kPurposes) in.Fail();
  }
  GetScopeName(in, &tombstone.scope, &tombstone.handle);
  const Instant from = (bits & kNoBeginning) != 0 ? Instant{} : GetSetTime(in);
  const Instant latest = (bits & kNoEnd) != 0 ? base::kEndOfTime : GetSetTime(in);
  const Instant sure = (bits & kUnsure) != 0 ? GetTime(in) : latest;
  tombstone.captured = OrderedTimes::Between(from, sure, latest);
  const bool in_order = from <= latest && sure <= latest && (sure != latest) == ((bits & kUnsure) != 0);
  if (!in_order || tombstone.captured.HasEnd() == ((bits & kNoEnd) != 0)) in.Fail();
  return tombstone;
}

void GetSelectors(Decoder& in, SubjectFacts* out) {
  uint64_t tombstones = in.Varint();
  if (tombstones > kManyTombstones) in.Fail();
  out->has_more_tombstones = tombstones == kManyTombstones;
  if (out->has_more_tombstones) tombstones = 0;
  for (uint64_t i = 0; in.ok() && i < tombstones; ++i) {
    out->tombstones.push_back(GetTombstone(in));
  }
  const uint64_t holds = in.Varint();
  if (holds > kMaxHolds) in.Fail();
  for (uint64_t i = 0; in.ok() && i < holds; ++i) {
    Hold hold;
    GetScopeName(in, &hold.scope, &hold.handle);
    hold.captured.from = GetTime(in);
    hold.captured.to = GetTime(in);
    out->holds.push_back(hold);
  }
  out->holds_changed = in.Varint();
  if (tombstones + holds + out->holds_changed == 0 && !out->has_more_tombstones) in.Fail();
}

void PutFormerRegions(Encoder& out, const SubjectFacts& facts) {
  out.Byte(static_cast<uint8_t>(facts.former_regions.size()));
  for (const FormerRegion& former : facts.former_regions) {
    out.BigEndian(former.several ? kSeveralRegions : former.region.packed(), 4);
    PutTime(out, former.until);
  }
}

void GetFormerRegions(Decoder& in, SubjectFacts* out) {
  const uint8_t count = in.Byte();
  if (count == 0 || count > kMaxFormerRegions) in.Fail();
  for (uint8_t i = 0; in.ok() && i < count; ++i) {
    FormerRegion former;
    const auto packed = static_cast<uint32_t>(in.BigEndian(4));
    former.several = packed == kSeveralRegions;
    if (packed != 0 && !former.several) {
      former.region = Region::FromPacked(packed);
      if (!former.region.IsSet()) in.Fail();
    }
    former.until = GetSetTime(in);
    out->former_regions.push_back(former);
  }
}

// Of accounts that were joined into it. Sixteen bytes and the state of the other half.
void PutJoins(Encoder& out, const SubjectFacts& facts) {
  if (facts.join != JoinState::kNone) {
    out.Byte(static_cast<uint8_t>(facts.join));
    out.Raw(base::View(facts.joined_into.bytes));
  }
  if (facts.joined_from.empty()) return;
  out.Byte(static_cast<uint8_t>(facts.joined_from.size()));
  for (const JoinedFrom& from : facts.joined_from) {
    out.Raw(base::View(from.subject.bytes));
    out.Varint(from.revision);
  }
}

void GetJoins(Decoder& in, uint64_t bits, SubjectFacts* out) {
  if ((bits & kJoin) != 0) {
    const uint8_t state = in.Byte();
    if (state == 0 || state > static_cast<uint8_t>(JoinState::kRenaming)) in.Fail();
    out->join = static_cast<JoinState>(state);
    out->joined_into.bytes = in.Array<16>();
    if (!out->joined_into.IsSet()) in.Fail();
  }
  if ((bits & kJoinedFrom) == 0) return;
  const uint8_t count = in.Byte();
  if (count == 0 || count > kMaxJoinedFrom) in.Fail();
  for (uint8_t i = 0; in.ok() && i < count; ++i) {
    JoinedFrom from;
    from.subject.bytes = in.Array<16>();
    from.revision = in.Varint();
    if (!from.subject.IsSet()) in.Fail();
    out->joined_from.push_back(from);
  }
}

// Everything back to what allows nothing; memory is kept.
void Reset(SubjectFacts* out) {
  out->revision = 0;
  out->restricted = 0;
  out->registered = false;
  out->has_recording_marks = false;
  out->has_unverified_deletions = false;
  out->left_a_default = false;
  out->region = Region{};
  out->former_regions.clear();
  out->default_from = Instant{};
  out->default_denied = Instant{};
  out->closed_at = Instant{};
  out->forgotten = false;
  out->reopened_at = Instant{};
  out->restored_at = Instant{};
  out->join = JoinState::kNone;
  out->joined_into = {};
  out->joined_from.clear();
  out->holds_changed = 0;
  out->scopes.resize(1);
  out->scopes[0] = ScopeFacts{};
  out->tombstones.clear();
  out->has_more_tombstones = false;
  out->cover.reset();
  out->beside.clear();
  out->holds.clear();
}

bool Decode(std::string_view bytes, SubjectFacts* out) {
  Decoder in(bytes);
  if (in.Byte() != kFormat) return false;
  const uint64_t bits = in.Varint();
  out->registered = (bits & kRegistered) != 0;
  out->has_recording_marks = (bits & kMarks) != 0;
  out->has_unverified_deletions = (bits & kUnverified) != 0;
  out->left_a_default = (bits & kLeftDefault) != 0;
  out->revision = in.Varint();
  if ((bits & kRestricted) != 0) {
    const uint64_t changes_ago = in.Varint();
    if (changes_ago >= out->revision) in.Fail();
    out->restricted = out->revision - changes_ago;
  }
  if ((bits & kRegion) != 0) {
    out->region = Region::FromPacked(static_cast<uint32_t>(in.BigEndian(4)));
    if (!out->region.IsSet()) in.Fail();
  }
  if ((bits & kDefaultFrom) != 0) out->default_from = GetSetTime(in);
  if ((bits & kClosed) != 0) out->closed_at = GetSetTime(in);
  if ((bits & kReopened) != 0) out->reopened_at = GetSetTime(in);
  if ((bits & kDefaultDenied) != 0) out->default_denied = GetSetTime(in);
  if ((bits & kFormerRegions) != 0) GetFormerRegions(in, out);
  if ((bits & kRestored) != 0) out->restored_at = GetSetTime(in);
  GetJoins(in, bits, out);
  out->forgotten = (bits & kForgotten) != 0;
  if ((bits >> 17) != 0 || ((out->reopened_at.IsSet() || out->forgotten) && !out->closed_at.IsSet())) in.Fail();
  GetScope(in, true, &out->scopes[0]);
  if ((bits & kMoreScopes) != 0) {
    const uint64_t count = in.Varint();
    if (count == 0 || count > kMaxScopes) in.Fail();
    for (uint64_t i = 0; in.ok() && i < count; ++i) {
      out->scopes.emplace_back();
      GetScope(in, false, &out->scopes.back());
    }
  }
  if ((bits & kSelectors) != 0) GetSelectors(in, out);
  return in.Done();
}

}  // namespace

void EncodeFacts(const SubjectFacts& facts, std::string* bytes) {
  Encoder out(bytes);
  const bool selectors =
      !facts.tombstones.empty() || facts.has_more_tombstones || !facts.holds.empty() || facts.holds_changed != 0;
  out.Byte(kFormat);
  out.Varint((facts.registered ? kRegistered : 0) | (facts.has_recording_marks ? kMarks : 0) |
             (facts.region.IsSet() ? kRegion : 0) | (facts.default_from.IsSet() ? kDefaultFrom : 0) |
             (facts.closed_at.IsSet() ? kClosed : 0) | (selectors ? kSelectors : 0) |
             (facts.scopes.size() > 1 ? kMoreScopes : 0) | (facts.reopened_at.IsSet() ? kReopened : 0) |
             (facts.default_denied.IsSet() ? kDefaultDenied : 0) | (facts.forgotten ? kForgotten : 0) |
             (facts.has_unverified_deletions ? kUnverified : 0) | (facts.left_a_default ? kLeftDefault : 0) |
             (facts.former_regions.empty() ? 0 : kFormerRegions) | (facts.restored_at.IsSet() ? kRestored : 0) |
             (facts.join != JoinState::kNone ? kJoin : 0) | (facts.joined_from.empty() ? 0 : kJoinedFrom) |
             (facts.restricted != 0 ? kRestricted : 0));
  out.Varint(facts.revision);
  if (facts.restricted != 0) out.Varint(facts.revision - facts.restricted);
  if (facts.region.IsSet()) out.BigEndian(facts.region.packed(), 4);
  if (facts.default_from.IsSet()) PutTime(out, facts.default_from);
  if (facts.closed_at.IsSet()) PutTime(out, facts.closed_at);
  if (facts.reopened_at.IsSet()) PutTime(out, facts.reopened_at);
  if (facts.default_denied.IsSet()) PutTime(out, facts.default_denied);
  if (!facts.former_regions.empty()) PutFormerRegions(out, facts);
  if (facts.restored_at.IsSet()) PutTime(out, facts.restored_at);
  PutJoins(out, facts);
  PutScope(out, facts.account());
  if (facts.scopes.size() > 1) {
    out.Varint(facts.scopes.size() - 1);
    for (size_t i = 1; i < facts.scopes.size(); ++i) PutScope(out, facts.scopes[i]);
  }
  if (!selectors) return;
  out.Varint(facts.has_more_tombstones ? kManyTombstones : facts.tombstones.size());
  for (const Tombstone& tombstone : facts.tombstones) PutTombstone(out, tombstone);
  out.Varint(facts.holds.size());
  for (const Hold& hold : facts.holds) {
    PutScopeName(out, hold.scope, hold.handle);
    PutTime(out, hold.captured.from);
    PutTime(out, hold.captured.to);
  }
  out.Varint(facts.holds_changed);
}

uint64_t RevisionOf(std::string_view bytes) {
  Decoder in(bytes);
  const bool known = in.Byte() == kFormat;
  in.Varint();
  const uint64_t revision = in.Varint();
  return known && in.ok() ? revision : 0;
}

bool DecodeFacts(std::string_view bytes, SubjectFacts* out) {
  Reset(out);
  if (bytes.size() <= kMaxFactsBytes && Decode(bytes, out)) return true;
  Reset(out);
  return false;
}

}  // namespace consent::domain
