// The bytes of rows, and tokens: read back, frozen, and safe against anything.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "daemon/base/hash.h"
#include "daemon/service/rows/safety_flag_rows.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/service/state/policy_book.h"
#include "daemon/service/state/tokens.h"
#include "tests/support/base/seeded_keys.h"
#include "tests/support/model/seeds.h"
#include "tests/support/service/recording.h"
#include "tests/support/service/seeded_random.h"
#include "tests/unit/service/torment.h"

namespace consent::service {
namespace {

using domain::ScopeKind;
using domain::ScopeRef;

template <typename H>
H HandleOf(uint8_t number) {
  H handle;
  handle.bytes.fill(number);
  return handle;
}

class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  uint64_t Below(uint64_t n) { return engine_() % n; }
  std::string Text(size_t limit) {
    std::string text(Below(limit + 1), '\0');
    for (char& c : text) c = static_cast<char>(engine_());
    return text;
  }
  ScopeRef Scope() {
    ScopeRef scope{static_cast<ScopeKind>(Below(3)), {}};
    if (scope.kind != ScopeKind::kAccount) scope.handle.fill(static_cast<uint8_t>(Below(256)));
    return scope;
  }

 private:
  std::mt19937_64 engine_;
};

domain::FactChange SomeChange(Dice& dice) {
  domain::FactChange change;
  change.what = static_cast<domain::ChangedWhat>(1 + dice.Below(12));
  change.scope = dice.Scope();
  if (change.what == domain::ChangedWhat::kPurpose) {
    change.purpose = domain::kAllPurposes[dice.Below(domain::kPurposes)];
    change.from = static_cast<domain::Choice>(dice.Below(4));
    change.to = static_cast<domain::Choice>(dice.Below(4));
  }
  if (change.what == domain::ChangedWhat::kRetention) {
    change.retention = {static_cast<domain::RetentionKind>(dice.Below(3)), static_cast<uint8_t>(dice.Below(121))};
  }
  if (change.what == domain::ChangedWhat::kRefusedAgain) {
    change.purpose = domain::kAllPurposes[dice.Below(domain::kPurposes)];
  }
  if (change.what == domain::ChangedWhat::kFlags) change.flags = static_cast<uint8_t>(dice.Below(16));
  return change;
}

ChangeRow SomeRow(uint64_t seed) {
  Dice dice(seed);
  constexpr ChangeKind kKinds[] = {ChangeKind::kUpsertSubject,   ChangeKind::kUpdateSettings,
                                   ChangeKind::kOptOut,          ChangeKind::kReportRecording,
                                   ChangeKind::kPolicyActivated, ChangeKind::kSuspensionChanged};
  ChangeRow row;
  row.kind = kKinds[dice.Below(6)];
  row.previous = dice.Below(1'000'000'000);
  row.policy_version = dice.Text(64);
  row.channel = static_cast<domain::Channel>(dice.Below(7));
  row.registered_now = dice.Below(2) == 0;
  row.flags = static_cast<uint8_t>(dice.Below(16));
  for (uint64_t i = dice.Below(5); i > 0; --i) {
    domain::PartOutcome part;
    part.refusal = static_cast<domain::Refusal>(dice.Below(static_cast<uint64_t>(domain::Refusal::kLast) + 1));
    part.changed = dice.Below(2) == 0;
    if (dice.Below(3) == 0) part.detail = dice.Text(256);
    row.parts.push_back(part);
  }
  for (uint64_t i = dice.Below(6); i > 0; --i) row.changes.push_back(SomeChange(dice));
  row.facts = dice.Text(200);
  row.sealed = dice.Text(300);
  if (row.kind >= ChangeKind::kPolicyActivated) {
    row.caller = dice.Text(64);
    row.nonce.fill(static_cast<uint8_t>(seed));
  }
  return row;
}

Payload SomePayload(uint64_t seed) {
  Dice dice(seed);
  Payload payload;
  payload.evidence = dice.Text(500);
  payload.caller = dice.Text(64);
  for (uint64_t i = dice.Below(4); i > 0; --i) payload.names.emplace_back(dice.Scope(), dice.Text(128));
  for (uint64_t i = dice.Below(3); i > 0; --i) {
    payload.guardians.emplace_back(HandleOf<base::GuardianHandle>(static_cast<uint8_t>(dice.Below(256))),
                                   dice.Text(128));
  }
  for (uint64_t i = dice.Below(3); i > 0; --i) {
    domain::ShownText shown;
    shown.kind = i == 2 ? domain::ShownKind::kNotice : domain::ShownKind::kControl;
    shown.name = dice.Text(64);
    shown.language = dice.Text(35);
    shown.sha256.fill(static_cast<uint8_t>(dice.Below(256)));
    payload.shown.push_back(std::move(shown));
  }
  if (dice.Below(2) == 1) payload.account_id = dice.Text(128);
  if (dice.Below(2) == 1) payload.proposed_by = payload.approved_by = dice.Text(96);
  return payload;
}

bool SameParts(const ChangeRow& a, const ChangeRow& b) {
  if (a.parts.size() != b.parts.size()) return false;
  for (size_t i = 0; i < a.parts.size(); ++i) {
    if (a.parts[i].refusal != b.parts[i].refusal || a.parts[i].changed != b.parts[i].changed ||
        a.parts[i].detail != b.parts[i].detail) {
      return false;
    }
  }
  return true;
}

// Every other change of a purpose says until when the consent holds.
ChangeRow WithEnds(ChangeRow row) {
  for (size_t i = 0; i < row.changes.size(); i += 2) {
    row.changes[i].loosens = true;
    if (row.changes[i].what == domain::ChangedWhat::kPurpose) {
      row.changes[i].holds_until = base::kLastInstant - base::Days(static_cast<int64_t>(i));
    }
  }
  return row;
}

TEST(ChangeRow, ReadsBack) {
  for (const uint64_t seed : model::Seeds(5'000)) {
    const ChangeRow row = WithEnds(SomeRow(seed));
    ChangeRow back = SomeRow(seed + 1);
    ASSERT_TRUE(DecodeChangeRow(EncodeChangeRow(row), &back)) << seed;
    ASSERT_EQ(back.kind, row.kind);
    ASSERT_EQ(back.previous, row.previous);
    ASSERT_EQ(back.policy_version, row.policy_version);
    ASSERT_EQ(back.channel, row.channel);
    ASSERT_EQ(back.registered_now, row.registered_now);
    ASSERT_EQ(back.flags, row.flags);
    ASSERT_TRUE(SameParts(back, row)) << seed;
    ASSERT_EQ(back.changes, row.changes) << seed;
    ASSERT_EQ(back.facts, row.facts);
    ASSERT_EQ(back.sealed, row.sealed);
    ASSERT_EQ(back.caller, row.caller);
    ASSERT_EQ(back.nonce, row.nonce);
  }
}

TEST(ChangeRow, HostileBytes) {
  const auto reencode = [](const std::string& bytes) {
    ChangeRow row;
    return DecodeChangeRow(bytes, &row) ? EncodeChangeRow(row) : std::string();
  };
  for (const uint64_t seed : model::SlowSeeds(300)) {
    test::Torment(EncodeChangeRow(WithEnds(SomeRow(seed))), reencode, seed);
  }
}

TEST(Payload, ReadsBackAndSurvivesHostileBytes) {
  const auto reencode = [](const std::string& bytes) {
    Payload payload;
    return DecodePayload(bytes, &payload) ? EncodePayload(payload) : std::string();
  };
  for (const uint64_t seed : model::SlowSeeds(300)) {
    const Payload payload = SomePayload(seed);
    Payload back;
    ASSERT_TRUE(DecodePayload(EncodePayload(payload), &back));
    ASSERT_EQ(back.evidence, payload.evidence);
    ASSERT_EQ(back.caller, payload.caller);
    ASSERT_EQ(back.names, payload.names);
    ASSERT_EQ(back.guardians, payload.guardians);
    ASSERT_EQ(back.shown, payload.shown);
    ASSERT_EQ(back.account_id, payload.account_id);
    test::Torment(EncodePayload(payload), reencode, seed);
  }
}

TEST(Payload, OfARecordingReadsBack) {
  Payload payload = SomePayload(3);
  payload.recording_id = "r-81";
  payload.note = "called";
  Payload back;
  ASSERT_TRUE(DecodePayload(EncodePayload(payload), &back));
  EXPECT_EQ(back.recording_id, "r-81");
  EXPECT_EQ(back.note, "called");
  EXPECT_EQ(back.account_id, payload.account_id);
  test::Torment(
      EncodePayload(payload),
      [](const std::string& bytes) {
        Payload one;
        return DecodePayload(bytes, &one) ? EncodePayload(one) : std::string();
      },
      3);
}

TEST(Payload, OpensOnlyUnderItsKeyAndSubject) {
  test::SeededRandom random(1);
  const auto subject = HandleOf<base::SubjectHandle>(3);
  base::Digest key{};
  key[0] = 9;
  base::Digest commitment{};
  const Payload payload = SomePayload(8);
  const std::string sealed = SealPayload(key, payload, subject, random, &commitment);
  ASSERT_TRUE(OpenPayload(key, sealed, subject).ok());
  EXPECT_EQ(OpenPayload(key, sealed, subject)->evidence, payload.evidence);
  EXPECT_FALSE(OpenPayload(key, sealed, HandleOf<base::SubjectHandle>(4)).ok());
  base::Digest other = key;
  other[31] = 1;
  EXPECT_FALSE(OpenPayload(other, sealed, subject).ok());
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string flipped = sealed;
    flipped[i] = static_cast<char>(flipped[i] ^ 4);
    ASSERT_FALSE(OpenPayload(key, flipped, subject).ok()) << i;
  }
  base::Digest again{};
  EXPECT_NE(SealPayload(key, payload, subject, random, &again), sealed);
  EXPECT_NE(again, commitment) << "the nonce is in the commitment: two equal payloads cannot be told to be equal";
}

domain::RecordingState SomeMarks() {
  domain::RecordingState marks;
  marks.flags = 10;
  marks.has_tombstone = true;
  marks.tombstone = domain::TombstoneState::kVerified;
  marks.on_hold = true;
  return marks;
}

domain::RecordingState MarksOfSafety() {
  domain::RecordingState marks = SomeMarks();
  marks.safety_since = base::Instant{1'700'000'000'000'003};
  return marks;
}

SafetyFlagRow Flagged() {
  SafetyFlagRow row;
  row.subject = HandleOf<base::SubjectHandle>(1);
  row.recording = HandleOf<base::RecordingHandle>(2);
  row.reported_at = base::Instant{1'700'000'000'000'000};
  row.reported = 7;
  return row;
}

SafetyFlagRow TakenUp() {
  SafetyFlagRow row = Flagged();
  row.acknowledged_at = base::Instant{1'700'000'000'000'004};
  row.acknowledged = 8;
  return row;
}

const RequestRow kRequest{base::Instant{1'700'000'000'000'001}, 123'456'789, {1, 2, 3}};
const SuspensionRow kSuspension{domain::Purpose::kModelTraining, test::Where("US-CA"), true,
                                base::Instant{1'700'000'000'000'002}, "why"};

TEST(Rows, ReadBackAndSurviveHostileBytes) {
  const auto subject = HandleOf<base::SubjectHandle>(1);
  const auto recording = HandleOf<base::RecordingHandle>(2);
  test::Torment(
      EncodeMarksRow(subject, recording, SomeMarks()),
      [](const std::string& bytes) {
        base::SubjectHandle s;
        base::RecordingHandle r;
        domain::RecordingState marks;
        return DecodeMarksRow(bytes, &s, &r, &marks) ? EncodeMarksRow(s, r, marks) : std::string();
      },
      1);
  test::Torment(
      EncodeRequestRow(kRequest),
      [](const std::string& bytes) {
        RequestRow row;
        return DecodeRequestRow(bytes, &row) ? EncodeRequestRow(row) : std::string();
      },
      2);
  test::Torment(
      EncodeSuspension(kSuspension),
      [](const std::string& bytes) {
        SuspensionRow row;
        return DecodeSuspension(bytes, &row) ? EncodeSuspension(row) : std::string();
      },
      3);
  const domain::RecordingState reported = MarksOfSafety();
  test::Torment(
      EncodeMarksRow(subject, recording, reported),
      [](const std::string& bytes) {
        base::SubjectHandle s;
        base::RecordingHandle r;
        domain::RecordingState marks;
        return DecodeMarksRow(bytes, &s, &r, &marks) ? EncodeMarksRow(s, r, marks) : std::string();
      },
      5);
  const SafetyFlagRow flag = Flagged();
  const SafetyFlagRow taken = TakenUp();
  SafetyFlagRow handled = flag;
  handled.handled_at = base::Instant{1'700'000'000'000'005};
  handled.handled = 9;
  for (const SafetyFlagRow& one : {taken, handled}) {
    test::Torment(
        EncodeSafetyFlagRow(one),
        [](const std::string& bytes) {
          SafetyFlagRow row;
          return DecodeSafetyFlagRow(bytes, &row) ? EncodeSafetyFlagRow(row) : std::string();
        },
        6);
    SafetyFlagRow back;
    ASSERT_TRUE(DecodeSafetyFlagRow(EncodeSafetyFlagRow(one), &back));
    EXPECT_EQ(back, one);
  }
  test::Torment(
      EncodeSafetyFlagRow(flag),
      [](const std::string& bytes) {
        SafetyFlagRow row;
        return DecodeSafetyFlagRow(bytes, &row) ? EncodeSafetyFlagRow(row) : std::string();
      },
      4);
  SafetyFlagRow flag_back;
  ASSERT_TRUE(DecodeSafetyFlagRow(EncodeSafetyFlagRow(flag), &flag_back));
  EXPECT_EQ(flag_back, flag);
  base::SubjectHandle s;
  base::RecordingHandle r;
  domain::RecordingState marks;
  ASSERT_TRUE(DecodeMarksRow(EncodeMarksRow(subject, recording, SomeMarks()), &s, &r, &marks));
  EXPECT_EQ(s, subject);
  EXPECT_EQ(r, recording);
  EXPECT_EQ(marks, SomeMarks());
  ASSERT_TRUE(DecodeMarksRow(EncodeMarksRow(subject, recording, reported), &s, &r, &marks));
  EXPECT_EQ(marks, reported);
  std::string_view facts;
  const std::string row = EncodeSubjectRow(subject, "facts");
  ASSERT_TRUE(SplitSubjectRow(row, &s, &facts));
  EXPECT_EQ(facts, "facts");
  EXPECT_FALSE(SplitSubjectRow(EncodeSubjectRow(subject, ""), &s, &facts)) << "a subject without facts is none";
}

TEST(Rows, GoldenBytes) {
  ChangeRow row = SomeRow(12);
  row.parts = {{domain::Refusal::kNone, true, ""}, {domain::Refusal::kEvidenceRequired, false, "channel"}};
  Payload payload;
  payload.evidence = "evidence";
  payload.names.emplace_back(ScopeRef{ScopeKind::kProfile, HandleOf<base::ProfileHandle>(7).bytes}, "ann");
  payload.guardians.emplace_back(HandleOf<base::GuardianHandle>(8), "gil");
  payload.shown.push_back({domain::ShownKind::kControl, "help_improve", "de", base::Digest{7}});
  payload.account_id = "acc";
  payload.proposed_by = "ann";
  payload.approved_by = "ben";
  const Tokens tokens(test::SeededKeys(1), base::Bytes16{5});
  const std::map<std::string, std::string> now = {
      {"change", base::Hex(EncodeChangeRow(row))},
      {"marks",
       base::Hex(EncodeMarksRow(HandleOf<base::SubjectHandle>(1), HandleOf<base::RecordingHandle>(2), SomeMarks()))},
      {"marks_of_safety", base::Hex(EncodeMarksRow(HandleOf<base::SubjectHandle>(1), HandleOf<base::RecordingHandle>(2),
                                                   MarksOfSafety()))},
      {"payload", base::Hex(EncodePayload(payload))},
      {"request", base::Hex(EncodeRequestRow(kRequest))},
      {"safety_flag", base::Hex(EncodeSafetyFlagRow(Flagged()))},
      {"safety_flag_taken", base::Hex(EncodeSafetyFlagRow(TakenUp()))},
      {"subject", base::Hex(EncodeSubjectRow(HandleOf<base::SubjectHandle>(1), "facts"))},
      {"suspension", base::Hex(EncodeSuspension(kSuspension))},
      {"token", tokens.Encode(Revision{store::Partition{2}, 1234})}};
  std::ifstream file(std::string(CONSENT_GOLDEN_DIR) + "/service/rows-1.txt");
  std::map<std::string, std::string> frozen;
  for (std::string line; std::getline(file, line);) {
    if (const size_t tab = line.find('\t'); tab != std::string::npos) {
      frozen[line.substr(0, tab)] = line.substr(tab + 1);
    }
  }
  std::ostringstream would_be;
  for (const auto& [name, hex] : now) would_be << name << '\t' << hex << '\n';
  EXPECT_EQ(frozen, now) << would_be.str();
}

}  // namespace
}  // namespace consent::service
