// What a change of settings adds for the data systems: requests of our own, already verified, for the copies of a
// purpose that is not allowed any more and for audio that is kept no longer; and the end of such requests where the
// copies are allowed again. In the same commit, so neither can be there without the other. Of an account into which
// others were joined there is one request for each of their ids, too.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/domain/ended_uses.h"
#include "daemon/service/commit/change_hook.h"
#include "daemon/service/deletion/forgiven_copies.h"
#include "daemon/service/deletion/missing_ids.h"
#include "daemon/service/deletion/new_deletion.h"
#include "daemon/service/rows/system_rows.h"

namespace consent::service {

class WithdrawalFollowUps final : public ChangeHook {
 public:
  WithdrawalFollowUps(base::SubjectHandle subject, std::string account_id,
                      std::vector<std::pair<domain::ScopeRef, std::string>> names)
      : subject_(subject),
        forgiven_(subject),
        missing_(subject),
        account_id_(std::move(account_id)),
        names_(std::move(names)) {}

  absl::StatusOr<Prepared> Prepare(const Core& core, const HookInput& input) override;
  void AddPreconditions(std::vector<store::Precondition>& preconditions) const override;
  void Build(const Core& core, const store::Stamp& stamp, HookOutput& out) override;

 private:
  // What data systems are told of `selector`; of a profile or device whose id this change does not name with none.
  std::string ToldSelector(const domain::Selector& selector) const;
  absl::Status LoadMissing(const Core& core, const domain::SubjectFacts& before);
  // Of what a data system has under that account id; where it is unknown, the request needs its ids.
  OwnDeletion Make(const Core& core, const std::string& account_id, const domain::EndedUse& ended,
                   const domain::Moment& moment) const;

  const base::SubjectHandle subject_;
  ForgivenCopies forgiven_;
  MissingIds missing_;  // of such requests, which a restore left without
  const std::string account_id_;
  const std::vector<std::pair<domain::ScopeRef, std::string>> names_;
  std::vector<OwnDeletion> made_;
  SystemsSeen systems_;
  bool ends_something_ = false;
};

}  // namespace consent::service
