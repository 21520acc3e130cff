#include "tests/bench/suite.h"

#include <cstdio>
#include <thread>

#include "absl/strings/str_cat.h"

namespace consent::bench {
namespace {

using std::chrono::milliseconds;

// Later than the capture's uncertainty, so that a consent of the load covers what is captured after it.
constexpr std::chrono::seconds kAfterLoad{4};
constexpr milliseconds kWarmUp{1000};
constexpr milliseconds kPause{200};

// What a phase is; the table comes at the end.
void Say(const std::string& what) {
  std::printf("%s\n", what.c_str());
  std::fflush(stdout);
}

template <typename Workload>
absl::Status RunOnce(LoopOptions loop, Server& server, Workload& workload, Side* side) {
  loop.address = server.address;
  loop.credentials = server.credentials;
  ClosedLoop<Workload> closed(loop, workload, server.process);
  const LoopResult result = closed.Run();
  if (result.failures != 0) {
    return absl::InternalError(absl::StrCat(result.failures, " calls failed, the first with: ", result.first_error));
  }
  if (result.calls == 0) return absl::InternalError("nothing was answered during a whole round");
  if (side != nullptr) side->Add(result);
  std::this_thread::sleep_for(kPause);
  return absl::OkStatus();
}

}  // namespace

LoopOptions Suite::Loop(int outstanding) const {
  LoopOptions loop;
  loop.threads = options_.threads;
  loop.outstanding = outstanding;
  loop.duration = options_.round;
  return loop;
}

Asked Suite::AskedNow() const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return Asked{options_.subjects, std::chrono::duration_cast<std::chrono::seconds>(now).count() - 2};
}

template <typename Workload>
absl::Status Suite::Compare(Comparison comparison, const LoopOptions& loop, Server& daemon, Server& opponent,
                            Workload& ours, Workload& theirs) {
  Say(comparison.name);
  LoopOptions warm_up = loop;
  warm_up.duration = std::min(kWarmUp, loop.duration);
  absl::Status status = RunOnce(warm_up, daemon, ours, nullptr);
  if (status.ok()) status = RunOnce(warm_up, opponent, theirs, nullptr);
  for (int round = 0; status.ok() && round < options_.rounds; ++round) {
    const bool first = round % 2 == 0;
    if (first) status = RunOnce(loop, daemon, ours, &comparison.daemon);
    if (status.ok()) status = RunOnce(loop, opponent, theirs, &comparison.opponent);
    if (status.ok() && !first) status = RunOnce(loop, daemon, ours, &comparison.daemon);
  }
  if (status.ok()) report_.comparisons.push_back(std::move(comparison));
  return status;
}

absl::Status Suite::Footprint() {
  Say("footprint: loading subjects with one choice");
  auto nothing = servers_.StartDaemon("none");
  if (!nothing.ok()) return nothing.status();
  const auto empty_bytes = static_cast<double>(nothing->process.ResidentBytes());
  if (absl::Status status = Servers::Stop(*std::move(nothing)); !status.ok()) return status;
  const auto loaded = servers_.Load("one", options_.subjects, Population::kOneChoice);
  if (!loaded.ok()) return loaded.status();
  Say(*loaded);
  const auto subjects = static_cast<double>(options_.subjects);
  // The first start makes table files of what the log still holds.
  auto first = servers_.StartDaemon("one");
  if (!first.ok()) return first.status();
  if (absl::Status status = Servers::Stop(*std::move(first)); !status.ok()) return status;
  const auto footprint = MeasureFootprint(servers_.Folder("one"));
  if (!footprint.ok()) return footprint.status();
  if (absl::Status status = CompactWhole(servers_.Folder("one")); !status.ok()) return status;
  auto daemon = servers_.StartDaemon("one");
  if (!daemon.ok()) return daemon.status();
  const auto filled = ReadFilled(daemon->log);
  if (!filled.ok()) return filled.status();
  const double grown = static_cast<double>(daemon->process.ResidentBytes()) - empty_bytes;
  report_.figures.push_back(
      {"memory of the index per subject with one choice", "bytes", filled->bytes / subjects, 64, true});
  report_.figures.push_back({"growth of resident memory per subject", "bytes", grown / subjects, 64, true});
  report_.figures.push_back(
      {"index filled at the start", "subjects/s", filled->subjects / filled->seconds, 1e6, false});
  if (absl::Status status = Servers::Stop(*std::move(daemon)); !status.ok()) return status;
  report_.figures.push_back({"disk per subject with one choice, history aside", "bytes",
                             static_cast<double>(footprint->BytesWithoutHistory()) / subjects, 200, true});
  for (const TableSize& table : footprint->tables) {
    if (table.rows < options_.subjects / 2) continue;
    report_.figures.push_back(
        {"  of these, table " + table.name, "bytes", static_cast<double>(table.file_bytes) / subjects, 0, true});
  }
  servers_.Remove("one");
  return absl::OkStatus();
}

