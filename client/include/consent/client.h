// The client of consentd: may this recording be used for this purpose, here, now, and must it be purged? And the calls
// to read and change what users chose, to have recordings deleted, to do that work, and to put some on hold.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "consent/answer.h"
#include "consent/approval.h"
#include "consent/backup.h"
#include "consent/clock.h"
#include "consent/decisions.h"
#include "consent/deletion.h"
#include "consent/error.h"
#include "consent/explanation.h"
#include "consent/export.h"
#include "consent/hold.h"
#include "consent/keys.h"
#include "consent/policy.h"
#include "consent/purge.h"
#include "consent/recording.h"
#include "consent/settings.h"
#include "consent/status.h"
#include "consent/subject.h"

namespace consent {

class Reviews;

// The most recordings in one BatchCheck.
inline constexpr size_t kMaxBatch = 1000;

// Only reads, writes that carry a request_id, and reports of tasks (each counts once, by task and epoch) are repeated,
// and only after UNAVAILABLE, DEADLINE_EXCEEDED, or RESOURCE_EXHAUSTED with reason OVERLOADED or with the time to wait
// (Error::retry_after), within the call's deadline. A repeated write carries the same request_id and the same etag: the
// library never reads an etag to repeat a loosening.
struct RetryPolicy {
  // Attempts in all; 1: none is repeated. 1 to 10.
  int max_attempts = 4;
  // The n-th wait is a random time between half and all of min(max, first * 2^(n-1)).
  std::chrono::milliseconds first_backoff{50};
  std::chrono::milliseconds max_backoff{1000};
  // How long one attempt may take, so that a lost one can be repeated within the deadline.
  std::chrono::milliseconds attempt_timeout{3000};
};

struct ClientOptions {
  // The options that this process's environment names, and defaults for all others: CONSENT_ENDPOINT (endpoint),
  // CONSENT_CA (ca_file), CONSENT_CERT (certificate_file), CONSENT_KEY (key_file), TRACEPARENT (traceparent). A
  // variable that is empty counts as absent. Nothing else of this library reads them, and consentctl reads them by this
  // function. Checks nothing: Client::Create says what is wrong. As safe as getenv(3): no other thread may change the
  // environment.
  CONSENT_EXPORT static ClientOptions FromEnvironment();

  // "unix:/absolute/path", "HOST:port" or "[IPv6]:port". Without the three files below only this machine:
  // "127.0.0.1:port", "[::1]:port" or "localhost:port" (taken as 127.0.0.1). Empty: unix:/run/consentd/consentd.sock
  // for root and where there is no XDG_RUNTIME_DIR, else unix:$XDG_RUNTIME_DIR/consentd/consentd.sock.
  std::string endpoint;
  // For TLS with a client certificate: PEM files of the CA that the daemon's certificate is of, of the client's own
  // certificate with what leads to its CA, and of its key, without a passphrase. All three or none. They are read again
  // within a second after they change, for new connections. A Unix socket does without them.
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;
  // For a whole call, its repetitions included. 1 ms to 1 hour.
  std::chrono::milliseconds deadline{10000};
  RetryPolicy retry;
  // Of every call whose CallOptions name none.
  std::string traceparent;
  // Null: the system's.
  std::shared_ptr<Clock> clock;
  std::shared_ptr<Random> random;
};

struct CallOptions {
  // Absent: the client's.
  std::optional<std::chrono::milliseconds> deadline;
  // The caller's position in a trace, as the W3C recommendation "Trace Context" writes it in version 00:
  // "00-<32 hex digits>-<16 hex digits>-<2 hex digits>", in lower case, neither of the ids all zero. The daemon's log
  // names the trace of a call that it refused, that failed or that was slow; repetitions carry the same. Empty: the
  // client's. Anything else is not sent, and fails no call.
  std::string traceparent = {};
  // In which texts are returned by the calls that return any: GetSettings, GetSettingsAt, GetDeletionRequest,
  // ListDeletionRequests, DenyDeletionRequest, ExplainCheck, ExplainDecision. A BCP 47 tag; the daemon takes the
  // nearest that it has (GetSettingsRequest.language in the protos). Empty: English, or the policy's first.
  std::string language = {};
  // Of GetSettings, for an account that is not registered: where it will be, such as DE or US-CA, for what it will then
  // have (ControlSetting::once_registered). Empty: an unknown region.
  std::string region = {};
};

// Thread-safe; make one and share it. Blocks the calling thread until the call's deadline at the longest.
// Failures are absl::Status with the daemon's code; ErrorOf tells the reason, its metadata and the fields at fault. No
// error text names an id.
class CONSENT_EXPORT Client {
 public:
  // InvalidArgument: endpoint, deadline or retry policy are outside the bounds above, or a file of the three cannot be
  // used. Does not connect yet. A certificate that is over is told by the calls, because another may take its place.
  static absl::StatusOr<std::unique_ptr<Client>> Create(ClientOptions options);

