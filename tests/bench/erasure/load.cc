#include "tests/bench/erasure/load.h"

#include <chrono>
#include <random>
#include <utility>

#include "tests/bench/erasure/api.h"
#include "tests/bench/population.h"

namespace consent::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Of one of `threads` that together make so many a second.
constexpr std::chrono::nanoseconds Pause(int threads, int per_second) {
  return std::chrono::nanoseconds(1'000'000'000LL * threads / per_second);
}

}  // namespace

Load::Load(const LoadOptions& options, const std::unordered_set<uint64_t>& spared)
    : options_(options), spared_(spared) {
  for (int i = 0; i < kCheckers; ++i) threads_.emplace_back([this, i] { Check(i); });
  for (int i = 0; i < kWriters; ++i) threads_.emplace_back([this, i] { Update(i); });
}

Load::~Load() {
  stop_ = true;
  for (std::thread& thread : threads_) thread.join();
}

Load::Answered Load::Take() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(answered_, Answered());
}

void Load::Add(bool is_check, Clock::time_point began) {
  const auto took = static_cast<uint64_t>(std::chrono::nanoseconds(Clock::now() - began).count());
  const std::lock_guard<std::mutex> lock(mutex_);
  (is_check ? answered_.checks : answered_.updates).Add(took);
}

uint64_t Load::Draw(uint64_t dice) const {
  uint64_t subject = dice % options_.subjects;
  while (spared_.count(subject) != 0) subject = (subject + 1) % options_.subjects;
  return subject;
}

void Load::Check(int number) {
  const Api api(options_.address);
  std::mt19937_64 random(options_.seed * 1'000 + static_cast<uint64_t>(number));
  v1::CheckRequest request;
  request.set_purpose(kPurpose);
  FillPlace(request.mutable_place());
  constexpr auto kPause = Pause(kCheckers, kChecksPerSecond);
  for (auto due = Clock::now() + kPause * number / kCheckers; !stop_; due += kPause) {
    std::this_thread::sleep_until(due);
    request.clear_recording();
    FillRecording(Draw(random()), random(), options_.captured_at_seconds, request.mutable_recording());
    const Clock::time_point began = Clock::now();
    const auto response =
        Ask<v1::CheckResponse>([&](auto* context, auto* out) { return api.eligibility->Check(context, request, out); });
    Add(true, began);
    if (response.decision().eligibility() != v1::ELIGIBILITY_ELIGIBLE) {
      Give(absl::InternalError("a check is answered: " + response.ShortDebugString()));
    }
  }
}

void Load::Update(int number) {
  const Api api(options_.address);
  std::mt19937_64 random(options_.seed * 1'000 + 500 + static_cast<uint64_t>(number));
  v1::UpdateSettingsRequest request;
  FillEvidence(request.mutable_evidence());
  request.add_changes()->mutable_target()->set_control("advertising");
  request.mutable_changes(0)->set_turn(v1::SWITCH_OFF);
  constexpr auto kPause = Pause(kWriters, kUpdatesPerSecond);
  for (auto due = Clock::now() + kPause * number / kWriters; !stop_; due += kPause) {
    std::this_thread::sleep_until(due);
    request.set_account_id(AccountId(Draw(random())));
    request.set_request_id(RequestId(random(), random()));
    const Clock::time_point began = Clock::now();
    const auto response = Ask<v1::UpdateSettingsResponse>(
        [&](auto* context, auto* out) { return api.settings->UpdateSettings(context, request, out); });
    Add(false, began);
    if (response.results_size() != 1 || !response.results(0).applied()) {
      Give(absl::InternalError("an update is answered: " + response.ShortDebugString()));
    }
  }
}

}  // namespace consent::bench
