#include "daemon/app/runtime.h"

#include <chrono>
#include <filesystem>
#include <future>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/app/gather.h"
#include "daemon/app/housekeeping.h"
#include "daemon/app/keyring.h"
#include "daemon/app/policy_file.h"
#include "daemon/app/services.h"
#include "daemon/service/eraser.h"
#include "daemon/service/fill_index.h"

namespace consent::app {
namespace {

using ops::OperatorText;

// Tasks that may wait; one more is answered OVERLOADED. Seconds of work, so that overload is told before clients give up.
constexpr size_t kReadQueue = 4096;
constexpr size_t kWriteQueue = 16384;

// RocksDB writes several files while it opens, and Debian's ends the process by an assertion where they do not fit.
constexpr uint64_t kLeastFreeMiB = 32;

// A container without /proc counts each start as a boot.
base::BootId ThisBoot(base::Random& random) {
  base::BootId boot{};
  if (!base::ReadBootId(&boot)) random.Fill(boot.data(), boot.size());
  return boot;
}

std::string Text(const absl::Status& status) { return std::string(status.message()); }

// Why there is not enough room for opening the store in `folder`; empty: there is.
std::string NoRoom(const std::filesystem::path& folder) {
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(folder, error);
  const uint64_t free_mib = space.available >> 20;
  if (error || free_mib >= kLeastFreeMiB) return "";
  return absl::StrCat("the file system of ", folder.string(), " has ", free_mib, " MiB free; opening a store needs at least ",
                      kLeastFreeMiB, " MiB: free some space or enlarge it. Nothing that was acknowledged is lost");
}

}  // namespace

Runtime::Runtime(ops::ServeOptions options, ops::Log& log, std::function<void()> on_write_failed)
    : options_(std::move(options)),
      log_(log),
      on_write_failed_(std::move(on_write_failed)),
      time_(clock_, ThisBoot(random_), base::ClockBounds{options_.clock_step, options_.clock_downtime}),
      health_(ServiceNames()),
      metrics_(MethodNames()) {}

Runtime::~Runtime() = default;

std::optional<Failure> Runtime::Open() {
  if (std::optional<Failure> failure = OpenStore(); failure.has_value()) return failure;
  return Listen();
}

std::optional<Failure> Runtime::OpenStore() {
  std::error_code error;
  const std::filesystem::path data_dir(options_.data_dir);
  std::filesystem::create_directories(data_dir.parent_path(), error);
  const bool exists = std::filesystem::exists(data_dir, error);
  if (std::string why = NoRoom(exists ? data_dir : data_dir.parent_path()); !why.empty()) {
    return Failure{ExitCode::kStore, std::move(why)};
  }
  absl::StatusOr<Keyring> keyring = OpenKeyring(options_.key_file, options_.data_dir, options_.head_file);
  if (!keyring.ok()) return Failure{ExitCode::kKeys, Text(keyring.status())};
  if (keyring->made) log_.Info("keys made; keep a copy apart from the store's", {{"key_file", OperatorText(options_.key_file)}});

  store::RocksStore::Options store;
  store.db_path = options_.data_dir;
  store.head_path = options_.head_file;
  store.partitions = options_.partitions;
  store.clock = &time_;
  store.trusted = &time_;
  store.random = &random_;
  store.key_fingerprint = keyring->keys.Fingerprint();
  store.accept_loss = options_.accept_loss;
  store.on_failure = [this](const absl::Status& why) {
    // In this order: Serve sets them the other way round and looks at the health last.
    health_.Set(ops::HealthState::kFailed);
    if (service::Context* context = watched_.load(); context != nullptr) context->ready.store(false);
    log_.Error("write failed", {{"why", OperatorText(why)}});
    on_write_failed_();
  };
  absl::StatusOr<std::unique_ptr<store::RocksStore>> opened = store::RocksStore::Open(store);
  if (!opened.ok()) return Failure{ExitCode::kStore, Text(opened.status())};
  store_ = *std::move(opened);
  for (const std::string& loss : store_->accepted_losses()) log_.Warn("loss accepted", {{"what", OperatorText(loss)}});
  AcceptClock();
  MakeContext(keyring->keys);
  return std::nullopt;
}

void Runtime::AcceptClock() {
  if (!options_.accept_clock.IsSet()) return;
  const std::string named = base::FormatRfc3339(options_.accept_clock);
  if (time_.Confirm(options_.accept_clock)) {
    log_.Info("the time is confirmed", {{"named", OperatorText(named)}});
  } else {
    // No reason not to start: it may have been left on the command line.
    log_.Warn("--accept-clock confirms nothing: the clock is more than an hour away from the time that it names", {{"named", OperatorText(named)}});
  }
}

void Runtime::MakeContext(const base::Keys& keys) {
  writers_ = std::make_unique<service::Pool>(options_.write_threads, kWriteQueue);
  readers_ = std::make_unique<service::Pool>(options_.read_threads, kReadQueue);
  std::vector<std::unique_ptr<service::FactsIndex>> indexes;
  const uint64_t share = options_.index_max_subjects / store_->partition_count() + 1;
  for (uint16_t i = 0; i < store_->partition_count(); ++i) indexes.push_back(std::make_unique<service::FactsIndex>(share));
  context_.reset(new service::Context{.store = *store_,
                                      .time = time_,
                                      .random = random_,
                                      .keys = keys,
                                      .hasher = base::IdHasher(keys.lookup_key()),
                                      .tokens = service::Tokens(keys, store_->store_id()),
                                      .policies = {},
                                      .indexes = std::move(indexes),
                                      .census = {},
                                      .writers = *writers_,
                                      .activation = {}});
  watched_.store(context_.get());
  services_ = std::make_unique<Services>(*context_, *readers_, metrics_);
}

std::optional<Failure> Runtime::Listen() {
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Listen(options_.listen.ToText(), services_->All(), health_);
  if (!server.ok()) return Failure{ExitCode::kAddress, absl::StrCat("--listen: ", Text(server.status()))};
  server_ = *std::move(server);
  if (options_.metrics_listen.has_value()) {
    const auto collect = [this] {
      std::vector<prometheus::MetricFamily> families = ops::ReadingFamilies(
          Gather(*context_, *store_, *readers_, *services_, health_.state()));
      for (std::vector<prometheus::MetricFamily> more : {metrics_.Collect(), ops::ProcessFamilies()}) {
        families.insert(families.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
      }
      return families;
    };
    absl::StatusOr<std::unique_ptr<ops::HttpServer>> http = ops::HttpServer::Start(*options_.metrics_listen, collect, health_);
    if (!http.ok()) return Failure{ExitCode::kAddress, absl::StrCat("--metrics-listen: ", Text(http.status()))};
    http_ = *std::move(http);
  }
  log_.Info("listening", {{"address", OperatorText(server_->address())},
                          {"metrics", OperatorText(http_ == nullptr ? std::string("off") : http_->address().ToText())},
                          {"partitions", static_cast<int>(store_->partition_count())}});
  return std::nullopt;
}

std::optional<Failure> Runtime::Prepare() {
  const auto began = std::chrono::steady_clock::now();
  if (absl::Status status = services_->policy_admin.Load(); !status.ok()) return Failure{ExitCode::kStore, Text(status)};
  if (absl::Status status = service::FillIndex(*context_); !status.ok()) return Failure{ExitCode::kStore, Text(status)};
  if (absl::Status status = services_->systems.Load(); !status.ok()) return Failure{ExitCode::kStore, Text(status)};
  if (absl::Status status = ActivatePolicy(); !status.ok()) return Failure{ExitCode::kPolicy, Text(status)};
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  uint64_t bytes = 0;
  bool complete = true;
  for (const auto& index : context_->indexes) {
    bytes += index->memory_bytes();
    complete = complete && index->complete();
  }
  log_.Info("index filled",
            {{"subjects", context_->census.subjects()}, {"bytes", bytes}, {"complete", complete}, {"seconds", took.count()}});
  return std::nullopt;
}

absl::Status Runtime::ActivatePolicy() {
  const absl::StatusOr<policy::Document> document = LoadPolicy(options_.policy_file);
  if (!document.ok()) return document.status();
  const std::shared_ptr<const policy::PolicyRow> before = context_->policies.current();
  absl::Status status = services_->policy_admin.Activate(*document);
  if (!status.ok() && before != nullptr && time_.Look().doubtful && !context_->ready.load()) {
    // A doubtful time does not keep the daemon from starting: restrictions are to be taken.
    log_.Warn("the policy file is not in force yet; the policy before is", {{"why", OperatorText(status)}});
    return absl::OkStatus();
  }
  if (!status.ok()) return status;
  const bool changed = before == nullptr || before->document.hash() != document->hash();
  log_.Info("policy in force", {{"version", OperatorText(document->version())}, {"changed", changed}});
  return absl::OkStatus();
}

void Runtime::Serve() {
  sweeper_ = std::make_unique<Periodic>(kBetweenSweeps, SweepRequests(*context_, log_));
  eraser_ = std::make_unique<Periodic>(service::Eraser::kShortestRest, EraseLeftovers(*context_, services_->erasures, log_));
  clock_watch_ = std::make_unique<Periodic>(std::chrono::milliseconds(0), WatchClock(*context_, log_));
  context_->ready.store(true);
  health_.Set(ops::HealthState::kServing);
  if (health_.state() != ops::HealthState::kServing) context_->ready.store(false);  // a write failed in between
}

absl::Status Runtime::ReloadPolicy() {
  absl::Status status = ActivatePolicy();
  metrics_.OnPolicyReload(status.ok());
  return status;
}

void Runtime::Drain() {
  health_.Set(ops::HealthState::kDraining);
  context_->ready.store(false);
  services_->board.Stop();
  server_->Shutdown(std::chrono::seconds(options_.drain_seconds));
  server_.reset();
  eraser_.reset();
  clock_watch_.reset();
  sweeper_.reset();
  http_.reset();
  readers_.reset();
  store_->Close();
  writers_.reset();
  services_.reset();
  context_.reset();
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
