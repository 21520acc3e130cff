#include "tests/fault/kill/writers.h"

#include <chrono>
#include <random>

namespace consent::test {
namespace {

constexpr uint64_t kDevices = 12;
constexpr uint64_t kPurposes = v1::Purpose_MAX;

int64_t Now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

}  // namespace

Writers::Writers(const Options& options)
    : options_(options), api_(options.address), attempts_(static_cast<size_t>(options.threads)) {
  for (int i = 0; i < options.threads; ++i) threads_.emplace_back([this, i] { Write(i); });
}

Writers::~Writers() { Stop(); }

std::vector<Attempt> Writers::Stop() {
  stop_.store(true);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  std::vector<Attempt> all;
  for (std::vector<Attempt>& some : attempts_) std::move(some.begin(), some.end(), std::back_inserter(all));
  attempts_.clear();
  return all;
}

void Writers::Learn(const std::string& account, const std::string& etag) {
  base::MutexLock lock(mutex_);
  etags_[account] = etag;
}

Operation Writers::Next(const std::string& account, const std::string& request_id, uint64_t dice) {
  Operation operation;
  operation.account = account;
  operation.request_id = request_id;
  {
    base::MutexLock lock(mutex_);
    operation.etag = etags_[account];
  }
  const uint64_t which = dice % 100;
  dice /= 100;
  operation.purpose = static_cast<v1::Purpose>(1 + dice % kPurposes);
  operation.device = "device-" + std::to_string(dice % kDevices);
  operation.recording = "recording-" + request_id;
  if (which < 4) {
    operation.kind = Kind::kRegister;
  } else if (which < 15) {
    operation.kind = Kind::kAddDevice;
  } else if (which < 45) {
    operation.kind = Kind::kOptOut;
  } else if (which < 85) {
    operation.kind = Kind::kOptIn;
  } else {
    operation.kind = Kind::kReport;
  }
  return operation;
}

void Writers::Write(int thread) {
  std::mt19937_64 random(options_.seed * 1'000 + static_cast<uint64_t>(thread));
  std::vector<Attempt>& attempts = attempts_[static_cast<size_t>(thread)];
  for (int i = 0; !stop_.load(std::memory_order_relaxed); ++i) {
    const std::string account =
        options_.prefix + "account-" + std::to_string(random() % static_cast<uint64_t>(options_.accounts));
    const std::string request_id = options_.prefix + std::to_string(thread) + "-" + std::to_string(i);
    Attempt attempt;
    attempt.operation = Next(account, request_id, random());
    attempt.began = Now();
    attempt.ending = api_.Send(attempt.operation, &attempt.revision);
    if (attempt.ending == Ending::kAcknowledged) {
      attempt.ended = Now();
      acknowledged_.fetch_add(1, std::memory_order_relaxed);
      Learn(account, attempt.revision);
    } else if (attempt.ending == Ending::kRefused) {
      if (const auto subject = api_.Subject(account); subject.ok()) Learn(account, subject->etag());
    } else {
      stop_.store(true);
    }
    attempts.push_back(std::move(attempt));
  }
}

}  // namespace consent::test
