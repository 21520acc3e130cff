// bench_raw_server: an empty UpdateSettings behind which RocksDB writes rows of the sizes, into the places and under
// the options of consentd's, and nothing else: no reads, no rules, no seals, no order. Grouping is left to RocksDB's
// own group commit.
#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "daemon/base/keys.h"
#include "daemon/base/random.h"
#include "daemon/service/state/pool.h"
#include "daemon/store/rocksdb/database.h"
#include "daemon/store/rocksdb/rows.h"
#include "tests/bench/empty_services.h"

namespace consent::bench {
namespace {

struct Sizes {
  size_t record = 0;
  size_t feed = 0;
  size_t request = 0;
};

class RawWriter {
 public:
  RawWriter(const std::string& data_dir, const Sizes& sizes, int threads, absl::StatusOr<base::Keys> keys)
      : sizes_(sizes),
        keys_(*std::move(keys)),
        hasher_(keys_.Hasher()),
        database_(OpenOrExit(data_dir)),
        noise_(4096, '\0'),
        pool_(threads, 1 << 16) {
    base::SystemRandom().Fill(noise_.data(), noise_.size());
    const std::unique_ptr<rocksdb::Iterator> last(
        database_->db().NewIterator(store::VerifiedReads(), database_->feed()));
    last->SeekToLast();
    if (last->Valid()) {
      sequence_ = store::FeedKeySequence(kPartition, {last->key().data(), last->key().size()}).value_or(0);
    }
  }

  void Write(const v1::UpdateSettingsRequest& request, std::function<void(bool)> done) {
    if (!pool_.Post([this, &request, done] { done(WriteNow(request)); })) done(false);
  }

 private:
  static constexpr store::Partition kPartition{0};

  static std::unique_ptr<store::Database> OpenOrExit(const std::string& path) {
    // What RocksStore::Options says by default.
    auto opened = store::Database::Open({path, size_t{64} << 20, size_t{64} << 20, false});
    if (opened.ok()) return *std::move(opened);
    std::fprintf(stderr, "%s\n", opened.status().ToString().c_str());
    std::exit(1);
  }

  rocksdb::Slice Noise(size_t size, uint64_t at) const {
    return rocksdb::Slice(noise_.data() + at % (noise_.size() - size), size);
  }

  void Put(rocksdb::WriteBatch& batch, store::Table table, std::string_view key, const rocksdb::Slice& value) const {
    batch.Put(database_->table(table), store::DiskRowKey(kPartition, table, key), value);
  }

  bool WriteNow(const v1::UpdateSettingsRequest& request) {
    const uint64_t sequence = sequence_.fetch_add(1) + 1;
    const base::DiskKey subject = keys_.DiskKeyFor(hasher_.Subject(request.account_id()));
    const base::Bytes16 request_key = keys_.DiskHash("request", request.request_id());
    rocksdb::WriteBatch batch;
    Put(batch, store::Table::kSubject, base::View(subject.bytes), Noise(sizes_.record, sequence));
    Put(batch, store::Table::kRequest, base::View(request_key), Noise(sizes_.request, sequence * 3));
    batch.Put(database_->feed(), store::FeedKey(kPartition, sequence), Noise(sizes_.feed, sequence * 7));
    return database_->Write(batch).ok();
  }

  const Sizes sizes_;
  const base::Keys keys_;
  const base::IdHasher hasher_;
  const std::unique_ptr<store::Database> database_;
  std::string noise_;
  std::atomic<uint64_t> sequence_{0};
  service::Pool pool_;
};

}  // namespace
}  // namespace consent::bench

int main(int argc, char** argv) {
  using namespace consent;
  std::string listen;
  std::string data_dir;
  bench::Sizes sizes;
  int threads = 64;
  CLI::App app("Writes rows as consentd does, and nothing else");
  app.add_option("--listen", listen, "As consentd's")->required();
  app.add_option("--data-dir", data_dir,
                 "A consentd store's folder, its key file beside it; it is no store any more afterwards")
      ->required();
  app.add_option("--record-bytes", sizes.record)->required();
  app.add_option("--feed-bytes", sizes.feed)->required();
  app.add_option("--request-bytes", sizes.request)->required();
  app.add_option("--threads", threads, "That write; each waits for its own sync")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  auto keys = base::Keys::Load(data_dir + ".key");
  if (!keys.ok()) {
    std::fprintf(stderr, "%s\n", keys.status().ToString().c_str());
    return 1;
  }
  bench::RawWriter writer(data_dir, sizes, threads, std::move(keys));
  bench::EmptySettings settings([&writer](const v1::UpdateSettingsRequest& request, std::function<void(bool)> done) {
    writer.Write(request, std::move(done));
  });
  return bench::ServeForever({listen}, {}, {&settings});
}
