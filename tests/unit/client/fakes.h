// Time, chance and a client without a daemon.
#pragma once

#include <atomic>
#include <cstring>
#include <functional>
#include <mutex>
#include <vector>

#include "client/src/answer_maker.h"
#include "consent/client.h"
#include "consent/reviews.h"

namespace consent::testing {

// Stands still unless moved or slept on. Thread-safe.
class FakeClock final : public Clock {
 public:
  std::chrono::nanoseconds SinceBoot() const override { return std::chrono::nanoseconds(now_.load()); }
  void Sleep(std::chrono::nanoseconds time) override {
    now_ += time.count();
    const std::lock_guard<std::mutex> lock(mutex_);
    sleeps_.push_back(time);
  }
  void Advance(std::chrono::nanoseconds time) { now_ += time.count(); }
  std::vector<std::chrono::nanoseconds> sleeps() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return sleeps_;
  }

 private:
  std::atomic<int64_t> now_{1'000'000'000};
  mutable std::mutex mutex_;
  std::vector<std::chrono::nanoseconds> sleeps_;
};

// Counts upwards. Thread-safe.
class FakeRandom final : public Random {
 public:
  void Fill(void* out, size_t size) override { std::memset(out, ++calls_, size); }

 private:
  std::atomic<unsigned char> calls_{0};
};

// Every call goes to a function; one that is not set answers UNIMPLEMENTED, which is a no. Functions may be called from
// many threads.
class FakeClient : public Client {
 public:
  std::function<absl::StatusOr<BatchAnswers>(const std::vector<Recording>&, const Question&)> on_batch;
  std::function<absl::StatusOr<SubjectUpdated>(const SubjectUpdate&)> on_subject;
  std::function<absl::StatusOr<SettingsUpdated>(const SettingsUpdate&)> on_settings;
  std::function<absl::StatusOr<OptedOut>(const OptOutOrder&)> on_opt_out;
  std::function<absl::StatusOr<DeletionCreated>(const NewDeletionRequest&)> on_create_deletion;
  std::function<absl::StatusOr<Subject>(const AccountId&)> on_get_subject;
  std::function<absl::StatusOr<CurrentSettings>(const AccountId&)> on_get_settings;
  std::function<absl::StatusOr<HistoryPage>(const AccountId&, int, const std::string&)> on_history;
  std::function<absl::StatusOr<ChoicesPage>(const ChoicesQuery&)> on_list_choices;
  std::function<absl::StatusOr<DeletionPage>(const DeletionQuery&)> on_list_deletions;
  std::function<absl::StatusOr<HoldPage>(const HoldQuery&)> on_list_holds;
  std::function<absl::StatusOr<GrantPage>(const GrantQuery&)> on_list_grants;
  std::function<absl::StatusOr<HeardList>(const AccountId&)> on_list_heard;
  std::function<absl::StatusOr<LeasedTasks>(const LeaseOrder&)> on_lease;
  std::function<absl::StatusOr<std::vector<TaskAnswer>>(const std::vector<TaskResult>&)> on_complete;
  std::function<absl::StatusOr<std::vector<TaskAnswer>>(const std::vector<TaskFailure>&)> on_fail;
  std::function<absl::StatusOr<std::vector<TaskRenewal>>(const std::vector<TaskLease>&)> on_renew;
  std::function<absl::StatusOr<DataSystem>(const std::string&, const Sweep&)> on_sweep;
  std::function<absl::StatusOr<DecisionLogState>()> on_decision_log;
  std::function<absl::Status(const VerificationReport&)> on_report;
  std::function<absl::StatusOr<BackupPiece>(const std::string& file, int64_t offset)> on_read_backup;
  std::function<absl::StatusOr<std::vector<DecisionVerdict>>(const DecisionRecord&)> on_decisions;
  std::function<absl::StatusOr<DecisionHandles>(const HandleQuery&)> on_handles;

