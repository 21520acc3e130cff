#include "tests/bench/erasure/api.h"

namespace consent::bench {

Api::Api(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  subjects = v1::SubjectService::NewStub(channel);
  settings = v1::SettingsService::NewStub(channel);
  recordings = v1::RecordingService::NewStub(channel);
  eligibility = v1::EligibilityService::NewStub(channel);
  deletions = v1::DeletionService::NewStub(channel);
  holds = v1::HoldService::NewStub(channel);
  systems = v1::DataSystemService::NewStub(channel);
  purges = v1::PurgeService::NewStub(channel);
}

}  // namespace consent::bench
