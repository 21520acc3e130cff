// A copy of a store under new keys: it answers as the store does, goes on as it would, and tells who has the old key
// file of nobody.
#include "daemon/service/rekey/rekey.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "daemon/base/hash.h"
#include "daemon/base/seal.h"
#include "daemon/service/inspect/inspect_store.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/rows/proposal_rows.h"
#include "daemon/service/rows/subject_rows.h"
#include "tests/support/base/seeded_keys.h"
#include "tests/support/model/seeds.h"
#include "tests/unit/rekey/answers.h"
#include "tests/unit/rekey/two_worlds.h"

namespace consent::test {
namespace {

using store::Table;

void ExpectSame(const std::vector<std::string>& is, const std::vector<std::string>& was) {
  ASSERT_EQ(is.size(), was.size());
  for (size_t i = 0; i < is.size(); ++i) ASSERT_EQ(is[i], was[i]);
}

std::string Problems(const FrozenMemory& store) {
  service::InspectOptions options;
  options.links = true;
  const auto report = service::InspectStore(store, options);
  if (!report.ok()) return std::string(report.status().message());
  std::string text;
  for (const auto& [what, rows] : report->problems) text += what.first + ": " + what.second + "\n";
  return text;
}

// Whatever the old keys make of the ids, and every place of a row under them.
std::set<std::string> OldNames(const TwoWorlds& two) {
  const base::IdHasher hasher = two.before().Hasher();
  std::set<std::string> names;
  const auto add = [&names](const base::Bytes16& bytes) { names.emplace(base::View(bytes)); };
  for (const std::string& id : AllWalkIds().accounts) add(hasher.Subject(id).bytes);
  for (const std::string& id : AllWalkIds().accounts) add(two.before().DiskKeyFor(hasher.Subject(id)).bytes);
  for (const std::string& id : AllWalkIds().profiles) add(hasher.Profile(id).bytes);
  for (const std::string& id : AllWalkIds().devices) add(hasher.Device(id).bytes);
  for (const std::string& id : AllWalkIds().guardians) add(hasher.Guardian(id).bytes);
  for (const std::string& id : AllWalkIds().recordings) {
    add(hasher.Recording(id).bytes);
    add(two.before().DiskHash("recording", base::View(hasher.Recording(id).bytes)));
  }
  FrozenMemory old = two.old_rows();
  for (const auto& [key, value] : old.rows()) {
    if (key.table == Table::kKeyShare || key.table == Table::kRequest) names.insert(key.key);
  }
  return names;
}

// Every byte of a store, what is sealed opened with its keys.
class Opened {
 public:
  Opened(FrozenMemory store, const base::Keys& keys) : store_(std::move(store)), keys_(keys) {}

  std::vector<std::string> All() {
    for (const auto& [key, value] : store_.rows()) {
      texts_.push_back(key.key);
      texts_.push_back(value);
      OpenRow(key, value);
    }
    for (uint16_t number = 0; number < store_.identity().partitions; ++number) {
      for (const auto& row : store_.feeds()[number]) OpenEvent({number}, *row);
    }
    return std::move(texts_);
  }
  int opened() const { return opened_; }

 private:
  void Open(store::Partition partition, const std::string& share_key, base::SubjectHandle subject,
            std::string_view sealed) {
    const auto share = store_.Get(partition, Table::kKeyShare, share_key);
    if (sealed.empty() || !share.ok()) return;
    const auto key = keys_.OpenShare(subject, *share);
    ASSERT_TRUE(key.ok()) << key.status();
    const auto plain = base::Open(*key, sealed, base::View(subject.bytes));
    if (!plain.ok()) return;  // of a forgotten account's history
    ++opened_;
    texts_.push_back(*plain);
  }
  void OpenRow(const FrozenMemory::Key& key, const std::string& value) {
    if (key.table == Table::kNames) {
      base::SubjectHandle subject;
      std::string_view facts;
      const auto record = store_.Get(key.partition, Table::kSubject, key.key);
      ASSERT_TRUE(record.ok());
      ASSERT_TRUE(service::SplitSubjectRow(*record, &subject, &facts));
      Open(key.partition, key.key, subject, value);
    } else if (key.table == Table::kDeletion) {
      service::DeletionRow row;
      ASSERT_TRUE(service::DecodeDeletionRow(value, &row));
      Open(key.partition, service::DeletionShareKey(keys_, {key.partition, service::NumberOfKey(key.key)}),
           row.request.subject, row.sealed);
    } else if (key.table == Table::kHold && service::IsHoldKey(key.key)) {
      service::HoldRow row;
      ASSERT_TRUE(service::DecodeHoldRow(value, &row));
      Open(key.partition, service::HoldShareKey(keys_, {key.partition, service::SequenceOfHoldKey(key.key)}),
           row.subject, row.sealed);
    }
  }
  void OpenEvent(store::Partition partition, const store::FeedRow& row) {
    texts_.push_back(row.event.subject);
    texts_.push_back(row.event.body);
    service::ChangeRow change;
    if (row.event.subject.empty() || !service::DecodeChangeRow(row.event.body, &change)) return;
    const base::SubjectHandle subject{base::Decoder(row.event.subject).Array<16>()};
    Open(partition, std::string(base::View(keys_.DiskKeyFor(subject).bytes)), subject, change.sealed);
  }

