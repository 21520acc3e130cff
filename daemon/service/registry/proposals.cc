#include "daemon/service/registry/proposals.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/base/bytes.h"
#include "daemon/base/seal.h"
#include "daemon/service/commit/commit_now.h"
#include "daemon/service/commit/refusals.h"
#include "daemon/service/commit/retry.h"
#include "daemon/service/rows/erasure_rows.h"
#include "daemon/service/rows/key_share_rows.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/wire/errors.h"

namespace consent::service {

const char* NameOf(ProposalState state) {
  switch (state) {
    case ProposalState::kOpen:
      return "OPEN";
    case ProposalState::kApproved:
      return "APPROVED";
    case ProposalState::kDone:
      return "DONE";
    case ProposalState::kFailed:
      return "FAILED";
    case ProposalState::kWithdrawn:
      return "WITHDRAWN";
    case ProposalState::kExpired:
      return "EXPIRED";
    case ProposalState::kNone:
      break;
  }
  return "UNKNOWN";
}

const char* NameOf(ProposedAct act) {
  switch (act) {
    case ProposedAct::kResume:
      return "resume";
    case ProposedAct::kReleaseHold:
      return "release hold";
    case ProposedAct::kActivatePolicy:
      return "activate policy";
    case ProposedAct::kNone:
      break;
  }
  return "nothing";
}

namespace {

// Surely one person, or shown as if: the same caller, though its certificate is a new one.
bool IsSamePerson(const Person& a, const Person& b) {
  return a.IsKnown() && b.IsKnown() && a.kind == b.kind && WhyNotTwo(a, b) != nullptr;
}

absl::Status WrongState(ProposalState state) {
  const std::string name = NameOf(state);
  return wire::MakeError(v1::ERROR_REASON_PROPOSAL_STATE,
                         absl::StrCat("the proposal is ", name,
                                      ": an open one alone can be approved or withdrawn; "
                                      "propose it again where it is still wanted"),
                         {{"state", name}});
}

absl::Status OtherPersonRequired(const std::string& why) {
  static constexpr const char* kWhat =
      "it takes two persons who can be told apart: one proposes, and another one approves, with another certificate of "
      "another caller, or as another user of a Unix socket, both in the same way";
  return wire::MakeError(v1::ERROR_REASON_OTHER_PERSON_REQUIRED, kWhat, {{"why", why}});
}

base::Digest RequestDigest(ProposedAct act, const std::string& request) {
  return base::Sha256(std::string(1, static_cast<char>(act)), request);
}

store::Event EventOf(ProposedAct act, ProposalState state, const Caller& caller) {
  return PlainEvent(ChangeKind::kProposalChanged, "", absl::StrCat(NameOf(act), ": ", NameOf(state)), caller.identity);
}

// The former bytes of what the commit overwrites and deletes leave the files.
void EraseFormer(const Core& core, const base::ProposalId& id, bool with_key, const store::Stamp& stamp,
                 std::vector<store::Write>& writes) {
  store::EraseTargets targets;
  targets.rows = {{store::Table::kProposal, ProposalKey(id)}, {store::Table::kProposal, ProposedRequestKey(id)}};
  if (with_key) targets.rows.push_back({store::Table::kKeyShare, ProposalShareKey(core.keys, id)});
  BeginErasure(NumberOf(stamp.sequence), targets, stamp, writes);
}

}  // namespace

bool Proposals::IsFinal(const absl::Status& outcome) {
  const v1::ErrorReason reason = wire::DetailOf(outcome).reason;
  return !absl::IsUnavailable(outcome) && !absl::IsResourceExhausted(outcome) && !absl::IsInternal(outcome) &&
         !absl::IsCancelled(outcome) && reason != v1::ERROR_REASON_CLOCK_DOUBTFUL &&
         reason != v1::ERROR_REASON_CLOCK_BEHIND;
}

absl::StatusOr<ProposalView> Proposals::ViewOf(const ProposalRow& row) const {
  const absl::StatusOr<base::Digest> key = ProposalKeyOf(core_, row.id);
  if (!key.ok()) return key.status();
  absl::StatusOr<ProposalNames> names = OpenProposalNames(*key, row);
  if (!names.ok()) return names.status();
  return ProposalView{row, row.StateAt(core_.Now()), *std::move(names)};
}

absl::StatusOr<std::optional<ProposalView>> Proposals::FindOpen(const std::vector<ProposalRow>& rows,
                                                                const base::Digest& request, base::Instant now) const {
  const auto same = std::find_if(rows.begin(), rows.end(), [&](const ProposalRow& row) {
    return row.request == request && row.StateAt(now) == ProposalState::kOpen;
  });
  if (same == rows.end()) return std::optional<ProposalView>();
  absl::StatusOr<ProposalView> view = ViewOf(*same);
  if (!view.ok()) return view.status();
  return std::optional<ProposalView>(*std::move(view));
}

absl::StatusOr<Proposals::Before> Proposals::ReadAll() const {
  Before before;
  // The version first: what is written after it is seen by the precondition.
  const std::string version_key(kProposalsVersionKey);
  before.unchanged = {store::Table::kProposal, version_key, std::nullopt};
  absl::StatusOr<std::string> version = core_.store.Get(kProposalPartition, store::Table::kProposal, version_key);
  if (!version.ok() && !absl::IsNotFound(version.status())) return StoreUnreadable();
  if (version.ok()) before.unchanged.expected = *std::move(version);
  absl::StatusOr<std::vector<ProposalRow>> rows = LoadProposals(core_);
  if (!rows.ok()) return rows.status();
  before.rows = *std::move(rows);
  before.now = core_.Now();
  return before;
}

store::CommitResult Proposals::Write(const NewProposal& proposed, const Before& before, const Caller& caller,
                                     ProposalView* view) {
  const base::ProposalId id = base::ProposalId::Draw(core_.random, kProposalPartition.number);
  view->row.id = id;
  view->row.act = proposed.act;
  view->row.state = view->state = ProposalState::kOpen;
  view->row.request = RequestDigest(proposed.act, proposed.request);
  view->row.basis = proposed.basis;
  view->names = {proposed.by, Person{}, proposed.summary, ""};
  const base::PayloadKey key = NewProposalKey(core_, id);
  view->row.sealed = SealProposalNames(key.key, view->names, id, core_.random);
  const std::string request = base::Seal(key.key, proposed.request, base::View(id.bytes), core_.random);
  const base::Span open_for = core_.policies.rules()->approvals.open_for;
  // The oldest of those that have ended makes way.
  std::optional<base::ProposalId> leaves;
  for (const ProposalRow& row : before.rows) {
    if (before.rows.size() >= kMaxProposals && HasEnded(row.StateAt(before.now))) leaves = row.id;
  }
  const auto build = [&](const store::Stamp& stamp) {
    view->row.proposed_at = stamp.time;
    view->row.expires_at = stamp.time + open_for;
    std::string sequence;
    base::Encoder(&sequence).BigEndian(stamp.sequence, 8);
    store::Change change;
    change.writes = {{store::Table::kProposal, std::string(kProposalsVersionKey), std::move(sequence)},
                     {store::Table::kProposal, ProposalKey(id), EncodeProposal(view->row)},
                     {store::Table::kProposal, ProposedRequestKey(id), request},
                     PutShare(core_, WrapHandleOf(id), ProposalShareKey(core_.keys, id), key.share)};
    if (leaves.has_value()) {
      change.writes.push_back({store::Table::kProposal, ProposalKey(*leaves), std::nullopt});
      change.writes.push_back({store::Table::kProposal, ProposedRequestKey(*leaves), std::nullopt});
      change.writes.push_back({store::Table::kKeyShare, ProposalShareKey(core_.keys, *leaves), std::nullopt});
      EraseFormer(core_, *leaves, /*with_key=*/true, stamp, change.writes);
    }
    change.event = EventOf(view->row.act, view->row.state, caller);
    return change;
  };
  return CommitNow(core_, kProposalPartition,
                   {before.unchanged, {store::Table::kProposal, ProposalKey(id), std::nullopt}}, build);
}

absl::StatusOr<ProposalView> Proposals::Propose(const NewProposal& proposed, const Caller& caller) {
  if (!proposed.by.IsKnown()) return OtherPersonRequired("unknown");
  if (proposed.request.size() > kMaxProposedBytes) {
    return wire::FieldError("policy_json", absl::StrCat("has with its loosenings ", proposed.request.size(),
                                                        " bytes; at most ", kMaxProposedBytes, " can be proposed"));
  }
  if (core_.policies.rules() == nullptr) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting");
  }
  const base::Digest request = RequestDigest(proposed.act, proposed.request);
  ProposalView made;
  bool is_new = false;
  const absl::Status written = RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    const absl::StatusOr<Before> before = ReadAll();
    if (!before.ok()) return before.status();
    absl::StatusOr<std::optional<ProposalView>> same = FindOpen(before->rows, request, before->now);
    if (!same.ok()) return same.status();
    is_new = false;
    if (same->has_value()) {
      made = **std::move(same);
      return store::Outcome::kCommitted;
    }
    const auto open = std::count_if(before->rows.begin(), before->rows.end(),
                                    [&before](const ProposalRow& row) { return !HasEnded(row.StateAt(before->now)); });
    if (static_cast<size_t>(open) >= kMaxOpenProposals) {
      return wire::MakeError(v1::ERROR_REASON_PROPOSALS_FULL,
                             absl::StrCat(kMaxOpenProposals,
                                          " proposals are open, as many as there may be: approve or "
                                          "withdraw some (ListProposals)"),
                             {{"limit", std::to_string(kMaxOpenProposals)}});
    }
    made = ProposalView{};
    is_new = true;
    return Write(proposed, *before, caller, &made).outcome;
  });
  if (!written.ok()) return written;
  if (is_new && told_) told_(made);
  return made;
}

