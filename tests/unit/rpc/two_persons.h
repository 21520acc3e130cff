// A service whose loosenings take two persons, over gRPC and on a store that it may share with another one; and the
// three acts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include "daemon/policy/compare.h"
#include "daemon/rpc/approval_rpc.h"
#include "daemon/rpc/hold_rpc.h"
#include "daemon/rpc/policy_rpc.h"
#include "tests/support/service/deleting.h"
#include "tests/support/store/faulty.h"
#include "tests/unit/rpc/chosen_peer.h"
#include "tests/unit/rpc/local_server.h"
#include "tests/unit/rpc/no_read_log.h"
#include "tests/unit/rpc/note_taker.h"

namespace consent::test {

inline service::Person Certified(const std::string& caller, const std::string& uri, const std::string& key) {
  return {service::PersonKind::kCertificate, caller, {base::Sha256("uri:", uri), base::Sha256("key:", key)}};
}
// An entry of the callers' file with one certificate.
inline service::Person Certified(const std::string& caller) { return Certified(caller, caller, caller); }
inline service::Person UserOf(int user) {
  return rpc::UserAt(std::string(rpc::kUserPeer) + std::to_string(user), "local");
}

// What is said of a call: "OK", or the reason.
std::string Said(const grpc::Status& status);

// Two persons for each loosening.
PolicyBuilder TwoPersonPolicy(const std::string& version);

class Desk {
 public:
  // `shared` nullptr: a store of its own, with that policy in force.
  Desk(uint64_t seed, store::Store* shared, const PolicyBuilder& first = TwoPersonPolicy("two"));

  void As(const service::Person& person, callers::RoleSet roles = callers::RoleSet::All());
  // Each as whoever it is now. `*proposal` gets what the answer has.
  std::string Approve(const std::string& id, v1::Proposal* proposal = nullptr);
  std::string Withdraw(const std::string& id, v1::Proposal* proposal = nullptr);
  v1::GetProposalResponse Get(const std::string& id);
  // The whole listing, in pages of `page_size`.
  std::vector<v1::Proposal> List(bool ended, int page_size = 0);
  std::string Activate(const std::string& json, const std::vector<std::string>& loosens, v1::Proposal* proposal);
  std::string Resume(const std::string& etag, const std::string& reason, v1::Proposal* proposal);
  std::string Release(const std::string& hold_id, const std::string& etag, const std::string& reason,
                      v1::Proposal* proposal, const std::string& request_id = "");

  FaultyStore* store = nullptr;
  World world;
  google::protobuf::LogSilencer silencer;
  NoteTaker notes;
  service::Pool readers{2, 64};
  service::Pool restrictions{1, 64};
  service::Pool grants{2, 64};
  rpc::Admission admission{world.core().ready};
  ChosenPeer chosen;
  const NoReadLog no_read_log{};
  const rpc::RpcDependencies dependencies{admission, readers, restrictions, grants, notes, chosen, no_read_log};
  service::TurnedAnswers turned{world.core()};
  rpc::PolicyRpc policies{world.core(), world.admin(), world.proposals(), turned, dependencies};
  rpc::HoldRpc holds{world.core(), world.holds(), world.proposals(), world.systems(), dependencies};
  rpc::ApprovalRpc approvals{world.core(), world.proposals(), world.admin(), world.holds(), dependencies};
  LocalServer server{{&policies, &holds, &approvals}};
  std::unique_ptr<v1::PolicyService::Stub> policy_stub = v1::PolicyService::NewStub(server.channel());
  std::unique_ptr<v1::HoldService::Stub> hold_stub = v1::HoldService::NewStub(server.channel());
  std::unique_ptr<v1::ApprovalService::Stub> approval_stub = v1::ApprovalService::NewStub(server.channel());
};

enum class Act { kResume, kRelease, kActivate };
inline constexpr Act kActs[] = {Act::kResume, Act::kRelease, Act::kActivate};

// One act that waits to be done at a desk, or at another one on the same store.
class Waiting {
 public:
  Waiting(Desk& desk, Act act);
  // By whoever sits at `desk`; `nth` makes requests that differ.
  std::string Ask(Desk& desk, int nth, v1::Proposal* proposal);
  // As the store has it, and `*names` who proposed and who approved it.
  bool IsDone(Desk& desk, std::string* names = nullptr) const;

 private:
  const Act act_;
  std::string etag_;
  std::string hold_id_;
  service::HoldPlace hold_;
};

}  // namespace consent::test
