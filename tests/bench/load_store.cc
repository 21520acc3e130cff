// bench_load: fills a new store folder with subjects, through the very use case that UpsertSubject calls, so that every
// row is what the daemon itself would have written: record, key share, names where there are profiles, and history. But
// no request row, as these are gone after 72 hours.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <semaphore>

#include "daemon/rpc/changes.h"
#include "daemon/service/commit/change_subject.h"
#include "daemon/service/purge/task_queue.h"
#include "daemon/service/subject/subject_changes.h"
#include "daemon/wire/subject.h"
#include "tests/bench/offline.h"
#include "tests/bench/population.h"

namespace consent::bench {
namespace {

// Returns how many could not be written.
uint64_t Load(service::Core& context, uint64_t subjects, Population population) {
  constexpr size_t kInFlight = Offline::kInFlight;
  service::ChangeSubject all(context, 2 * kInFlight);  // some of its room is for restrictions alone
  service::SubjectChanges changes(context, all);
  std::counting_semaphore<kInFlight> room(kInFlight);
  std::atomic<uint64_t> failures{0};
  v1::UpsertSubjectRequest request;
  for (uint64_t i = 0; i < subjects; ++i) {
    FillRegistration(i, population, &request);
    service::ChangeRequest change =
        rpc::ToChangeRequest(context, service::Caller{}, service::ChangeKind::kUpsertSubject,
                             Need(wire::ReadUpsertSubject(request, context.hasher, context.Now())));
    change.request_id.clear();
    room.acquire();
    changes.Submit(std::move(change), [&](const absl::StatusOr<service::ChangeReply>& reply) {
      if (!reply.ok()) failures.fetch_add(1);
      room.release();
    });
  }
  for (size_t i = 0; i < kInFlight; ++i) room.acquire();
  return failures.load();
}

}  // namespace
}  // namespace consent::bench

int main(int argc, char** argv) {
  std::string data_dir;
  uint64_t subjects = 1'000'000;
  std::string policy_file;
  int population = 0;
  CLI::App app("Fills a new store folder with subjects");
  app.add_option("--data-dir", data_dir, "The folder; key and head file beside it")->required();
  app.add_option("--subjects", subjects)->capture_default_str();
  app.add_option("--population", population, "Number of a Population")->check(CLI::Range(0, 2));
  app.add_option("--policy", policy_file, "In force in place of the shipped one");
  CLI11_PARSE(app, argc, argv);
  const auto began = std::chrono::steady_clock::now();
  consent::bench::Offline offline(data_dir, policy_file);
  const uint64_t failures =
      consent::bench::Load(offline.core(), subjects, static_cast<consent::bench::Population>(population));
  offline.store().Close();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("%llu subjects in %.1f s, %llu failures\n", static_cast<unsigned long long>(subjects), took.count(),
              static_cast<unsigned long long>(failures));
  return failures == 0 ? 0 : 1;
}
