#include "tests/unit/rpc/two_persons.h"

#include <atomic>

#include "daemon/service/rows/change_row.h"

namespace consent::test {
namespace {

World::Options OptionsOf(uint64_t seed, store::Store* shared, FaultyStore** made_store) {
  World::Options options;
  options.seed = seed;
  options.partitions = 3;
  options.policy = false;
  options.decorate = [shared, made_store](store::Store& own) {
    auto made = std::make_unique<FaultyStore>(shared == nullptr ? own : *shared, FaultyStore::Plan{});
    *made_store = made.get();
    return made;
  };
  return options;
}

// Employees in the United States may listen to recordings from Germany.
policy::Document LooserPolicy(int nth) {
  PolicyBuilder looser = TwoPersonPolicy("looser-" + std::to_string(nth));
  looser.Regime("eea").add_allowed_countries("US");
  return looser.Build();
}

}  // namespace

std::string Said(const grpc::Status& status) { return status.ok() ? "OK" : Details(status).reason; }

PolicyBuilder TwoPersonPolicy(const std::string& version) {
  PolicyBuilder builder(version);
  builder.policy().clear_approvals();
  return builder;
}

Desk::Desk(uint64_t seed, store::Store* shared, const PolicyBuilder& first) : world(OptionsOf(seed, shared, &store)) {
  if (shared == nullptr) {
    EXPECT_TRUE(world.Activate(first).ok());
    return;
  }
  // The seed is that of the keys, too, so it is the other one's: what is drawn must not be.
  static std::atomic<size_t> desks{0};
  std::vector<uint8_t> burnt(64 * (++desks % 1'000 + 1));
  world.random.Fill(burnt.data(), burnt.size());
}

void Desk::As(const service::Person& person, callers::RoleSet roles) {
  chosen.Set(rpc::Peer{service::Caller{person.name.empty() ? "local" : person.name}, roles});
  chosen.SetPerson(person);
}

std::string Desk::Approve(const std::string& id, v1::Proposal* proposal) {
  v1::ApproveProposalRequest request;
  request.set_proposal_id(id);
  v1::ApproveProposalResponse response;
  grpc::ClientContext context;
  const grpc::Status status = approval_stub->ApproveProposal(&context, request, &response);
  if (proposal != nullptr) *proposal = response.proposal();
  return Said(status);
}

std::string Desk::Withdraw(const std::string& id, v1::Proposal* proposal) {
  v1::WithdrawProposalRequest request;
  request.set_proposal_id(id);
  v1::WithdrawProposalResponse response;
  grpc::ClientContext context;
  const grpc::Status status = approval_stub->WithdrawProposal(&context, request, &response);
  if (proposal != nullptr) *proposal = response.proposal();
  return Said(status);
}

v1::GetProposalResponse Desk::Get(const std::string& id) {
  v1::GetProposalRequest request;
  request.set_proposal_id(id);
  v1::GetProposalResponse response;
  grpc::ClientContext context;
  EXPECT_EQ(Said(approval_stub->GetProposal(&context, request, &response)), "OK");
  return response;
}

std::vector<v1::Proposal> Desk::List(bool ended, int page_size) {
  std::vector<v1::Proposal> proposals;
  v1::ListProposalsRequest request;
  request.set_include_ended(ended);
  request.set_page_size(page_size);
  do {
    v1::ListProposalsResponse response;
    grpc::ClientContext context;
    EXPECT_EQ(Said(approval_stub->ListProposals(&context, request, &response)), "OK");
    proposals.insert(proposals.end(), response.proposals().begin(), response.proposals().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return proposals;
}

std::string Desk::Activate(const std::string& json, const std::vector<std::string>& loosens, v1::Proposal* proposal) {
  v1::ActivatePolicyRequest request;
  request.set_policy_json(json);
  for (const std::string& words : loosens) request.add_loosens(words);
  v1::ActivatePolicyResponse response;
  grpc::ClientContext context;
  const grpc::Status status = policy_stub->ActivatePolicy(&context, request, &response);
  if (proposal != nullptr) *proposal = response.proposal();
  return Said(status);
}

std::string Desk::Resume(const std::string& etag, const std::string& reason, v1::Proposal* proposal) {
  v1::ResumeRequest request;
  request.set_purpose(v1::PURPOSE_HUMAN_REVIEW);
  request.set_reason(reason);
  request.set_etag(etag);
  v1::ResumeResponse response;
  grpc::ClientContext context;
  const grpc::Status status = policy_stub->Resume(&context, request, &response);
  if (proposal != nullptr) *proposal = response.proposal();
  EXPECT_TRUE(!status.ok() || response.suspension().active() == response.has_proposal());
  return Said(status);
}

std::string Desk::Release(const std::string& hold_id, const std::string& etag, const std::string& reason,
                          v1::Proposal* proposal, const std::string& request_id) {
  v1::ReleaseHoldRequest request;
  request.set_hold_id(hold_id);
  request.set_etag(etag);
  request.set_authority("court");
  request.set_reason(reason);
  request.set_request_id(request_id);
  request.mutable_evidence()->set_channel(v1::CHANNEL_SUPPORT);
  request.mutable_evidence()->set_actor(v1::ACTOR_SYSTEM);
  v1::ReleaseHoldResponse response;
  grpc::ClientContext context;
  const grpc::Status status = hold_stub->ReleaseHold(&context, request, &response);
  if (proposal != nullptr) *proposal = response.proposal();
  EXPECT_TRUE(!status.ok() || response.hold().has_released_at() != response.has_proposal());
  return Said(status);
}

Waiting::Waiting(Desk& desk, Act act) : act_(act) {
  if (act == Act::kResume) {
    const auto suspended = desk.world.admin().Suspend(domain::Purpose::kHumanReview, {}, "an incident");
    EXPECT_TRUE(suspended.ok());
    etag_ = suspended->etag;
  } else if (act == Act::kRelease) {
    EXPECT_TRUE(desk.world.Register("a", "DE").ok());
    hold_ = Deleting(desk.world).Hold("a", domain::HeldPart{});
    const service::HoldRow row = desk.world.holds().Get(hold_)->row;
    hold_id_ = base::IdText(row.id);
    etag_ = desk.world.core().tokens.Encode(service::HoldEtag{row.id, row.changed});
  }
}

std::string Waiting::Ask(Desk& desk, int nth, v1::Proposal* proposal) {
  const std::string reason = "over " + std::to_string(nth);
  if (act_ == Act::kResume) return desk.Resume(etag_, reason, proposal);
  if (act_ == Act::kRelease) return desk.Release(hold_id_, etag_, reason, proposal, "request-" + std::to_string(nth));
  const policy::Document document = LooserPolicy(nth);
  std::vector<std::string> words;
  const auto diff = desk.world.admin().Diff(document);
  for (const policy::Difference& difference : diff->differences) {
    if (policy::Loosens(difference)) words.push_back(policy::Words(difference));
  }
  return desk.Activate(document.json(), words, proposal);
}

bool Waiting::IsDone(Desk& desk, std::string* names) const {
  std::string unused;
  std::string& out = names == nullptr ? unused : *names;
  const auto policy = desk.world.admin().Get("");
  if (act_ == Act::kActivate) {
    out = policy->proposed_by + " " + policy->activated_by;
    return policy->document->version() != "two";
  }
  if (act_ == Act::kResume) {
    const service::SuspensionView& last = policy->suspensions.back();
    out = last.approval.proposed_by + " " + last.by;
    return !last.suspension.active;
  }
  const auto history = desk.world.reads().History(desk.world.Handle("a"), 100, 0);
  for (const service::HistoryItem& item : history->items) {
    if (item.row.kind != service::ChangeKind::kHoldReleased) continue;
    out = item.payload.proposed_by + " " + item.payload.approved_by;
  }
  return !desk.world.holds().Get(hold_)->row.InForce();
}

}  // namespace consent::test