  virtual ~Client() = default;

  // NOLINTBEGIN(google-default-arguments): only this interface gives defaults, so that they cannot differ by static
  // type. Never fails, answers no: see Answer, whose error() says why there is no answer.
  virtual Answer Check(const Recording& recording, const Question& question, const CallOptions& options = {}) = 0;
  // As many answers as recordings, in their order. The call as a whole fails, and has no answer that could be taken for
  // a no: InvalidArgument outside of 1 to kMaxBatch recordings and for a question that cannot be asked; any code of the
  // daemon's; Internal where it answered more or fewer. A recording that cannot be asked about is a no of its own, with
  // its error: see BatchAnswers::Unanswered.
  virtual absl::StatusOr<BatchAnswers> BatchCheck(const std::vector<Recording>& recordings, const Question& question,
                                                  const CallOptions& options = {}) = 0;

  // An OK status of a write that has results says only that something was applied: each PartResult tells its part.
  virtual absl::StatusOr<SubjectUpdated> UpsertSubject(const SubjectUpdate& update,
                                                       const CallOptions& options = {}) = 0;
  // NotFound (SUBJECT_NOT_FOUND): never registered and never restricted.
  virtual absl::StatusOr<Subject> GetSubject(const AccountId& account, const CallOptions& options = {}) = 0;

  // FailedPrecondition (CHILD_NOT_INACTIVE): there is nothing to tell. The first notice stays.
  virtual absl::StatusOr<ChildNoticeRecorded> RecordChildNotice(const ChildNotice& notice,
                                                                const CallOptions& options = {}) = 0;
  // Once it has begun, the daemon ends it, whatever becomes of the call; repeating it answers when that is so.
  // FailedPrecondition (ACCOUNT_JOINED, ACCOUNT_CLOSED) of an account that cannot be joined.
  virtual absl::StatusOr<SubjectsJoined> JoinSubjects(const JoinOrder& order, const CallOptions& options = {}) = 0;
  virtual absl::StatusOr<ChildrenPage> ListChildrenDue(const ChildrenQuery& query, const CallOptions& options = {}) = 0;

  // Also of an account that nobody registered: CurrentSettings::registered says so.
  virtual absl::StatusOr<CurrentSettings> GetSettings(const AccountId& account, const CallOptions& options = {}) = 0;
  virtual absl::StatusOr<SettingsUpdated> UpdateSettings(const SettingsUpdate& update,
                                                         const CallOptions& options = {}) = 0;
  virtual absl::StatusOr<OptedOut> OptOut(const OptOutOrder& order, const CallOptions& options = {}) = 0;
  // Newest first. page_size 1 to 1,000; 0: 100.
  virtual absl::StatusOr<HistoryPage> ListSettingsHistory(const AccountId& account, int page_size,
                                                          const std::string& page_token,
                                                          const CallOptions& options = {}) = 0;
  virtual absl::StatusOr<ChoicesPage> ListChoices(const ChoicesQuery& query, const CallOptions& options = {}) = 0;
  virtual absl::StatusOr<PastSettings> GetSettingsAt(const AccountId& account, Time at,
                                                     const CallOptions& options = {}) = 0;

  virtual absl::StatusOr<RecordingReported> ReportRecording(const RecordingReport& report,
                                                            const CallOptions& options = {}) = 0;