absl::Status Suite::Prepare() {
  Say("loading the households that the rates are measured on");
  const auto loaded = servers_.Load("rates", options_.subjects, Population::kHousehold);
  if (!loaded.ok()) return loaded.status();
  Say(*loaded);
  std::this_thread::sleep_for(kAfterLoad);
  auto daemon = servers_.StartDaemon("rates");
  if (!daemon.ok()) return daemon.status();
  const auto filled = ReadFilled(daemon->log);
  if (!filled.ok()) return filled.status();
  report_.figures.push_back({"memory of the index per household", "bytes", filled->bytes / filled->subjects, 0, true});
  report_.figures.push_back(
      {"index filled with households", "subjects/s", filled->subjects / filled->seconds, 0, false});
  daemon_ = *std::move(daemon);
  absl::Status status = CheckSample();
  if (status.ok()) status = CheckAnswers();
  return status;
}

// What was loaded is what the API would have made: settings, people and history of some subjects.
absl::Status Suite::CheckSample() {
  const auto stub = v1::SettingsService::NewStub(Connect(daemon_->address, daemon_->credentials));
  for (uint64_t i = 0; i < 20; ++i) {
    grpc::ClientContext settings_context, history_context;
    v1::GetSettingsRequest settings_request;
    v1::GetSettingsResponse settings;
    settings_request.set_account_id(AccountId(Scatter(i, options_.subjects)));
    v1::ListSettingsHistoryRequest history_request;
    v1::ListSettingsHistoryResponse history;
    history_request.set_account_id(settings_request.account_id());
    const grpc::Status first = stub->GetSettings(&settings_context, settings_request, &settings);
    const grpc::Status second = stub->ListSettingsHistory(&history_context, history_request, &history);
    if (!first.ok() || !second.ok()) {
      return absl::InternalError("a loaded subject cannot be read: " + first.error_message() + second.error_message());
    }
    if (history.entries_size() != 1 || history.entries(0).revision() != settings.etag() ||
        history.entries(0).evidence().notice_version() != "2026-01") {
      return absl::InternalError("a loaded subject's history is not what the API would have written");
    }
  }
  return absl::OkStatus();
}

// Who consented is eligible from then on, not before; whom nobody knows is not: so the rates are those of real
// decisions.
absl::Status Suite::CheckAnswers() {
  const auto stub = v1::EligibilityService::NewStub(Connect(daemon_->address, daemon_->credentials));
  const auto answer = [&](uint64_t subject, int64_t captured_at_seconds) {
    grpc::ClientContext context;
    v1::CheckRequest request;
    v1::CheckResponse response;
    FillRecording(subject, 1, captured_at_seconds, request.mutable_recording());
    request.set_purpose(kPurpose);
    FillPlace(request.mutable_place());
    const grpc::Status status = stub->Check(&context, request, &response);
    return status.ok() ? response.decision().eligibility() : v1::ELIGIBILITY_UNSPECIFIED;
  };
  constexpr int64_t kDay = 86'400;
  const int64_t now = AskedNow().captured_at_seconds;
  for (uint64_t i = 0; i < 20; ++i) {
    const uint64_t subject = Scatter(i, options_.subjects);
    if (answer(subject, now) != v1::ELIGIBILITY_ELIGIBLE ||
        answer(subject, now - kDay) != v1::ELIGIBILITY_NOT_ELIGIBLE ||
        answer(options_.subjects + i, now) != v1::ELIGIBILITY_NOT_ELIGIBLE) {
      return absl::InternalError("a check is not answered as the subjects were loaded");
    }
  }
  return absl::OkStatus();
}

