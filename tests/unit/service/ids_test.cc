// Ids of deletion requests and holds: drawn once, found by their rows, known in every copy of the store.
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/service/commit/commit_now.h"
#include "daemon/service/rows/id_rows.h"
#include "daemon/wire/purge.h"
#include "tests/support/service/deleting.h"
#include "tests/support/service/faulty_world.h"

namespace consent::test {
namespace {

using domain::DeletionState;
using domain::HeldPart;
using service::DeletionPlace;
using service::HoldPlace;

domain::Selector ClosureOfIt() {
  domain::Selector selector = AllOfIt();
  selector.kind = domain::SelectorKind::kAccountClosure;
  return selector;
}

class Ids : public testing::Test {
 protected:
  Ids() { deleting.Register(System("audio")); }
  base::DeletionId IdOf(DeletionPlace place) { return world.deletions().Get(place)->request.id; }
  base::HoldId IdOf(HoldPlace place) { return world.holds().Get(place)->row.id; }

  World world{{.partitions = 3}};
  Deleting deleting{world};
};

TEST_F(Ids, LeadToWhatTheyName) {
  std::set<base::DeletionId> requests;
  std::set<base::HoldId> holds;
  for (int i = 0; i < 20; ++i) {
    const std::string account = "a" + std::to_string(i);
    const DeletionPlace place = deleting.Ask(account, AllOfIt());
    const HoldPlace hold = deleting.Hold(account, HeldPart{});
    EXPECT_EQ(IdOf(place).partition(), place.partition.number);
    EXPECT_EQ(IdOf(hold).partition(), hold.partition.number);
    EXPECT_EQ(*world.deletions().Find(IdOf(place)), place);
    EXPECT_EQ(*world.tasks().Find(IdOf(place)), place);
    EXPECT_EQ(world.holds().Find(IdOf(hold))->sequence, hold.sequence);
    requests.insert(IdOf(place));
    holds.insert(IdOf(hold));
  }
  EXPECT_EQ(requests.size(), 20U);
  EXPECT_EQ(holds.size(), 20U);
  EXPECT_EQ(WrongIds(world), "");
  world.Restart();
  EXPECT_EQ(WrongIds(world), "");
}

TEST_F(Ids, ThatNameNothingAreAllAnsweredAlike) {
  const base::DeletionId request = IdOf(deleting.Ask("a", AllOfIt()));
  const base::HoldId hold = IdOf(deleting.Hold("a", HeldPart{}));
  const auto unknown = [&](const base::Bytes16& bytes) {
    const absl::Status of_request = world.deletions().Find(base::DeletionId{bytes}).status();
    EXPECT_EQ(ReasonOf(of_request), "DELETION_NOT_FOUND");
    EXPECT_EQ(of_request, world.deletions().Find(std::nullopt).status());
    const absl::Status of_hold = world.holds().Find(base::HoldId{bytes}).status();
    EXPECT_EQ(ReasonOf(of_hold), "HOLD_NOT_FOUND");
    EXPECT_EQ(of_hold, world.holds().Find(std::nullopt).status());
    const absl::Status of_task = world.tasks().Find(base::DeletionId{bytes}).status();
    EXPECT_EQ(ReasonOf(of_task), "TASK_NOT_FOUND");
    EXPECT_EQ(of_task, world.tasks().Find(std::nullopt).status());
  };
  for (const base::Bytes16& bytes : {request.bytes, hold.bytes}) {
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      base::Bytes16 flipped = bytes;
      flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      unknown(flipped);
    }
  }
  unknown({});
  base::Bytes16 beyond = request.bytes;  // as many partitions as there may be, and more
  for (const uint16_t partition : {3, 1023, 1024, 65535}) {
    beyond[14] = static_cast<uint8_t>(partition >> 8);
    beyond[15] = static_cast<uint8_t>(partition);
    unknown(beyond);
  }
  EXPECT_EQ(ReasonOf(world.deletions().Find(base::DeletionId{hold.bytes})), "DELETION_NOT_FOUND") << "a hold's";
  EXPECT_EQ(ReasonOf(world.holds().Find(base::HoldId{request.bytes})), "HOLD_NOT_FOUND") << "a request's";
}

TEST_F(Ids, StayWithARepetition) {
  const auto first = deleting.TryAsk("a", AllOfIt(), DeletionState::kReceived, "one");
  const auto again = deleting.TryAsk("a", AllOfIt(), DeletionState::kReceived, "one");
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(IdOf(first->place), IdOf(again->place));
  ASSERT_TRUE(deleting.Step(first->place, service::DeletionStep::kVerify).ok());
  EXPECT_EQ(*world.deletions().Find(IdOf(again->place)), first->place);
  const auto hold = [&] {
    service::ChangeRequest change = world.Request("a", service::ChangeKind::kHoldPlaced);
    change.request_id = "two";
    std::promise<absl::StatusOr<service::Holds::Placed>> promise;
    world.holds().Place(std::move(change), {HeldPart{}, {"a court", "a case"}, {"a", "as it was ordered"}},
                        [&](auto placed) { promise.set_value(std::move(placed)); });
    return promise.get_future().get()->place;
  };
  const base::HoldId held = IdOf(hold());
  EXPECT_EQ(IdOf(hold()), held);
  EXPECT_EQ(WrongIds(world), "");
}

TEST_F(Ids, OfRequestsThatWithdrawalsMake) {
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  ASSERT_TRUE(world.OptOut("a", Account(), Everything()).ok());
  const auto page = world.deletions().List({}, 100, {});
  ASSERT_TRUE(page.ok());
  ASSERT_FALSE(page->requests.empty());
  for (const service::DeletionView& view : page->requests) {
    EXPECT_EQ(*world.deletions().Find(view.request.id), view.place);
  }
  EXPECT_EQ(WrongIds(world), "");
}

TEST_F(Ids, OfRequestsOutliveThemAndOfHoldsGoWithTheirRows) {
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const HoldPlace hold = deleting.Hold("a", HeldPart{});
  const base::HoldId held = IdOf(hold);
  ASSERT_TRUE(deleting.Release(hold).ok());
  EXPECT_TRUE(world.holds().Find(held).ok()) << "a released one is still told of";
  const DeletionPlace place = deleting.Ask("a", ClosureOfIt());
  const base::DeletionId id = IdOf(place);
  ASSERT_EQ(deleting.Work("audio"), 1U);
  ASSERT_EQ(deleting.Get(place).state, DeletionState::kCompleted);
  EXPECT_EQ(ReasonOf(world.holds().Find(held)), "HOLD_NOT_FOUND") << "the account's rows are gone";
  EXPECT_EQ(*world.deletions().Find(id), place);
  EXPECT_EQ(WrongIds(world), "");
}

// Somebody else has the very id that was drawn.
TEST(IdsThatAreTaken, AreDrawnAnew) {
  FaultyWorld f;
  Deleting deleting(f.world);
  deleting.Register(System("audio"));
  std::vector<store::RowKey> taken;
  const auto take = [&](const std::vector<store::Precondition>& preconditions) {
    for (const store::Precondition& one : preconditions) {
      if (one.table != store::Table::kDeletionById && one.table != store::Table::kHoldById) continue;
      EXPECT_FALSE(one.expected.has_value());
      taken.push_back({one.table, one.key});
      std::promise<store::CommitResult> promise;
      f.world.inner_store().Commit(
          {}, {},
          [&](const store::Stamp&) {
            return store::Change{{{one.table, one.key, "somebody"}}, {}};
          },
          [&](const store::CommitResult& result) { promise.set_value(result); });
      EXPECT_EQ(promise.get_future().get().outcome, store::Outcome::kCommitted);
    }
  };
  f.faulty->BeforeNextCommit(take);
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  f.faulty->BeforeNextCommit(take);
  const HoldPlace hold = deleting.Hold("a", HeldPart{});
  ASSERT_EQ(taken.size(), 2U);
  ASSERT_TRUE(f.world.Register("b", "DE").ok());
  ASSERT_TRUE(f.world.OptIn("b", Account(), Control("help_improve")).ok());
  f.faulty->BeforeNextCommit(take);
  ASSERT_TRUE(f.world.OptOut("b", Account(), Everything()).ok());
  ASSERT_GT(taken.size(), 2U) << "which the withdrawal makes";
  const auto page = f.world.deletions().List({}, 100, {});
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->requests.size(), taken.size() - 1) << "one is no request's but the hold's";
  for (const service::DeletionView& view : page->requests) {
    EXPECT_EQ(*f.world.deletions().Find(view.request.id), view.place);
  }
  const base::DeletionId id = f.world.deletions().Get(place)->request.id;
  const base::HoldId held = f.world.holds().Get(hold)->row.id;
  EXPECT_EQ(*f.world.deletions().Find(id), place);
  EXPECT_EQ(f.world.holds().Find(held)->sequence, hold.sequence);
  EXPECT_NE(service::IdRow(id).key, taken[0].key);
  EXPECT_NE(service::IdRow(held).key, taken[1].key);
  for (const store::RowKey& row : taken) {
    EXPECT_EQ(*f.world.store().Get({}, row.table, row.key), "somebody") << "which is left alone";
  }
}

