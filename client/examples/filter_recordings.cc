// Passes on those lines of standard input whose recordings an employee may listen to in Germany.
#include <unistd.h>
#include <iostream>

#include "consent/client.h"
#include "consent/recording_lines.h"

using Result = consent::RecordingLineReader::Result;

int main() {
  const auto client = consent::Client::Create(consent::ClientOptions::FromEnvironment());
  if (!client.ok()) std::cerr << client.status() << "\n";
  // For lines that do not say where. A line's own place counts, and one call is about one place.
  const auto defaults = consent::LineDefaults::Create({{"country", "DE"}, {"reviewer", "EMPLOYEE"}});
  if (!client.ok() || !defaults.ok()) return 64;
  consent::RecordingLineReader reader(STDIN_FILENO, *defaults);
  consent::Question question{consent::Purpose::kHumanReview};
  std::vector<consent::Recording> recordings;
  std::vector<std::string> lines;
  for (Result result = Result::kIdle; result != Result::kEnd;) {
    result = reader.Next();
    if (result == Result::kError) return 74;
    if (result == Result::kProblem)
      std::cerr << "line " << reader.number() << ": " << reader.problem().message() << "\n";
    const bool ask = result == Result::kEnd || recordings.size() == consent::kMaxBatch ||
                     (result == Result::kRecording && reader.line().place != question.place);
    if (ask && !recordings.empty()) {
      const auto batch = (*client)->BatchCheck(recordings, question);
      if (!batch.ok()) return std::cerr << "no answer: " << batch.status() << "\n", 20;
      for (size_t i = 0; i < lines.size(); ++i) {
        if (batch->answers[i].MayUse(question.purpose)) std::cout << lines[i] << "\n";
      }
      recordings.clear(), lines.clear();
    }
    if (result != Result::kRecording) continue;
    question.place = reader.line().place;
    recordings.push_back(reader.line().recording);
    lines.push_back(reader.text());
  }
}