  virtual absl::StatusOr<SafetyFlagPage> ListSafetyFlags(const SafetyFlagQuery& query,
                                                         const CallOptions& options = {}) = 0;
  // The revision after it. FailedPrecondition (SAFETY_FLAG_ACKNOWLEDGED, SAFETY_FLAG_HANDLED) where somebody else was
  // first.
  virtual absl::StatusOr<Etag> AcknowledgeSafetyFlag(const AcknowledgeFlagOrder& order,
                                                     const CallOptions& options = {}) = 0;
  // The revision after it. FailedPrecondition (SAFETY_FLAG_HANDLED) where somebody else was first.
  virtual absl::StatusOr<Etag> HandleSafetyFlag(const HandleFlagOrder& order, const CallOptions& options = {}) = 0;

  // Empty version: the current policy.
  virtual absl::StatusOr<StoredPolicy> GetPolicy(const std::string& version, const CallOptions& options = {}) = 0;
  // Suspend and Resume carry no request_id and are never repeated by the library.
  virtual absl::StatusOr<Suspension> Suspend(const SuspendOrder& order, const CallOptions& options = {}) = 0;
  // These three may take two persons: then nothing is done yet, and the answer has a proposal (ApproveProposal).
  virtual absl::StatusOr<Resumed> Resume(const ResumeOrder& order, const CallOptions& options = {}) = 0;
  // Puts a policy in force; what it loosens has to be named. FailedPrecondition (POLICY_REFUSED, LOOSENING_NOT_NAMED).
  // Not repeated by the library.
  virtual absl::StatusOr<PolicyActivated> ActivatePolicy(const PolicyActivation& order,
                                                         const CallOptions& options = {}) = 0;
  // What a policy would change. Subjects are counted for `count_seconds` at most, 0 to 300, 0: not at all; keep the
  // call's deadline longer.
  virtual absl::StatusOr<PolicyDiff> DiffPolicy(const std::string& policy_json, int count_seconds,
                                                const CallOptions& options = {}) = 0;
  // Every activation, newest first. page_size 1 to 1,000; 0: 100.
  virtual absl::StatusOr<PolicyVersionPage> ListPolicies(int page_size, const std::string& page_token,
                                                         const CallOptions& options = {}) = 0;
  virtual absl::StatusOr<ClockState> GetClock(const CallOptions& options = {}) = 0;
  // Vouches for the daemon's wall clock; `time` is by another clock. FailedPrecondition (CLOCK_DISAGREES): they are
  // over an hour apart.
  virtual absl::StatusOr<ClockState> ConfirmClock(Time time, const CallOptions& options = {}) = 0;

  virtual absl::StatusOr<DeletionCreated> CreateDeletionRequest(const NewDeletionRequest& order,
                                                                const CallOptions& options = {}) = 0;
  // NotFound (DELETION_NOT_FOUND) for these nine; FailedPrecondition (DELETION_STATE): the request's state does not
  // allow the step.
  virtual absl::StatusOr<DeletionRequest> VerifyDeletionRequest(const VerifyOrder& order,
                                                                const CallOptions& options = {}) = 0;
  virtual absl::StatusOr<DeletionRequest> DenyDeletionRequest(const DenyOrder& order,
                                                              const CallOptions& options = {}) = 0;
  // FailedPrecondition (EXTENSION_NOT_ALLOWED).
  virtual absl::StatusOr<DeletionRequest> ExtendDeletionRequest(const ExtendOrder& order,
                                                                const CallOptions& options = {}) = 0;
  // The user was told that the request was received. In any state; what was said first stays.
  virtual absl::StatusOr<ReceiptConfirmed> ConfirmReceipt(const ConfirmReceiptOrder& order,
                                                          const CallOptions& options = {}) = 0;
  // Somebody appeals against a denial, or complains; while one of the request is open, another is part of it.
  virtual absl::StatusOr<AppealTaken> ReceiveAppeal(const ReceiveAppealOrder& order,
                                                    const CallOptions& options = {}) = 0;
  // Whoever appealed was told that it was received; it was answered. What was said first stays.
  virtual absl::StatusOr<AppealTaken> AcknowledgeAppeal(const AcknowledgeAppealOrder& order,
                                                        const CallOptions& options = {}) = 0;
  virtual absl::StatusOr<AppealTaken> AnswerAppeal(const AnswerAppealOrder& order, const CallOptions& options = {}) = 0;
  // A loosening: needs the request's etag, channel and actor.
  virtual absl::StatusOr<DeletionRequest> CancelDeletionRequest(const CancelOrder& order,
                                                                const CallOptions& options = {}) = 0;
  virtual absl::StatusOr<DeletionRequest> GetDeletionRequest(const DeletionId& deletion,
                                                             const CallOptions& options = {}) = 0;
  virtual absl::StatusOr<DeletionPage> ListDeletionRequests(const DeletionQuery& query,
                                                            const CallOptions& options = {}) = 0;

