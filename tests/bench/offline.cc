#include "tests/bench/offline.h"

#include <cstdio>
#include <cstdlib>

#include "daemon/app/policy_file.h"
#include "daemon/service/registry/policy_admin.h"

namespace consent::bench {

void Give(const absl::Status& status) {
  std::fprintf(stderr, "bench: %s\n", status.ToString().c_str());
  std::exit(1);
}

namespace {

ops::ServeOptions Served(const std::string& data_dir) {
  ops::ServeOptions options;
  options.data_dir = data_dir;
  options.key_file = data_dir + ".key";
  options.head_file = data_dir + ".head";
  return options;
}

}  // namespace

Offline::Offline(const std::string& data_dir, const std::string& policy_file)
    : writers_(2, 2 * kInFlight),
      keyring_(Need(app::OpenKeyring(Served(data_dir), Need(store::RocksStore::Look(Options(data_dir)))))),
      store_(Open(data_dir)) {
  context_.reset(new service::Core{.store = *store_,
                                   .time = time_,
                                   .random = random_,
                                   .keys = keyring_.keys,
                                   .shares = base::ShareKeys(keyring_.keys),
                                   .hasher = keyring_.keys.Hasher(),
                                   .tokens = service::Tokens(keyring_.keys, store_->store_id()),
                                   .policies = {},
                                   .index = service::FactsIndex(UINT64_MAX),
                                   .gauges = {},
                                   .writers = writers_,
                                   .partition_policies = service::PartitionPolicies(store_->partition_count())});
  queue_ = std::make_unique<service::TaskQueue>(*context_);
  publisher_ = std::make_unique<service::Publisher>(*context_, *queue_);
  service::PolicyAdmin admin(*context_, publisher_->policies());
  absl::Status status = admin.Load();
  if (status.ok()) status = admin.Activate(Need(app::LoadPolicy(policy_file)), {});
  if (!status.ok()) Give(status);
  context_->ready.store(true);
}

store::RocksStore::Options Offline::Options(const std::string& data_dir) {
  store::RocksStore::Options options;
  options.db_path = data_dir;
  options.head_path = data_dir + ".head";
  options.clock = &clock_;
  options.random = &random_;
  return options;
}

std::unique_ptr<store::RocksStore> Offline::Open(const std::string& data_dir) {
  store::RocksStore::Options options = Options(data_dir);
  options.key_fingerprint = keyring_.keys.Fingerprint();
  if (keyring_.is_new) options.before_creation = [this, data_dir] { return keyring_.keys.Save(data_dir + ".key"); };
  return Need(store::RocksStore::Open(std::move(options)));
}

}  // namespace consent::bench
