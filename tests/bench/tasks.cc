// bench_tasks: how fast purge tasks are leased and reported, and what deletions cost a check. In one process, without a
// server.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <semaphore>
#include <thread>
#include <vector>

#include "daemon/service/deletion/deletions.h"
#include "daemon/service/purge/purge_tasks.h"
#include "daemon/service/registry/data_systems.h"
#include "daemon/service/subject/check_eligibility.h"
#include "tests/bench/offline.h"

namespace consent::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kBatch = 100;
constexpr int kRounds = 7;
constexpr int kChecksPerRound = 200'000;

double SecondsSince(Clock::time_point began) { return std::chrono::duration<double>(Clock::now() - began).count(); }

class TasksBench {
 public:
  explicit TasksBench(Offline& offline)
      : context_(offline.core()),
        queue_(offline.queue()),
        changes_(context_, Offline::kInFlight),
        systems_(context_, queue_, offline.publisher().systems()),
        deletions_(context_, changes_),
        tasks_(context_, queue_),
        checks_(context_) {
    if (absl::Status s = systems_.Load(); !s.ok()) Give(s);
    service::SystemRow row;
    row.name = "audio";
    row.kind = 1;
    row.matches_by = 3;
    row.checks_on_ingest = true;
    system_ = Need(systems_.Register(row));
  }

  // Verified requests of `accounts` accounts in turn: for one recording each, or for a second long ago that none of the
  // others touches.
  void Ask(uint64_t requests, uint64_t accounts, const std::string& prefix, bool by_time = false) {
    std::counting_semaphore<Offline::kInFlight> room(Offline::kInFlight);
    for (uint64_t i = 0; i < requests; ++i) {
      const std::string account = prefix + std::to_string(i % accounts);
      service::ChangeRequest change;
      change.subject = context_.hasher.Subject(account);
      change.account_id = account;
      service::NewDeletion deletion;
      deletion.selector.kind = by_time ? domain::SelectorKind::kTimeRange : domain::SelectorKind::kRecordings;
      if (!by_time) deletion.selector.recordings = {context_.hasher.Recording("r" + std::to_string(i))};
      const base::Instant second{static_cast<int64_t>(1 + 10 * i) * 1'000'000};
      if (by_time) deletion.times = {second, second + base::Seconds(1)};
      deletion.requester = domain::Actor::kSelf;
      deletion.state = domain::DeletionState::kAccepted;
      deletion.payload = {account, "as it was asked"};
      room.acquire();
      deletions_.Create(std::move(change), std::move(deletion),
                        [&room](const absl::StatusOr<service::Deletions::Created>& created) {
                          if (!created.ok()) Give(created.status());
                          room.release();
                        });
    }
    for (size_t i = 0; i < Offline::kInFlight; ++i) room.acquire();
  }

  // Leases and acknowledges all that there is. How many.
  uint64_t Work(int threads) {
    std::atomic<uint64_t> done{0};
    std::vector<std::thread> workers;
    for (int i = 0; i < threads; ++i) {
      workers.emplace_back([&] {
        for (;;) {
          const auto leased = Need(tasks_.Lease(system_, kBatch, base::Seconds(3600)));
          if (leased.empty()) return;
          std::vector<service::TaskReport> reports;
          for (const service::LeasedTask& task : leased) {
            service::TaskReport report;
            report.place = task.place;
            report.epoch = task.row.epoch;
            report.outcome = domain::PurgeOutcome::kAcknowledged;
            report.erased_count = 1;
            reports.push_back(std::move(report));
          }
          for (const absl::Status& ended : tasks_.End(system_, reports)) {
            if (!ended.ok()) Give(ended);
            done.fetch_add(1, std::memory_order_relaxed);
          }
        }
      });
    }
    for (std::thread& worker : workers) worker.join();
    return done.load();
  }

