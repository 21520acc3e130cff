#include "daemon/app/probe.h"

#include <grpcpp/create_channel_posix.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "consent/v1/eligibility_service.grpc.pb.h"
#include "daemon/base/mutex.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace consent::app {
namespace {

// Partitions that one probe asks; the next one asks the next. All have the same committer.
constexpr size_t kPartitionsAtOnce = 16;

// A row that no policy has, with a value that it would need.
constexpr char kNoRow[] = "probe";

// How many groups of commits each partition has answered; 0 where the store cannot tell.
std::vector<uint64_t> GroupsOf(const service::Core& core) {
  std::vector<uint64_t> groups;
  for (uint16_t number = 0; number < core.store.partition_count(); ++number) {
    const std::optional<store::ReadVersion> seen = core.store.GetReadVersion(store::Partition{number});
    groups.push_back(seen.has_value() ? seen->group : 0);
  }
  return groups;
}

std::string ReasonOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (!details.ParseFromString(status.error_details()) || details.details_size() == 0) return "";
  return details.details(0).UnpackTo(&info) ? info.reason() : "";
}

// What came back of the commits of one probe. Thread-safe.
class Answers {
 public:
  explicit Answers(size_t count) : waiting_(count), outcomes_(count) {}
  void Take(size_t i, store::Outcome outcome) EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    outcomes_[i] = outcome;
    if (--waiting_ == 0) done_.NotifyAll();
  }
  // In the order of the commits, once all are there.
  std::vector<store::Outcome> Wait() EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    while (waiting_ != 0) done_.Wait(mutex_);
    return outcomes_;
  }

 private:
  base::Mutex mutex_;
  base::CondVar done_;
  size_t waiting_ GUARDED_BY(mutex_);
  std::vector<store::Outcome> outcomes_ GUARDED_BY(mutex_);
};

}  // namespace

ops::Literal ProbeStepName(ProbeStep step) {
  switch (step) {
    case ProbeStep::kCheck:
      return "check";
    case ProbeStep::kCommits:
      return "commits";
    case ProbeStep::kHeadFile:
      return "head file";
    case ProbeStep::kNone:
      break;
  }
  return "none";
}

Probe::Probe(service::Core& core, const service::Pool& readers, Server& server, std::string account)
    : core_(core),
      readers_(readers),
      server_(server),
      account_(std::move(account)),
      reads_seen_(readers.begun()),
      groups_seen_(GroupsOf(core)) {}

ProbeStep Probe::Run(std::chrono::milliseconds patience) {
  ProbeStep failed = ProbeStep::kNone;
  step_ = ProbeStep::kCheck;
  if (!IsCheckAnswered(patience)) failed = ProbeStep::kCheck;
  if (failed == ProbeStep::kNone) {
    step_ = ProbeStep::kCommits;
    if (!AreCommitsAnswered()) failed = ProbeStep::kCommits;
  }
  if (failed == ProbeStep::kNone) {
    step_ = ProbeStep::kHeadFile;
    if (!core_.store.SaveClock().ok()) failed = ProbeStep::kHeadFile;
  }
  step_ = ProbeStep::kNone;
  return failed;
}

bool Probe::IsCheckAnswered(std::chrono::milliseconds patience) {
  const uint64_t reads_before = std::exchange(reads_seen_, readers_.begun());
  const absl::StatusOr<int> connection = server_.ConnectOwn();
  if (!connection.ok()) return false;
  // The channel owns the descriptor, and takes it along.
  const auto stub = v1::EligibilityService::NewStub(grpc::CreateInsecureChannelFromFd("consentd-probe", *connection));
  v1::CheckRequest request;
  request.mutable_recording()->set_account_id(account_);
  request.mutable_recording()->set_recording_id(account_);
  request.set_purpose(v1::PURPOSE_HUMAN_REVIEW);
  v1::CheckResponse response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + patience);
  const grpc::Status status = stub->Check(&context, request, &response);
  if (status.ok()) return response.has_decision();
  const std::string reason = ReasonOf(status);
  if (reason == "NOT_SERVING") return !core_.ready.load();
  return reason == "OVERLOADED" && readers_.begun() != reads_before;
}

bool Probe::AreCommitsAnswered() {
  std::vector<uint16_t> asked;
  for (size_t i = 0; i < std::min<size_t>(kPartitionsAtOnce, core_.store.partition_count()); ++i) {
    asked.push_back(next_partition_);
    next_partition_ = static_cast<uint16_t>((next_partition_ + 1) % core_.store.partition_count());
  }
  const auto answers = std::make_shared<Answers>(asked.size());
  for (size_t i = 0; i < asked.size(); ++i) {
    core_.store.Commit(
        store::Partition{asked[i]}, {store::Precondition{store::Table::kPolicy, kNoRow, std::string(kNoRow)}},
        [](const store::Stamp&) { return store::Change{}; },
        [answers, i](const store::CommitResult& result) { answers->Take(i, result.outcome); });
  }
  const std::vector<store::Outcome> outcomes = answers->Wait();
  const std::vector<uint64_t> before = std::exchange(groups_seen_, GroupsOf(core_));
  for (size_t i = 0; i < asked.size(); ++i) {
    const bool moves = groups_seen_[asked[i]] != before[asked[i]];
    const bool is_full = outcomes[i] == store::Outcome::kRetry;
    if (outcomes[i] != store::Outcome::kConflict && !(is_full && moves)) return false;
  }
  return true;
}

}  // namespace consent::app
