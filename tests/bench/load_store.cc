// bench_load: fills a new store folder with subjects, through the very use case that UpsertSubject calls, so that every row is what
// the daemon itself would have written: record, key share, names where there are profiles, and history. But no request row, as these
// are gone after 72 hours.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <semaphore>

#include "daemon/app/keyring.h"
#include "daemon/app/policy_file.h"
#include "daemon/base/clock.h"
#include "daemon/rpc/changes.h"
#include "daemon/service/change_subject.h"
#include "daemon/service/policy_admin.h"
#include "daemon/store/rocksdb/rocks_store.h"
#include "daemon/wire/subject.h"
#include "tests/bench/population.h"

namespace consent::bench {
namespace {

constexpr size_t kInFlight = 2000;

template <typename T>
T Need(absl::StatusOr<T> result) {
  if (result.ok()) return *std::move(result);
  std::fprintf(stderr, "bench_load: %s\n", result.status().ToString().c_str());
  std::exit(1);
}

class Loader {
 public:
  explicit Loader(const std::string& data_dir)
      : writers_(2, 2 * kInFlight), keyring_(Need(app::OpenKeyring(data_dir + ".key", data_dir, data_dir + ".head"))), store_(Open(data_dir)) {
    std::vector<std::unique_ptr<service::FactsIndex>> indexes;
    indexes.push_back(std::make_unique<service::FactsIndex>(UINT64_MAX));
    context_.reset(new service::Context{.store = *store_,
                                        .clock = clock_,
                                        .random = random_,
                                        .keys = keyring_.keys,
                                        .hasher = base::IdHasher(keyring_.keys.lookup_key()),
                                        .tokens = service::Tokens(keyring_.keys, store_->store_id()),
                                        .policies = {},
                                        .indexes = std::move(indexes),
                                        .census = {},
                                        .writers = writers_,
                                        .activation = {}});
    service::PolicyAdmin admin(*context_);
    absl::Status status = admin.Load();
    if (status.ok()) status = admin.Activate(Need(app::LoadPolicy("")));
    if (!status.ok()) Need<int>(status);
    context_->ready.store(true);
  }

  // Returns how many could not be written.
  uint64_t Load(uint64_t subjects, Population population) {
    service::TaskBoard board(*context_);
    service::ChangeSubject changes(*context_, board, kInFlight);
    std::counting_semaphore<kInFlight> room(kInFlight);
    std::atomic<uint64_t> failures{0};
    v1::UpsertSubjectRequest request;
    for (uint64_t i = 0; i < subjects; ++i) {
      FillRegistration(i, population, &request);
      service::ChangeRequest change = rpc::ToChangeRequest(*context_, service::Caller{}, service::ChangeKind::kUpsertSubject,
                                                           Need(wire::ReadUpsertSubject(request, context_->hasher, context_->Now())));
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

  void Close() { store_->Close(); }

 private:
  std::unique_ptr<store::RocksStore> Open(const std::string& data_dir) {
    store::RocksStore::Options options;
    options.db_path = data_dir;
    options.head_path = data_dir + ".head";
    options.clock = &clock_;
    options.random = &random_;
    options.key_fingerprint = keyring_.keys.Fingerprint();
    return Need(store::RocksStore::Open(std::move(options)));
  }

  const base::SystemClock clock_;
  base::SystemRandom random_;
  service::Pool writers_;
  app::Keyring keyring_;
  std::unique_ptr<store::RocksStore> store_;
  std::unique_ptr<service::Context> context_;
};

}  // namespace
}  // namespace consent::bench

int main(int argc, char** argv) {
  std::string data_dir;
  uint64_t subjects = 1'000'000;
  bool household = false;
  CLI::App app("Fills a new store folder with subjects");
  app.add_option("--data-dir", data_dir, "The folder; key and head file beside it")->required();
  app.add_option("--subjects", subjects)->capture_default_str();
  app.add_flag("--household", household, "Each with one adult profile and its consent");
  CLI11_PARSE(app, argc, argv);
  const auto began = std::chrono::steady_clock::now();
  consent::bench::Loader loader(data_dir);
  using consent::bench::Population;
  const uint64_t failures = loader.Load(subjects, household ? Population::kHousehold : Population::kOneChoice);
  loader.Close();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("%llu subjects in %.1f s, %llu failures\n", static_cast<unsigned long long>(subjects), took.count(),
              static_cast<unsigned long long>(failures));
  return failures == 0 ? 0 : 1;
}