  FrozenMemory store_;
  const base::Keys& keys_;
  std::vector<std::string> texts_;
  int opened_ = 0;
};

// How often some old name stands in the texts.
size_t CountOldNames(const std::vector<std::string>& texts, const std::set<std::string>& names) {
  size_t found = 0;
  for (const std::string& text : texts) {
    for (size_t i = 0; i + 16 <= text.size(); ++i) found += names.count(text.substr(i, 16));
  }
  return found;
}

struct Seen {
  size_t held = 0, requests = 0, yes = 0, purged = 0, unopened = 0, joined = 0, waiting = 0;
};

void Count(const TwoWorlds& two, const std::vector<std::string>& answers, Seen* seen) {
  for (const std::string& line : answers) {
    seen->held += line.find("HOLD") != std::string::npos ? 1 : 0;
    seen->yes += line.find(" yes: ") != std::string::npos ? 1 : 0;
    seen->purged += line.find("PURGE") != std::string::npos ? 1 : 0;
    seen->requests += line.starts_with("request ") ? 1 : 0;
    seen->joined += line.find("both are hers") != std::string::npos ? 1 : 0;
  }
  FrozenMemory rows = two.rows();
  for (const auto& [key, value] : rows.rows()) seen->waiting += key.table == Table::kErasure ? 1 : 0;
  seen->unopened += two.counts().unopened;
}

void PlayLife(uint64_t seed, Seen* seen) {
  TwoWorlds two(seed);
  Walk walk(two.old(), seed);
  for (int i = 0; i < 90; ++i) (void)walk.Step();
  two.Copy();
  const std::vector<std::string> was = Answers(two.old(), &two.layer());
  ASSERT_NO_FATAL_FAILURE(ExpectSame(Answers(two.copy(), nullptr), was));
  EXPECT_EQ(Problems(two.old_rows()), "");
  EXPECT_EQ(Problems(two.rows()), "");
  EXPECT_EQ(WrongIds(two.copy()), "");
  Count(two, was, seen);

  Opened opened(two.rows(), two.after());
  const std::set<std::string> names = OldNames(two);
  EXPECT_EQ(CountOldNames(opened.All(), names), 0U);
  EXPECT_GT(opened.opened(), 20);
  Opened of_old(two.old_rows(), two.before());
  EXPECT_GT(CountOldNames(of_old.All(), names), 100U) << "the scan finds what is there";

  // Both go on alike, to the end of what is owed.
  Walk there(two.copy(), walk);
  for (int i = 0; i < 40; ++i) ASSERT_EQ(there.Step(), walk.Step()) << "step " << i;
  EXPECT_EQ(there.Work(), walk.Work());
  EXPECT_EQ(WrongIds(two.copy()), "");
}

TEST(UnderNewKeys, LivesAreAnsweredAsTheyWereAndGoOn) {
  const model::SeedRange seeds = model::SlowSeeds(20);
  Seen seen;
  for (const uint64_t seed : seeds) {
    SCOPED_TRACE("CONSENT_TEST_SEED=" + std::to_string(seed));
    PlayLife(seed, &seen);
    if (testing::Test::HasFailure()) break;
  }
  std::printf("held %zu, requests %zu, yes %zu, purged %zu, unopened %zu, joined %zu, waiting %zu\n", seen.held,
              seen.requests, seen.yes, seen.purged, seen.unopened, seen.joined, seen.waiting);
  if (!seeds.whole) return;
  for (const size_t count : {seen.held, seen.requests, seen.yes, seen.purged, seen.joined, seen.waiting}) {
    EXPECT_GT(count, 0U) << "a run in which nothing happens shows nothing";
  }
}

// More tombstones than a record holds, a proposal, a flag that nobody has handled, and what is not copied.
TEST(UnderNewKeys, AStoryWithOneOfEach) {
  TwoWorlds two(1);
  World& world = two.old();
  Deleting deleting(world);
  deleting.Register(System("audio"));
  ASSERT_TRUE(world.Register("account0", "DE", {Adult("ann"), Child("kid", "mum")}, {"echo"}).ok());
  for (int i = 0; i < 70; ++i) {
    const base::Instant from = world.Now() - base::Days(400 - 5 * i);
    deleting.Ask("account0", Within(from, from + base::Hours(1)));
  }
  ASSERT_TRUE(world.Report("account0", "r1", domain::Flags::kSafety).ok());
  const auto first =
      deleting.TryAsk("account0", deleting.Recordings({"r2", "r3"}), domain::DeletionState::kReceived, "request-id");
  ASSERT_TRUE(first.ok());
  service::NewProposal proposed;
  proposed.act = service::ProposedAct::kReleaseHold;
  proposed.by = {service::PersonKind::kUser, "local (user 1000)", {base::Sha256("1000")}};
  proposed.request = "what is asked for";
  proposed.summary = "release a hold";
  const auto proposal = world.proposals().Propose(proposed, service::Caller{"officer"});
  ASSERT_TRUE(proposal.ok()) << proposal.status();
  two.Copy();
  ASSERT_TRUE(world.Facts("account0").has_more_tombstones);
  ASSERT_NO_FATAL_FAILURE(ExpectSame(Answers(two.copy(), nullptr), Answers(world, &two.layer())));
  EXPECT_EQ(two.counts().requests, 1U);
  EXPECT_EQ(two.counts().unopened, 0U);
  std::string request;
  const auto copied = two.copy().proposals().Get(proposal->row.id, &request);
  ASSERT_TRUE(copied.ok()) << copied.status();
  EXPECT_EQ(request, "what is asked for");
  EXPECT_EQ(copied->names.summary, "release a hold");
  // The open request for that selection is found by its new handles.
  Deleting there(two.copy());
  const auto again = there.TryAsk("account0", there.Recordings({"r3", "r2"}), domain::DeletionState::kReceived);
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->created);
  EXPECT_EQ(again->place.number, first->place.number);
  EXPECT_NE(world.core().tokens.Encode(first->revision), two.copy().core().tokens.Encode(first->revision));
  EXPECT_FALSE(two.copy().core().tokens.DecodeRevision(world.core().tokens.Encode(first->revision)).has_value());
}

TEST(UnderNewKeys, TheOldKeyFileOpensNothingAndFindsNobody) {
  TwoWorlds two(3);
  Walk walk(two.old(), 3);
  for (int i = 0; i < 60; ++i) (void)walk.Step();
  two.Copy();
  const base::IdHasher hasher = two.before().Hasher();
  std::vector<base::SubjectHandle> handles;
  for (const std::string& account : AllWalkIds().accounts) {
    handles.push_back(hasher.Subject(account));
    handles.push_back(two.after().Hasher().Subject(account));
    EXPECT_EQ(service::PartitionOf(handles[handles.size() - 2], 1024), service::PartitionOf(handles.back(), 1024));
    EXPECT_NE(handles[handles.size() - 2], handles.back());
  }
  // Who has opened the payload keys of before opens nothing with them here.
  int opened = 0;
  for (const std::string& account : AllWalkIds().accounts) {
    const base::SubjectHandle was = hasher.Subject(account);
    const base::SubjectHandle is = two.after().Hasher().Subject(account);
    const store::Partition partition = service::PartitionOf(is, TwoWorlds::kPartitions);
    const auto share = two.old_rows().Get(partition, Table::kKeyShare, service::SubjectKey(two.before(), was));
    const auto names = two.rows().Get(partition, Table::kNames, service::SubjectKey(two.after(), is));
    if (!share.ok() || !names.ok()) continue;
    ++opened;
    EXPECT_FALSE(base::Open(*two.before().OpenShare(was, *share), *names, base::View(is.bytes)).ok());
    const auto there = two.rows().Get(partition, Table::kKeyShare, service::SubjectKey(two.after(), is));
    EXPECT_TRUE(base::Open(*two.after().OpenShare(is, *there), *names, base::View(is.bytes)).ok());
  }
  EXPECT_GT(opened, 0);
  FrozenMemory rows = two.rows();
  int shares = 0;
  for (const auto& [key, value] : rows.rows()) {
    for (const base::SubjectHandle& handle : handles) {
      EXPECT_NE(key.key.substr(0, 16), base::View(two.before().DiskKeyFor(handle).bytes));
      if (key.table != Table::kKeyShare) continue;
      ++shares;
      EXPECT_FALSE(two.before().OpenShare(handle, value).ok());
    }
  }
  EXPECT_GT(shares, 0);
  EXPECT_NE(two.before().Fingerprint(), two.after().Fingerprint());
  // Nor do they take it for theirs, so that no daemon serves it under them.
  EXPECT_EQ(ReasonOf(two.copy().master_keys().Take(two.before())), "KEY_FILE_REFUSED");
}

// A copy of a copy, until a key file has no room for another layer.
TEST(UnderNewKeys, UpToEightTimes) {
  std::optional<base::Keys> keys = SeededKeys(5);
  SeededRandom random(9);
  for (size_t layers = 2; layers <= base::kMaxLookupKeys; ++layers) keys = *keys->Renewed(random);
  EXPECT_TRUE(absl::IsResourceExhausted(keys->Renewed(random).status()));
  keys = SeededKeys(5);
  for (size_t layers = 2; layers < base::kMaxLookupKeys; ++layers) keys = *keys->Renewed(random);
  TwoWorlds two(5, keys);
  Walk walk(two.old(), 5);
  for (int i = 0; i < 40; ++i) (void)walk.Step();
  two.Copy();
  ASSERT_NO_FATAL_FAILURE(ExpectSame(Answers(two.copy(), nullptr), Answers(two.old(), &two.layer())));
}

TEST(UnderNewKeys, WhatDoesNotBelongTogetherIsRefused) {
  TwoWorlds two(1);
  ASSERT_TRUE(two.old().Register("account0", "DE").ok());
  FrozenMemory rows(two.old().store());
  rows.identity().key_fingerprint = two.before().Fingerprint();
  SeededRandom random(1);
  const base::Keys after = *two.before().Renewed(random);
  const auto create = [&](const base::Keys& before, const base::Keys& next) {
    return service::Rekey::Create(rows, before, next, random).status();
  };
  EXPECT_TRUE(create(two.before(), after).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(create(two.before(), SeededKeys(2)))) << "not made of it";
  EXPECT_TRUE(absl::IsFailedPrecondition(create(two.before(), two.before())));
  EXPECT_TRUE(absl::IsFailedPrecondition(create(SeededKeys(2), *SeededKeys(2).Renewed(random)))) << "another store's";
  rows.identity().partitions = 3;
  EXPECT_TRUE(absl::IsFailedPrecondition(create(two.before(), after))) << "handles keep ten bits";
}

// Each row changed: the copy is refused, or the row is of a table that names nobody and is copied as it is.
TEST(UnderNewKeys, ADamagedRowIsRefused) {
  TwoWorlds two(2);
  Walk walk(two.old(), 2);
  for (int i = 0; i < 60; ++i) (void)walk.Step();
  two.Copy();
  FrozenMemory damaged = two.old_rows();
  SeededRandom random(1);
  std::set<Table> refused;
  for (auto& [key, value] : damaged.rows()) {
    if (value.size() < 2) continue;
    const std::string whole = value;
    value.pop_back();
    const auto rekey = *service::Rekey::Create(damaged, two.before(), two.after(), random);
    const auto rows = rekey->Rows(key.partition, key.table, key.key, value);
    if (!rows.ok()) refused.insert(key.table);
    EXPECT_TRUE(rows.ok() || absl::IsDataLoss(rows.status())) << rows.status();
    value = whole;
  }
  for (const Table table : {Table::kSubject, Table::kNames, Table::kKeyShare, Table::kRecording, Table::kDeletion,
                            Table::kDeletionBySubject, Table::kHold}) {
    EXPECT_EQ(refused.count(table), 1U) << static_cast<int>(table);
  }
  const auto rekey = *service::Rekey::Create(damaged, two.before(), two.after(), random);
  EXPECT_TRUE(absl::IsDataLoss(rekey->Rows({0}, Table{99}, "key", "value").status())) << "nobody knows whom it names";
}

}  // namespace
}  // namespace consent::test