template <typename Step>
absl::StatusOr<ProposalView> Proposals::Change(const base::ProposalId& id, const Caller& caller, Step step) {
  ProposalView changed;
  bool is_step = false;
  const absl::Status written = RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    std::string bytes;
    const absl::StatusOr<ProposalRow> row = LoadProposal(core_, id, &bytes);
    if (!row.ok()) return row.status();
    absl::StatusOr<ProposalView> before = ViewOf(*row);
    if (!before.ok()) return before.status();
    changed = *before;
    if (absl::Status s = step(changed); !s.ok()) return s;
    is_step = changed.row.state != row->state;
    if (!is_step) return store::Outcome::kCommitted;
    const absl::StatusOr<base::Digest> key = ProposalKeyOf(core_, id);
    if (!key.ok()) return key.status();
    changed.row.sealed = SealProposalNames(*key, changed.names, id, core_.random);
    const auto build = [&](const store::Stamp& stamp) {
      ProposalRow next = changed.row;
      // Its end may lie between the look at it and this very place in the order.
      if (row->StateAt(stamp.time) == ProposalState::kExpired) {
        next = *row;
        next.state = ProposalState::kExpired;
      } else if (!next.decided_at.IsSet()) {
        next.decided_at = stamp.time;
      }
      store::Change change;
      change.writes = {{store::Table::kProposal, ProposalKey(id), EncodeProposal(next)}};
      if (HasEnded(next.state)) {
        change.writes.push_back({store::Table::kProposal, ProposedRequestKey(id), std::nullopt});
        EraseFormer(core_, id, /*with_key=*/false, stamp, change.writes);
      }
      change.event = EventOf(next.act, next.state, caller);
      return change;
    };
    return CommitNow(core_, kProposalPartition, {{store::Table::kProposal, ProposalKey(id), bytes}}, build).outcome;
  });
  if (!written.ok()) return written;
  // As it was written: it may have expired at the commit.
  absl::StatusOr<ProposalView> after = Get(id);
  if (is_step && after.ok() && told_) told_(*after);
  return after;
}

