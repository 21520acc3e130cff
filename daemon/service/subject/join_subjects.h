// Joins one account into another, also into a new id, which renames it. Two accounts lie in two partitions and no
// commit covers both, so there are three, each of which can be repeated by anybody: the first account begins (from then
// on nothing of it is eligible), the other one takes what both together allow, and the first becomes an alias, if it is
// still what was taken; else it is taken again.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "daemon/service/commit/change_subject.h"
#include "daemon/service/state/core.h"

namespace consent::service {

// A validated request. `from` is of the account that is joined: its etag and evidence are those of a loosening.
struct JoinRequest {
  ChangeRequest from;
  base::SubjectHandle into;
  std::string into_account_id;
  std::optional<Revision> into_etag;  // of `into` as it is; nothing: it is none of this store
  bool into_is_new = false;           // nothing is known of `into`: it is another name of the same account
};

struct Joined {
  Revision revision;     // of the account that took the other one
  bool already = false;  // it was so before
};
// Called once, on a thread of the writing pool or of the caller.
using JoinDone = std::function<void(absl::StatusOr<Joined>)>;

// Thread-safe; outlives what was begun.
class JoinSubjects {
 public:
  JoinSubjects(Core& core, ChangeSubject& changes) : core_(core), changes_(changes) {}

  // Blocks for reading: call it on a pool thread. INVALID_FIELD of an account with itself; SUBJECT_NOT_FOUND of one
  // that is not registered, or of an `into` that is unknown and not said to be new; ETAG_REQUIRED and ETAG_MISMATCH of
  // either, also of an `into` that is said to be new and known; EVIDENCE_REQUIRED; ACCOUNT_CLOSED of either, and of an
  // `into` that was closed once; ACCOUNT_JOINED of one that is an alias or being joined elsewhere; SUBJECT_FULL where
  // both together have more profiles, devices or aliases than one may have; NOT_SERVING, OVERLOADED, STORE_UNREADABLE.
  // Once it has begun, it is ended by FinishOpen whatever becomes of the call. Of an alias of `into` it changes
  // nothing, but that ids which a restore lost are known again.
  void Join(JoinRequest request, JoinDone done);

  // Ends every join that was begun. Blocks until each has ended or failed. The first failure.
  absl::Status FinishOpen();

 private:
  struct Work;
  using WorkPtr = std::shared_ptr<Work>;
  absl::Status MayBegin(const JoinRequest& request) const;
  void Begin(const WorkPtr& work);
  void Take(const WorkPtr& work);
  void NameAlias(const WorkPtr& work);
  void Tell(const WorkPtr& work);
  void End(const WorkPtr& work);
  void GiveUp(const WorkPtr& work, const absl::Status& why);
  // A request for one step, of the account that it changes.
  static ChangeRequest Step(const Work& work, bool of_into, domain::JoinCommand join);

  Core& core_;
  ChangeSubject& changes_;
};

}  // namespace consent::service
