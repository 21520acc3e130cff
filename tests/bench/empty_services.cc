#include "tests/bench/empty_services.h"

#include <google/protobuf/arena.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/message_allocator.h>
#include <unistd.h>

#include <cstdio>

#include "daemon/app/descriptors.h"
#include "daemon/app/server.h"
#include "daemon/base/clock.h"
#include "daemon/ops/health.h"
#include "tests/bench/population.h"

namespace consent::bench {

// Request and response on one arena, with the block sizes of daemon/rpc/call.h.
template <typename Request, typename Response>
class ArenaAllocator final : public grpc::MessageAllocator<Request, Response> {
 public:
  grpc::MessageHolder<Request, Response>* AllocateMessages() override { return new Holder(); }

 private:
  class Holder final : public grpc::MessageHolder<Request, Response> {
   public:
    Holder() : arena_(Options(block_)) {
      this->set_request(google::protobuf::Arena::CreateMessage<Request>(&arena_));
      this->set_response(google::protobuf::Arena::CreateMessage<Response>(&arena_));
    }
    void Release() override { delete this; }

   private:
    static constexpr size_t kFirstBlock = 3 * 1024;
    static constexpr size_t kBlock = 32 * 1024;
    static google::protobuf::ArenaOptions Options(char* first) {
      google::protobuf::ArenaOptions options;
      options.initial_block = first;
      options.initial_block_size = kFirstBlock;
      options.start_block_size = kBlock;
      options.max_block_size = kBlock;
      return options;
    }
    alignas(std::max_align_t) char block_[kFirstBlock];
    google::protobuf::Arena arena_;
  };
};

namespace {

constexpr int kBatch = 1000;

void FillDecision(v1::Decision* decision) {
  decision->set_eligibility(v1::ELIGIBILITY_ELIGIBLE);
  decision->set_disposition(v1::DISPOSITION_KEEP);
  decision->add_reasons(v1::REASON_CONSENT);
  decision->set_good_until_us(1'790'000'000'000'000);
}

template <typename Response>
void FillSession(Response* response) {
  response->set_policy_version("2026-12-default");
  response->set_policy_hash(std::string(32, 'h'));
  response->mutable_checked_at()->set_seconds(1'790'000'000);
  response->mutable_checked_at()->set_nanos(123'456'000);
}

}  // namespace

struct EmptyEligibility::Allocators {
  ArenaAllocator<v1::CheckRequest, v1::CheckResponse> check;
  ArenaAllocator<v1::BatchCheckRequest, v1::BatchCheckResponse> batch;
};

EmptyEligibility::EmptyEligibility() : allocators_(std::make_unique<Allocators>()) {
  SetMessageAllocatorFor_Check(&allocators_->check);
  SetMessageAllocatorFor_BatchCheck(&allocators_->batch);
  FillDecision(check_.mutable_decision());
  FillSession(&check_);
  for (int i = 0; i < kBatch; ++i) FillDecision(batch_.add_results()->mutable_decision());
  FillSession(&batch_);
}

EmptyEligibility::~EmptyEligibility() = default;

grpc::ServerUnaryReactor* EmptyEligibility::Check(grpc::CallbackServerContext* context, const v1::CheckRequest*,
                                                  v1::CheckResponse* response) {
  *response = check_;
  auto* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerUnaryReactor* EmptyEligibility::BatchCheck(grpc::CallbackServerContext* context,
                                                       const v1::BatchCheckRequest* request,
                                                       v1::BatchCheckResponse* response) {
  *response = batch_;
  if (request->recordings_size() < kBatch) {
    response->mutable_results()->DeleteSubrange(request->recordings_size(), kBatch - request->recordings_size());
  }
  auto* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

struct EmptySettings::Allocators {
  ArenaAllocator<v1::UpdateSettingsRequest, v1::UpdateSettingsResponse> update;
};

EmptySettings::EmptySettings(Write write) : allocators_(std::make_unique<Allocators>()), write_(std::move(write)) {
  SetMessageAllocatorFor_UpdateSettings(&allocators_->update);
  update_.set_revision(std::string(20, 'r'));
  v1::PartResult* part = update_.add_results();
  part->set_part("changes[0]");
  part->set_applied(true);
  part->set_changed(true);
}

EmptySettings::~EmptySettings() = default;

grpc::ServerUnaryReactor* EmptySettings::UpdateSettings(grpc::CallbackServerContext* context,
                                                        const v1::UpdateSettingsRequest* request,
                                                        v1::UpdateSettingsResponse* response) {
  *response = update_;
  auto* reactor = context->DefaultReactor();
  const auto finish = [reactor](bool ok) {
    reactor->Finish(ok ? grpc::Status::OK : grpc::Status(grpc::StatusCode::UNAVAILABLE, "the write failed"));
  };
  if (write_) {
    write_(*request, finish);
  } else {
    finish(true);
  }
  return reactor;
}

namespace {

absl::StatusOr<std::unique_ptr<app::Server>> Listen(const std::vector<std::string>& addresses,
                                                    app::Certificates* certificates,
                                                    const std::vector<grpc::Service*>& services, ops::Health& health) {
  app::ServerOptions options;
  options.served = {{services, nullptr}};
  if (certificates != nullptr) options.served.push_back({services, certificates->Credentials()});
  for (const std::string& address : addresses) {
    absl::StatusOr<ops::Address> where = ops::Address::Parse(address);
    if (!where.ok()) return where.status();
    const bool is_plain = certificates == nullptr || where->kind() == ops::Address::Kind::kUnix;
    options.listeners.push_back({*std::move(where), "", is_plain ? size_t{0} : size_t{1}});
  }
  // The bounds of consentd itself: without them no frame may be long enough.
  if (const auto plan = app::PlanOfProcess(); plan.ok()) options.connections = app::LimitsOf(*plan);
  return app::Server::Listen(options, health);
}

}  // namespace

int ServeForever(const std::vector<std::string>& addresses, const app::TlsFiles& tls,
                 const std::vector<grpc::Service*>& services) {
  ops::Health health(app::ServiceNames());
  absl::Status status = app::RestrictTls();
  std::unique_ptr<app::Certificates> certificates;
  if (status.ok() && tls.given()) {
    auto opened = app::Certificates::Open(tls, tls.certificate + ".copies", base::SystemClock().Now());
    if (opened.ok()) certificates = *std::move(opened);
    status = opened.status();
  }
  std::unique_ptr<app::Server> server;
  if (status.ok()) {
    auto listening = Listen(addresses, certificates.get(), services, health);
    if (listening.ok()) server = *std::move(listening);
    status = listening.status();
  }
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  health.Set(ops::HealthState::kServing);
  for (;;) pause();
}

}  // namespace consent::bench