absl::StatusOr<ApprovedProposal> Proposals::Approve(const base::ProposalId& id, const Person& by,
                                                    const Caller& caller) {
  if (absl::Status time = TimeToLoosen(core_.Present()); !time.ok()) return time;
  ApprovedProposal approved;
  absl::StatusOr<ProposalView> view = Change(id, caller, [&](ProposalView& proposal) -> absl::Status {
    // Once more by whoever approved it: what was left is done.
    const bool again = proposal.state == ProposalState::kApproved || proposal.state == ProposalState::kDone;
    if (again && IsSamePerson(proposal.names.decider, by)) return absl::OkStatus();
    if (proposal.state != ProposalState::kOpen) return WrongState(proposal.state);
    if (const char* why = WhyNotTwo(proposal.names.proposer, by)) return OtherPersonRequired(why);
    proposal.row.state = ProposalState::kApproved;
    proposal.names.decider = by;
    return absl::OkStatus();
  });
  if (!view.ok()) return view.status();
  const bool is_done = view->state == ProposalState::kDone;
  const bool is_approved = is_done || view->state == ProposalState::kApproved;
  if (!is_approved || !IsSamePerson(view->names.decider, by)) return WrongState(view->state);
  approved.approval = {id, view->names.proposer.name, view->names.decider.name};
  if (is_done) {
    approved.view = *std::move(view);
    return approved;
  }
  const absl::StatusOr<base::Digest> key = ProposalKeyOf(core_, id);
  if (!key.ok()) return key.status();
  absl::StatusOr<std::string> request = LoadProposedRequest(core_, *key, id);
  if (!request.ok()) return request.status();
  if (RequestDigest(view->row.act, *request) != view->row.request) return DamagedRow("what a proposal proposes");
  approved.request = *std::move(request);
  approved.view = *std::move(view);
  return approved;
}

