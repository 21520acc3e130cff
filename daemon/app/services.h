// The use cases and the RPC services on them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/base/bytes.h"
#include "daemon/base/hash.h"
#include "daemon/base/random.h"
#include "daemon/decisions/recorder.h"
#include "daemon/rpc/approval_rpc.h"
#include "daemon/rpc/backup_rpc.h"
#include "daemon/rpc/data_system_rpc.h"
#include "daemon/rpc/decision_rpc.h"
#include "daemon/rpc/deletion_rpc.h"
#include "daemon/rpc/eligibility_rpc.h"
#include "daemon/rpc/hold_rpc.h"
#include "daemon/rpc/key_rpc.h"
#include "daemon/rpc/policy_rpc.h"
#include "daemon/rpc/purge_rpc.h"
#include "daemon/rpc/read_log.h"
#include "daemon/rpc/recording_rpc.h"
#include "daemon/rpc/review_rpc.h"
#include "daemon/rpc/settings_rpc.h"
#include "daemon/rpc/status_rpc.h"
#include "daemon/rpc/subject_rpc.h"
#include "daemon/service/commit/change_subject.h"
#include "daemon/service/deletion/deletions.h"
#include "daemon/service/deletion/holds.h"
#include "daemon/service/erasure/erasures.h"
#include "daemon/service/erasure/master_keys.h"
#include "daemon/service/erasure/month_keys.h"
#include "daemon/service/erasure/rewrap_shares.h"
#include "daemon/service/purge/purge_tasks.h"
#include "daemon/service/purge/task_queue.h"
#include "daemon/service/registry/data_systems.h"
#include "daemon/service/registry/policy_admin.h"
#include "daemon/service/registry/proposals.h"
#include "daemon/service/registry/publisher.h"
#include "daemon/service/registry/sweeps.h"
#include "daemon/service/review/end_review.h"
#include "daemon/service/review/list_reviews.h"
#include "daemon/service/review/reviews.h"
#include "daemon/service/subject/check_eligibility.h"
#include "daemon/service/subject/children_due.h"
#include "daemon/service/subject/explain_check.h"
#include "daemon/service/subject/join_subjects.h"
#include "daemon/service/subject/read_subject.h"
#include "daemon/service/subject/safety_flags.h"
#include "daemon/service/subject/subject_changes.h"
#include "daemon/service/subject/turned_answers.h"
#include "daemon/service/subject/verify_decisions.h"
#include "daemon/store/limits.h"

namespace consent::app {

// 128 random bits, so that nobody else can ask about it.
inline std::string NewProbeAccount(base::Random& random) {
  base::Bytes16 bytes{};
  random.Fill(bytes.data(), bytes.size());
  return "consentd-probe-" + base::Hex(base::View(bytes));
}

// The use cases. Thread-safe as its members are. The references outlive it, and it outlives all RPC services.
struct Services {
  Services(service::Core& core, decisions::Recorder& recorder_of_decisions, callers::CallerConnections& connections)
      : probe_account(NewProbeAccount(core.random)),
        recorder(recorder_of_decisions),
        queue(core),
        publisher(core, queue),
        review_rates(publisher.review_rates()),
        changes(core, kMaxChangesInFlight),
        subject_changes(core, changes),
        joins(core, changes),
        check(core),
        reads(core),
        children_due(core, reads),
        safety_flags(core, changes),
        policy_admin(core, publisher.policies()),
        proposals(core, publisher.proposals()),
        turned(core),
        systems(core, queue, publisher.systems()),
        sweeps(core, systems, publisher.sweeps()),
        deletions(core, changes),
        holds(core, changes),
        erasures(core),
        master_keys(core),
        month_keys(core),
        rewrapping(core),
        tasks(core, queue),
        verify_decisions(core),
        explain_check(core),
        reviews(core, publisher.systems()),
        end_review(core,
                   [this](auto change, auto done) { subject_changes.Submit(std::move(change), std::move(done)); }),
        list_reviews(core),
        read_log(core, deletions, recorder_of_decisions),
        admission(core.ready, &connections) {}

