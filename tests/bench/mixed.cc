#include "tests/bench/mixed.h"

#include <array>
#include <string>

#include "tests/bench/population.h"

namespace consent::bench {
namespace {

constexpr Answer Yes() { return {v1::ELIGIBILITY_ELIGIBLE, v1::DISPOSITION_KEEP, v1::REASON_CONSENT}; }
constexpr Answer No(v1::Reason reason) { return {v1::ELIGIBILITY_NOT_ELIGIBLE, v1::DISPOSITION_KEEP, reason}; }
constexpr Answer Purged(v1::Reason reason) { return {v1::ELIGIBILITY_NOT_ELIGIBLE, v1::DISPOSITION_PURGE, reason}; }

enum class Kind : uint8_t {
  kAgreed,          // the account and its profile
  kWithDevice,      // the same; its device is named and says nothing
  kRefused,         // the account says no
  kElsewhere,       // agreed, and lives where nobody in Germany may listen
  kProfileRefused,  // the profile says no
  kDeviceRefused,   // agreed; its device is named and says no
  kSilent,          // nobody chose
  kTwoProfiles,     // both agreed, and both are named
};
constexpr uint64_t kKinds = 8;
Kind KindOf(uint64_t subject) { return static_cast<Kind>(subject % kKinds); }

// Where subjects of each kind live, and where they record when they travel.
struct Regions {
  const char* home;
  const char* away;
};
constexpr std::array<Regions, kKinds> kRegions = {{{"DE", "AT"},
                                                   {"FR", "BE"},
                                                   {"IT", "SI"},
                                                   {"US-CA", "US-NY"},
                                                   {"DE", "NL"},
                                                   {"AT", "HU"},
                                                   {"PL", "CZ"},
                                                   {"ES-MD", "PT"}}};
const Regions& RegionsOf(uint64_t subject) { return kRegions[subject % kKinds]; }

constexpr int64_t kDay = 86'400;

std::string DeviceId(uint64_t subject) { return "device-" + AccountId(subject); }
std::string SecondProfileId(uint64_t subject) { return "second-" + ProfileId(subject); }

// A choice of the account, or of the scope that the caller sets.
v1::SettingChange* AddChoice(v1::Switch turn, v1::UpsertSubjectRequest* request) {
  v1::SettingChange* choice = request->add_initial_choices();
  choice->mutable_target()->set_control(kControl);
  choice->set_turn(turn);
  return choice;
}

void AddProfile(const std::string& id, v1::Switch turn, v1::UpsertSubjectRequest* request) {
  v1::Profile* profile = request->add_profiles();
  profile->set_profile_id(id);
  profile->mutable_age()->set_adult(true);
  if (turn != v1::SWITCH_UNSPECIFIED) AddChoice(turn, request)->mutable_scope()->set_profile_id(id);
}

// Four kinds of recordings of somebody who agreed to everything.
Answer Vary(uint64_t variation, v1::Recording* recording) {
  switch (variation) {
    case 0:
      return Yes();
    case 1:
      recording->set_artefact(v1::ARTEFACT_REVIEW_COPY);
      recording->set_made_for(kPurpose);
      return Yes();
    case 2:
      recording->mutable_captured_at()->set_seconds(recording->captured_at().seconds() - kDay);
      return No(v1::REASON_CAPTURED_BEFORE_CONSENT);
    default:
      recording->add_flags(v1::FLAG_CRITICAL_DATA);
      return No(v1::REASON_CRITICAL_DATA);
  }
}

}  // namespace

void FillMixedRegistration(uint64_t subject, v1::UpsertSubjectRequest* request) {
  const Kind kind = KindOf(subject);
  request->Clear();
  request->set_account_id(AccountId(subject));
  request->set_region(RegionsOf(subject).home);
  request->set_request_id(RequestId(0, subject));
  FillEvidence(request->mutable_evidence());
  const bool silent = kind == Kind::kSilent;
  if (!silent) AddChoice(kind == Kind::kRefused ? v1::SWITCH_OFF : v1::SWITCH_ON, request);
  const v1::Switch of_profile = kind == Kind::kProfileRefused ? v1::SWITCH_OFF : v1::SWITCH_ON;
  AddProfile(ProfileId(subject), silent ? v1::SWITCH_UNSPECIFIED : of_profile, request);
  if (kind == Kind::kTwoProfiles) AddProfile(SecondProfileId(subject), v1::SWITCH_ON, request);
  if (kind != Kind::kWithDevice && kind != Kind::kDeviceRefused) return;
  request->add_device_ids(DeviceId(subject));
  if (kind == Kind::kDeviceRefused) {
    AddChoice(v1::SWITCH_OFF, request)->mutable_scope()->set_device_id(DeviceId(subject));
  }
}

Answer FillMixedRecording(uint64_t subject, uint64_t number, uint64_t subjects, int64_t captured_at_seconds,
                          v1::Recording* recording) {
  // Not of the last bits, which go with the kind.
  const uint64_t variation = number / kKinds % 4;
  const Regions& regions = RegionsOf(subject);
  FillRecording(subject, number, captured_at_seconds, recording);
  recording->set_region(variation % 2 == 0 ? regions.home : regions.away);
  if (number / kKinds % 16 == 7) {
    recording->set_account_id(AccountId(subjects + subject));
    return No(v1::REASON_UNKNOWN_SUBJECT);
  }
  switch (KindOf(subject)) {
    case Kind::kAgreed:
      return Vary(variation, recording);
    case Kind::kWithDevice:
      recording->set_device_id(DeviceId(subject));
      return Yes();
    case Kind::kRefused:
      if (variation != 1) return No(v1::REASON_REFUSED);
      recording->set_artefact(v1::ARTEFACT_TRANSCRIPT);
      recording->set_made_for(kPurpose);
      return Purged(v1::REASON_PURPOSE_ENDED);
    case Kind::kElsewhere:
      return No(v1::REASON_PLACE_NOT_ALLOWED);
    case Kind::kProfileRefused:
      return No(v1::REASON_REFUSED);
    case Kind::kDeviceRefused:
      recording->set_device_id(DeviceId(subject));
      return No(v1::REASON_REFUSED);
    case Kind::kSilent:
      return No(v1::REASON_NO_CONSENT);
    case Kind::kTwoProfiles:
      recording->add_profile_ids(SecondProfileId(subject));
      return Yes();
  }
  return {};
}

}  // namespace consent::bench