  Answer Check(const Recording&, const Question&, const CallOptions&) override { return {}; }
  absl::StatusOr<BatchAnswers> BatchCheck(const std::vector<Recording>& recordings, const Question& question,
                                          const CallOptions&) override {
    return on_batch ? on_batch(recordings, question) : absl::StatusOr<BatchAnswers>(Missing());
  }
  absl::StatusOr<SubjectUpdated> UpsertSubject(const SubjectUpdate& update, const CallOptions&) override {
    return on_subject ? on_subject(update) : absl::StatusOr<SubjectUpdated>(Missing());
  }
  absl::StatusOr<Subject> GetSubject(const AccountId& account, const CallOptions&) override {
    return on_get_subject ? on_get_subject(account) : absl::StatusOr<Subject>(Missing());
  }
  absl::StatusOr<CurrentSettings> GetSettings(const AccountId& account, const CallOptions&) override {
    return on_get_settings ? on_get_settings(account) : absl::StatusOr<CurrentSettings>(Missing());
  }
  absl::StatusOr<SettingsUpdated> UpdateSettings(const SettingsUpdate& update, const CallOptions&) override {
    return on_settings ? on_settings(update) : absl::StatusOr<SettingsUpdated>(Missing());
  }
  absl::StatusOr<OptedOut> OptOut(const OptOutOrder& order, const CallOptions&) override {
    return on_opt_out ? on_opt_out(order) : absl::StatusOr<OptedOut>(Missing());
  }
  absl::StatusOr<HistoryPage> ListSettingsHistory(const AccountId& account, int page_size,
                                                  const std::string& page_token, const CallOptions&) override {
    return on_history ? on_history(account, page_size, page_token) : absl::StatusOr<HistoryPage>(Missing());
  }
  absl::StatusOr<ChoicesPage> ListChoices(const ChoicesQuery& query, const CallOptions&) override {
    return on_list_choices ? on_list_choices(query) : absl::StatusOr<ChoicesPage>(Missing());
  }
  absl::StatusOr<PastSettings> GetSettingsAt(const AccountId&, Time, const CallOptions&) override { return Missing(); }
  absl::StatusOr<RecordingReported> ReportRecording(const RecordingReport&, const CallOptions&) override {
    return Missing();
  }
  absl::StatusOr<StoredPolicy> GetPolicy(const std::string&, const CallOptions&) override { return Missing(); }
  absl::StatusOr<Suspension> Suspend(const SuspendOrder&, const CallOptions&) override { return Missing(); }
  absl::StatusOr<Resumed> Resume(const ResumeOrder&, const CallOptions&) override { return Missing(); }
  absl::StatusOr<DecisionLogState> GetDecisionLog(const CallOptions&) override {
    return on_decision_log ? on_decision_log() : absl::StatusOr<DecisionLogState>(Missing());
  }
  absl::StatusOr<std::vector<DecisionVerdict>> VerifyDecisions(const DecisionRecord& record,
                                                               const CallOptions&) override {
    return on_decisions ? on_decisions(record) : absl::StatusOr<std::vector<DecisionVerdict>>(Missing());
  }
  absl::Status ReportVerification(const VerificationReport& report, const CallOptions&) override {
    return on_report ? on_report(report) : Missing();
  }
  absl::StatusOr<Explanation> ExplainCheck(const Recording&, const ExplainQuestion&, const CallOptions&) override {
    return Missing();
  }
  absl::StatusOr<ExplainedDecision> ExplainDecision(const AccountId&, const DecisionRecord&,
                                                    const CallOptions&) override {
    return Missing();
  }
  absl::StatusOr<DecisionHandles> GetDecisionHandles(const HandleQuery& query, const CallOptions&) override {
    return on_handles ? on_handles(query) : absl::StatusOr<DecisionHandles>(Missing());
  }
  absl::StatusOr<ClockState> GetClock(const CallOptions&) override { return Missing(); }
  absl::StatusOr<KeyState> GetKeys(const CallOptions&) override { return Missing(); }
  absl::StatusOr<KeyState> RewrapShares(const CallOptions&) override { return Missing(); }
  absl::StatusOr<DaemonStatus> GetStatus(const CallOptions&) override { return Missing(); }
  absl::StatusOr<BackupId> BeginBackup(const CallOptions&) override { return Missing(); }
  absl::StatusOr<BackupPiece> ReadBackup(const BackupId&, const std::string& file, int64_t offset,
                                         const CallOptions&) override {
    return on_read_backup ? on_read_backup(file, offset) : Missing();
  }
  absl::Status EndBackup(const BackupId&, bool, const CallOptions&) override { return absl::OkStatus(); }
  absl::StatusOr<PolicyActivated> ActivatePolicy(const PolicyActivation&, const CallOptions&) override {
    return Missing();
  }
  absl::StatusOr<PolicyDiff> DiffPolicy(const std::string&, int, const CallOptions&) override { return Missing(); }
  absl::StatusOr<PolicyVersionPage> ListPolicies(int, const std::string&, const CallOptions&) override {
    return Missing();
  }
  absl::StatusOr<ClockState> ConfirmClock(Time, const CallOptions&) override { return Missing(); }
  absl::StatusOr<DeletionCreated> CreateDeletionRequest(const NewDeletionRequest& order, const CallOptions&) override {
    return on_create_deletion ? on_create_deletion(order) : absl::StatusOr<DeletionCreated>(Missing());
  }
  absl::StatusOr<DeletionRequest> VerifyDeletionRequest(const VerifyOrder&, const CallOptions&) override {
    return Missing();
  }
  absl::StatusOr<DeletionRequest> DenyDeletionRequest(const DenyOrder&, const CallOptions&) override {
    return Missing();
  }
  absl::StatusOr<ReceiptConfirmed> ConfirmReceipt(const ConfirmReceiptOrder&, const CallOptions&) override {
    return Missing();
  }
  absl::StatusOr<AppealTaken> ReceiveAppeal(const ReceiveAppealOrder&, const CallOptions&) override {
    return Missing();
  }
  absl::StatusOr<AppealTaken> AcknowledgeAppeal(const AcknowledgeAppealOrder&, const CallOptions&) override {
    return Missing();
  }
  absl::StatusOr<AppealTaken> AnswerAppeal(const AnswerAppealOrder&, const CallOptions&) override { return Missing(); }
  absl::StatusOr<DeletionRequest> ExtendDeletionRequest(const ExtendOrder&, const CallOptions&) override {
    return Missing();
  }
  absl::StatusOr<DeletionRequest> CancelDeletionRequest(const CancelOrder&, const CallOptions&) override {
    return Missing();
  }
  absl::StatusOr<DeletionRequest> GetDeletionRequest(const DeletionId&, const CallOptions&) override {
    return Missing();
  }
  absl::StatusOr<DeletionPage> ListDeletionRequests(const DeletionQuery& query, const CallOptions&) override {
    return on_list_deletions ? on_list_deletions(query) : absl::StatusOr<DeletionPage>(Missing());
  }
  absl::StatusOr<HoldPlaced> PlaceHold(const PlaceHoldOrder&, const CallOptions&) override { return Missing(); }
  absl::StatusOr<HoldReleased> ReleaseHold(const ReleaseHoldOrder&, const CallOptions&) override { return Missing(); }
  absl::StatusOr<ProposalPage> ListProposals(const ProposalQuery&, const CallOptions&) override { return Missing(); }
  absl::StatusOr<ProposalDetails> GetProposal(const ProposalId&, const CallOptions&) override { return Missing(); }
  absl::StatusOr<Proposal> ApproveProposal(const ProposalId&, const CallOptions&) override { return Missing(); }
  absl::StatusOr<Proposal> WithdrawProposal(const ProposalId&, const CallOptions&) override { return Missing(); }
  absl::StatusOr<Hold> ReviewHold(const ReviewHoldOrder&, const CallOptions&) override { return Missing(); }
  absl::StatusOr<SafetyFlagPage> ListSafetyFlags(const SafetyFlagQuery&, const CallOptions&) override {
    return Missing();
  }
  absl::StatusOr<Etag> AcknowledgeSafetyFlag(const AcknowledgeFlagOrder&, const CallOptions&) override {
    return Missing();
  }
  absl::StatusOr<Etag> HandleSafetyFlag(const HandleFlagOrder&, const CallOptions&) override { return Missing(); }
  absl::StatusOr<HoldPage> ListHolds(const HoldQuery& query, const CallOptions&) override {
    return on_list_holds ? on_list_holds(query) : absl::StatusOr<HoldPage>(Missing());
  }
  absl::StatusOr<DataSystem> RegisterDataSystem(const DataSystem&, const CallOptions&) override { return Missing(); }
  absl::StatusOr<DataSystem> RetireDataSystem(const std::string&, const std::string&, const CallOptions&) override {
    return Missing();
  }
  absl::StatusOr<std::vector<DataSystem>> ListDataSystems(const CallOptions&) override { return Missing(); }
  absl::StatusOr<DataSystem> SetSystemRetention(const std::string&, const SystemRetention&,
                                                const CallOptions&) override {
    return Missing();
  }
  absl::StatusOr<DataSystem> ReportSweep(const std::string& system, const Sweep& sweep, const CallOptions&) override {
    return on_sweep ? on_sweep(system, sweep) : absl::StatusOr<DataSystem>(Missing());
  }
  absl::StatusOr<ChildNoticeRecorded> RecordChildNotice(const ChildNotice&, const CallOptions&) override {
    return Missing();
  }
  absl::StatusOr<SubjectsJoined> JoinSubjects(const JoinOrder&, const CallOptions&) override { return Missing(); }
  absl::StatusOr<ChildrenPage> ListChildrenDue(const ChildrenQuery&, const CallOptions&) override { return Missing(); }
  absl::StatusOr<LeasedTasks> LeaseTasks(const LeaseOrder& order, const CallOptions&) override {
    return on_lease ? on_lease(order) : absl::StatusOr<LeasedTasks>(Missing());
  }
  absl::StatusOr<std::vector<TaskAnswer>> CompleteTasks(const std::string&, const std::vector<TaskResult>& results,
                                                        const CallOptions&) override {
    return on_complete ? on_complete(results) : absl::StatusOr<std::vector<TaskAnswer>>(Missing());
  }
  absl::StatusOr<std::vector<TaskAnswer>> FailTasks(const std::string&, const std::vector<TaskFailure>& failures,
                                                    const CallOptions&) override {
    return on_fail ? on_fail(failures) : absl::StatusOr<std::vector<TaskAnswer>>(Missing());
  }
  absl::StatusOr<std::vector<TaskRenewal>> RenewTasks(const std::string&, const std::vector<TaskLease>& leases,
                                                      std::chrono::seconds, const CallOptions&) override {
    return on_renew ? on_renew(leases) : absl::StatusOr<std::vector<TaskRenewal>>(Missing());
  }
  absl::StatusOr<TaskPage> ListTasks(const TaskQuery&, const CallOptions&) override { return Missing(); }
  absl::StatusOr<RetryPage> RetryTasks(const RetryOrder&, const CallOptions&) override { return Missing(); }
  Reviews& reviews() override { return reviews_; }

