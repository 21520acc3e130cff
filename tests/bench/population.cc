#include "tests/bench/population.h"

#include <cstdio>
#include <numeric>

#include "tests/bench/mixed.h"

namespace consent::bench {
namespace {

// splitmix64 (Steele, Lea, Flood 2014): a bijection of 64 bits.
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

__extension__ using Wide = unsigned __int128;

template <typename... Args>
std::string Format(const char* format, Args... args) {
  char text[64];
  const int size = std::snprintf(text, sizeof text, format, args...);
  return std::string(text, static_cast<size_t>(size));
}

std::string Uuid(uint64_t high, uint64_t low) {
  return Format("%08llx-%04llx-%04llx-%04llx-%012llx", static_cast<unsigned long long>(high >> 32),
                static_cast<unsigned long long>(high >> 16 & 0xffff), static_cast<unsigned long long>(high & 0xffff),
                static_cast<unsigned long long>(low >> 48), static_cast<unsigned long long>(low & 0xffffffffffff));
}

}  // namespace

std::string AccountId(uint64_t subject) {
  return Format("account-%016llx", static_cast<unsigned long long>(Mix(subject)));
}

std::string ProfileId(uint64_t subject) {
  return Format("profile-%016llx", static_cast<unsigned long long>(Mix(~subject)));
}

std::string RecordingId(uint64_t number) { return Uuid(Mix(number), Mix(~number)); }

std::string RequestId(uint64_t run, uint64_t number) { return Uuid(Mix(run), number); }

uint64_t Scatter(uint64_t i, uint64_t n) {
  if (n < 2) return 0;
  uint64_t step = Mix(n) % n;
  while (std::gcd(step, n) != 1) ++step;
  return static_cast<uint64_t>(static_cast<Wide>(i % n) * step % n);
}

void FillEvidence(v1::Evidence* evidence) {
  evidence->set_notice_version("2026-01");
  evidence->set_notice_language("de");
  evidence->set_channel(v1::CHANNEL_APP);
  evidence->set_actor(v1::ACTOR_SELF);
}

void FillRegistration(uint64_t subject, Population population, v1::UpsertSubjectRequest* request) {
  if (population == Population::kMixed) return FillMixedRegistration(subject, request);
  request->Clear();
  request->set_account_id(AccountId(subject));
  request->set_region("DE");
  request->set_request_id(RequestId(0, subject));
  FillEvidence(request->mutable_evidence());
  v1::SettingChange* choice = request->add_initial_choices();
  choice->mutable_target()->set_control(kControl);
  choice->set_turn(v1::SWITCH_ON);
  if (population != Population::kHousehold) return;
  v1::Profile* profile = request->add_profiles();
  profile->set_profile_id(ProfileId(subject));
  profile->mutable_age()->set_adult(true);
  choice = request->add_initial_choices();
  choice->mutable_scope()->set_profile_id(ProfileId(subject));
  choice->mutable_target()->set_control(kControl);
  choice->set_turn(v1::SWITCH_ON);
}

void FillRecording(uint64_t subject, uint64_t number, int64_t captured_at_seconds, v1::Recording* recording) {
  recording->set_recording_id(RecordingId(number));
  recording->set_account_id(AccountId(subject));
  recording->mutable_captured_at()->set_seconds(captured_at_seconds);
  recording->mutable_captured_at()->set_nanos(static_cast<int32_t>(number % 1000 * 1'000'000));
  recording->set_captured_uncertainty_ms(500);
  recording->mutable_ingested_at()->set_seconds(captured_at_seconds + 2);
  recording->add_profile_ids(ProfileId(subject));
  recording->set_region("DE");
  recording->set_wake(v1::WAKE_INTENDED);
  recording->set_kind(v1::KIND_COMMAND);
  recording->set_speakers(v1::SPEAKERS_ONE);
  recording->set_identity(v1::IDENTITY_MATCHED);
  recording->set_age(v1::SPEAKER_AGE_ADULT);
}

void FillPlace(v1::Place* place) {
  place->set_country("DE");
  place->set_site("berlin");
  place->set_reviewer_class(v1::REVIEWER_CLASS_EMPLOYEE);
}

}  // namespace consent::bench
