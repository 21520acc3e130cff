// Another master key: what a rotation writes, and that everything sealed before opens as it did.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/store/store.h"
#include "tests/support/service/deleting.h"

namespace consent::test {
namespace {

using RowPlace = std::tuple<uint16_t, store::Table, std::string>;

std::map<RowPlace, std::string> AllRows(const World& world) {
  std::map<RowPlace, std::string> rows;
  for (uint16_t partition = 0; partition < world.core().store.partition_count(); ++partition) {
    for (uint8_t number = 1; number <= store::kMaxTable; ++number) {
      const store::Table table{number};
      EXPECT_TRUE(world.core()
                      .store
                      .Scan({partition}, table, "", "", SIZE_MAX,
                            [&](std::string_view key, std::string_view value) {
                              rows[{partition, table, std::string(key)}] = value;
                              return true;
                            })
                      .ok());
    }
  }
  return rows;
}

// Whose share lies where: of subjects, of open deletion requests and of holds in force.
std::map<RowPlace, base::SubjectHandle> Shares(const World& world, const std::map<RowPlace, std::string>& rows) {
  std::map<RowPlace, base::SubjectHandle> shares;
  const auto add = [&](uint16_t partition, std::string key, base::SubjectHandle subject) {
    const RowPlace place{partition, store::Table::kKeyShare, std::move(key)};
    if (rows.count(place) != 0) shares[place] = subject;
  };
  for (const auto& [place, value] : rows) {
    const auto& [partition, table, key] = place;
    base::SubjectHandle subject;
    std::string_view facts;
    service::DeletionRow deletion;
    service::HoldRow hold;
    if (table == store::Table::kSubject && service::SplitSubjectRow(value, &subject, &facts)) {
      add(partition, key, subject);
    }
    if (table == store::Table::kDeletion && service::DecodeDeletionRow(value, &deletion)) {
      const service::DeletionPlace at{{partition}, service::NumberOfKey(key)};
      add(partition, service::DeletionShareKey(world.core(), at), deletion.request.subject);
    }
    if (table == store::Table::kHold && service::DecodeHoldRow(value, &hold)) {
      const service::HoldPlace at{{partition}, service::SequenceOfHoldKey(key)};
      add(partition, service::HoldShareKey(world.core(), at), hold.subject);
    }
  }
  return shares;
}

TEST(Rotation, RewritesSharesAlone) {
  World world({.partitions = 3});
  Deleting deleting(world);
  deleting.Register(System("audio"));
  for (int i = 0; i < 20; ++i) {
    const std::string account = "a" + std::to_string(i);
    ASSERT_TRUE(world.Register(account, "DE", {Adult("ann"), Child("bob", "gil")}).ok());
    ASSERT_TRUE(world.OptIn(account, Account(), Control("help_improve")).ok());
  }
  const service::DeletionPlace asked = deleting.Ask("a1", AllOfIt());
  deleting.Hold("a2", domain::HeldPart{});
  const auto names_before = world.reads().Get(world.Handle("a0"))->names;

  world.AddMasterKey();
  world.Restart();
  const std::map<RowPlace, std::string> before = AllRows(world);
  const std::map<RowPlace, base::SubjectHandle> shares = Shares(world, before);
  size_t share_rows = 0;
  for (const auto& [place, value] : before) share_rows += std::get<1>(place) == store::Table::kKeyShare ? 1 : 0;
  ASSERT_EQ(shares.size(), share_rows) << "each share's subject is known";
  ASSERT_EQ(share_rows, 22U);
  for (const auto& [place, subject] : shares) {
    const absl::StatusOr<std::string> rewrapped = world.core().keys.Rewrap(subject, before.at(place));
    ASSERT_TRUE(rewrapped.ok());
    const store::CommitResult result =
        service::CommitNow(world.core(), {std::get<0>(place)}, {}, [&place = place, &rewrapped](const store::Stamp&) {
          return store::Change{{{store::Table::kKeyShare, std::get<2>(place), *rewrapped}}, {}};
        });
    ASSERT_EQ(result.outcome, store::Outcome::kCommitted);
  }

  size_t changed = 0;
  for (const auto& [place, value] : AllRows(world)) {
    if (before.at(place) == value) continue;
    ++changed;
    EXPECT_EQ(std::get<1>(place), store::Table::kKeyShare);
  }
  EXPECT_EQ(changed, share_rows);
  world.Restart();
  EXPECT_EQ(world.reads().Get(world.Handle("a0"))->names, names_before);
  EXPECT_FALSE(names_before.empty());
  EXPECT_EQ(deleting.Lease("audio").front().payload.account_id, "a1");
  EXPECT_EQ(deleting.Get(asked).subject, world.Handle("a1"));
}

}  // namespace
}  // namespace consent::test
