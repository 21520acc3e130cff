#include "daemon/app/runtime.h"

#include <chrono>
#include <future>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "daemon/app/callers_file.h"
#include "daemon/app/expected_labels.h"
#include "daemon/app/gauges.h"
#include "daemon/app/housekeeping.h"
#include "daemon/app/keyring.h"
#include "daemon/app/places.h"
#include "daemon/app/policy_file.h"
#include "daemon/app/services.h"
#include "daemon/app/shortage.h"
#include "daemon/rpc/certificates.h"
#include "daemon/service/erasure/eraser.h"
#include "daemon/service/subject/fill_index.h"
#include "proto/enum_names.h"

namespace consent::app {
namespace {

using ops::OperatorText;

// Tasks that may wait; the bound on changes in flight (services.h) lies below it.
constexpr size_t kWriteQueue = 16384;

// A container without /proc counts each start as a boot.
base::BootId ThisBoot(base::Random& random) {
  base::BootId boot{};
  if (!base::ReadBootId(&boot)) random.Fill(boot.data(), boot.size());
  return boot;
}

std::string Text(const absl::Status& status) { return std::string(status.message()); }

Failure CannotListen(const char* option, const absl::Status& status) {
  const ExitCode code = absl::IsInternal(status) ? ExitCode::kInternal : ExitCode::kAddress;
  return FailureFrom(code, absl::Status(status.code(), absl::StrCat(option, ": ", Text(status))));
}

}  // namespace

Runtime::Runtime(ops::ServeOptions options, ops::Log& log, News news)
    : options_(std::move(options)),
      log_(log),
      news_(std::move(news)),
      time_(clock_, ThisBoot(random_), base::ClockBounds{options_.clock_step, options_.clock_downtime}),
      health_(ServiceNames()),
      metrics_(MethodNames(), registry_),
      reloads_(registry_.Events("consentd_policy_reloads_total",
                                "Policy reloads by result; refused keeps the old policy.", {"result"})),
      certificate_reloads_(registry_.Events("consentd_tls_certificate_reloads_total",
                                            "Changed certificates by result; refused keeps the old ones.", {"result"})),
      callers_reloads_(registry_.Events("consentd_callers_reloads_total",
                                        "Reloads of the callers' file by result; refused keeps the old one.",
                                        {"result"})),
      call_log_(log_, metrics_) {
  for (const char* result : {"ok", "refused"}) {
    reloads_.Add({result}, 0);
    certificate_reloads_.Add({result}, 0);
    callers_reloads_.Add({result}, 0);
  }
}

Runtime::~Runtime() {
  // What closing tells of a failed write looks at the core.
  if (store_ != nullptr) store_->Close();
  watched_.store(nullptr);
}

std::optional<Failure> Runtime::Open() {
  // All is looked at before anything is made.
  if (std::optional<Failure> failure = CheckPlaces(options_); failure.has_value()) return failure;
  absl::StatusOr<policy::Document> document = ReadPolicy();
  if (!document.ok()) return FailureFrom(ExitCode::kPolicy, document.status());
  first_policy_ = *std::move(document);
  if (!options_.callers_file.empty()) {
    const absl::StatusOr<v1::CallersFile> callers = ReadCallers();
    if (!callers.ok()) return FailureFrom(ExitCode::kPolicy, callers.status());
    callers_.Put(*callers);
    reload_times_.callers.store(clock_.Now().micros);
    log_.Info("callers in force", {{"callers", callers_.size()}});
  }
  const absl::StatusOr<DescriptorPlan> descriptors = PlanOfProcess();
  if (!descriptors.ok()) return Failure{ExitCode::kShortage, Text(descriptors.status())};
  descriptors_ = *descriptors;
  if (options_.tls_certificate.empty()) {
    if (std::optional<Failure> failure = OpenStore(); failure.has_value()) return failure;
    return Listen();
  }
  const TlsFiles files{options_.tls_certificate, options_.tls_key, options_.tls_client_ca};
  absl::StatusOr<CertificateSet> looked = ReadCertificates(files, clock_.Now());
  if (!looked.ok()) return FailureFrom(ExitCode::kKeys, looked.status());
  if (std::optional<Failure> failure = OpenStore(); failure.has_value()) return failure;
  absl::StatusOr<std::unique_ptr<Certificates>> opened =
      Certificates::Open(files, absl::StrCat(options_.data_dir, ".tls"), clock_.Now());
  if (!opened.ok()) return FailureFrom(ExitCode::kKeys, opened.status());
  certificates_ = *std::move(opened);
  return Listen();
}

std::optional<Failure> Runtime::OpenStore() {
  store::RocksStore::Options store = StoreOptions();
  const absl::StatusOr<store::RocksStore::Found> found = store::RocksStore::Look(store);
  if (!found.ok()) return FailureFrom(ExitCode::kStore, found.status());
  const absl::StatusOr<Keyring> keyring = OpenKeyring(options_, *found);
  if (!keyring.ok()) return FailureFrom(ExitCode::kKeys, keyring.status());
  if (IsStoreLost(*keyring, *found)) {
    const std::string what = absl::StrCat("the key file ", options_.key_file, " is there, its store ",
                                          options_.data_dir, " and the head file ", options_.head_file, " are not");
    if (!options_.accept_loss) {
      return Failure{
          ExitCode::kStore,
          absl::StrCat(what,
                       ": put them back, or mount the disk that has them. To begin with a new store, which knows "
                       "no earlier refusal, start once with --accept-loss")};
    }
    log_.Warn("loss accepted", {{"what", OperatorText(what)}});
  }
  if (std::optional<Failure> failure = MakeParent(options_); failure.has_value()) return failure;
  store.key_fingerprint = keyring->keys.Fingerprint();
  store.before_creation = [&] { return keyring->is_new ? SaveKeys(keyring->keys) : absl::OkStatus(); };
  absl::StatusOr<std::unique_ptr<store::RocksStore>> opened = store::RocksStore::Open(store);
  if (!opened.ok()) return FailureFrom(ExitCode::kStore, opened.status());
  store_ = *std::move(opened);
  for (const std::string& loss : store_->accepted_losses()) log_.Warn("loss accepted", {{"what", OperatorText(loss)}});
  if (std::optional<Failure> failure = AcceptClock(); failure.has_value()) return failure;
  std::optional<Failure> failure;
  decisions_ = DecisionLog::Open(options_, *store_, random_, log_, &failure);
  if (decisions_ == nullptr) return failure;
  MakeContext(keyring->keys);
  journal_ = RestrictionJournal::Open(options_, *core_, log_, &failure);
  if (failure.has_value()) return failure;
  if (absl::Status status = services_->master_keys.Take(keyring->keys); !status.ok()) {
    return FailureFrom(absl::IsFailedPrecondition(status) ? ExitCode::kKeys : ExitCode::kStore, status);
  }
  return std::nullopt;
}

absl::Status Runtime::SaveKeys(const base::Keys& keys) {
  absl::Status status = keys.Save(options_.key_file);
  if (status.ok()) {
    log_.Info("keys made; keep a copy apart from the store's", {{"key_file", OperatorText(options_.key_file)}});
  }
  return status;
}

store::RocksStore::Options Runtime::StoreOptions() {
  store::RocksStore::Options store;
  store.db_path = options_.data_dir;
  store.head_path = options_.head_file;
  store.clock = &time_;
  store.trusted = &time_;
  store.random = &random_;
  store.accept_loss = options_.accept_loss;
  store.max_open_files = descriptors_.store_files;
  store.on_failure = [this](const absl::Status& why) {
    // In this order: Serve sets them the other way round and looks at the health last.
    health_.Set(ops::HealthState::kFailed);
    if (service::Core* core = watched_.load(); core != nullptr) core->ready.store(false);
    log_.Error("write failed", {{"why", OperatorText(why)}});
    news_.write_failed();
  };
  return store;
}

std::optional<Failure> Runtime::AcceptClock() {
  if (!options_.accept_clock.IsSet()) return std::nullopt;
  const std::string named = base::FormatRfc3339(options_.accept_clock);
  if (!time_.Confirm(options_.accept_clock)) {
    // No reason not to start: it may have been left on the command line.
    log_.Warn("--accept-clock confirms nothing: the clock is more than an hour away from the time that it names",
              {{"named", OperatorText(named)}});
    return std::nullopt;
  }
  // The option is given once, so a power cut must not take back what it said.
  if (absl::Status status = store_->SaveClock(); !status.ok()) return FailureFrom(ExitCode::kWriteFailed, status);
  log_.Info("the time is confirmed", {{"named", OperatorText(named)}});
  return std::nullopt;
}

void Runtime::MakeContext(const base::Keys& keys) {
  writers_ = std::make_unique<service::Pool>(options_.write_threads, kWriteQueue);
  pools_ = std::make_unique<CallPools>(options_.read_threads);
  core_.reset(new service::Core{.store = *store_,
                                .time = time_,
                                .random = random_,
                                .keys = keys,
                                .shares = base::ShareKeys(keys),
                                .hasher = keys.Hasher(),
                                .tokens = service::Tokens(keys, store_->store_id()),
                                .policies = {},
                                .index = service::FactsIndex(options_.index_max_subjects),
                                .gauges = {},
                                .writers = *writers_,
                                .partition_policies = service::PartitionPolicies(store_->partition_count())});
  watched_.store(core_.get());
  services_ = std::make_unique<Services>(*core_, decisions_->recorder(), caller_connections_);
  services_->proposals.TellSteps([this](const service::ProposalView& view) {
    log_.Info("proposal", {{"act", OperatorText(service::NameOf(view.row.act))},
                           {"state", OperatorText(service::NameOf(view.state))},
                           {"proposed_by", OperatorText(view.names.proposer.name)},
                           {"decided_by", OperatorText(view.names.decider.name)}});
  });
  policy_in_force_ = std::make_unique<PolicyInForce>(core_->policies, services_->policy_admin, clock_, log_, reloads_,
                                                     reload_times_.policy, !options_.policy_file.empty());
  status_ = std::make_unique<StatusAnswer>(
      *core_, services_->policy_admin, [this] { return CollectMetrics(); },
      [] { return std::chrono::steady_clock::now(); });
  backups_ = std::make_unique<Backups>([this] { return store_->Stage(); },
                                       [this](const std::vector<store::Head>& heads) { journal_->NoteBackup(heads); },
                                       time_, random_, log_);
}

std::optional<Failure> Runtime::Listen() {
  ServerOptions serving;
  serving.connections = LimitsOf(descriptors_);
  serving.callers = &caller_connections_;
  serving.on_overstay = [this](const std::string& caller, size_t connections) {
    log_.Warn("connections of a caller that stays over its limits end",
              {{"caller", OperatorText(caller)}, {"connections", connections}});
  };
  serving.on_cuts = [this](const ConnectionCounts& counts) { LogCuts(counts); };
  // The first one serves the daemon itself, and every listener that takes all comers for "local" with all roles.
  const auto one = [](rpc::Peer peer) { return std::make_unique<rpc::OnePeer>(std::move(peer)); };
  serving.served.push_back({ServicesFor(one(rpc::Peer{service::Caller{}, rpc::RoleSet::All()})), nullptr});
  if (certificates_ != nullptr) {
    tls_served_by_ = serving.served.size();
    serving.served.push_back(
        {ServicesFor(std::make_unique<rpc::CertificateAuthenticator>(callers_, clock_)), certificates_->Credentials()});
  }
  for (const ops::ListenOption& option : options_.listeners) {
    const size_t served_by = ServedBy(option, &serving);
    const absl::StatusOr<std::vector<ops::Address>> addresses = option.place.Resolve();
    if (!addresses.ok()) return CannotListen("--listen", addresses.status());
    for (const ops::Address& address : *addresses) serving.listeners.push_back({address, option.group, served_by});
  }
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Listen(serving, health_);
  if (!server.ok()) return CannotListen("--listen", server.status());
  server_ = *std::move(server);
  DefineMetrics();
  if (absl::Status status = ListenForScrapes(); !status.ok()) return CannotListen("--metrics-listen", status);
  std::string metrics;
  for (const auto& http : http_) absl::StrAppend(&metrics, metrics.empty() ? "" : " ", http->address().ToText());
  log_.Info("listening", {{"address", OperatorText(absl::StrJoin(server_->addresses(), " "))},
                          {"metrics", OperatorText(metrics.empty() ? "off" : metrics)},
                          {"connections", descriptors_.connections},
                          {"open_files", descriptors_.limit}});
  return std::nullopt;
}

std::vector<grpc::Service*> Runtime::ServicesFor(std::unique_ptr<rpc::Authenticator> authenticator) {
  authenticators_.push_back(std::move(authenticator));
  rpc_.push_back(std::make_unique<RpcServices>(
      *core_, *services_, [this](v1::GetStatusResponse* out) { status_->Read(out); },
      [this] { return ReadKeyFile(options_); }, *backups_,
      rpc::RpcDependencies{services_->admission, pools_->readers, pools_->restrictions, pools_->grants, call_log_,
                           *authenticators_.back(), services_->read_log}));
  return rpc_.back()->All();
}

size_t Runtime::ServedBy(const ops::ListenOption& option, ServerOptions* serving) {
  if (!option.place.IsUnix() && certificates_ != nullptr) return tls_served_by_;
  if (option.roles.empty() && option.systems.empty() && option.name == service::Caller{}.identity) return 0;
  rpc::Peer peer{service::Caller{option.name}, RolesOf(option), option.systems};
  serving->served.push_back({ServicesFor(std::make_unique<rpc::OnePeer>(std::move(peer))), nullptr});
  return serving->served.size() - 1;
}

void Runtime::DefineMetrics() {
  DefineGauges({health_, *core_, *store_, *pools_, *services_, callers_, reload_times_, FoldersOf(options_),
                options_.index_max_subjects, static_cast<size_t>(descriptors_.connections),
                [this] { return server_->Counts(); }, certificates_.get()},
               registry_);
  decisions_->DefineMetrics(registry_);
  journal_->DefineMetrics(registry_);
  backups_->DefineMetrics(registry_);
}

absl::Status Runtime::ListenForScrapes() {
  if (!options_.metrics_listen.has_value()) return absl::OkStatus();
  const absl::StatusOr<std::vector<ops::Address>> addresses = options_.metrics_listen->Resolve();
  if (!addresses.ok()) return addresses.status();
  for (const ops::Address& address : *addresses) {
    absl::StatusOr<std::unique_ptr<ops::HttpServer>> http = ops::HttpServer::Start(
        address, [this] { return CollectMetrics(); }, health_);
    if (!http.ok()) return http.status();
    http_.push_back(*std::move(http));
  }
  return absl::OkStatus();
}

std::vector<prometheus::MetricFamily> Runtime::CollectMetrics() {
  base::MutexLock lock(collecting_);
  const std::shared_ptr<const domain::Rules> rules = core_->policies.rules();
  metrics_.Expect(LabelsToExpect(options_, callers_, rules.get()));
  std::vector<prometheus::MetricFamily> families = registry_.Collect();
  for (prometheus::MetricFamily& family : metrics_.Collect()) families.push_back(std::move(family));
  return families;
}

void Runtime::LogCuts(const ConnectionCounts& counts) {
  log_.Warn("connections were ended", {{"open", counts.open},
                                       {"cut", counts.cut()},
                                       {"evicted", counts.closed[static_cast<size_t>(CloseReason::kEvicted)]},
                                       {"turned_away", counts.closed[static_cast<size_t>(CloseReason::kTurnedAway)]}});
}

std::optional<Failure> Runtime::Prepare() {
  const auto began = std::chrono::steady_clock::now();
  absl::Status loaded = services_->policy_admin.Load();
  if (loaded.ok()) loaded = service::FillIndex(*core_);
  if (loaded.ok()) loaded = services_->sweeps.Load();
  if (loaded.ok()) loaded = services_->proposals.Load();
  if (loaded.ok()) loaded = services_->systems.Load();
  if (loaded.ok()) loaded = services_->publisher.review_rates().Fill(*core_);
  if (!loaded.ok()) return Failure{ExitCode::kStore, Text(loaded)};
  if (absl::Status status = policy_in_force_->ActivateFirst(*std::exchange(first_policy_, {})); !status.ok()) {
    return FailureFrom(ExitCode::kPolicy, status);
  }
  decisions_->TakeKeys(*core_, services_->month_keys);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  log_.Info("index filled", {{"subjects", core_->gauges.subjects()},
                             {"bytes", core_->index.memory_bytes()},
                             {"complete", core_->index.complete()},
                             {"seconds", took.count()}});
  return std::nullopt;
}

void Runtime::Serve() {
  sweeper_ = std::make_unique<Periodic>(kBetweenSweeps, SweepRequests(*core_, services_->proposals, log_));
  eraser_ =
      std::make_unique<Periodic>(service::Eraser::kShortestRest, EraseLeftovers(*core_, services_->erasures, log_));
  rewrapper_ = std::make_unique<Periodic>(std::chrono::milliseconds(0), RewrapShares(services_->rewrapping, log_));
  clock_watch_ = std::make_unique<Periodic>(std::chrono::milliseconds(0), WatchClock(*core_, log_, [this] {
                                              if (policy_in_force_->TakeDue()) news_.policy_due();
                                            }));
  settler_ = std::make_unique<Periodic>(std::chrono::milliseconds(0), SettleDoubtfulOrders(*core_, *services_, log_));
  joiner_ = std::make_unique<Periodic>(std::chrono::milliseconds(0), FinishJoins(*core_, *services_, log_));
  if (certificates_ != nullptr) {
    certificate_watch_ = std::make_unique<Periodic>(
        std::chrono::milliseconds(0), WatchCertificates(*certificates_, clock_, certificate_reloads_, log_));
  }
  journal_->BeginCatchingUp();
  decisions_->BeginCounting(*core_);
  core_->ready.store(true);
  health_.Set(ops::HealthState::kServing);
  if (health_.state() != ops::HealthState::kServing) core_->ready.store(false);  // a write failed in between
}

void Runtime::StartProbing(std::chrono::microseconds watchdog) {
  probe_ = std::make_unique<Probe>(*core_, pools_->readers, *server_, services_->probe_account);
  prober_ = std::make_unique<Periodic>(std::chrono::milliseconds(0),
                                       ProbeAgainAndAgain(*probe_, log_, watchdog, news_.probe_answered));
}

uint64_t Runtime::progress() const {
  const service::Core* const core = watched_.load();
  return core == nullptr ? 0 : core->rows_filled.load();
}

void Runtime::TellOverdue() {
  log_.Error("the daemon does not answer its own probe; the service manager ends it if it stays so",
             {{"waits_for", ProbeStepName(probe_->step())}});
}

absl::StatusOr<policy::Document> Runtime::ReadPolicy() const {
  const std::string& path = options_.policy_file;
  absl::StatusOr<policy::Document> document = LoadPolicy(path);
  if (!absl::IsInvalidArgument(document.status()) || path.empty()) return document;
  return absl::InvalidArgumentError(absl::StrCat("the policy file ", path, ": ", Text(document.status())));
}

absl::Status Runtime::ReloadPolicy(const absl::StatusOr<policy::Document>& read) {
  return policy_in_force_->Reload(read);
}

void Runtime::BeginDecisionFile() { decisions_->BeginFile(); }
absl::StatusOr<v1::CallersFile> Runtime::ReadCallers() const {
  const std::string& path = options_.callers_file;
  if (path.empty()) return v1::CallersFile();
  absl::StatusOr<v1::CallersFile> callers = LoadCallers(path);
  if (!absl::IsInvalidArgument(callers.status())) return callers;
  return absl::InvalidArgumentError(absl::StrCat("the callers' file ", path, ": ", Text(callers.status())));
}

absl::Status Runtime::ReloadCallers(const absl::StatusOr<v1::CallersFile>& read) {
  if (options_.callers_file.empty()) return absl::OkStatus();
  if (read.ok()) {
    callers_.Put(*read);
    reload_times_.callers.store(clock_.Now().micros);
    log_.Info("callers in force", {{"callers", callers_.size()}});
  }
  callers_reloads_.Add({read.ok() ? "ok" : "refused"});
  return read.status();
}

void Runtime::Drain() {
  health_.Set(ops::HealthState::kDraining);
  core_->ready.store(false);
  services_->queue.Stop();
  server_->Shutdown(std::chrono::seconds(options_.drain_seconds));
  prober_.reset();  // it asks the server and the store
  eraser_.reset();
  rewrapper_.reset();
  settler_.reset();
  joiner_.reset();
  certificate_watch_.reset();
  clock_watch_.reset();
  sweeper_.reset();
  http_.clear();  // a scrape asks the server
  server_.reset();
  certificates_.reset();
  pools_.reset();
  backups_.reset();
  decisions_->EndCounting();
  journal_->EndCatchingUp();
  store_->Close();
  writers_.reset();
  rpc_.clear();
  status_.reset();
  policy_in_force_.reset();
  services_.reset();
  decisions_.reset();
  journal_.reset();
  core_.reset();
  store_.reset();
}

void Runtime::Abandon(std::chrono::milliseconds patience) {
  auto done = std::make_shared<std::promise<void>>();
  std::future<void> finished = done->get_future();
  std::thread([this, patience, done] {
    server_->Shutdown(patience);
    done->set_value();
  }).detach();
  finished.wait_for(2 * patience);
}

}  // namespace consent::app