absl::StatusOr<ProposalView> Proposals::End(const base::ProposalId& id, const absl::Status& outcome,
                                            const Caller& caller) {
  if (!outcome.ok() && !IsFinal(outcome)) return Get(id);
  return Change(id, caller, [&outcome](ProposalView& proposal) -> absl::Status {
    if (proposal.state != ProposalState::kApproved) return absl::OkStatus();  // somebody else has said so
    proposal.row.state = outcome.ok() ? ProposalState::kDone : ProposalState::kFailed;
    if (!outcome.ok()) proposal.names.outcome = wire::ReasonName(wire::DetailOf(outcome).reason);
    return absl::OkStatus();
  });
}

absl::StatusOr<ProposalView> Proposals::Withdraw(const base::ProposalId& id, const Person& by, const Caller& caller) {
  absl::StatusOr<ProposalView> view = Change(id, caller, [&by](ProposalView& proposal) -> absl::Status {
    if (proposal.state == ProposalState::kWithdrawn) return absl::OkStatus();
    if (proposal.state != ProposalState::kOpen) return WrongState(proposal.state);
    proposal.row.state = ProposalState::kWithdrawn;
    proposal.names.decider = by;
    return absl::OkStatus();
  });
  if (view.ok() && view->state != ProposalState::kWithdrawn) return WrongState(view->state);
  return view;
}

absl::StatusOr<size_t> Proposals::EndExpired() {
  const absl::StatusOr<std::vector<ProposalRow>> rows = LoadProposals(core_);
  if (!rows.ok()) return rows.status();
  size_t ended = 0;
  for (const ProposalRow& row : *rows) {
    if (HasEnded(row.state) || row.StateAt(core_.Now()) != ProposalState::kExpired) continue;
    const auto expire = [](ProposalView& proposal) {
      if (proposal.state == ProposalState::kExpired) proposal.row.state = ProposalState::kExpired;
      return absl::OkStatus();
    };
    const absl::StatusOr<ProposalView> view = Change(row.id, Caller{""}, expire);
    if (!view.ok()) return view.status();
    ++ended;
  }
  return ended;
}

absl::StatusOr<ProposalView> Proposals::Get(const base::ProposalId& id, std::string* request) const {
  std::string unused;
  const absl::StatusOr<ProposalRow> row = LoadProposal(core_, id, &unused);
  if (!row.ok()) return row.status();
  absl::StatusOr<ProposalView> view = ViewOf(*row);
  if (!view.ok() || request == nullptr || HasEnded(view->state)) return view;
  const absl::StatusOr<base::Digest> key = ProposalKeyOf(core_, id);
  if (!key.ok()) return key.status();
  absl::StatusOr<std::string> opened = LoadProposedRequest(core_, *key, id);
  if (!opened.ok()) return opened.status();
  *request = *std::move(opened);
  return view;
}

absl::StatusOr<std::vector<ProposalView>> Proposals::List(base::Instant until, bool include_ended, size_t limit) const {
  const absl::StatusOr<std::vector<ProposalRow>> rows = LoadProposals(core_);
  if (!rows.ok()) return rows.status();
  const base::Instant now = core_.Now();
  std::vector<ProposalView> views;
  for (const ProposalRow& row : *rows) {
    if (views.size() == limit) break;
    if (until < row.proposed_at || (!include_ended && HasEnded(row.StateAt(now)))) continue;
    absl::StatusOr<ProposalView> view = ViewOf(row);
    // One that made way since the rows were read.
    if (absl::IsNotFound(view.status())) continue;
    if (!view.ok()) return view.status();
    views.push_back(*std::move(view));
  }
  return views;
}

}  // namespace consent::service