TEST(IdsOfADamagedStore, AreNotCalledUnknown) {
  World world;
  Deleting deleting(world);
  const base::DeletionId id = world.deletions().Get(deleting.Ask("a", AllOfIt()))->request.id;
  for (const std::string& value : {std::string(), std::string("short"), std::string(9, 'x')}) {
    const store::RowKey row = service::IdRow(id);
    const auto put = [&](const store::Stamp&) { return store::Change{{{row.table, row.key, value}}, {}}; };
    ASSERT_EQ(service::CommitNow(world.core(), {}, {}, put).outcome, store::Outcome::kCommitted);
    EXPECT_EQ(ReasonOf(world.deletions().Find(id)), "INTERNAL");
    EXPECT_EQ(ReasonOf(world.tasks().Find(id)), "INTERNAL");
  }
}

void CopyRows(const World& from, World& to) {
  for (uint16_t number = 0; number < from.core().store.partition_count(); ++number) {
    store::Change all;
    for (uint8_t table = 1; table <= store::kMaxTable; ++table) {
      EXPECT_TRUE(from.core()
                      .store
                      .Scan({number}, store::Table{table}, "", "", SIZE_MAX,
                            [&](std::string_view key, std::string_view value) {
                              all.writes.push_back({store::Table{table}, std::string(key), std::string(value)});
                              return true;
                            })
                      .ok());
    }
    ASSERT_EQ(service::CommitNow(to.core(), {number}, {}, [&](const store::Stamp&) { return all; }).outcome,
              store::Outcome::kCommitted);
  }
  to.Restart();
}

