// The subjects that benchmarks are about and what is asked of them: numbered, so that loader and driver need not talk
// to each other.
#pragma once

#include <cstdint>
#include <string>

#include "consent/v1/eligibility_service.pb.h"
#include "consent/v1/settings_service.pb.h"
#include "consent/v1/subject_service.pb.h"

namespace consent::bench {

enum class Population : uint8_t {
  kOneChoice = 0,  // an account that consented to one control
  kHousehold = 1,  // the same, and one adult profile with a consent of its own
  kMixed = 2,      // eight kinds of them; see mixed.h
};

// The control that everybody has turned on, and a purpose of it.
inline constexpr char kControl[] = "help_improve";
inline constexpr v1::Purpose kPurpose = v1::PURPOSE_HUMAN_REVIEW;

// 24, 24 and 36 bytes, as such ids are.
std::string AccountId(uint64_t subject);
std::string ProfileId(uint64_t subject);
std::string RecordingId(uint64_t number);
// 36 bytes; one for each pair.
std::string RequestId(uint64_t run, uint64_t number);

// A number for each i below n, each once, in an order that has nothing to do with i.
uint64_t Scatter(uint64_t i, uint64_t n);

void FillEvidence(v1::Evidence* evidence);
void FillRegistration(uint64_t subject, Population population, v1::UpsertSubjectRequest* request);
// A recording of a household that is eligible for kPurpose if both had consented a few seconds before. (An account
// without profiles is never eligible: nobody can be matched to the voice.)
void FillRecording(uint64_t subject, uint64_t number, int64_t captured_at_seconds, v1::Recording* recording);
void FillPlace(v1::Place* place);

}  // namespace consent::bench
