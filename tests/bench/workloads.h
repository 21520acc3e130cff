// What the client asks of both sides: the same requests, in the same order. For ClosedLoop.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "consent/v1/eligibility_service.grpc.pb.h"
#include "consent/v1/settings_service.grpc.pb.h"
#include "tests/bench/mixed.h"
#include "tests/bench/population.h"

namespace consent::bench {

struct Asked {
  uint64_t subjects = 0;
  int64_t captured_at_seconds = 0;
};

// Recordings of random subjects, one in each call. Every answer must be ELIGIBLE.
class CheckWorkload {
 public:
  using Request = v1::CheckRequest;
  using Response = v1::CheckResponse;
  using Stub = v1::EligibilityService::Stub;
  // Makes `requests` of them beforehand and goes round.
  CheckWorkload(const Asked& asked, size_t requests);
  std::unique_ptr<Stub> NewStub(const std::shared_ptr<grpc::Channel>& channel) const {
    return v1::EligibilityService::NewStub(channel);
  }
  std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> Start(Stub& stub, grpc::ClientContext* context,
                                                                   const Request& request,
                                                                   grpc::CompletionQueue* queue) const {
    return stub.AsyncCheck(context, request, queue);
  }
  const Request& Next(size_t) { return requests_[next_.fetch_add(1, std::memory_order_relaxed) % requests_.size()]; }
  bool Accept(size_t, const Response& response) const {
    return response.decision().eligibility() == v1::ELIGIBILITY_ELIGIBLE;
  }

 private:
  std::vector<Request> requests_;
  std::atomic<size_t> next_{0};
};

// How a thousand recordings are asked about in each call.
class BatchCalls {
 public:
  static constexpr int kItems = 1000;
  using Request = v1::BatchCheckRequest;
  using Response = v1::BatchCheckResponse;
  using Stub = v1::EligibilityService::Stub;
  std::unique_ptr<Stub> NewStub(const std::shared_ptr<grpc::Channel>& channel) const {
    return v1::EligibilityService::NewStub(channel);
  }
  std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> Start(Stub& stub, grpc::ClientContext* context,
                                                                   const Request& request,
                                                                   grpc::CompletionQueue* queue) const {
    return stub.AsyncBatchCheck(context, request, queue);
  }
};

// The same recordings as of single checks.
class BatchWorkload : public BatchCalls {
 public:
  BatchWorkload(const Asked& asked, size_t requests);
  const Request& Next(size_t) { return requests_[next_.fetch_add(1, std::memory_order_relaxed) % requests_.size()]; }
  bool Accept(size_t, const Response& response) const;

 private:
  std::vector<Request> requests_;
  std::atomic<size_t> next_{0};
};

// A thousand recordings of a mixed population in each call (mixed.h). Made beforehand, for both sides together.
struct Mix {
  Mix(const Asked& asked, size_t requests);
  std::vector<v1::BatchCheckRequest> requests;
  std::vector<std::vector<Answer>> answers;  // of each request
};

class MixWorkload : public BatchCalls {
 public:
  // `decides` false: of a server that answers everybody the same, the number of answers is asked alone.
  MixWorkload(const Mix& mix, size_t slots, bool decides) : mix_(mix), decides_(decides), asked_(slots) {}
  const Request& Next(size_t slot) {
    asked_[slot] = next_.fetch_add(1, std::memory_order_relaxed) % mix_.requests.size();
    return mix_.requests[asked_[slot]];
  }
  bool Accept(size_t slot, const Response& response) const;

 private:
  const Mix& mix_;
  const bool decides_;
  std::vector<size_t> asked_;  // by each slot
  std::atomic<size_t> next_{0};
};

// One write in each call.
class UpdateCalls {
 public:
  using Request = v1::UpdateSettingsRequest;
  using Response = v1::UpdateSettingsResponse;
  using Stub = v1::SettingsService::Stub;
  std::unique_ptr<Stub> NewStub(const std::shared_ptr<grpc::Channel>& channel) const {
    return v1::SettingsService::NewStub(channel);
  }
  std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> Start(Stub& stub, grpc::ClientContext* context,
                                                                   const Request& request,
                                                                   grpc::CompletionQueue* queue) const {
    return stub.AsyncUpdateSettings(context, request, queue);
  }
};

// Each slot takes a random subject, turns its control off, turns it on again with the etag that it was given, and goes
// on to the next. Every one of them changes something, which the answer must say.
class UpdateWorkload : public UpdateCalls {
 public:
  UpdateWorkload(uint64_t subjects, size_t slots, uint64_t run) : subjects_(subjects), run_(run), slots_(slots) {}
  const Request& Next(size_t slot);
  bool Accept(size_t slot, const Response& response);

 private:
  struct State {
    Request request;
    bool is_off = false;
    std::string etag;
  };
  const uint64_t subjects_;
  const uint64_t run_;
  std::vector<State> slots_;
  std::atomic<uint64_t> next_subject_{0};
  std::atomic<uint64_t> next_request_{0};
};

}  // namespace consent::bench
