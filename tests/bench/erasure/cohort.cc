#include "tests/bench/erasure/cohort.h"

#include <algorithm>
#include <ctime>
#include <thread>

#include "tests/bench/population.h"

namespace consent::bench {
namespace {

constexpr int kLeased = 100;
constexpr int kVisibleSeconds = 60;
constexpr int kDay = 86'400;
constexpr std::chrono::milliseconds kBetweenRounds(20);

bool IsCompleted(const Api& api, const std::string& deletion_id) {
  v1::GetDeletionRequestRequest get;
  get.set_deletion_id(deletion_id);
  const auto got = Ask<v1::GetDeletionRequestResponse>(
      [&](auto* context, auto* out) { return api.deletions->GetDeletionRequest(context, get, out); });
  return got.request().state() == v1::DELETION_STATE_COMPLETED;
}

}  // namespace

void RegisterSystems(const Api& api) {
  for (const char* name : kSystems) {
    v1::RegisterDataSystemRequest request;
    v1::DataSystem* system = request.mutable_system();
    system->set_name(name);
    system->set_kind(v1::DATA_SYSTEM_KIND_AUDIO);
    system->set_checks_on_ingest(true);
    for (const v1::MatchKey key :
         {v1::MATCH_KEY_ACCOUNT, v1::MATCH_KEY_RECORDING_ID, v1::MATCH_KEY_PROFILE, v1::MATCH_KEY_TIME}) {
      system->add_matches_by(key);
    }
    Ask<v1::RegisterDataSystemResponse>(
        [&](auto* context, auto* out) { return api.systems->RegisterDataSystem(context, request, out); });
  }
}

Cohort::Cohort(std::mt19937_64& random, uint64_t subjects, size_t accounts, size_t closures,
               std::unordered_set<uint64_t>* used)
    : random_(random) {
  while (leavers_.size() < accounts + closures) {
    Leaver leaver;
    leaver.subject = random_() % subjects;
    if (!used->insert(leaver.subject).second) continue;
    leaver.asks = leavers_.size() < accounts ? static_cast<Asks>(leavers_.size() % static_cast<size_t>(Asks::kClosure))
                                             : Asks::kClosure;
    leaver.profile = NewText("profile");
    leaver.device = NewText("device");
    leaver.asked = NewText("recording");
    leaver.reported = NewText("recording");
    leaver.authority = NewText("court");
    leavers_.push_back(std::move(leaver));
  }
}

std::string Cohort::NewText(const char* what) {
  char text[64];
  std::snprintf(text, sizeof text, "%016llx%016llx-%s", static_cast<unsigned long long>(random_()),
                static_cast<unsigned long long>(random_()), what);
  return text;
}

void Cohort::Prepare(const Api& api) {
  for (Leaver& leaver : leavers_) Prepare(api, leaver);
}

void Cohort::Prepare(const Api& api, Leaver& leaver) {
  const std::string account = AccountId(leaver.subject);
  v1::GetSubjectRequest get;
  get.set_account_id(account);
  const auto known = Ask<v1::GetSubjectResponse>(
      [&](auto* context, auto* out) { return api.subjects->GetSubject(context, get, out); });

  v1::UpsertSubjectRequest people;
  people.set_account_id(account);
  people.set_etag(known.etag());
  people.set_request_id(NewText("request"));
  FillEvidence(people.mutable_evidence());
  people.mutable_evidence()->set_reference(NewText("ticket"));
  v1::Profile* profile = people.add_profiles();
  profile->set_profile_id(leaver.profile);
  profile->mutable_age()->set_adult(true);
  people.add_device_ids(leaver.device);
  Ask<v1::UpsertSubjectResponse>(
      [&](auto* context, auto* out) { return api.subjects->UpsertSubject(context, people, out); });

  v1::UpdateSettingsRequest choice;
  choice.set_account_id(account);
  choice.set_request_id(NewText("request"));
  FillEvidence(choice.mutable_evidence());
  choice.add_changes()->mutable_target()->set_control("advertising");
  choice.mutable_changes(0)->set_turn(v1::SWITCH_OFF);
  Ask<v1::UpdateSettingsResponse>(
      [&](auto* context, auto* out) { return api.settings->UpdateSettings(context, choice, out); });

  v1::ReportRecordingRequest report;
  report.set_account_id(account);
  report.set_recording_id(leaver.reported);
  report.set_request_id(NewText("request"));
  report.add_flags(v1::FLAG_SAFETY);
  Ask<v1::ReportRecordingResponse>(
      [&](auto* context, auto* out) { return api.recordings->ReportRecording(context, report, out); });

  if (leaver.asks == Asks::kHeld || leaver.asks == Asks::kClosure) Hold(api, leaver);

  v1::CreateDeletionRequestRequest request;
  request.set_account_id(account);
  request.set_requester(v1::ACTOR_SELF);
  request.set_verification(v1::VERIFICATION_VERIFIED);
  request.set_request_id(NewText("request"));
  FillEvidence(request.mutable_evidence());
  v1::DeletionSelector* selector = request.mutable_selector();
  if (leaver.asks == Asks::kRecordings) selector->mutable_recordings()->add_recording_ids(leaver.asked);
  if (leaver.asks == Asks::kTimeRange) {
    selector->mutable_time_range()->mutable_from()->set_seconds(std::time(nullptr) - 10 * kDay);
    selector->mutable_time_range()->mutable_to()->set_seconds(std::time(nullptr) - 5 * kDay);
  }
  if (leaver.asks == Asks::kProfile) selector->set_profile_id(leaver.profile);
  if (leaver.asks == Asks::kClosure) selector->set_account_closure(true);
  if (selector->kind_case() == v1::DeletionSelector::KIND_NOT_SET) selector->set_everything(true);
  const auto created = Ask<v1::CreateDeletionRequestResponse>(
      [&](auto* context, auto* out) { return api.deletions->CreateDeletionRequest(context, request, out); });
  leaver.deletion_id = created.request().deletion_id();
  leaver.etag = created.request().etag();
}

void Cohort::Hold(const Api& api, Leaver& leaver) {
  v1::PlaceHoldRequest request;
  request.set_account_id(AccountId(leaver.subject));
  if (leaver.asks == Asks::kHeld) request.mutable_selector()->set_account(true);
  if (leaver.asks == Asks::kClosure) request.mutable_selector()->set_profile_id(leaver.profile);
  request.set_authority(leaver.authority);
  request.set_reason("litigation");
  request.set_request_id(NewText("request"));
  FillEvidence(request.mutable_evidence());
  const auto placed =
      Ask<v1::PlaceHoldResponse>([&](auto* context, auto* out) { return api.holds->PlaceHold(context, request, out); });
  leaver.hold_id = placed.hold().hold_id();
  leaver.hold_etag = placed.hold().etag();
}

void Cohort::FailSome(const Api& api, int count) {
  v1::LeaseTasksRequest lease;
  lease.set_system(kSystems[0]);
  lease.set_max_tasks(count);
  const auto leased = Ask<v1::LeaseTasksResponse>(
      [&](auto* context, auto* out) { return api.purges->LeaseTasks(context, lease, out); });
  v1::FailTasksRequest failed;
  failed.set_system(kSystems[0]);
  for (const v1::PurgeTask& task : leased.tasks()) {
    v1::TaskFailure* failure = failed.add_failures();
    failure->set_task_id(task.task_id());
    failure->set_epoch(task.epoch());
    failure->set_error(errors_.emplace_back(NewText("error")));
  }
  const auto told =
      Ask<v1::FailTasksResponse>([&](auto* context, auto* out) { return api.purges->FailTasks(context, failed, out); });
  for (const v1::TaskAnswer& answer : told.answers()) {
    if (!answer.accepted()) Give(absl::InternalError("FailTasks: " + answer.refused_message()));
  }
}

size_t Cohort::WorkOnce(const Api& api, const char* system) {
  v1::LeaseTasksRequest lease;
  lease.set_system(system);
  lease.set_max_tasks(kLeased);
  lease.set_visibility_seconds(kVisibleSeconds);
  const auto leased = Ask<v1::LeaseTasksResponse>(
      [&](auto* context, auto* out) { return api.purges->LeaseTasks(context, lease, out); });
  if (leased.tasks().empty()) return 0;
  v1::CompleteTasksRequest complete;
  complete.set_system(system);
  for (const v1::PurgeTask& task : leased.tasks()) {
    v1::TaskResult* result = complete.add_results();
    result->set_task_id(task.task_id());
    result->set_epoch(task.epoch());
    result->set_outcome(v1::PURGE_OUTCOME_ACKNOWLEDGED);
    result->set_erased_count(1);
  }
  const auto ended = Ask<v1::CompleteTasksResponse>(
      [&](auto* context, auto* out) { return api.purges->CompleteTasks(context, complete, out); });
  for (const v1::TaskAnswer& answer : ended.answers()) {
    if (!answer.accepted()) Give(absl::InternalError("CompleteTasks: " + answer.refused_message()));
  }
  return static_cast<size_t>(leased.tasks_size());
}

double Cohort::Finish(const Api& api) {
  using Clock = std::chrono::steady_clock;
  std::vector<const Leaver*> open;
  for (const Leaver& leaver : leavers_) {
    if (!leaver.hold_id.empty()) {
      v1::ReleaseHoldRequest release;
      release.set_hold_id(leaver.hold_id);
      release.set_etag(leaver.hold_etag);
      release.set_authority(leaver.authority);
      release.set_reason("settled");
      release.set_request_id(NewText("request"));
      FillEvidence(release.mutable_evidence());
      Ask<v1::ReleaseHoldResponse>(
          [&](auto* context, auto* out) { return api.holds->ReleaseHold(context, release, out); });
    }
    if (leaver.asks != Asks::kCancelled) {
      open.push_back(&leaver);
      continue;
    }
    v1::CancelDeletionRequestRequest cancel;
    cancel.set_deletion_id(leaver.deletion_id);
    cancel.set_etag(leaver.etag);
    cancel.set_request_id(NewText("request"));
    FillEvidence(cancel.mutable_evidence());
    Ask<v1::CancelDeletionRequestResponse>(
        [&](auto* context, auto* out) { return api.deletions->CancelDeletionRequest(context, cancel, out); });
  }
  Clock::time_point last_report = Clock::now();
  while (!open.empty()) {
    for (const char* system : kSystems) {
      if (WorkOnce(api, system) > 0) last_report = Clock::now();
    }
    std::this_thread::sleep_for(kBetweenRounds);
    while (!open.empty() && IsCompleted(api, open.back()->deletion_id)) open.pop_back();
    if (Clock::now() - last_report > std::chrono::hours(1)) {
      Give(absl::DeadlineExceededError("no COMPLETED an hour after the last report"));
    }
  }
  return std::chrono::duration<double>(Clock::now() - last_report).count();
}

}  // namespace consent::bench
