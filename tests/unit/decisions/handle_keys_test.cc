// Handles in the log name nobody without the keys, and lead the daemon back.
#include "daemon/decisions/handle_keys.h"

#include <set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/base/seeded_keys.h"

namespace consent::decisions {
namespace {

const base::Bytes16 kHandle{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

TEST(Month, IsTheCalendarsInUtc) {
  base::Instant last{};
  ASSERT_TRUE(base::ParseRfc3339("2026-11-30T23:59:59.999999Z", &last));
  EXPECT_EQ(Month::Of(last).ToText(), "2026-11");
  EXPECT_EQ(Month::Of(last + base::Span{1}).ToText(), "2026-12");
  EXPECT_EQ(Month::Parse("2026-12"), Month::Of(last + base::Span{1}));
  for (const char* text :
       {"", "2026-1", "2026-00", "2026-13", "1969-12", "2026/12", "2026-12 ", "-026-12", "2026-+1"}) {
    EXPECT_FALSE(Month::Parse(text).has_value()) << text;
  }
}

TEST(HandleKeys, LeadBackWithinTheMonthAlone) {
  HandleKeys keys(test::SeededKeys(1));
  HandleKeys others(test::SeededKeys(2));
  const Month november = *Month::Parse("2026-11");
  const auto cipher = keys.Borrow(november);
  const base::Bytes16 sealed = cipher->Encrypt(kHandle);
  EXPECT_NE(sealed, kHandle);
  EXPECT_EQ(cipher->Encrypt(kHandle), sealed) << "the same person is the same all month";
  EXPECT_EQ(cipher->Decrypt(sealed), kHandle);
  EXPECT_NE(keys.Borrow(*Month::Parse("2026-12"))->Encrypt(kHandle), sealed);
  EXPECT_NE(others.Borrow(november)->Encrypt(kHandle), sealed);
}

TEST(HandleKeys, ACipherThatCameBackIsLentForItsMonth) {
  HandleKeys keys(test::SeededKeys(1));
  std::set<base::Bytes16> seen;
  for (const char* month : {"2026-11", "2026-12", "2026-11"}) {
    for (int i = 0; i < 3; ++i) {
      auto cipher = keys.Borrow(*Month::Parse(month));
      EXPECT_EQ(cipher->month(), Month::Parse(month));
      seen.insert(cipher->Encrypt(kHandle));
      keys.GiveBack(std::move(cipher));
    }
  }
  EXPECT_EQ(seen.size(), 2U) << "one for each month";
}

// Whoever verifies an old month takes nothing from the checks of the present one.
TEST(HandleKeys, MonthsKeepTheirCiphersBesideEachOther) {
  HandleKeys keys(test::SeededKeys(1));
  const Month november = *Month::Parse("2026-11");
  const Month december = *Month::Parse("2026-12");
  auto cipher = keys.Borrow(december);
  const HandleCipher* const first = cipher.get();
  keys.GiveBack(std::move(cipher));
  keys.GiveBack(keys.Borrow(november));
  EXPECT_EQ(keys.Borrow(december).get(), first);
  // However many come back, those of the present month are there.
  std::vector<std::unique_ptr<HandleCipher>> many;
  for (int i = 0; i < 200; ++i) many.push_back(keys.Borrow(november));
  for (auto& each : many) keys.GiveBack(std::move(each));
  cipher = keys.Borrow(december);
  const HandleCipher* const another = cipher.get();
  keys.GiveBack(std::move(cipher));
  EXPECT_EQ(keys.Borrow(december).get(), another);
}

}  // namespace
}  // namespace consent::decisions
