// Sends calls over TLS at a steady rate, whatever is answered, and says in one line of JSON what came of them.
//
// tls_load --address HOST:PORT --ca FILE --cert FILE --key FILE --method check|opt-out --connections N --rate R
//          --seconds S [--prefix TEXT]
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "consent/v1/eligibility_service.grpc.pb.h"
#include "consent/v1/settings_service.grpc.pb.h"
#include "tests/integration/daemon/load_options.h"

namespace consent::test {
namespace {

using Clock = std::chrono::steady_clock;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Outcome {
  int64_t sent = 0;
  int64_t ok = 0;
  int64_t refused = 0;      // RESOURCE_EXHAUSTED
  int64_t unavailable = 0;  // the connection was gone
  int64_t other = 0;
  int64_t unsent = 0;  // the rate was not kept: too many calls were under way
  std::string first_other;
  std::vector<double> milliseconds;     // of those answered OK
  std::vector<Clock::time_point> ends;  // of the same
  void Add(const Outcome& more) {
    sent += more.sent;
    ok += more.ok;
    refused += more.refused;
    unavailable += more.unavailable;
    other += more.other;
    unsent += more.unsent;
    if (first_other.empty()) first_other = more.first_other;
    milliseconds.insert(milliseconds.end(), more.milliseconds.begin(), more.milliseconds.end());
    ends.insert(ends.end(), more.ends.begin(), more.ends.end());
  }
};

// One call under way.
struct Call {
  virtual ~Call() = default;
  grpc::ClientContext context;
  grpc::Status status;
  Clock::time_point began;
};

struct Check final : Call {
  v1::CheckResponse response;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::CheckResponse>> reader;
};

struct OptOut final : Call {
  v1::OptOutResponse response;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::OptOutResponse>> reader;
};

// Some connections and a thread.
class Sender {
 public:
  Sender(const LoadOptions& options, int number, int connections, double rate)
      : options_(options), number_(number), rate_(rate), opts_out_(options.Text("method") == "opt-out") {
    grpc::SslCredentialsOptions tls;
    tls.pem_root_certs = ReadFile(options.Text("ca"));
    tls.pem_cert_chain = ReadFile(options.Text("cert"));
    tls.pem_private_key = ReadFile(options.Text("key"));
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    // One that was closed comes back at once.
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
    arguments.SetSslTargetNameOverride("localhost");
    for (int i = 0; i < connections; ++i) {
      channels_.push_back(grpc::CreateCustomChannel(options.Text("address"), grpc::SslCredentials(tls), arguments));
      checks_.push_back(v1::EligibilityService::NewStub(channels_.back()));
      settings_.push_back(v1::SettingsService::NewStub(channels_.back()));
    }
  }

  bool Connect() {
    for (const auto& channel : channels_) (void)channel->GetState(true);
    const auto deadline = std::chrono::system_clock::now() + std::chrono::seconds(60);
    return std::all_of(channels_.begin(), channels_.end(),
                       [&](const auto& channel) { return channel->WaitForConnected(deadline); });
  }

  Outcome Run(Clock::time_point begin, std::chrono::seconds span) {
    const auto between = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / rate_));
    Clock::time_point due = begin;
    const Clock::time_point end = begin + span;
    while (due < end || under_way_ > 0) {
      for (const Clock::time_point now = Clock::now(); due <= now && due < end; due += between) {
        under_way_ < kMostUnderWay ? Begin() : void(++outcome_.unsent);
      }
      void* tag = nullptr;
      bool good = false;
      // gRPC's queue waits by the wall clock.
      const auto wait = due < end ? due - Clock::now() : Clock::duration(std::chrono::milliseconds(10));
      const auto deadline =
          std::chrono::system_clock::now() + std::chrono::duration_cast<std::chrono::microseconds>(wait);
      while (queue_.AsyncNext(&tag, &good, deadline) == grpc::CompletionQueue::GOT_EVENT) {
        End(static_cast<Call*>(tag));
        if (due < end && Clock::now() >= due) break;
      }
    }
    return std::move(outcome_);
  }

 private:
  static constexpr int kMostUnderWay = 4'000;

