// Whose call made an event that is no part of a person's history: its row says so.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "daemon/service/registry/report_verification.h"
#include "daemon/service/rows/change_row.h"
#include "tests/support/service/world.h"

namespace consent::test {
namespace {

using service::ChangeKind;

// The caller of the last event of each kind in the first partition.
std::map<ChangeKind, std::string> Callers(const service::Core& core) {
  std::map<ChangeKind, std::string> callers;
  const auto rows = core.store.Feed(store::Partition{}, 1, 1000);
  EXPECT_TRUE(rows.ok());
  for (const store::FeedRow& row : *rows) {
    service::ChangeRow change;
    if (service::DecodeChangeRow(row.event.body, &change)) callers[change.kind] = change.caller;
  }
  return callers;
}

TEST(NamedCallers, EachEventSaysWhoseCallMadeIt) {
  World world;
  service::SystemRow audio;
  audio.name = "audio";
  audio.kind = 1;
  audio.matches_by = 0x7f;  // by all keys
  ASSERT_TRUE(world.systems().Register(audio, {}, {"operator"}).ok());
  EXPECT_EQ(Callers(world.core()).at(ChangeKind::kSystemChanged), "operator");
  ASSERT_TRUE(world.systems().Retire("audio", "done", {"another operator"}).ok());
  EXPECT_EQ(Callers(world.core()).at(ChangeKind::kSystemChanged), "another operator");

  const auto suspended = world.admin().Suspend(domain::Purpose::kAdvertising, {}, "case", {}, {"officer"});
  ASSERT_TRUE(suspended.ok()) << suspended.status();
  EXPECT_EQ(Callers(world.core()).at(ChangeKind::kSuspensionChanged), "officer");
  ASSERT_TRUE(service::ReportVerification(world.core(), {}, {"auditing officer"}).ok());
  EXPECT_EQ(Callers(world.core()).at(ChangeKind::kVerificationReported), "auditing officer");
}

}  // namespace
}  // namespace consent::test