TEST_F(Ids, AreKnownInACopyThatTakesNoTokens) {
  const DeletionPlace place = deleting.Ask("a", AllOfIt());
  const HoldPlace hold = deleting.Hold("b", HeldPart{});
  const base::DeletionId id = IdOf(place);
  const base::HoldId held = IdOf(hold);
  const Reply changed = world.OptOut("a", Account(), Everything());
  ASSERT_TRUE(changed.ok());
  const service::Tokens& tokens = world.core().tokens;
  const std::string revision = tokens.Encode(changed->revision);
  const std::string page = tokens.Encode(service::PageToken{place.partition, place.number}, "a listing");
  const std::string etag = tokens.Encode(service::DeletionEtag{id, deleting.Get(place).changed});

  World copy({.partitions = 3, .store = 1, .now = world.Now(), .policy = false});
  ASSERT_NE(copy.store().store_id(), world.store().store_id());
  CopyRows(world, copy);
  EXPECT_EQ(WrongIds(copy), "");
  const auto found = copy.deletions().Find(base::ParseId<base::DeletionId>(base::IdText(id)));
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(copy.deletions().Get(*found)->request, deleting.Get(place));
  EXPECT_EQ(copy.deletions().Get(*found)->payload->account_id, "a");
  const auto held_there = copy.holds().Find(held);
  ASSERT_TRUE(held_there.ok());
  EXPECT_EQ(copy.holds().Get(*held_there)->payload->account_id, "b");
  const auto task = copy.tasks().Find(wire::ParseTaskId(wire::TaskIdText(id, "audio"), "audio"));
  ASSERT_TRUE(task.ok());
  EXPECT_EQ(Deleting(copy).Lease("audio").front().place, *task);

  EXPECT_TRUE(world.checks().Begin(revision).ok());
  EXPECT_EQ(ReasonOf(copy.checks().Begin(revision)), "REVISION_NOT_REACHED");
  EXPECT_TRUE(tokens.DecodePage(page, "a listing"));
  EXPECT_FALSE(copy.core().tokens.DecodePage(page, "a listing"));
  EXPECT_TRUE(tokens.DecodeEtag(etag, id));
  EXPECT_FALSE(copy.core().tokens.DecodeEtag(etag, id));
}

}  // namespace
}  // namespace consent::test