  void Begin() {
    const size_t channel = static_cast<size_t>(outcome_.sent) % channels_.size();
    const int64_t call = outcome_.sent++;
    ++under_way_;
    if (opts_out_) {
      auto one = std::make_unique<OptOut>();
      v1::OptOutRequest request;
      request.set_account_id(options_.Text("prefix") + std::to_string(number_) + "-" + std::to_string(call));
      request.add_targets()->set_all(true);
      Start(one.get());
      one->reader = settings_[channel]->AsyncOptOut(&one->context, request, &queue_);
      OptOut* const kept = one.release();
      kept->reader->Finish(&kept->response, &kept->status, static_cast<Call*>(kept));
      return;
    }
    auto one = std::make_unique<Check>();
    v1::CheckRequest request;
    request.set_purpose(v1::PURPOSE_HUMAN_REVIEW);
    request.mutable_recording()->set_account_id(options_.Text("prefix") + std::to_string(call % 100));
    request.mutable_recording()->set_recording_id("r" + std::to_string(call));
    Start(one.get());
    one->reader = checks_[channel]->AsyncCheck(&one->context, request, &queue_);
    Check* const kept = one.release();
    kept->reader->Finish(&kept->response, &kept->status, static_cast<Call*>(kept));
  }

  static void Start(Call* call) {
    call->began = Clock::now();
    call->context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  }

  void End(Call* ended) {
    const std::unique_ptr<Call> call(ended);
    --under_way_;
    if (call->status.ok()) {
      ++outcome_.ok;
      outcome_.ends.push_back(Clock::now());
      const auto took = outcome_.ends.back() - call->began;
      outcome_.milliseconds.push_back(std::chrono::duration<double, std::milli>(took).count());
    } else if (call->status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
      ++outcome_.refused;
    } else if (call->status.error_code() == grpc::StatusCode::UNAVAILABLE) {
      ++outcome_.unavailable;
    } else {
      ++outcome_.other;
      outcome_.first_other = call->status.error_message();
    }
  }

  const LoadOptions& options_;
  const int number_;
  const double rate_;
  const bool opts_out_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  std::vector<std::unique_ptr<v1::EligibilityService::Stub>> checks_;
  std::vector<std::unique_ptr<v1::SettingsService::Stub>> settings_;
  grpc::CompletionQueue queue_;
  int under_way_ = 0;
  Outcome outcome_;
};

double Quantile(std::vector<double>& values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<size_t>(q * static_cast<double>(values.size())))];
}

// The median of the p99 of each five seconds: what else the machine did for a moment is not in it.
double SteadyP99(const Outcome& all, Clock::time_point begin) {
  std::map<int64_t, std::vector<double>> windows;
  for (size_t i = 0; i < all.ends.size(); ++i) {
    windows[std::chrono::duration_cast<std::chrono::seconds>(all.ends[i] - begin).count() / 5].push_back(
        all.milliseconds[i]);
  }
  std::vector<double> p99s;
  for (auto& [window, values] : windows) p99s.push_back(Quantile(values, 0.99));
  return Quantile(p99s, 0.5);
}

int Main(const LoadOptions& options) {
  const int connections = options.Number("connections");
  const int threads = std::min(connections, 2);
  std::vector<std::unique_ptr<Sender>> senders;
  for (int i = 0; i < threads; ++i) {
    const int own = connections / threads + (i < connections % threads ? 1 : 0);
    senders.push_back(std::make_unique<Sender>(options, i, own, options.Number("rate") / static_cast<double>(threads)));
    if (!senders.back()->Connect()) {
      std::fprintf(stderr, "tls_load: cannot connect to %s\n", options.Text("address").c_str());
      return 1;
    }
  }
  std::printf("connected\n");
  std::fflush(stdout);
  std::vector<Outcome> outcomes(senders.size());
  std::vector<std::thread> running;
  const auto begin = Clock::now();
  for (size_t i = 0; i < senders.size(); ++i) {
    running.emplace_back(
        [&, i] { outcomes[i] = senders[i]->Run(begin, std::chrono::seconds(options.Number("seconds"))); });
  }
  for (std::thread& thread : running) thread.join();
  Outcome all;
  for (const Outcome& outcome : outcomes) all.Add(outcome);
  const double steady = SteadyP99(all, begin);
  const double p50 = Quantile(all.milliseconds, 0.5);
  std::printf(
      R"({"sent": %lld, "ok": %lld, "refused": %lld, "unavailable": %lld, "other": %lld, "unsent": %lld, "p50": %.3f, "steady": %.3f, "p99": %.3f, "max": %.3f, "first_other": "%s"})"
      "\n",
      static_cast<long long>(all.sent), static_cast<long long>(all.ok), static_cast<long long>(all.refused),
      static_cast<long long>(all.unavailable), static_cast<long long>(all.other), static_cast<long long>(all.unsent),
      p50, steady, Quantile(all.milliseconds, 0.99), Quantile(all.milliseconds, 1), all.first_other.c_str());
  return 0;
}

}  // namespace
}  // namespace consent::test

int main(int argc, char** argv) { return consent::test::Main(consent::test::LoadOptions(argc, argv)); }
