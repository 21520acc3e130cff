// A load of a fixed number of calls that are always under way: whenever one is answered the next one starts.
#pragma once

#include <grpcpp/grpcpp.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/latency.h"
#include "tests/fault/kill/child_process.h"

namespace consent::bench {

using Credentials = std::shared_ptr<grpc::ChannelCredentials>;

struct LoopOptions {
  std::string address;
  Credentials credentials;
  int threads = 1;      // each with a connection of its own
  int outstanding = 1;  // calls of all threads together
  std::chrono::milliseconds ramp{200};
  std::chrono::milliseconds duration{3000};
};

struct LoopResult {
  uint64_t calls = 0;  // answered while it was measured
  uint64_t failures = 0;
  std::string first_error;
  double seconds = 0;
  double server_cpu = 0;  // seconds
  double client_cpu = 0;
  Latencies latencies;
};

inline double OwnCpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

inline std::shared_ptr<grpc::Channel> Connect(const std::string& address, const Credentials& credentials) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(address, credentials, arguments);
}

// A Workload has Request, Response, Stub, and
//   std::unique_ptr<Stub> NewStub(channel) const
//   std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> Start(Stub&, grpc::ClientContext*, const Request&,
//   grpc::CompletionQueue*) const const Request& Next(size_t slot)                   what slot asks next; slots are
//   used by one thread each bool Accept(size_t slot, const Response& response)  whether the answer is what it must be
template <typename Workload>
class ClosedLoop {
 public:
  ClosedLoop(const LoopOptions& options, Workload& workload, const test::ChildProcess& server)
      : options_(options), workload_(workload), server_(server) {}

  LoopResult Run() {
    std::vector<LoopResult> results(static_cast<size_t>(options_.threads));
    std::vector<std::thread> threads;
    for (int i = 0; i < options_.threads; ++i) {
      threads.emplace_back([this, i, &results] { Drive(i, &results[static_cast<size_t>(i)]); });
    }
    std::this_thread::sleep_for(options_.ramp);
    LoopResult total;
    const double server_before = server_.CpuSeconds();
    const double client_before = OwnCpuSeconds();
    const auto began = std::chrono::steady_clock::now();
    phase_.store(kMeasure);
    std::this_thread::sleep_for(options_.duration);
    phase_.store(kStop);
    total.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    total.server_cpu = server_.CpuSeconds() - server_before;
    total.client_cpu = OwnCpuSeconds() - client_before;
    for (std::thread& thread : threads) thread.join();
    for (LoopResult& result : results) {
      total.calls += result.calls;
      total.failures += result.failures;
      if (total.first_error.empty()) total.first_error = result.first_error;
      total.latencies.Merge(result.latencies);
    }
    return total;
  }

 private:
  enum Phase { kRamp, kMeasure, kStop };
  struct Slot {
    size_t number = 0;
    std::optional<grpc::ClientContext> context;
    std::unique_ptr<grpc::ClientAsyncResponseReader<typename Workload::Response>> reader;
    typename Workload::Response response;
    grpc::Status status;
    std::chrono::steady_clock::time_point began;
  };

  void Begin(typename Workload::Stub& stub, grpc::CompletionQueue& queue, Slot& slot) {
    slot.context.emplace();
    const typename Workload::Request& request = workload_.Next(slot.number);
    slot.began = std::chrono::steady_clock::now();
    slot.reader = workload_.Start(stub, &*slot.context, request, &queue);
    slot.reader->Finish(&slot.response, &slot.status, &slot);
  }

  void Drive(int thread, LoopResult* result) {
    const auto stub = workload_.NewStub(Connect(options_.address, options_.credentials));
    grpc::CompletionQueue queue;
    std::vector<Slot> slots(static_cast<size_t>(std::max(1, options_.outstanding / options_.threads)));
    for (size_t i = 0; i < slots.size(); ++i) {
      slots[i].number = static_cast<size_t>(thread) * slots.size() + i;
      Begin(*stub, queue, slots[i]);
    }
    void* tag = nullptr;
    bool ok = false;
    for (size_t open = slots.size(); open > 0 && queue.Next(&tag, &ok);) {
      Slot& slot = *static_cast<Slot*>(tag);
      const auto took = std::chrono::steady_clock::now() - slot.began;
      const int phase = phase_.load(std::memory_order_relaxed);
      const bool good = slot.status.ok() && workload_.Accept(slot.number, slot.response);
      if (phase == kMeasure && good) {
        ++result->calls;
        result->latencies.Add(static_cast<uint64_t>(std::chrono::nanoseconds(took).count()));
      }
      if (!good) {
        ++result->failures;
        if (result->first_error.empty()) {
          result->first_error = slot.status.ok() ? "an unexpected answer" : slot.status.error_message();
        }
      }
      if (phase == kStop || result->failures > 100) {
        --open;
      } else {
        Begin(*stub, queue, slot);
      }
    }
  }

  const LoopOptions options_;
  Workload& workload_;
  const test::ChildProcess& server_;
  std::atomic<int> phase_{kRamp};
};

}  // namespace consent::bench
