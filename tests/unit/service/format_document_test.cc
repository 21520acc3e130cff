// daemon/store/FORMAT.md says what the code writes, for the rows of the use cases.
#include <gtest/gtest.h>

#include "daemon/domain/facts_codec.h"
#include "daemon/service/rows/cap_rows.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/rows/decision_log_row.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/erasure_rows.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/rows/key_share_rows.h"
#include "daemon/service/rows/month_key_rows.h"
#include "daemon/service/rows/policy_rows.h"
#include "daemon/service/rows/population_rows.h"
#include "daemon/service/rows/proposal_rows.h"
#include "daemon/service/rows/review_rows.h"
#include "daemon/service/rows/safety_flag_rows.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/service/rows/sweep_rows.h"
#include "daemon/service/rows/system_rows.h"
#include "daemon/service/rows/task_rows.h"
#include "daemon/service/rows/verification_row.h"
#include "daemon/service/state/policy_book.h"
#include "tests/support/format_document.h"
#include "tests/support/service/world.h"

namespace consent::service::format_document_test {
namespace {

using Examples = std::map<std::string, std::string>;

constexpr base::Instant kTime{1'700'000'000'123'456};
constexpr DeletionNumber kNumber = 256 * 300 + 1;
constexpr domain::SystemNumber kSystemNumber = 3;
const base::MonthKeyName kMonthKey{base::Month::Of(kTime), 0x5e0c91d2};

// begin, begin + 1, and so on.
template <size_t N = 16>
std::array<uint8_t, N> Counting(uint8_t begin) {
  std::array<uint8_t, N> bytes{};
  for (size_t i = 0; i < N; ++i) bytes[i] = static_cast<uint8_t>(begin + i);
  return bytes;
}

template <size_t N = 32>
std::array<uint8_t, N> Filled(uint8_t byte) {
  std::array<uint8_t, N> bytes{};
  bytes.fill(byte);
  return bytes;
}

base::SubjectHandle Subject() { return {Counting(0xa0)}; }
base::RecordingHandle NamedRecording() { return {Counting(0xb0)}; }
domain::Region Germany() {
  domain::Region region;
  EXPECT_TRUE(domain::Region::Parse("DE", &region));
  return region;
}

base::Instant After(int64_t days) { return kTime + base::Days(days); }

domain::SubjectFacts SomeFacts() {
  domain::SubjectFacts facts;
  facts.revision = 300;
  facts.registered = true;
  facts.region = Germany();
  facts.default_from = kTime;
  domain::ScopeFacts& account = facts.account();
  account.registered = true;
  domain::PurposeChoice& choice = account.ChoiceFor(domain::Purpose::kHumanReview);
  choice.choice = domain::Choice::kGiven;
  choice.notice = 7;
  choice.since = kTime;
  account.refused_controls.push_back({2, kTime});
  facts.tombstones.push_back(
      {domain::TombstoneState::kVerified, domain::ScopeKind::kAccount, {}, domain::OrderedTimes::Until(kTime, kTime)});
  facts.tombstones.push_back({domain::TombstoneState::kPending, domain::ScopeKind::kDevice, Counting(0xd0),
                              domain::OrderedTimes::Between(kTime, After(1), After(2))});
  facts.holds.push_back({domain::ScopeKind::kAccount, {}, {}});
  facts.holds_changed = 299;
  return facts;
}

std::string FactsBytes() {
  std::string bytes;
  domain::EncodeFacts(SomeFacts(), &bytes);
  return bytes;
}

ChangeRow OptOutRow() {
  ChangeRow row;
  row.kind = ChangeKind::kOptOut;
  row.previous = 299;
  row.policy_version = "2026-11";
  row.channel = domain::Channel::kApp;
  row.parts.push_back({domain::Refusal::kNone, true, {}});
  domain::FactChange change;
  change.what = domain::ChangedWhat::kPurpose;
  change.purpose = domain::Purpose::kHumanReview;
  change.from = domain::Choice::kGiven;
  change.to = domain::Choice::kWithdrawn;
  row.changes.push_back(change);
  row.facts = "FACTS";
  row.sealed = "SEALED";
  return row;
}

std::string LeasedEvent() {
  ChangeRow row;
  row.kind = ChangeKind::kTasksLeased;
  row.policy_version = "2026-11";
  row.caller = "local";
  row.nonce = Filled(0x0e);
  return EncodeChangeRow(row);
}

Payload SomePayload() {
  Payload payload;
  payload.evidence = "EVIDENCE";
  payload.caller = "local";
  payload.names.emplace_back(domain::ScopeRef{domain::ScopeKind::kDevice, Counting(0xd0)}, "echo");
  payload.guardians.emplace_back(base::GuardianHandle{Counting(0xe0)}, "ann");
  payload.shown.push_back({domain::ShownKind::kNotice, "2026-01", "en", Filled<32>(0x7e)});
  payload.account_id = "ann";
  return payload;
}

void AddSubjectRows(const Core& core, Examples* all) {
  const base::SubjectHandle subject = Subject();
  domain::RecordingState marks;
  marks.flags = domain::Flags::kSafety;
  marks.has_tombstone = true;
  marks.tombstone = domain::TombstoneState::kVerified;
  domain::RecordingState reported = marks;
  reported.safety_since = kTime;
  RequestRow request{kTime, 300, Filled<16>(0x0b)};
  all->insert(
      {{"subject.key", core.SubjectKey(subject)},
       {"subject.value", EncodeSubjectRow(subject, FactsBytes())},
       {"recording.key", core.RecordingKey(subject, NamedRecording())},
       {"recording.value", EncodeMarksRow(subject, NamedRecording(), marks)},
       {"request.value", EncodeRequestRow(request)},
       {"recording-safety.value", EncodeMarksRow(subject, NamedRecording(), reported)},
       {"safety-flag.value", EncodeSafetyFlagRow({subject, NamedRecording(), kTime, 300, {}, 0, {}, 0})},
       {"safety-flag-taken.value",
        EncodeSafetyFlagRow({subject, NamedRecording(), kTime, 300, kTime + base::Microseconds(1), 301, {}, 0})},
       {"decision-log.key", std::string(kDecisionLogKey)},
       {"decision-log.value", EncodeDecisionLogRow({300, Filled<32>(0xc0)})},
       {"master-key.key", std::string(kMasterKeyKey)},
       {"master-key.value", EncodeMasterKeyRow({300, Filled<8>(0xc0), 299, 298, Filled<8>(0xd0)})},
       {"month-key.key", MonthKeyRowKey(kMonthKey)},
       {"month-key.value", EncodeMonthKeyRow({kTime, After(1)})},
       {"month-key-share.key", MonthKeyShareKey(kMonthKey)},
       {"verification.key", std::string(kVerificationKey)},
       {"verification.value", EncodeVerificationRow({After(9), 300, 40, 1, 2, 0, 0, After(8)})},
       {"payload", EncodePayload(SomePayload())},
       {"change", EncodeChangeRow(OptOutRow())},
       {"change-of-no-subject", LeasedEvent()}});
}

void AddPolicyRows(Examples* all) {
  SuspensionRow suspension;
  suspension.purpose = domain::Purpose::kHumanReview;
  suspension.region = Germany();
  suspension.active = true;
  suspension.time = kTime;
  suspension.reason = "incident 4";
  suspension.by = "ben";
  suspension.approval = {{Counting(0x30)}, "anna", "ben"};
  all->insert({{"policy-in-force.key", PolicyTimeKey(kInForceRows, kTime)},
               {"policy-state.key", PolicyTimeKey(kStates, kTime)},
               {"policy-document.key", PolicyDocumentKey(Filled(0xcc))},
               {"policy-current.key", std::string(kCurrentPolicyKey)},
               {"policy-current.value", EncodeCurrentPolicy({kTime, true})},
               {"policy-notice.key", PutMark({false, 7}).key},
               {"policy-control.key", PutMark({true, 2}).key},
               {"suspension.value", EncodeSuspension(suspension)}});
}

domain::DeletionRequest SomeRequest() {
  domain::DeletionRequest request;
  request.id = {Counting(0x10)};
  request.subject = Subject();
  request.state = domain::DeletionState::kInProgress;
  request.requester = domain::Actor::kSelf;
  request.regime = "gdpr";
  request.received_at = kTime;
  request.confirm_by = After(10);
  request.due_at = After(30);
  request.verified_at = kTime;
  domain::Appeal& appeal = request.appeals.emplace_back();
  appeal.kind = domain::AppealKind::kComplaint;
  appeal.received_at = kTime;
  appeal.acknowledge_by = request.confirm_by;
  appeal.answer_by = request.due_at;
  request.changed = 300;
  request.selector.captured = domain::OrderedTimes::Until(kTime, kTime);
  request.parts.emplace_back().system = kSystemNumber;
  domain::SystemProgress& kept = request.parts.emplace_back();
  kept.system = kSystemNumber + 1;
  kept.outcome = domain::PurgeOutcome::kExempt;
  kept.epoch = 1;
  kept.ended_at = kTime;
  kept.reason = "tax";
  kept.exempt = domain::ExemptReason::kLegalObligation;
  return request;
}

TaskRow SomeTask() {
  TaskRow task;
  task.epoch = 2;
  task.failures = 1;
  task.failed_epoch = 1;
  task.waits_until = {Counting(0xf0), base::Seconds(30)};
  task.leased_until = kTime;
  task.last_error = "busy";
  return task;
}

void AddDeletionRows(const Core& core, Examples* all) {
  const base::SubjectHandle subject = Subject();
  const domain::DeletionRequest request = SomeRequest();
  domain::Tombstone tombstone;
  EXPECT_TRUE(TombstoneOf(request, &tombstone));
  all->insert(
      {{"deletion.key", DeletionKey(kNumber)},
       {"deletion.value", EncodeDeletionRow({request, "SEALED"})},
       {"deletion-by-subject.key", DeletionBySubjectKey(core, subject, kNumber)},
       {"deletion-by-subject.value", EncodeDeletionBySubjectRow({request.state, tombstone})},
       {"deletion-share.key", DeletionShareKey(core, {store::Partition{300}, kNumber})},
       {"task.key", TaskKey(kSystemNumber, kNumber)},
       {"task.value", EncodeTaskRow(SomeTask())},
       {"erasure-keys.key", WaitingKey(kKeysStep, kNumber, 0)},
       {"erasure-keys.value", EncodeWaiting(kTime, {})},
       {"erasure-bytes.key", WaitingKey(kBytesStep, kNumber, 1)},
       {"erasure-bytes.value", EncodeWaiting(kTime, {{{store::Table::kDeletion, DeletionKey(kNumber)}}, {300}})}});
}

SweepRow SomeSweeps() {
  SweepRow row;
  row.retention = {SystemRetentionKind::kSwept, "", {}, 7};
  row.retention_set_at = row.swept_since = kTime;
  row.last_whole_at = row.last.started_at = kTime;
  row.last.ended_at = kTime + base::Seconds(1);
  row.last.reported_at = kTime + base::Seconds(2);
  row.last.counts = {303, 300, 1, 2, 0, 0, 0};
  return row;
}

void AddHoldAndSystemRows(const Core& core, Examples* all) {
  HoldRow hold;
  hold.id = {Counting(0x20)};
  hold.subject = Subject();
  hold.held.recordings.push_back(NamedRecording());
  hold.placed = {"court", "case 9"};
  hold.placed_at = kTime;
  hold.review_at = After(30);
  hold.changed = 300;
  hold.sealed = "SEALED";
  SystemRow system;
  system.number = kSystemNumber;
  system.name = "audio-archive";
  system.kind = 1;
  system.matches_by = 5;
  system.latest_arrival = base::Hours(1);
  system.checks_on_ingest = true;
  system.registered_at = kTime;
  SystemRow offline = system;
  offline.offline_key.emplace(Filled(0xcc));
  all->insert({{"hold.key", HoldKey(300)},
               {"hold.value", EncodeHoldRow(hold)},
               {"hold-by-subject.key", HoldOfKey(core, Subject(), 300)},
               {"sweep.key", SystemKey(kSystemNumber)},
               {"sweep.value", EncodeSweepRow(SomeSweeps())},
               {"system.key", SystemKey(kSystemNumber)},
               {"system.value", EncodeSystemRow(system)},
               {"system-offline.value", EncodeSystemRow(offline)}});
}

void AddProposals(Examples* all) {
  ProposalRow row;
  row.id = {Counting(0x30)};
  row.act = ProposedAct::kActivatePolicy;
  row.state = ProposalState::kApproved;
  row.proposed_at = kTime;
  row.expires_at = After(3);
  row.decided_at = kTime + base::Seconds(1);
  row.request = Filled(0xcc);
  base::Encoder(&row.basis).BigEndian(static_cast<uint64_t>(kTime.micros), 8);
  row.sealed = "SEALED";
  ProposalNames names;
  names.proposer = {PersonKind::kUser, "local (user 1000)", {Filled(0xdd)}};
  names.summary = "SUM";
  all->insert({{"proposal.key", ProposalKey(row.id)},
               {"proposal.value", EncodeProposal(row)},
               {"proposed-request.key", ProposedRequestKey(row.id)},
               {"proposal-names", EncodeProposalNames(names)}});
}

GrantRow SomeGrant() {
  GrantRow row;
  row.subject = Subject();
  row.recording = NamedRecording();
  row.facts.captured_at = kTime;
  row.facts.profiles.push_back({Counting(0xe0)});
  row.facts.wake = domain::Wake::kIntended;
  row.facts.kind = domain::Kind::kCommand;
  row.facts.speakers = domain::Speakers::kOne;
  row.facts.identity = domain::Identity::kMatched;
  row.facts.age = domain::SpeakerAge::kAdult;
  row.purpose = domain::Purpose::kHumanReview;
  row.place = {Germany(), "berlin", domain::ReviewerClass::kEmployee};
  row.selection = domain::Selection::kRandom;
  row.reviewer = "r1";
  domain::ReviewGrant& grant = row.grant;
  grant.id = {Counting(0x40)};
  grant.fence = 2;
  grant.numbers.subject = 300;
  grant.numbers.accounts = 1;
  grant.numbers.policy = kTime;
  grant.numbers.suspensions = 299;
  grant.numbers.revocations = {0, 0, 0, 298};
  grant.given_at = kTime;
  grant.expires_at = kTime + domain::kGrantLife;
  grant.until = {Counting(0xf0), base::Seconds(1800)};
  grant.opened_at = kTime + base::Seconds(1);
  grant.opens = 1;
  grant.media = Counting(0x50);
  grant.token = Counting(0x60);
  grant.token_until = {Counting(0xf0), base::Seconds(121)};
  row.sealed = "SEALED";
  return row;
}

void AddReviewRows(const Core& core, Examples* all) {
  const GrantRow row = SomeGrant();
  const std::string subject_key = core.SubjectKey(row.subject);
  const std::string key = GrantKey(core.RecordingKey(row.subject, row.recording), row.facts.artefact);
  all->insert({{"review-grant.key", key},
               {"review-grant.value", EncodeGrantRow(row)},
               {"review-by-id.key", GrantIdKey(row.grant.id)},
               {"review-heard.key", HeardKey(subject_key, 300)},
               {"review-heard.value", EncodeHeardRow(HeardOf(row))},
               {"review-hearings.key", HearingsKey(subject_key)},
               {"review-hearings.value", EncodeHearings({{Counting(0x70), base::Date{20'000}}})},
               {"review-revocation.key", RevocationKey(domain::RevocationKind::kReviewer, "r1")},
               {"review-revocation.value", EncodeRevocationRow({300, kTime, "ben", "left"})},
               {"review-cap.key", DayCap(domain::Purpose::kHumanReview).key},
               {"review-cap.value", EncodeCapCounter({base::Instant{1'767'225'600'000'000}, 64})},
               {"review-population.key", PopulationKey({Germany(), *base::Month::Parse("2026-01")}, "sampler")},
               {"review-population.value", EncodePopulation({{490'896, 1'000}, {490'897, 2}})},
               {"review-heard-count.key",
                HeardCountKey({Germany(), *base::Month::Parse("2026-01"), domain::Purpose::kHumanReview})},
               {"review-heard-count.value", EncodeHeardCount(3)},
               {"review-media-key.key", std::string(kMediaKeyKey)},
               {"review-media-key.value", EncodeMediaKeyRow({Filled(0xcc), kTime})}});
}

Examples Written() {
  test::World::Options options;
  options.policy = false;
  const test::World world(options);
  Examples all;
  AddSubjectRows(world.core(), &all);
  AddPolicyRows(&all);
  AddDeletionRows(world.core(), &all);
  AddHoldAndSystemRows(world.core(), &all);
  AddProposals(&all);
  AddReviewRows(world.core(), &all);
  Examples digits;
  for (const auto& [name, bytes] : all) digits["service/" + name] = base::Hex(bytes);
  return digits;
}

TEST(FormatDocument, SaysWhatTheUseCasesWrite) {
  const Examples written = Written();
  for (const std::string& name :
       test::FormatDifferences(test::ReadDocument(CONSENT_STORE_FORMAT), written, "service/")) {
    ADD_FAILURE() << name << " is written as " << (written.contains(name) ? written.at(name) : "nothing");
  }
}

TEST(FormatDocument, AnyOtherDigitOfTheUseCasesIsFound) {
  EXPECT_GT(test::CountFormatDigits(test::ReadDocument(CONSENT_STORE_FORMAT), Written(), "service/"), 1500u);
}

}  // namespace
}  // namespace consent::service::format_document_test