  // From then on nothing that it covers is purged; what was purged before stays purged.
  virtual absl::StatusOr<HoldPlaced> PlaceHold(const PlaceHoldOrder& order, const CallOptions& options = {}) = 0;
  // A loosening: needs the hold's etag, channel and actor. NotFound (HOLD_NOT_FOUND).
  virtual absl::StatusOr<HoldReleased> ReleaseHold(const ReleaseHoldOrder& order, const CallOptions& options = {}) = 0;
  virtual absl::StatusOr<Hold> ReviewHold(const ReviewHoldOrder& order, const CallOptions& options = {}) = 0;
  virtual absl::StatusOr<HoldPage> ListHolds(const HoldQuery& query, const CallOptions& options = {}) = 0;

  virtual absl::StatusOr<ProposalPage> ListProposals(const ProposalQuery& query, const CallOptions& options = {}) = 0;
  // NotFound (PROPOSAL_NOT_FOUND) for these three.
  virtual absl::StatusOr<ProposalDetails> GetProposal(const ProposalId& proposal, const CallOptions& options = {}) = 0;
  // Carries it out. PermissionDenied (OTHER_PERSON_REQUIRED): the caller proposed it, or nobody can tell.
  // FailedPrecondition (PROPOSAL_STATE): it is not open. What else the RPC that proposed it answers: it has failed.
  virtual absl::StatusOr<Proposal> ApproveProposal(const ProposalId& proposal, const CallOptions& options = {}) = 0;
  virtual absl::StatusOr<Proposal> WithdrawProposal(const ProposalId& proposal, const CallOptions& options = {}) = 0;

  // RegisterDataSystem and RetireDataSystem carry no request_id and are never repeated by the library.
  virtual absl::StatusOr<DataSystem> RegisterDataSystem(const DataSystem& system, const CallOptions& options = {}) = 0;
  // With an empty reason FailedPrecondition (SYSTEM_HAS_TASKS) where tasks are open; else they end as EXEMPT for it.
  virtual absl::StatusOr<DataSystem> RetireDataSystem(const std::string& name, const std::string& reason,
                                                      const CallOptions& options = {}) = 0;
  virtual absl::StatusOr<std::vector<DataSystem>> ListDataSystems(const CallOptions& options = {}) = 0;
  // These two say the same however often they are said, and are repeated. NotFound (SYSTEM_NOT_FOUND).
  virtual absl::StatusOr<DataSystem> SetSystemRetention(const std::string& system, const SystemRetention& retention,
                                                        const CallOptions& options = {}) = 0;
  virtual absl::StatusOr<DataSystem> ReportSweep(const std::string& system, const Sweep& sweep,
                                                 const CallOptions& options = {}) = 0;

