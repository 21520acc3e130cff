#include "tests/unit/restore/life.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "daemon/backup/folder.h"
#include "daemon/backup/manifest.h"
#include "daemon/base/hash.h"
#include "daemon/store/rocksdb/rows.h"
#include "daemon/store/rocksdb/staged_copy.h"
#include "tests/support/base/seeded_keys.h"

namespace consent::test {
namespace {

namespace fs = std::filesystem;

void Require(const absl::Status& status, const char* what) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s: %s\n", what, std::string(status.message()).c_str());
  std::abort();
}

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

void WriteAll(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
}

}  // namespace

Life::Life(uint64_t seed)
    : seed_(seed), now_(clock_.Now()), random_(seed + 77), secret_(journal::BackupSecretKey::Generate(random_)) {
  Open();
}

Life::~Life() { Close(); }

void Life::Open() {
  clock_.Start(now_);
  World::Options options;
  options.partitions = kPartitions;
  options.seed = seed_;
  options.now = now_;
  options.policy = number_ == 1;
  options.decorate = [&](store::Store&) -> std::unique_ptr<store::Store> {
    store::RocksStore::Options store;
    store.db_path = db();
    store.head_path = head();
    store.partitions = kPartitions;
    store.clock = &clock_;
    store.random = &random_;
    store.key_fingerprint = SeededKeys(seed_).Fingerprint();
    auto opened = store::RocksStore::Open(store);
    Require(opened.status(), "open");
    store_ = opened->get();
    return *std::move(opened);
  };
  world_ = std::make_unique<World>(options);
  clock_.Follow(world_->clock);
  deleting_ = std::make_unique<Deleting>(*world_);
  const std::string public_file = folder_ / "public";
  WriteAll(public_file, secret_.PublicLine() + "\n");
  const auto public_key = journal::BackupPublicKey::Load(public_file);
  Require(public_key.status(), "public key");
  ids_ = std::make_unique<journal::Ids>(world_->core(), *public_key);
  journal::Folder::Options folder;
  folder.path = number_ == 1 ? journal() : journal_of(number_);
  folder.store_id = store_->store_id();
  folder.public_key = ids_->fingerprint();
  folder.file_bytes = 64 << 10;
  auto opened = journal::Journal::Open(world_->core(), *ids_, folder,
                                       [](const absl::Status& why) { Require(why, "the journal is behind"); });
  Require(opened.status(), "journal");
  journal_ = *std::move(opened);
  store_->SetGate(journal_.get());
  Require(journal_->CatchUp(), "catch up");
}

void Life::Close() {
  if (world_ == nullptr) return;
  now_ = world_->clock.Now();
  store_->SetGate(nullptr);
  journal_.reset();
  ids_.reset();
  deleting_.reset();
  clock_.Start(now_);
  world_.reset();
  store_ = nullptr;
}

void Life::Backup() {
  fs::remove_all(backup());
  const fs::path to = fs::path(backup()) / std::string(backup::kStoreFolder);
  fs::create_directories(to);
  fs::permissions(to, fs::perms::owner_all);
  v1::BackupManifest manifest;
  manifest.set_manifest_format(backup::kManifestFormat);
  manifest.set_version("test");
  manifest.set_data_format(store::DataFormat());
  manifest.set_store_id(base::Hex(base::View(store_->store_id())));
  manifest.set_key_fingerprint(base::Hex(base::View(SeededKeys(seed_).Fingerprint())));
  manifest.mutable_create_time()->set_seconds(world_->Now().micros / 1'000'000);
  for (uint16_t p = 0; p < kPartitions; ++p) {
    const store::Head head = store_->GetHead({p});
    v1::BackupHead* out = manifest.add_heads();
    out->set_sequence(static_cast<int64_t>(head.stamp.sequence));
    if (head.stamp.sequence != 0) {
      out->mutable_time()->set_seconds(head.stamp.time.micros / 1'000'000);
      out->mutable_time()->set_nanos(static_cast<int32_t>(head.stamp.time.micros % 1'000'000 * 1000));
    }
    out->set_chain(base::Hex(base::View(head.chain)));
  }
  auto staged = store_->Stage();
  Require(staged.status(), "stage");
  std::map<std::string, std::string> files;
  for (const fs::directory_entry& entry : fs::directory_iterator((*staged)->path())) {
    files[entry.path().filename().string()] = ReadAll(entry.path());
  }
  for (const auto& [name, bytes] : files) {
    WriteAll(to / name, bytes);
    v1::BackupFile* file = manifest.add_files();
    file->set_name(std::string(backup::kStoreFolder) + "/" + name);
    file->set_bytes(static_cast<int64_t>(bytes.size()));
    file->set_sha256(base::Hex(base::View(base::Sha256(bytes))));
  }
  const std::string bytes = backup::EncodeManifest(manifest);
  WriteAll(fs::path(backup()) / std::string(backup::kManifestName), bytes);
  WriteAll(fs::path(backup()) / std::string(backup::kManifestHashName), backup::ManifestHashLine(bytes));
}

void Life::Lose() {
  Close();
  fs::remove_all(db());
  fs::remove(head());
  ++number_;
}

absl::StatusOr<restore::Restored> Life::TryRestore(bool with_secret, bool with_journal,
                                                   const std::function<void(restore::Step)>& begin) {
  const base::Keys keys = SeededKeys(seed_);
  const restore::Means means{keys, clock_, random_, with_secret ? &secret_ : nullptr, begin};
  return restore::Restore({backup(), with_journal ? journal() : "", db(), head()}, means);
}

absl::StatusOr<restore::Restored> Life::RestoreIn(const std::string& folder,
                                                  const std::function<void(restore::Step)>& begin) {
  const base::Keys keys = SeededKeys(1);
  const LateClock clock;
  SeededRandom random(5);
  const restore::Means means{keys, clock, random, nullptr, begin};
  return restore::Restore({folder + "/backup", folder + "/journal", folder + "/db2", folder + "/db2.head"}, means);
}

restore::Report Life::Restore(bool with_secret, bool with_journal) {
  const absl::StatusOr<restore::Restored> restored = TryRestore(with_secret, with_journal);
  Require(restored.status(), "restore");
  Open();
  return restored->report;
}

bool Life::IsInFiles(const std::string& bytes) const {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder_.path())) {
    if (entry.is_regular_file() && ReadAll(entry.path()).find(bytes) != std::string::npos) return true;
  }
  return false;
}

}  // namespace consent::test