  // Nanoseconds of one check of recordings of the account, the median of the rounds.
  double CheckNanoseconds(const std::string& account) {
    std::vector<double> rounds;
    for (int round = 0; round < kRounds; ++round) {
      const auto session = Need(checks_.Begin(""));
      domain::RecordingFacts facts;
      facts.captured_at = session.now.latest - base::Days(1);
      const base::SubjectHandle subject = context_.hasher.Subject(account);
      uint64_t purged = 0;
      const Clock::time_point began = Clock::now();
      for (int i = 0; i < kChecksPerRound; ++i) {
        const service::CheckItem item{subject, {}, "q" + std::to_string(i), facts};
        domain::Decision decision;
        if (!checks_.TryDecide(session, item, domain::Purpose::kHumanReview, domain::Place{}, &decision)) {
          Give(absl::InternalError("not in the index"));
        }
        if (decision.disposition == domain::Disposition::kPurge) ++purged;
      }
      rounds.push_back(SecondsSince(began) * 1e9 / kChecksPerRound);
      if (purged != 0) Give(absl::InternalError("a recording that nobody deleted is purged"));
    }
    std::sort(rounds.begin(), rounds.end());
    return rounds[rounds.size() / 2];
  }

 private:
  service::Core& context_;
  service::TaskQueue& queue_;
  service::ChangeSubject changes_;
  service::DataSystems systems_;
  service::Deletions deletions_;
  service::PurgeTasks tasks_;
  service::CheckEligibility checks_;
  service::SystemRow system_;
};

}  // namespace
}  // namespace consent::bench

int main(int argc, char** argv) {
  using consent::bench::SecondsSince;
  std::string data_dir;
  uint64_t tasks = 1'000'000;
  int threads = 2;
  CLI::App app("Leases and reports purge tasks as fast as it goes, and measures what deletions cost a check");
  app.add_option("--data-dir", data_dir, "A new folder; key and head file beside it")->required();
  app.add_option("--tasks", tasks)->capture_default_str();
  app.add_option("--threads", threads, "Workers")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  consent::bench::Offline offline(data_dir);
  {
    consent::bench::TasksBench bench(offline);
    bench.Ask(1, 1, "plain-", true);
    const double before = bench.CheckNanoseconds("plain-0");
    bench.Ask(100'000, 50'000, "some-");
    const double in_a_full_store = bench.CheckNanoseconds("plain-0");
    bench.Ask(1, 1, "few-");
    const double of_one = bench.CheckNanoseconds("few-0");
    auto began = consent::bench::Clock::now();
    bench.Ask(10'000, 1, "many-");
    const double asking = SecondsSince(began);
    const double of_many = bench.CheckNanoseconds("many-0");
    began = consent::bench::Clock::now();
    bench.Ask(10'000, 1, "seconds-", true);
    const double asking_times = SecondsSince(began);
    const double of_many_times = bench.CheckNanoseconds("seconds-0");
    std::printf("check: %.0f ns; with 100,000 deletions of recordings in the store %.0f ns (%.2f x)\n", before,
                in_a_full_store, in_a_full_store / before);
    std::printf("check: of a subject with one deletion of a recording %.0f ns, with 10,000 %.0f ns (%.2f x)\n", of_one,
                of_many, of_many / of_one);
    std::printf("check: of a subject with one deletion of a time %.0f ns, with 10,000 %.0f ns (%.2f x)\n",
                in_a_full_store, of_many_times, of_many_times / in_a_full_store);
    std::printf("10,000 deletions by one subject took %.1f s of recordings, %.1f s of times\n", asking, asking_times);
    began = consent::bench::Clock::now();
    bench.Ask(tasks, tasks, "user-");
    std::printf("%llu requests received in %.1f s\n", static_cast<unsigned long long>(tasks), SecondsSince(began));
    began = consent::bench::Clock::now();
    const uint64_t done = bench.Work(threads);
    const double took = SecondsSince(began);
    std::printf("%llu tasks leased and completed in %.1f s: %.0f a second\n", static_cast<unsigned long long>(done),
                took, static_cast<double>(done) / took);
  }
  offline.store().Close();
}