  // Never repeated by the library: tasks of a lost reply come back when their lease ends. NotFound (SYSTEM_NOT_FOUND).
  virtual absl::StatusOr<LeasedTasks> LeaseTasks(const LeaseOrder& order, const CallOptions& options = {}) = 0;
  // 1 to 100 tasks, none twice. An OK status has one answer for each, in their order: look at each. A repetition of
  // what FailTasks had done already is answered LEASE_LOST.
  virtual absl::StatusOr<std::vector<TaskAnswer>> CompleteTasks(const std::string& system,
                                                                const std::vector<TaskResult>& results,
                                                                const CallOptions& options = {}) = 0;
  virtual absl::StatusOr<std::vector<TaskAnswer>> FailTasks(const std::string& system,
                                                            const std::vector<TaskFailure>& failures,
                                                            const CallOptions& options = {}) = 0;
  // 1 to 100 leases, none twice; keeps each for `visibility` (1 s to 12 h) from now on. An OK status has one answer for
  // each, in their order. Ask every few seconds while a task is being done, and stop what is done for one that is not
  // kRenewed.
  virtual absl::StatusOr<std::vector<TaskRenewal>> RenewTasks(const std::string& system,
                                                              const std::vector<TaskLease>& leases,
                                                              std::chrono::seconds visibility,
                                                              const CallOptions& options = {}) = 0;
  virtual absl::StatusOr<DecisionLogState> GetDecisionLog(const CallOptions& options = {}) = 0;
  // An OK status has one verdict for each yes, in their order.
  virtual absl::StatusOr<std::vector<DecisionVerdict>> VerifyDecisions(const DecisionRecord& record,
                                                                       const CallOptions& options = {}) = 0;
  // Takes the place of the report before. Needs the role OFFICER, because an auditor writes nothing.
  virtual absl::Status ReportVerification(const VerificationReport& report, const CallOptions& options = {}) = 0;

  // FailedPrecondition (BACKUP_RUNNING): another one is being taken. It ends with EndBackup, and where nobody reads of
  // it for a minute.
  virtual absl::StatusOr<BackupId> BeginBackup(const CallOptions& options = {}) = 0;
  // From byte `offset` of a file on: of MANIFEST.json first, which lists the others. NotFound (BACKUP_NOT_FOUND): it
  // has ended, or has no such file; FailedPrecondition (BACKUP_UNSOUND): the store is damaged.
  virtual absl::StatusOr<BackupPiece> ReadBackup(const BackupId& backup, const std::string& file, int64_t offset,
                                                 const CallOptions& options = {}) = 0;
  // `taken`: all of it was read, compared with the manifest and synced.
  virtual absl::Status EndBackup(const BackupId& backup, bool taken, const CallOptions& options = {}) = 0;
  // Why a check is answered as it is. The answer is no permission: nothing is on record by it.
  virtual absl::StatusOr<Explanation> ExplainCheck(const Recording& recording, const ExplainQuestion& question,
                                                   const CallOptions& options = {}) = 0;
  // Why a recorded yes was given: `record` has one. InvalidArgument where it is about another account.
  virtual absl::StatusOr<ExplainedDecision> ExplainDecision(const AccountId& account, const DecisionRecord& record,
                                                            const CallOptions& options = {}) = 0;
  // Under which handles the log has them. An OK status has all that was asked for.
  virtual absl::StatusOr<DecisionHandles> GetDecisionHandles(const HandleQuery& query,
                                                             const CallOptions& options = {}) = 0;

  virtual absl::StatusOr<TaskPage> ListTasks(const TaskQuery& query, const CallOptions& options = {}) = 0;
  // Ends the pauses of tasks that failed. Leases and holds stay as they are. Needs the role PURGER or OPERATOR.
  virtual absl::StatusOr<RetryPage> RetryTasks(const RetryOrder& order, const CallOptions& options = {}) = 0;

  // Which master keys are in force, and how far a rotation has come.
  virtual absl::StatusOr<KeyState> GetKeys(const CallOptions& options = {}) = 0;
  // Has the daemon read its key file again and put everything under the newest master key, in the background.
  // FailedPrecondition (KEY_FILE_REFUSED): the keys of before stay in force.
  virtual absl::StatusOr<KeyState> RewrapShares(const CallOptions& options = {}) = 0;

  // How the daemon stands, by the figures of its metrics. Needs the role OPERATOR, OFFICER or AUDITOR.
  virtual absl::StatusOr<DaemonStatus> GetStatus(const CallOptions& options = {}) = 0;
  // NOLINTEND(google-default-arguments)

  // The calls about reviews (consent/reviews.h). Lives as long as the client.
  virtual Reviews& reviews() = 0;
};

}  // namespace consent
