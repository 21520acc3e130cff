// A load at a steady pace: each call goes out at its time, whatever came of those before. So a pause of the server is
// felt by each that falls into it, as it would be by as many askers.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "tests/bench/closed_loop.h"
#include "tests/bench/latency.h"
#include "tests/bench/offline.h"
#include "tests/bench/servers.h"

namespace consent::bench {

// Asks what the workload (closed_loop.h) says until `is_over` does; the calls' times from when they were due. A failed
// call, or one whose answer is not what it must be, ends the process.
template <typename Workload, typename Over>
Latencies AskAtAPace(const Server& daemon, Workload& workload, uint64_t calls_per_second, const Over& is_over) {
  using Clock = std::chrono::steady_clock;
  struct Call {
    Clock::time_point due;
    grpc::ClientContext context;
    typename Workload::Response response;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<typename Workload::Response>> reader;
  };
  const auto stub = workload.NewStub(Connect(daemon.address, daemon.credentials));
  grpc::CompletionQueue queue;
  Latencies latencies;
  std::thread answered([&] {
    void* tag = nullptr;
    bool ok = false;
    while (queue.Next(&tag, &ok)) {
      const std::unique_ptr<Call> call(static_cast<Call*>(tag));
      if (!call->status.ok()) Give(absl::InternalError("a call failed: " + call->status.error_message()));
      if (!workload.Accept(0, call->response)) Give(absl::InternalError("an unexpected answer"));
      latencies.Add(static_cast<uint64_t>(std::chrono::nanoseconds(Clock::now() - call->due).count()));
    }
  });
  const auto between = std::chrono::nanoseconds(1'000'000'000 / calls_per_second);
  for (Clock::time_point due = Clock::now(); !is_over(); due += between) {
    std::this_thread::sleep_until(due);
    auto call = std::make_unique<Call>();
    call->due = due;
    call->reader = workload.Start(*stub, &call->context, workload.Next(0), &queue);
    Call* const given = call.release();  // the queue's until it comes back
    given->reader->Finish(&given->response, &given->status, given);
  }
  queue.Shutdown();  // ends once all have come back
  answered.join();
  return latencies;
}

inline void PrintChecks(const char* when, const Latencies& latencies) {
  std::printf("%s: %llu checks, p50 %.0f us, p99 %.0f us, p99.9 %.0f us\n", when,
              static_cast<unsigned long long>(latencies.total()), latencies.Quantile(0.5), latencies.Quantile(0.99),
              latencies.Quantile(0.999));
  std::fflush(stdout);
}

}  // namespace consent::bench
