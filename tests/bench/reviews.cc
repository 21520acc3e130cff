// bench_reviews: how fast reviews are leased, opened, redeemed and submitted, beside a server that writes rows of a
// lease's sizes and nothing else; and what a thousand leases a second cost checks.
#include <google/protobuf/util/json_util.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "consent/v1/purge_service.grpc.pb.h"
#include "consent/v1/review_service.grpc.pb.h"
#include "consent/v1/settings_service.grpc.pb.h"
#include "daemon/app/policy_file.h"
#include "tests/bench/footprint.h"
#include "tests/bench/pace.h"
#include "tests/bench/workloads.h"

namespace consent::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kSystem[] = "audio";

struct Arguments {
  Places places;
  uint64_t subjects = 100'000;
  uint64_t reviews = 20'000;  // of each round
  int rounds = 7;
  int clients = 64;
  int64_t pace_seconds = 30;
  uint64_t checks_per_second = 2'000;
  uint64_t leases_per_second = 1'000;
};

struct Measured {
  double per_second = 0;
  Latencies latencies;
};

// Each of `calls` once, by clients that ask one after the other. A call that fails ends the process.
Measured Ask(int clients, uint64_t calls, const std::function<grpc::Status(grpc::ClientContext*, uint64_t)>& call) {
  std::atomic<uint64_t> next{0};
  std::mutex mutex;
  Measured measured;
  const auto began = Clock::now();
  std::vector<std::thread> threads;
  for (int i = 0; i < clients; ++i) {
    threads.emplace_back([&] {
      Latencies own;
      for (uint64_t n = next.fetch_add(1); n < calls; n = next.fetch_add(1)) {
        grpc::ClientContext context;
        const auto asked = Clock::now();
        const grpc::Status status = call(&context, n);
        if (!status.ok()) Give(absl::InternalError("a call failed: " + status.error_message()));
        own.Add(static_cast<uint64_t>(std::chrono::nanoseconds(Clock::now() - asked).count()));
      }
      const std::lock_guard lock(mutex);
      measured.latencies.Merge(own);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> took = Clock::now() - began;
  measured.per_second = static_cast<double>(calls) / took.count();
  return measured;
}

// Recordings that nobody asked for before, each for a reviewer who has heard nothing of the account.
class LeaseWorkload {
 public:
  using Request = v1::LeaseReviewsRequest;
  using Response = v1::LeaseReviewsResponse;
  using Stub = v1::ReviewService::Stub;
  LeaseWorkload(uint64_t subjects, int64_t captured_at_seconds)
      : subjects_(subjects), captured_at_seconds_(captured_at_seconds) {}
  std::unique_ptr<Stub> NewStub(const std::shared_ptr<grpc::Channel>& channel) const {
    return v1::ReviewService::NewStub(channel);
  }
  std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> Start(Stub& stub, grpc::ClientContext* context,
                                                                   const Request& request,
                                                                   grpc::CompletionQueue* queue) const {
    return stub.AsyncLeaseReviews(context, request, queue);
  }
  void Fill(Request* request) {
    const uint64_t n = next_.fetch_add(1);
    request->set_purpose(kPurpose);
    FillPlace(request->mutable_place());
    request->set_reviewer("reviewer-" + std::to_string(n / subjects_) + "-" + std::to_string(n % subjects_ / 5'000));
    request->set_selection(v1::SELECTION_RANDOM);
    FillRecording(Scatter(n % subjects_, subjects_), n, captured_at_seconds_, request->add_recordings());
  }
  const Request& Next(size_t) {
    request_.Clear();
    Fill(&request_);
    return request_;
  }
  static bool Accept(size_t, const Response& response) {
    return response.results_size() == 1 && response.results(0).has_grant();
  }

 private:
  const uint64_t subjects_;
  const int64_t captured_at_seconds_;
  std::atomic<uint64_t> next_{0};
  Request request_;
};

// One row after another for the raw server.
class RowWorkload : public UpdateCalls {
 public:
  RowWorkload(uint64_t subjects, uint64_t run) : subjects_(subjects), run_(run) {}
  void Fill(uint64_t n, Request* request) const {
    request->set_account_id(AccountId(Scatter(n % subjects_, subjects_)));
    request->set_request_id(RequestId(run_, n));
  }
  const Request& Next(size_t) {
    Fill(next_++, &request_);
    return request_;
  }
  static bool Accept(size_t, const Response&) { return true; }

 private:
  const uint64_t subjects_;
  const uint64_t run_;
  uint64_t next_ = 0;
  Request request_;
};

class ReviewsBench {
 public:
  ReviewsBench(const Arguments& arguments, const Server& daemon, LeaseWorkload& leases)
      : arguments_(arguments),
        stub_(v1::ReviewService::NewStub(Connect(daemon.address, daemon.credentials))),
        leases_(leases),
        grants_(arguments.reviews),
        tokens_(arguments.reviews) {
    const auto systems = v1::DataSystemService::NewStub(Connect(daemon.address, daemon.credentials));
    v1::RegisterDataSystemRequest request;
    request.mutable_system()->set_name(kSystem);
    request.mutable_system()->set_kind(v1::DATA_SYSTEM_KIND_AUDIO);
    request.mutable_system()->add_matches_by(v1::MATCH_KEY_ACCOUNT);
    request.mutable_system()->add_matches_by(v1::MATCH_KEY_RECORDING_ID);
    request.mutable_system()->set_checks_on_ingest(true);
    grpc::ClientContext context;
    v1::RegisterDataSystemResponse response;
    const grpc::Status status = systems->RegisterDataSystem(&context, request, &response);
    if (!status.ok()) Give(absl::InternalError(status.error_message()));
  }

  Measured Lease() {
    return Ask(arguments_.clients, arguments_.reviews, [this](grpc::ClientContext* context, uint64_t n) {
      v1::LeaseReviewsRequest request;
      v1::LeaseReviewsResponse response;
      leases_.Fill(&request);
      const grpc::Status status = stub_->LeaseReviews(context, request, &response);
      if (status.ok() && !LeaseWorkload::Accept(0, response)) {
        return grpc::Status(grpc::StatusCode::INTERNAL, "no grant: " + response.ShortDebugString());
      }
      if (status.ok()) grants_[n] = std::move(*response.mutable_results(0)->mutable_grant());
      return status;
    });
  }
  Measured Open() {
    return Ask(arguments_.clients, arguments_.reviews, [this](grpc::ClientContext* context, uint64_t n) {
      v1::OpenMediaRequest request;
      v1::OpenMediaResponse response;
      request.set_grant_id(grants_[n].grant_id());
      request.set_fence(grants_[n].fence());
      request.set_audience(kSystem);
      const grpc::Status status = stub_->OpenMedia(context, request, &response);
      tokens_[n] = std::move(*response.mutable_media_token());
      return status;
    });
  }
  Measured Redeem() {
    return Ask(arguments_.clients, arguments_.reviews, [this](grpc::ClientContext* context, uint64_t n) {
      v1::RedeemMediaRequest request;
      v1::RedeemMediaResponse response;
      request.set_system(kSystem);
      request.set_media_token(tokens_[n]);
      return stub_->RedeemMedia(context, request, &response);
    });
  }
  Measured Submit() {
    return Ask(arguments_.clients, arguments_.reviews, [this](grpc::ClientContext* context, uint64_t n) {
      v1::SubmitReviewRequest request;
      v1::SubmitReviewResponse response;
      request.set_grant_id(grants_[n].grant_id());
      request.set_fence(grants_[n].fence());
      request.set_digest(std::string(32, 'd'));
      return stub_->SubmitReview(context, request, &response);
    });
  }

 private:
  const Arguments& arguments_;
  const std::unique_ptr<v1::ReviewService::Stub> stub_;
  LeaseWorkload& leases_;
  std::vector<v1::ReviewGrant> grants_;
  std::vector<std::string> tokens_;
};

Measured AskRaw(const Arguments& arguments, const Server& raw, uint64_t round) {
  const RowWorkload rows(arguments.subjects, round);
  const auto stub = rows.NewStub(Connect(raw.address, raw.credentials));
  return Ask(arguments.clients, arguments.reviews, [&](grpc::ClientContext* context, uint64_t n) {
    v1::UpdateSettingsRequest request;
    v1::UpdateSettingsResponse response;
    rows.Fill(n, &request);
    return stub->UpdateSettings(context, request, &response);
  });
}

// What was measured in the rounds, beside the raw rows of the same rounds.
struct Column {
  const char* name;
  std::vector<double> rates;
  std::vector<double> ratios;
  Latencies latencies;

  void Add(const Measured& measured, const Measured& raw) {
    rates.push_back(measured.per_second);
    ratios.push_back(measured.per_second / raw.per_second);
    latencies.Merge(measured.latencies);
  }
  void Print() const {
    std::printf("%-7s %8.0f/s  %.2f of raw rows  p50 %6.0f us  p99 %6.0f us\n", name, Median(rates), Median(ratios),
                latencies.Quantile(0.5), latencies.Quantile(0.99));
  }
};

void MeasureRates(const Arguments& arguments, ReviewsBench& bench, const Server& raw) {
  Column rows{"rows", {}, {}, {}};
  Column lease{"lease", {}, {}, {}};
  Column open{"open", {}, {}, {}};
  Column redeem{"redeem", {}, {}, {}};
  Column submit{"submit", {}, {}, {}};
  for (int round = 0; round < arguments.rounds; ++round) {
    const Measured beside = AskRaw(arguments, raw, static_cast<uint64_t>(round));
    rows.Add(beside, beside);
    lease.Add(bench.Lease(), beside);
    open.Add(bench.Open(), beside);
    redeem.Add(bench.Redeem(), beside);
    submit.Add(bench.Submit(), beside);
  }
  for (const Column* column : {&rows, &lease, &open, &redeem, &submit}) column->Print();
}

// Checks at their pace alone, beside raw rows that another program writes, and beside as many leases; in turn, since
// the machine's own noise is larger than what is looked for. What rows of another program cost them, the machine costs.
class ChecksBench {
 public:
  ChecksBench(const Arguments& arguments, const Server& daemon, const Server& raw, int64_t captured_at)
      : arguments_(arguments),
        daemon_(daemon),
        raw_(raw),
        checks_({arguments.subjects, captured_at}, 50'000),
        rows_(arguments.subjects, static_cast<uint64_t>(arguments.rounds)) {}

  void Measure(LeaseWorkload& leases) {
    for (int round = 0; round < arguments_.rounds; ++round) {
      const double alone = Add(AskAtAPace(daemon_, checks_, arguments_.checks_per_second, Over()), &alone_);
      const double beside_rows = Add(Beside(raw_, rows_), &beside_rows_);
      const double beside_leases = Add(Beside(daemon_, leases), &beside_leases_);
      rows_ratios_.push_back(beside_rows / alone);
      leases_ratios_.push_back(beside_leases / alone);
      ratios_.push_back(beside_leases / beside_rows);
    }
    PrintChecks("alone", alone_);
    PrintChecks("beside the rows of another program", beside_rows_);
    PrintChecks("beside the leases", beside_leases_);
    std::printf("p99 of checks %.2f times beside %llu leases a second, %.2f times beside as many rows: %.2f of that\n",
                Median(leases_ratios_), static_cast<unsigned long long>(arguments_.leases_per_second),
                Median(rows_ratios_), Median(ratios_));
  }

 private:
  std::function<bool()> Over() const {
    const auto end = Clock::now() + std::chrono::seconds(arguments_.pace_seconds) / arguments_.rounds;
    return [end] { return Clock::now() > end; };
  }
  template <typename Workload>
  Latencies Beside(const Server& server, Workload& workload) {
    const auto is_over = Over();
    std::thread writing([&] { AskAtAPace(server, workload, arguments_.leases_per_second, is_over); });
    Latencies meanwhile = AskAtAPace(daemon_, checks_, arguments_.checks_per_second, is_over);
    writing.join();
    return meanwhile;
  }
  // The p99 of this round.
  static double Add(const Latencies& round, Latencies* all) {
    all->Merge(round);
    return round.Quantile(0.99);
  }

  const Arguments& arguments_;
  const Server& daemon_;
  const Server& raw_;
  CheckWorkload checks_;
  RowWorkload rows_;
  Latencies alone_, beside_rows_, beside_leases_;
  std::vector<double> rows_ratios_, leases_ratios_, ratios_;
};

// The shipped policy, under whose caps as many reviews are granted as are asked for.
void WriteManyReviews(const std::string& path) {
  v1::Policy policy = Need(app::LoadPolicy("")).policy();
  policy.set_version("bench-reviews");
  policy.clear_review_caps();
  v1::ReviewCaps& caps = *policy.add_review_caps();
  caps.set_purpose(kPurpose);
  v1::ReviewRate& rate = *caps.add_rates();
  rate.add_countries("*");
  rate.set_parts_per_million(1'000'000);
  caps.set_per_day(1'000'000);
  caps.set_per_site_day(1'000'000);
  caps.set_per_reviewer_shift(10'000);
  caps.set_per_account(256);
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(policy, &json, options).ok()) Give(absl::InternalError(path));
  std::ofstream(path) << json;
}

void Measure(const Arguments& arguments) {
  Servers servers(arguments.places);
  StartOptions many;
  many.policy_file = servers.Folder("policy.json");
  WriteManyReviews(many.policy_file);
  std::printf("%s\n",
              Need(servers.Load("store", arguments.subjects, Population::kHousehold, many.policy_file)).c_str());
  // So that the consents of the load cover what is captured after it.
  constexpr std::chrono::seconds kAfterLoad{5};
  std::this_thread::sleep_for(kAfterLoad);
  const int64_t captured_at = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::this_thread::sleep_for(kAfterLoad);
  if (absl::Status copied = servers.Copy("store", "raw"); !copied.ok()) Give(copied);
  Server daemon = Need(servers.StartDaemon("store", many));
  LeaseWorkload leases(arguments.subjects, captured_at);
  ReviewsBench bench(arguments, daemon, leases);
  bench.Lease();  // so that there are rows to measure, and warm
  if (absl::Status status = Servers::Stop(std::move(daemon)); !status.ok()) Give(status);
  const RowSizes sizes = Need(MeasureLeaseRows(servers.Folder("store"), 1'000));
  std::printf("a lease writes %zu bytes of grant, %zu beside it, %zu of history\n", sizes.record, sizes.request,
              sizes.feed);
  daemon = Need(servers.StartDaemon("store", many));
  ReviewsBench again(arguments, daemon, leases);
  const Server raw = Need(servers.StartRaw("raw", sizes));
  MeasureRates(arguments, again, raw);
  ChecksBench(arguments, daemon, raw, captured_at).Measure(leases);
}

}  // namespace
}  // namespace consent::bench

int main(int argc, char** argv) {
  consent::bench::Arguments arguments;
  CLI::App app("Measures review grants beside raw rows, and what they cost checks");
  app.add_option("--daemon", arguments.places.daemon, "The consentd program")->required()->check(CLI::ExistingFile);
  app.add_option("--subjects", arguments.subjects)->capture_default_str();
  app.add_option("--reviews", arguments.reviews, "Of each round")->capture_default_str();
  app.add_option("--rounds", arguments.rounds)->capture_default_str();
  app.add_option("--clients", arguments.clients)->capture_default_str();
  app.add_option("--pace-seconds", arguments.pace_seconds)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (absl::Status placed = consent::bench::FillPlaces(&arguments.places); !placed.ok()) consent::bench::Give(placed);
  consent::bench::Measure(arguments);
  std::error_code error;
  std::filesystem::remove_all(arguments.places.folder, error);
}