 private:
  static absl::Status Missing() { return absl::UnimplementedError("not part of this test"); }

  class FakeReviews final : public Reviews {
   public:
    explicit FakeReviews(const FakeClient& client) : client_(client) {}
    absl::StatusOr<std::vector<LeaseResult>> Lease(const ReviewOrder&, const CallOptions&) override {
      return Missing();
    }
    MediaPass Open(const GrantName&, const std::string&, const CallOptions&) override { return {}; }
    absl::Status Submit(const GrantName&, const Submission&, const CallOptions&) override { return Missing(); }
    absl::Status End(const GrantName&, ReviewOutcome, const CallOptions&) override { return Missing(); }
    absl::StatusOr<std::optional<Time>> Renew(const GrantName&, const CallOptions&) override { return Missing(); }
    absl::StatusOr<RedeemedMedia> Redeem(const std::string&, const std::string&, const CallOptions&) override {
      return Missing();
    }
    absl::StatusOr<std::optional<Time>> Revoke(const RevokeOrder&, const CallOptions&) override { return Missing(); }
    absl::StatusOr<GrantPage> ListGrants(const GrantQuery& query, const CallOptions&) override {
      return client_.on_list_grants ? client_.on_list_grants(query) : absl::StatusOr<GrantPage>(Missing());
    }
    absl::StatusOr<HeardList> ListHeard(const AccountId& account, const CallOptions&) override {
      return client_.on_list_heard ? client_.on_list_heard(account) : absl::StatusOr<HeardList>(Missing());
    }
    absl::Status ReportPopulation(const std::string&, const std::vector<PopulationCount>&,
                                  const CallOptions&) override {
      return Missing();
    }
    absl::StatusOr<std::vector<HeardRate>> ListRates(const std::string&, const CallOptions&) override {
      return Missing();
    }
    absl::StatusOr<MediaKey> GetMediaKey(const CallOptions&) override { return Missing(); }

   private:
    const FakeClient& client_;
  };
  FakeReviews reviews_{*this};
};

// A decision as a sound daemon gives it: eligible by consent, good for a minute.
inline ReceivedDecision Yes(Purpose asked, const Clock& clock) {
  ReceivedDecision decision;
  decision.asked = asked;
  decision.eligibility = Eligibility::kEligible;
  decision.disposition = Disposition::kKeep;
  decision.reasons = {Reason::kConsent};
  decision.checked_at = Time(std::chrono::seconds(1'700'000'000));
  decision.good_until = decision.checked_at + std::chrono::minutes(1);
  decision.sent = clock.SinceBoot();
  return decision;
}

inline ReceivedDecision No(Purpose asked, const Clock& clock, Reason reason,
                           Disposition disposition = Disposition::kKeep) {
  ReceivedDecision decision = Yes(asked, clock);
  decision.eligibility = Eligibility::kNotEligible;
  decision.disposition = disposition;
  decision.reasons = {reason};
  return decision;
}

}  // namespace consent::testing