absl::Status Suite::Checks(const std::string& how, double target_rate, Server& daemon, Server& empty) {
  CheckWorkload workload(AskedNow(), options_.check_requests);
  Comparison comparison;
  comparison.name = absl::StrCat("Check", how, ", ", options_.check_outstanding, " calls under way");
  comparison.daemon.name = "consentd";
  comparison.opponent.name = "empty";
  comparison.target_rate = target_rate;
  comparison.target_cpu = 1.15;
  return Compare(std::move(comparison), Loop(options_.check_outstanding), daemon, empty, workload, workload);
}

absl::Status Suite::Batches(const std::string& how, double target_items_rate, Server& daemon, Server& empty) {
  BatchWorkload workload(AskedNow(), options_.batch_requests);
  Comparison comparison;
  comparison.name = absl::StrCat("BatchCheck of 1,000", how, ", ", options_.batch_outstanding, " calls under way");
  comparison.daemon.name = "consentd";
  comparison.opponent.name = "empty";
  comparison.items = BatchWorkload::kItems;
  comparison.target_rate = target_items_rate > 0 ? 0.9 : 0.87;
  comparison.target_cpu = 1.2;
  comparison.target_items_rate = target_items_rate;
  return Compare(std::move(comparison), Loop(options_.batch_outstanding), daemon, empty, workload, workload);
}

absl::Status Suite::Reads() {
  auto empty = servers_.StartEmpty();
  absl::Status status = empty.status();
  if (status.ok() && options_.check) status = Checks("", 0.85, *daemon_, *empty);
  if (status.ok() && options_.batch) status = Batches("", 1e6, *daemon_, *empty);
  return status;
}

absl::Status Suite::OverTls() {
  absl::Status status = servers_.Copy("rates", "tls");
  if (!status.ok()) return status;
  auto daemon = servers_.StartDaemon("tls", {.tls = true});
  if (!daemon.ok()) return daemon.status();
  auto empty = servers_.StartEmpty({.tls = true});
  if (!empty.ok()) return empty.status();
  status = Checks(" over TLS", 0.95, *daemon, *empty);
  if (status.ok()) status = Batches(" over TLS", 0, *daemon, *empty);
  if (status.ok()) status = Servers::Stop(*std::move(daemon));
  if (status.ok()) servers_.Remove("tls");
  return status;
}

absl::Status Suite::Logged() {
  absl::Status status = Servers::Stop(*std::move(daemon_));
  daemon_.reset();
  if (status.ok()) status = servers_.Copy("rates", "logged");
  if (!status.ok()) return status;
  auto without = servers_.StartDaemon("rates");
  if (!without.ok()) return without.status();
  daemon_ = *std::move(without);
  auto logged = servers_.StartDaemon("logged", {.logs = true});
  if (!logged.ok()) return logged.status();
  Comparison comparison;
  comparison.name = absl::StrCat("Check on record, ", options_.check_outstanding, " calls under way");
  comparison.daemon.name = "log";
  comparison.opponent.name = "off";
  comparison.target_rate = 0.9;
  CheckWorkload checks(AskedNow(), options_.check_requests);
  status = Compare(comparison, Loop(options_.check_outstanding), *logged, *daemon_, checks, checks);
  if (!status.ok()) return status;
  comparison.name = absl::StrCat("BatchCheck of 1,000 on record, ", options_.batch_outstanding, " calls under way");
  comparison.items = BatchWorkload::kItems;
  comparison.target_rate = 0.6;
  BatchWorkload batches(AskedNow(), options_.batch_requests);
  status = Compare(comparison, Loop(options_.batch_outstanding), *logged, *daemon_, batches, batches);
  if (status.ok()) status = Servers::Stop(*std::move(logged));
  if (status.ok()) servers_.Remove("logged");
  return status;
}

