#include "daemon/service/deletion/withdrawal_follow_ups.h"

#include <algorithm>

#include "daemon/service/rows/id_rows.h"
#include "daemon/service/rows/load_subject.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/selector.h"

namespace consent::service {

std::string WithdrawalFollowUps::ToldSelector(const domain::Selector& selector) const {
  const auto named =
      std::find_if(names_.begin(), names_.end(), [&](const auto& name) { return name.first == selector.scope; });
  return wire::SerialiseSelector(selector, named == names_.end() ? std::string() : named->second);
}

// The same change that once made such a request names what it is about, and so does any later one of the account's own.
// Of joined accounts nobody knows whose recordings it is about.
absl::Status WithdrawalFollowUps::LoadMissing(const Core& core, const domain::SubjectFacts& before) {
  if (IsJoined(before)) return absl::OkStatus();
  return missing_.Load(core, [this](const domain::DeletionRequest& request) -> std::optional<DeletionPayload> {
    if (!domain::FollowsSettings(request.cause) || account_id_.empty()) return std::nullopt;
    const domain::ScopeRef& scope = request.selector.scope;
    const bool is_named =
        scope.kind == domain::ScopeKind::kAccount ||
        std::any_of(names_.begin(), names_.end(), [&](const auto& name) { return name.first == scope; });
    if (!is_named) return std::nullopt;
    return DeletionPayload{account_id_, ToldSelector(request.selector)};
  });
}

OwnDeletion WithdrawalFollowUps::Make(const Core& core, const std::string& account_id, const domain::EndedUse& ended,
                                      const domain::Moment& moment) const {
  domain::Selector selector;
  selector.scope = ended.scope;
  selector.copies_of = ended.copies_of;
  if (ended.cause == domain::DeletionCause::kWithdrawal) {
    selector.kind = domain::SelectorKind::kPurposeCopies;
  } else if (ended.scope.kind == domain::ScopeKind::kAccount) {
    selector.kind = domain::SelectorKind::kTimeRange;
  } else {
    selector.kind = ended.scope.kind == domain::ScopeKind::kProfile ? domain::SelectorKind::kProfile
                                                                    : domain::SelectorKind::kDevice;
  }
  const domain::NamedTimes times{{}, ended.up_to};
  // Until when it reaches is the commit's to say; what the systems are told of it is in the request, not in the
  // selector.
  domain::Selector told = selector;
  told.captured = domain::TimesOf(selector.kind, times, moment);
  OwnDeletion made =
      MakeOwnDeletion(core, subject_, ended.cause, std::move(selector), {account_id, ToldSelector(told)});
  made.times = times;
  return made;
}

absl::StatusOr<ChangeHook::Prepared> WithdrawalFollowUps::Prepare(const Core& core, const HookInput& input) {
  made_.clear();
  if (absl::Status s = forgiven_.Load(core, input.trial); !s.ok()) return s;
  if (absl::Status s = LoadMissing(core, input.before.facts); !s.ok()) return s;
  const std::vector<domain::EndedUse> ended =
      domain::EndedBy(input.before.facts, input.trial, input.moment, *core.policies.rules());
  ends_something_ = !ended.empty();
  if (!ends_something_) return Prepared::kGoOn;
  absl::StatusOr<SystemsSeen> systems = LoadSystems(core, core.PartitionOf(subject_));
  if (!systems.ok()) return systems.status();
  systems_ = *std::move(systems);
  // With no data system there is nobody to be told; the precondition sees to it that there is none when the change is
  // made.
  if (systems_.active.empty()) return Prepared::kGoOn;
  std::vector<std::string> account_ids = {account_id_};
  if (!input.before.facts.joined_from.empty()) {
    absl::StatusOr<std::vector<std::pair<base::SubjectHandle, std::string>>> others = JoinedWith(core, subject_);
    if (!others.ok()) return others.status();
    for (auto& account : *others) account_ids.push_back(std::move(account.second));
  }
  for (const std::string& account_id : account_ids) {
    for (const domain::EndedUse& one : ended) made_.push_back(Make(core, account_id, one, input.moment));
  }
  return Prepared::kGoOn;
}

void WithdrawalFollowUps::AddPreconditions(std::vector<store::Precondition>& preconditions) const {
  forgiven_.AddPreconditions(preconditions);
  missing_.AddPreconditions(preconditions);
  if (ends_something_) preconditions.push_back(systems_.AsPrecondition());
  for (const OwnDeletion& made : made_) preconditions.push_back(IdIsFree(made.request.id));
}

void WithdrawalFollowUps::Build(const Core& core, const store::Stamp& stamp, HookOutput& out) {
  forgiven_.Build(core, stamp, out);
  for (size_t i = 0; i < made_.size(); ++i) {
    WriteOwnDeletion(core, made_[i], i, out.moment, out.transition.after.region, systems_, out.writes);
  }
  missing_.Build(core, out.writes);
}

}  // namespace consent::service
