// daemon/store/FORMAT.md says what the code writes.
#include <gtest/gtest.h>

#include "daemon/base/hash.h"
#include "daemon/store/lease.h"
#include "daemon/store/rocksdb/head_record.h"
#include "daemon/store/rocksdb/rows.h"
#include "tests/support/format_document.h"

namespace consent::store {
namespace {

constexpr Partition kPartition{300};
constexpr Stamp kStamp{300, base::Instant{1'700'000'000'123'456}};

base::Bytes16 Counting() {
  base::Bytes16 bytes{};
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i);
  return bytes;
}

HeadRecord WholeRecord(const Head& head) {
  HeadRecord record;
  record.store_id = Counting();
  record.generation = 7;
  record.position = 9;
  record.clock.boot_id.fill(0xb0);
  record.clock.read = {kStamp.time, base::Seconds(1)};
  record.clock.offset = base::Span{kStamp.time.micros - base::Seconds(1).micros};
  record.clock.last_trusted = base::Instant{kStamp.time.micros - 2};
  record.clock.settled = true;
  record.heads = {head};
  return record;
}

std::map<std::string, std::string> Written() {
  Event event{"0123456789abcdef", "body", {}};
  event.commitment.fill(0xc0);
  const base::Digest chain = NextChain({}, kStamp, event);
  const Head head{kStamp, chain};
  StoreIdentity store{Counting(), 1024, {}, kStamp.time};
  store.key_fingerprint.fill(0xfe);
  FeedRow erased;
  erased.stamp = kStamp;
  erased.chain = chain;
  std::map<std::string, std::string> all = {
      {"partition-5", PartitionBegin(Partition{5})},
      {"partition-300", PartitionBegin(kPartition)},
      {"table-row.key", DiskRowKey(kPartition, Table::kSubject, "key")},
      {"small-row.key", DiskRowKey(kPartition, Table::kHold, "key")},
      {"lease.key", DiskRowKey(kPartition, Table::kLease, "integrator")},
      {"lease.value", EncodeLeaseGrant({300, "holder"})},
      {"lease-renewal.key", DiskRowKey(kPartition, Table::kLeaseRenewal, "integrator")},
      {"lease-renewal.value", EncodeLeaseRenewal({300, 5})},
      {"event", CanonicalEvent(kStamp, event)},
      {"chain", std::string(base::View(chain))},
      {"feed.key", FeedKey(kPartition, kStamp.sequence)},
      {"feed.value", EncodeFeedRow(kStamp, event, chain)},
      {"feed-erased.value", EncodeErasedFeedRow(erased)},
      {"store.key", std::string(kStoreRowKey)},
      {"store.value", EncodeStoreRow(store)},
      {"first.key", FirstRowKey(kPartition)},
      {"first.value", EncodeFirstRow(300)},
      {"head-whole", EncodeHeadRecord(WholeRecord(head))},
      {"head-moves", EncodeHeadMoves(Counting(), {8, 12, {{kPartition, head}}})}};
  std::map<std::string, std::string> digits;
  for (const auto& [name, bytes] : all) digits["store/" + name] = base::Hex(bytes);
  return digits;
}

TEST(FormatDocument, SaysWhatTheCodeWrites) {
  EXPECT_EQ(test::FormatDifferences(test::ReadDocument(CONSENT_STORE_FORMAT), Written(), "store/"),
            std::vector<std::string>{});
}

TEST(FormatDocument, AnyOtherDigitIsFound) {
  const std::string document = test::ReadDocument(CONSENT_STORE_FORMAT);
  EXPECT_GT(test::CountFormatDigits(document, Written(), "store/"), 1000u);
  EXPECT_EQ(test::FormatDifferences(document + "\n```hex store/more\n00\n```\n", Written(), "store/").size(), 1u);
  EXPECT_EQ(test::FormatDifferences(document + "\n```hex other/more\n00\n```\n", Written(), "store/").size(), 0u);
}

}  // namespace
}  // namespace consent::store
