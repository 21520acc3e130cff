// SubjectService: requests to the domain's words, answers back.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "consent/v1/subject_service.pb.h"
#include "daemon/base/ids.h"
#include "daemon/base/time.h"
#include "daemon/domain/types.h"
#include "daemon/wire/change_input.h"

namespace consent::wire {

// `now` judges dates of birth and times of activity; a last_active_at of up to a minute ahead is a clock's difference
// and is let through (the transition cuts it to the commit's time). INVALID_FIELD or MALFORMED_MESSAGE with up to 16
// violations. Thread-safe.
absl::StatusOr<ChangeInput> ReadUpsertSubject(const v1::UpsertSubjectRequest& request, const base::IdHasher& hasher,
                                              base::Instant now);
absl::StatusOr<base::SubjectHandle> ReadGetSubject(const v1::GetSubjectRequest& request, const base::IdHasher& hasher);

// The field that part i of the request was: `region`, `profiles[0]`, `device_ids[1]`, `remove_profile_ids[0]`,
// `initial_choices[2]`, ...
std::string UpsertPartName(const v1::UpsertSubjectRequest& request, size_t part);

// People and devices that are registered. `revision` is the subject's token. Ids come from `names`.
void WriteSubject(const domain::SubjectFacts& facts, const Names& names, const std::string& revision,
                  v1::GetSubjectResponse* out);

}  // namespace consent::wire