  // Changes that were taken and not yet answered; one more is OVERLOADED.
  static constexpr size_t kMaxChangesInFlight = 4096;
  static_assert(2 * kMaxChangesInFlight <= store::kMaxQueuedCommits, "the store's queue is never full first");

  const std::string probe_account;  // that nobody has; see EligibilityRpc
  decisions::Recorder& recorder;
  service::TaskQueue queue;
  service::Publisher publisher;
  const service::KnownReviewRates& review_rates;
  service::ChangeSubject changes;
  service::SubjectChanges subject_changes;
  service::JoinSubjects joins;
  service::CheckEligibility check;
  service::ReadSubject reads;
  service::ChildrenDue children_due;
  service::SafetyFlags safety_flags;
  service::PolicyAdmin policy_admin;
  service::Proposals proposals;
  service::TurnedAnswers turned;
  service::DataSystems systems;
  service::Sweeps sweeps;
  service::Deletions deletions;
  service::Holds holds;
  service::Erasures erasures;
  service::MasterKeys master_keys;
  service::MonthKeys month_keys;
  service::RewrapShares rewrapping;
  service::PurgeTasks tasks;
  service::VerifyDecisions verify_decisions;
  service::ExplainCheck explain_check;
  service::Reviews reviews;
  service::EndReview end_review;
  service::ListReviews list_reviews;
  rpc::DecisionReadLog read_log;
  rpc::Admission admission;  // of all servers together
};

// The RPC services of one gRPC server, for the peers that its authenticator tells apart. The references outlive it, and
// it outlives the server.
struct RpcServices {
  RpcServices(service::Core& core, Services& services, rpc::ReadStatus read_status, rpc::ReadKeyFile read_keys,
              rpc::BackupSource& backups, const rpc::RpcDependencies& dependencies)
      : eligibility(core, services.check, services.recorder, dependencies, services.probe_account),
        settings(core, services.subject_changes, services.reads, dependencies),
        subject(core, services.subject_changes, services.joins, services.reads, services.children_due, dependencies),
        recording(core, services.subject_changes, services.safety_flags, dependencies),
        review(core, services.reviews, services.end_review, services.list_reviews, services.review_rates,
               services.recorder, dependencies),
        policy(core, services.policy_admin, services.proposals, services.turned, dependencies),
        deletion(core, services.deletions, services.systems, dependencies),
        hold(core, services.holds, services.proposals, services.systems, dependencies),
        approval(core, services.proposals, services.policy_admin, services.holds, dependencies),
        purge(core, services.tasks, services.systems, services.queue, dependencies),
        data_system(core, services.systems, services.sweeps, services.queue, dependencies),
        decision(core, services.verify_decisions, services.explain_check, services.month_keys, services.recorder,
                 dependencies),
        key(core, services.master_keys, services.rewrapping, std::move(read_keys), dependencies),
        status(std::move(read_status), dependencies),
        backup(backups, dependencies) {}

  std::vector<grpc::Service*> All() {
    return {&eligibility, &settings, &subject,     &recording, &review, &policy, &deletion, &hold,
            &approval,    &purge,    &data_system, &decision,  &key,    &status, &backup};
  }

  rpc::EligibilityRpc eligibility;
  rpc::SettingsRpc settings;
  rpc::SubjectRpc subject;
  rpc::RecordingRpc recording;
  rpc::ReviewRpc review;
  rpc::PolicyRpc policy;
  rpc::DeletionRpc deletion;
  rpc::HoldRpc hold;
  rpc::ApprovalRpc approval;
  rpc::PurgeRpc purge;
  rpc::DataSystemRpc data_system;
  rpc::DecisionRpc decision;
  rpc::KeyRpc key;
  rpc::StatusRpc status;
  rpc::BackupRpc backup;
};

}  // namespace consent::app
