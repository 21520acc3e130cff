// Loosenings that take two persons: one proposes, another one approves. Nothing here carries anything out; whoever
// approves does, by the same way as where one person suffices, with an Approval in hand.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/service/commit/change.h"
#include "daemon/service/registry/known_proposals.h"
#include "daemon/service/rows/proposal_rows.h"
#include "daemon/service/state/core.h"

namespace consent::service {

// As logs and errors say it: "OPEN", "activate policy".
const char* NameOf(ProposalState state);
const char* NameOf(ProposedAct act);

// What is proposed, by whom.
struct NewProposal {
  ProposedAct act = ProposedAct::kNone;
  Person by;
  std::string request;  // serialised, at most kMaxProposedBytes: what will be carried out
  std::string summary;  // as ProposalNames has it
  std::string basis;    // as ProposalRow has it
};

// A proposal as it is to be shown.
struct ProposalView {
  ProposalRow row;
  ProposalState state = ProposalState::kNone;  // now
  ProposalNames names;
};

// One that was approved: what is to be carried out.
struct ApprovedProposal {
  ProposalView view;
  std::string request;  // empty: it is done
  Approval approval;
};

// Thread-safe. The proposal's row is a precondition of each of its steps, so of several at once one is made; a new one
// has the row of all of them for a precondition, so that their bound holds. All of these block.
class Proposals {
 public:
  Proposals(Core& core, KnownProposals& known) : core_(core), known_(known) {}
  // `told` hears of each step that was committed, on its thread. Set before anything is proposed.
  using Told = std::function<void(const ProposalView&)>;
  void TellSteps(Told told) { told_ = std::move(told); }
  // Once, before anything is served. STORE_UNREADABLE, INTERNAL.
  absl::Status Load() { return known_.Fill(core_); }

  // Open until Rules::approvals.open_for from now. The same request of the same act that is open already is that
  // proposal, whoever made it. OTHER_PERSON_REQUIRED: nobody can tell who `by` is, so nobody can be another one.
  // PROPOSALS_FULL: kMaxOpenProposals are open. INVALID_FIELD: the request is too large.
  absl::StatusOr<ProposalView> Propose(const NewProposal& proposed, const Caller& caller);

  // From open to approved, and what is to be done then. Where `by` has approved it before: the same again, or, once it
  // is done, nothing. PROPOSAL_NOT_FOUND, PROPOSAL_STATE, OTHER_PERSON_REQUIRED; CLOCK_DOUBTFUL,
  // CLOCK_BEHIND: it stays as it is.
  absl::StatusOr<ApprovedProposal> Approve(const base::ProposalId& id, const Person& by, const Caller& caller);
  // How carrying out an approved one ended. Where that may yet succeed (IsFinal says no) nothing is written.
  absl::StatusOr<ProposalView> End(const base::ProposalId& id, const absl::Status& outcome, const Caller& caller);
  // From open to withdrawn, by its proposer or by anybody who might approve it. One that is withdrawn stays so: OK.
  // PROPOSAL_NOT_FOUND, PROPOSAL_STATE.
  absl::StatusOr<ProposalView> Withdraw(const base::ProposalId& id, const Person& by, const Caller& caller);

  // Those that nobody approved in time are told of as such, and their requests leave the store. Returns how many.
  // STORE_UNREADABLE and what a commit can answer.
  absl::StatusOr<size_t> EndExpired();

  // PROPOSAL_NOT_FOUND. `request` nullptr: it is not asked for; else empty once the proposal has ended.
  absl::StatusOr<ProposalView> Get(const base::ProposalId& id, std::string* request = nullptr) const;
  // Made before `until`, the newest first, at most `limit`.
  absl::StatusOr<std::vector<ProposalView>> List(base::Instant until, bool include_ended, size_t limit) const;
  KnownProposals::Counts OpenNow() const { return known_.OpenAt(core_.Now()); }

  // Whether carrying out will not succeed if it is tried again.
  static bool IsFinal(const absl::Status& outcome);

 private:
  // All there is, and what holds while nobody proposes anything else.
  struct Before {
    std::vector<ProposalRow> rows;
    store::Precondition unchanged;
    base::Instant now;
  };
  absl::StatusOr<Before> ReadAll() const;
  store::CommitResult Write(const NewProposal& proposed, const Before& before, const Caller& caller,
                            ProposalView* view);
  absl::StatusOr<ProposalView> ViewOf(const ProposalRow& row) const;
  absl::StatusOr<std::optional<ProposalView>> FindOpen(const std::vector<ProposalRow>& rows,
                                                       const base::Digest& request, base::Instant now) const;
  // Commits what `step(view)` makes of the proposal, again where somebody else wrote it first. A view whose row it
  // leaves as it is costs no commit.
  template <typename Step>
  absl::StatusOr<ProposalView> Change(const base::ProposalId& id, const Caller& caller, Step step);

  Core& core_;
  KnownProposals& known_;
  Told told_;
};

}  // namespace consent::service
