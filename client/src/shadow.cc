#include "consent/shadow.h"

#include <cstdio>
#include <mutex>
#include <utility>

#include "client/src/answer_maker.h"
#include "client/src/wall_clock.h"
#include "consent/names.h"

namespace consent {
namespace {

constexpr std::chrono::hours kBetweenLines{1};

void SayOnStandardError(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

std::string CountsText(const ShadowCounts& counts) {
  std::string text = std::to_string(counts.asked) + " recordings asked about, " + std::to_string(counts.would_block) +
                     " would be refused, " + std::to_string(counts.unanswered) + " had no answer";
  const char* before = ":";
  for (const auto& [reason, count] : counts.by_reason) {
    text += std::string(before) + " " + std::string(Name(reason)) + " " + std::to_string(count);
    before = ",";
  }
  return text;
}

}  // namespace

class Shadow::State {
 public:
  State(ShadowOptions options, std::chrono::nanoseconds end)
      : say_(std::move(options.say)), clock_(options.clock), trial_(clock_, end), said_(clock_->SinceBoot()) {}

  const ShadowTrial& trial() const { return trial_; }

  void Begin() {
    was_on_ = trial_.IsOn();
    say_(was_on_ ? "consent: SHADOW MODE: nothing is enforced, recordings that may not be used are used"
                 : "consent: shadow mode is over: what consentd refuses is left out");
  }

  void End() { say_("consent: shadow mode " + std::string(trial_.IsOn() ? "stops" : "is over") + ": " + Text()); }

  void Add(const std::vector<ShadowAnswer>& answers) {
    std::string line;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      for (const ShadowAnswer& answer : answers) AddOne(answer);
      line = LineThatIsDue();
    }
    if (!line.empty()) say_(line);
  }

  ShadowCounts counts() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return counts_;
  }

 private:
  void AddOne(const ShadowAnswer& answer) {
    ++counts_.asked;
    if (!answer.error().ok()) {
      ++counts_.unanswered;
      return;
    }
    if (!answer.WouldBlock()) {
      ++counts_.would_pass;
      return;
    }
    ++counts_.would_block;
    const bool is_no = !answer.reasons().empty() && answer.reasons().front() != Reason::kConsent &&
                       answer.reasons().front() != Reason::kDefault;
    ++counts_.by_reason[is_no ? answer.reasons().front() : Reason::kUnset];
    for (const MissingFact fact : answer.missing_facts()) ++counts_.missing_facts[fact];
  }

  // Empty: none is.
  std::string LineThatIsDue() {
    const bool is_on = trial_.IsOn();
    if (was_on_ && !is_on) {
      was_on_ = false;
      return "consent: shadow mode is over: what consentd refuses is left out from now on; " + CountsText(counts_);
    }
    const std::chrono::nanoseconds now = clock_->SinceBoot();
    if (!is_on || now - said_ < kBetweenLines) return "";
    said_ = now;
    return "consent: SHADOW MODE: nothing is enforced; " + CountsText(counts_);
  }

  std::string Text() const { return CountsText(counts()); }

  const std::function<void(const std::string&)> say_;
  const std::shared_ptr<const Clock> clock_;
  const ShadowTrial trial_;
  mutable std::mutex mutex_;
  ShadowCounts counts_;
  bool was_on_ = false;
  std::chrono::nanoseconds said_;
};

absl::StatusOr<std::unique_ptr<Shadow>> Shadow::Create(Client& client, ShadowOptions options) {
  if (!options.wall_clock) options.wall_clock = SystemTime;
  if (!options.say) options.say = SayOnStandardError;
  if (options.clock == nullptr) options.clock = Clock::System();
  const Time now = options.wall_clock();
  // Compared before they are subtracted, so that no time can overflow.
  if (options.until > now + kLongestShadow) {
    return absl::InvalidArgumentError(
        "until: shadow mode may last 31 days at most; name a nearer end, and a further one when that has come");
  }
  std::chrono::nanoseconds end{0};
  if (options.until > now) end = options.clock->SinceBoot() + (options.until - now);
  auto state = std::make_unique<State>(std::move(options), end);
  state->Begin();
  return std::unique_ptr<Shadow>(new Shadow(client, std::move(state)));
}

Shadow::Shadow(Client& client, std::unique_ptr<State> state) : client_(client), state_(std::move(state)) {}

Shadow::~Shadow() { state_->End(); }

ShadowAnswer Shadow::Check(const Recording& recording, Question question, const CallOptions& options) {
  question.full = true;
  ShadowAnswer answer(client_.Check(recording, question, options), question.purpose, state_->trial());
  state_->Add({answer});
  return answer;
}

std::vector<ShadowAnswer> Shadow::BatchCheck(const std::vector<Recording>& recordings, Question question,
                                             const CallOptions& options) {
  question.full = true;
  absl::StatusOr<BatchAnswers> batch = client_.BatchCheck(recordings, question, options);
  // Where the call failed nobody has an answer; nor where it would be unknown which of them is of which recording.
  if (!batch.ok()) {
    const absl::Status why = batch.status();
    batch = BatchAnswers();
    batch->answers.assign(recordings.size(), AnswerMaker::Failed(why));
  } else if (batch->answers.size() != recordings.size()) {
    batch->answers.assign(recordings.size(), Answer());
  }
  std::vector<ShadowAnswer> answers;
  answers.reserve(recordings.size());
  for (Answer& answer : batch->answers) {
    answers.push_back(ShadowAnswer(std::move(answer), question.purpose, state_->trial()));
  }
  state_->Add(answers);
  return answers;
}

bool Shadow::IsOn() const { return state_->trial().IsOn(); }

ShadowCounts Shadow::counts() const { return state_->counts(); }

}  // namespace consent
