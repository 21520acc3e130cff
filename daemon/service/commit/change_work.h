// A change on its way. Private to this folder.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/service/commit/change_hook.h"
#include "daemon/service/commit/change_subject.h"
#include "daemon/service/rows/load_subject.h"

namespace consent::service {

// One request on its way. Touched by one thread at a time: submitter, pool, committer, pool.
struct ChangeSubject::Work {
  ChangeRequest request;
  ChangeDone done;
  PolicyBook::InForce policy;    // as it was when the attempt began
  bool policy_changing = false;  // in the subject's partition another one is coming into force
  bool needs_policy = false;     // the commit has it for a precondition
  int attempts = 0;

  std::optional<store::ReadVersion> seen;  // before anything was read
  StoredFacts before;
  std::optional<std::pair<base::SubjectHandle, std::string>> forward;  // the account that it is for
  size_t forwarded = 0;                                                // times
  bool new_incarnation = false;  // a closed account's id begins a new one: `before` has nothing of the closed one but
                                 // what was refused since
  bool guardian_leaves = false;  // the change leaves a guardian without a child
  std::string share;             // of a new subject; else empty
  std::string names_row;         // to be written; else empty
  std::string sealed;
  base::Digest commitment{};
  std::string request_key;                 // empty: not idempotent
  bool request_id_was_used = false;        // with another body: the request goes on without it
  std::optional<std::string> request_row;  // an expired one that is there

  domain::SubjectFacts after;  // as they were tried
  absl::StatusOr<ChangeReply> reply = absl::UnknownError("not answered");
};

}  // namespace consent::service
