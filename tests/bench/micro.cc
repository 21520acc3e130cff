// bench_micro: the pieces of a check and of a change by themselves; they tell where the time of the large benchmarks
// goes.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <utility>
#include <vector>

#include "daemon/base/hash.h"
#include "daemon/base/keys.h"
#include "daemon/base/random.h"
#include "daemon/decisions/record.h"
#include "daemon/domain/decide.h"
#include "daemon/domain/facts_codec.h"
#include "daemon/domain/transitions.h"
#include "daemon/policy/default_policy.h"
#include "daemon/policy/state.h"
#include "daemon/rpc/changes.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/service/state/facts_index.h"
#include "daemon/service/state/tokens.h"
#include "daemon/wire/eligibility.h"
#include "daemon/wire/plain_recording.h"
#include "daemon/wire/settings.h"
#include "daemon/wire/subject.h"
#include "tests/bench/population.h"
#include "tests/support/base/seeded_keys.h"

namespace consent::bench {
namespace {

constexpr int64_t kConsentedAt = 1'790'000'000;  // seconds
constexpr int64_t kCapturedAt = kConsentedAt + 100;
constexpr base::Instant kNow{(kCapturedAt + 100) * 1'000'000};
constexpr uint64_t kIndexed = 1'000'000;

template <typename T>
T Need(absl::StatusOr<T> result) {
  if (!result.ok()) std::abort();
  return *std::move(result);
}

const base::Keys& Keys() {
  static const base::Keys kKeys = test::SeededKeys(1);
  return kKeys;
}

const base::IdHasher& Hasher() {
  static const base::IdHasher kHasher = Keys().Hasher();
  return kHasher;
}

const domain::Rules& Rules() {
  static const domain::Rules kRules = [] {
    const policy::Document document = Need(policy::Document::Parse(std::string(policy::DefaultPolicyJson())));
    const base::Instant activated{(kConsentedAt - 100) * 1'000'000};
    return policy::BuildRules(document, Need(policy::Advance({}, document, activated)), {});
  }();
  return kRules;
}

domain::SubjectFacts Registered(Population population) {
  v1::UpsertSubjectRequest request;
  FillRegistration(1, population, &request);
  wire::ChangeInput input = Need(wire::ReadUpsertSubject(request, Hasher(), kNow));
  const domain::Moment moment{base::Instant{kConsentedAt * 1'000'000}, 123'456};
  return domain::Apply({}, input.command, moment, Rules()).after;
}

v1::Recording Asked() {
  v1::Recording recording;
  FillRecording(1, 1, kCapturedAt, &recording);
  return recording;
}

void HashThreeIds(benchmark::State& state) {
  const std::string account = AccountId(1), profile = ProfileId(1), recording = RecordingId(1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(Hasher().Subject(account));
    benchmark::DoNotOptimize(Hasher().Profile(profile));
    benchmark::DoNotOptimize(Hasher().Recording(recording));
  }
}
BENCHMARK(HashThreeIds);

// Argument: how many lookups the prefetch runs ahead; 0: none.
void IndexLookupAtRandom(benchmark::State& state) {
  static service::FactsIndex* index = nullptr;
  static std::vector<base::SubjectHandle> handles;
  if (index == nullptr) {
    index = new service::FactsIndex(2 * kIndexed);
    std::string facts;
    domain::EncodeFacts(Registered(Population::kOneChoice), &facts);
    for (uint64_t i = 0; i < kIndexed; ++i) {
      handles.push_back(Hasher().Subject(AccountId(Scatter(i, kIndexed))));
      index->Put(handles.back(), facts);
    }
    state.counters["bytes_each"] = static_cast<double>(index->memory_bytes()) / static_cast<double>(kIndexed);
  }
  const auto ahead = static_cast<size_t>(state.range(0));
  std::string facts;
  size_t i = 0;
  for (auto _ : state) {
    if (ahead != 0) index->Prefetch(handles[(i + ahead) % kIndexed]);
    benchmark::DoNotOptimize(index->FindBytes(handles[i % kIndexed], &facts));
    ++i;
  }
}
BENCHMARK(IndexLookupAtRandom)->Arg(0)->Arg(8);

// Argument: Population.
void DecodeFacts(benchmark::State& state) {
  std::string bytes;
  domain::EncodeFacts(Registered(static_cast<Population>(state.range(0))), &bytes);
  domain::SubjectFacts facts;
  for (auto _ : state) benchmark::DoNotOptimize(domain::DecodeFacts(bytes, &facts));
  state.counters["bytes"] = static_cast<double>(bytes.size());
}
BENCHMARK(DecodeFacts)->Arg(0)->Arg(1);

void Decide(benchmark::State& state) {
  const domain::SubjectFacts facts = Registered(Population::kHousehold);
  wire::Violations faults;
  base::SubjectHandle subject;
  std::string id;
  domain::RecordingFacts recording;
  wire::ReadRecording(Asked(), Hasher(), wire::Path(), &faults, &subject, &id, &recording);
  v1::CheckRequest request;
  request.mutable_recording();
  request.set_purpose(kPurpose);
  FillPlace(request.mutable_place());
  wire::CheckQuery query;
  if (!wire::ReadCheck(request, &query).ok()) std::abort();
  const domain::Question question{recording, query.purpose, query.place, base::Now::Sure(kNow)};
  const bool eligible = domain::Decide(&facts, {}, question, Rules()).eligibility == domain::Eligibility::kEligible;
  if (!eligible) state.SkipWithError("not eligible");
  for (auto _ : state) benchmark::DoNotOptimize(domain::Decide(&facts, {}, question, Rules()));
}
BENCHMARK(Decide);

void ReadRecording(benchmark::State& state) {
  const v1::Recording recording = Asked();
  wire::Violations faults;
  base::SubjectHandle subject;
  std::string id;
  domain::RecordingFacts facts;
  for (auto _ : state) {
    benchmark::DoNotOptimize(wire::ReadRecording(recording, Hasher(), wire::Path(), &faults, &subject, &id, &facts));
  }
}
BENCHMARK(ReadRecording);

// The same from the bytes, as a batch does it.
void ReadPlainRecording(benchmark::State& state) {
  const std::string bytes = Asked().SerializeAsString();
  wire::PlainRecordingReader reader;
  wire::RecordingIds ids;
  base::SubjectHandle subject;
  domain::RecordingFacts facts;
  for (auto _ : state) {
    if (!reader.Read(bytes, &ids, &facts)) std::abort();
    wire::HashIds(ids, Hasher(), &subject, &facts);
    benchmark::DoNotOptimize(subject);
  }
}
BENCHMARK(ReadPlainRecording);

void WriteDecision(benchmark::State& state) {
  domain::Decision decision;
  decision.eligibility = domain::Eligibility::kEligible;
  decision.disposition = domain::Disposition::kKeep;
  decision.reasons.Add(domain::Reason::kConsent);
  decision.good_until = kNow;
  v1::Decision out;
  for (auto _ : state) {
    out.Clear();
    wire::WriteDecision(decision, false, &out);
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(WriteDecision);

domain::Command TurnOff() {
  v1::UpdateSettingsRequest request;
  request.set_account_id(AccountId(1));
  request.set_request_id(RequestId(1, 1));
  request.add_changes()->mutable_target()->set_control(kControl);
  request.mutable_changes(0)->set_turn(v1::SWITCH_OFF);
  FillEvidence(request.mutable_evidence());
  return Need(wire::ReadUpdateSettings(request, Hasher())).command;
}

void Transition(benchmark::State& state) {
  const domain::SubjectFacts before = Registered(Population::kHousehold);
  const domain::Command command = TurnOff();
  const domain::Moment moment{kNow, 123'457};
  for (auto _ : state) benchmark::DoNotOptimize(domain::Apply(before, command, moment, Rules()));
}
BENCHMARK(Transition);

// What ChangeSubject::Build adds to the transition: facts, change row and request row.
void EncodeRows(benchmark::State& state) {
  const domain::Transition transition =
      domain::Apply(Registered(Population::kHousehold), TurnOff(), {kNow, 123'457}, Rules());
  const std::string sealed(120, 's');
  for (auto _ : state) {
    service::ChangeRow row;
    domain::EncodeFacts(transition.after, &row.facts);
    row.policy_version = Rules().version;
    row.parts = transition.parts;
    row.changes = transition.changes;
    row.sealed = sealed;
    benchmark::DoNotOptimize(service::EncodeSubjectRow({}, row.facts));
    benchmark::DoNotOptimize(service::EncodeChangeRow(row));
    benchmark::DoNotOptimize(service::EncodeRequestRow({}));
  }
}
BENCHMARK(EncodeRows);

void SealPayload(benchmark::State& state) {
  base::SystemRandom random;
  service::Payload payload;
  v1::Evidence evidence;
  FillEvidence(&evidence);
  payload.evidence = evidence.SerializeAsString();
  const base::Digest key{};
  base::Digest commitment{};
  for (auto _ : state) benchmark::DoNotOptimize(service::SealPayload(key, payload, {}, random, &commitment));
}
BENCHMARK(SealPayload);

void ChainHash(benchmark::State& state) {
  store::Event event;
  event.subject = std::string(16, 's');
  event.body = std::string(320, 'b');
  base::Digest chain{};
  for (auto _ : state) chain = store::NextChain(chain, {1, kNow}, event);
  benchmark::DoNotOptimize(chain);
}
BENCHMARK(ChainHash);

// The record of a call that was answered yes. Argument: to how many recordings.
void WriteRecord(benchmark::State& state) {
  wire::Violations faults;
  base::SubjectHandle subject;
  std::string id;
  domain::RecordingFacts facts;
  wire::ReadRecording(Asked(), Hasher(), wire::Path(), &faults, &subject, &id, &facts);
  domain::Place place;
  place.site = "berlin";
  place.reviewer_class = domain::ReviewerClass::kEmployee;
  decisions::HandleKeys keys;
  keys.Put({base::Month::Of(kNow), 1}, {1, 2, 3});
  const decisions::Asked asked{{"sampler", {"0123456789abcdef", 1234567}, {}, base::Now::Sure(kNow)},
                               domain::Purpose::kHumanReview,
                               place,
                               domain::Selection::kRandom,
                               Rules()};
  const auto yeses = static_cast<size_t>(state.range(0));
  decisions::Position end;
  decisions::RecordWriter writer(keys);
  for (auto _ : state) {
    writer.Begin(asked, yeses);
    for (size_t i = 0; i < yeses; ++i) {
      writer.Add({subject, Hasher().Recording(id), facts, 123'456, 123'450, domain::Reason::kConsent});
    }
    decisions::Record record = writer.Take();
    if (state.range(1) != 0) end = record.PutBehind(end);
    benchmark::DoNotOptimize(record.line().data());
    state.counters["bytes"] = static_cast<double>(record.line().size());
    writer.Reuse(std::move(record));
  }
}
// Made; made and hashed.
BENCHMARK(WriteRecord)->Args({1, 0})->Args({1, 1})->Args({1000, 0})->Args({1000, 1});

// Disk key, request key, payload key and revision token: the keyed hashes of one change.
void KeyedHashes(benchmark::State& state) {
  const service::Tokens tokens(Keys(), {});
  const base::SubjectHandle subject = Hasher().Subject(AccountId(1));
  base::SystemRandom random;
  const std::string share = Keys().NewPayloadKey(subject, random).share, request(42, 'r');
  for (auto _ : state) {
    benchmark::DoNotOptimize(Keys().DiskKeyFor(subject));
    benchmark::DoNotOptimize(Keys().DiskHash("request", request));
    benchmark::DoNotOptimize(Keys().OpenShare(subject, share));
    benchmark::DoNotOptimize(tokens.Encode(service::Revision{{}, 123'456}));
  }
}
BENCHMARK(KeyedHashes);

}  // namespace
}  // namespace consent::bench
