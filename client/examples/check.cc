// Asks whether one recording may be listened to, as a sampling service would before it hands it on.
#include <cstdio>
#include <string>

#include "consent/client.h"
#include "consent/names.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s ACCOUNT RECORDING\n", argv[0]);
    return 64;
  }
  auto client = consent::Client::Create(consent::ClientOptions::FromEnvironment());
  if (!client.ok()) {
    std::fprintf(stderr, "%s\n", std::string(client.status().message()).c_str());
    return 64;
  }
  consent::Recording recording;
  recording.account_id = consent::AccountId(argv[1]);
  recording.recording_id = consent::RecordingId(argv[2]);
  recording.captured_at = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  recording.wake = consent::Wake::kButton;
  recording.kind = consent::Kind::kCommand;
  recording.speakers = consent::Speakers::kOne;
  recording.identity = consent::Identity::kNotRun;
  recording.age = consent::SpeakerAge::kAdult;
  const consent::Place place{"DE", "berlin", consent::ReviewerClass::kEmployee};
  const consent::Answer answer = (*client)->Check(recording, {consent::Purpose::kHumanReview, place, false, {}});
  if (!answer.error().ok()) std::fprintf(stderr, "no answer: %s\n", std::string(answer.error().message()).c_str());
  for (const consent::Reason reason : answer.reasons()) std::puts(std::string(consent::Name(reason)).c_str());
  return answer.MayUse(consent::Purpose::kHumanReview) ? 0 : 10;
}
