// A real daemon's API, as the campaign needs it: a call that fails ends the process.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>

#include "consent/v1/deletion_service.grpc.pb.h"
#include "consent/v1/eligibility_service.grpc.pb.h"
#include "consent/v1/hold_service.grpc.pb.h"
#include "consent/v1/purge_service.grpc.pb.h"
#include "consent/v1/recording_service.grpc.pb.h"
#include "consent/v1/settings_service.grpc.pb.h"
#include "consent/v1/subject_service.grpc.pb.h"
#include "tests/bench/offline.h"

namespace consent::bench {

// Over one connection. Thread-safe.
struct Api {
  explicit Api(const std::string& address);

  std::unique_ptr<v1::SubjectService::Stub> subjects;
  std::unique_ptr<v1::SettingsService::Stub> settings;
  std::unique_ptr<v1::RecordingService::Stub> recordings;
  std::unique_ptr<v1::EligibilityService::Stub> eligibility;
  std::unique_ptr<v1::DeletionService::Stub> deletions;
  std::unique_ptr<v1::HoldService::Stub> holds;
  std::unique_ptr<v1::DataSystemService::Stub> systems;
  std::unique_ptr<v1::PurgeService::Stub> purges;
};

// The response of one call; `call(context, response)` makes it by one of the stubs and returns its status.
template <typename Response, typename Call>
Response Ask(const Call& call) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  Response response;
  const grpc::Status status = call(&context, &response);
  if (!status.ok()) Give(absl::InternalError(response.GetDescriptor()->name() + ": " + status.error_message()));
  return response;
}

}  // namespace consent::bench
