// SubjectService: requests to the domain's words, answers back.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "consent/v1/subject_service.pb.h"
#include "daemon/base/ids.h"
#include "daemon/base/time.h"
#include "daemon/domain/child_inactivity.h"
#include "daemon/domain/types.h"
#include "daemon/wire/change_input.h"

namespace consent::wire {

// `now` judges dates of birth and times of activity; a last_active_at of up to a minute ahead is a clock's difference
// and is let through (the transition cuts it to the commit's time). INVALID_FIELD or MALFORMED_MESSAGE with up to 16
// violations. Thread-safe.
absl::StatusOr<ChangeInput> ReadUpsertSubject(const v1::UpsertSubjectRequest& request, const base::IdHasher& hasher,
                                              base::Instant now);
absl::StatusOr<base::SubjectHandle> ReadGetSubject(const v1::GetSubjectRequest& request, const base::IdHasher& hasher);

// A fault refuses all of it: nothing of it is a user's no.
absl::StatusOr<ChangeInput> ReadRecordChildNotice(const v1::RecordChildNoticeRequest& request,
                                                  const base::IdHasher& hasher);

// A join before the service has looked at it: both etags are still tokens.
struct JoinInput {
  ChangeInput from;
  base::SubjectHandle into;
  std::string into_account_id;
  std::string into_etag;  // empty: none
  bool into_is_new = false;
};
// A fault refuses all of it.
absl::StatusOr<JoinInput> ReadJoinSubjects(const v1::JoinSubjectsRequest& request, const base::IdHasher& hasher);

struct ChildrenQuery {
  base::SubjectHandle subject;        // unset: all
  std::vector<domain::ChildDue> due;  // empty: all
  int page_size = 0;
  std::string page_token;
};
absl::StatusOr<ChildrenQuery> ReadListChildrenDue(const v1::ListChildrenDueRequest& request,
                                                  const base::IdHasher& hasher);

// The field that part i of the request was: `region`, `profiles[0]`, `device_ids[1]`, `remove_profile_ids[0]`,
// `initial_choices[2]`, ...
std::string UpsertPartName(const v1::UpsertSubjectRequest& request, size_t part);

// The ids of profile and guardian come from `names`.
void WriteInactiveChild(const std::string& account_id, const domain::ScopeFacts& profile,
                        const domain::ChildInactivity& inactivity, const Names& names, v1::InactiveChild* out);

// People and devices that are registered. `revision` is the subject's token. Ids come from `names`.
void WriteSubject(const domain::SubjectFacts& facts, const Names& names, const std::string& revision,
                  v1::GetSubjectResponse* out);

}  // namespace consent::wire