absl::Status Suite::Mixed() {
  Say("loading the mixed subjects");
  const auto loaded = servers_.Load("mixed", options_.subjects, Population::kMixed);
  if (!loaded.ok()) return loaded.status();
  Say(*loaded);
  std::this_thread::sleep_for(kAfterLoad);
  auto daemon = servers_.StartDaemon("mixed");
  if (!daemon.ok()) return daemon.status();
  auto empty = servers_.StartEmpty();
  if (!empty.ok()) return empty.status();
  const auto slots = static_cast<size_t>(options_.batch_outstanding);
  const Mix mix(AskedNow(), options_.batch_requests);
  MixWorkload ours(mix, slots, true);
  MixWorkload theirs(mix, slots, false);
  Comparison comparison;
  comparison.name = absl::StrCat("BatchCheck of 1,000, mixed, ", options_.batch_outstanding, " calls under way");
  comparison.daemon.name = "consentd";
  comparison.opponent.name = "empty";
  comparison.items = MixWorkload::kItems;
  absl::Status status = Compare(std::move(comparison), Loop(options_.batch_outstanding), *daemon, *empty, ours, theirs);
  if (status.ok()) status = Servers::Stop(*std::move(daemon));
  if (status.ok()) servers_.Remove("mixed");
  return status;
}

absl::Status Suite::CompareUpdates(const std::string& name, bool slow, const RowSizes& sizes, UpdateWorkload& ours,
                                   UpdateWorkload& theirs) {
  auto daemon = servers_.StartDaemon("rates", {.slow = slow});
  if (!daemon.ok()) return daemon.status();
  auto raw = servers_.StartRaw("raw", sizes, {.slow = slow});
  if (!raw.ok()) return raw.status();
  Comparison comparison;
  comparison.name = name;
  comparison.daemon.name = "consentd";
  comparison.opponent.name = "raw";
  comparison.target_rate = slow ? 0 : 0.8;
  absl::Status status = Compare(std::move(comparison), Loop(options_.update_clients), *daemon, *raw, ours, theirs);
  if (status.ok()) status = Servers::Stop(*std::move(daemon));
  return status;
}

absl::Status Suite::Updates() {
  const auto clients = static_cast<size_t>(options_.update_clients);
  UpdateWorkload ours(options_.subjects, clients, 1);
  UpdateWorkload theirs(options_.subjects, clients, 2);
  // Some updates show how large their rows are; then the opponent gets the same store to write to.
  LoopOptions some = Loop(options_.update_clients);
  some.duration = std::min(kWarmUp, some.duration);
  absl::Status status = RunOnce(some, *daemon_, ours, nullptr);
  if (status.ok()) status = Servers::Stop(*std::move(daemon_));
  daemon_.reset();
  if (!status.ok()) return status;
  const auto sizes = MeasureRows(servers_.Folder("rates"), 1000);
  if (!sizes.ok()) return sizes.status();
  Say(absl::StrCat("rows of an update: record ", sizes->record, ", change ", sizes->feed, ", request ", sizes->request,
                   " bytes"));
  if (status = servers_.Copy("rates", "raw"); !status.ok()) return status;
  const std::string name = absl::StrCat("UpdateSettings, ", options_.update_clients, " clients");
  if (options_.update) status = CompareUpdates(name, false, *sizes, ours, theirs);
  if (status.ok() && options_.slow_update) {
    status = CompareUpdates(name + ", 1 ms added to each sync", true, *sizes, ours, theirs);
  }
  return status;
}

absl::Status Suite::Run() {
  if (options_.footprint) {
    if (absl::Status status = Footprint(); !status.ok()) return status;
  }
  if (options_.mix) {
    if (absl::Status status = Mixed(); !status.ok()) return status;
  }
  if (!options_.check && !options_.batch && !options_.tls && !options_.log && !options_.update &&
      !options_.slow_update) {
    return absl::OkStatus();
  }
  if (absl::Status status = Prepare(); !status.ok()) return status;
  if (options_.check || options_.batch) {
    if (absl::Status status = Reads(); !status.ok()) return status;
  }
  if (options_.tls) {
    if (absl::Status status = OverTls(); !status.ok()) return status;
  }
  if (options_.log) {
    if (absl::Status status = Logged(); !status.ok()) return status;
  }
  if (options_.update || options_.slow_update) return Updates();
  return Servers::Stop(*std::move(daemon_));
}

}  // namespace consent::bench
