// What the part `mix` asks: not one answer a thousand times but refusals, several regions, devices and copies, each
// with the answer that its kind must get. Subjects are numbered as in population.h; every eighth one is of the same
// kind.
#pragma once

#include <cstdint>

#include "consent/v1/eligibility_service.pb.h"
#include "consent/v1/subject_service.pb.h"

namespace consent::bench {

// Eligibility, disposition and first reason; written down for each kind and not computed by the rule.
struct Answer {
  v1::Eligibility eligibility = v1::ELIGIBILITY_UNSPECIFIED;
  v1::Disposition disposition = v1::DISPOSITION_UNSPECIFIED;
  v1::Reason reason = v1::REASON_UNSPECIFIED;

  bool Is(const v1::Decision& decision) const {
    return decision.eligibility() == eligibility && decision.disposition() == disposition &&
           decision.reasons_size() == 1 && decision.reasons(0) == reason;
  }
};

void FillMixedRegistration(uint64_t subject, v1::UpsertSubjectRequest* request);
// The recording `number` of the subject, for kPurpose at FillPlace's place, some seconds after the registration.
// Returns what must be answered. `subjects`: how many were loaded.
Answer FillMixedRecording(uint64_t subject, uint64_t number, uint64_t subjects, int64_t captured_at_seconds,
                          v1::Recording* recording);

}  // namespace consent::bench
