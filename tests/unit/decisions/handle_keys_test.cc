// Handles in the log name nobody without the key of their month, and lead the daemon back.
#include "daemon/decisions/handle_keys.h"

#include <set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace consent::decisions {
namespace {

const base::Bytes16 kHandle{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
const base::MonthKeyName kNovember = *base::MonthKeyName::Parse("2026-11.00000001");
const base::MonthKeyName kDecember = *base::MonthKeyName::Parse("2026-12.00000002");

TEST(HandleKeys, LeadBackUnderTheirKeyAlone) {
  HandleKeys keys;
  keys.Put(kNovember, {1});
  keys.Put(kDecember, {2});
  const auto cipher = keys.Borrow(kNovember.month);
  EXPECT_EQ(cipher->name(), kNovember);
  const base::Bytes16 sealed = cipher->Encrypt(kHandle);
  EXPECT_NE(sealed, kHandle);
  EXPECT_EQ(cipher->Encrypt(kHandle), sealed) << "the same person is the same all month";
  EXPECT_EQ(cipher->Decrypt(sealed), kHandle);
  EXPECT_EQ(HandleCipher({1}, kNovember).Decrypt(sealed), kHandle) << "whoever has the key";
  EXPECT_NE(keys.Borrow(kDecember.month)->Encrypt(kHandle), sealed);
}

TEST(HandleKeys, AMonthWithoutAKeyHasNoCipher) {
  HandleKeys keys;
  EXPECT_EQ(keys.Borrow(kNovember.month), nullptr);
  keys.Put(kDecember, {2});
  EXPECT_FALSE(keys.Has(kNovember.month));
  EXPECT_TRUE(keys.Has(kDecember.month));
  EXPECT_EQ(keys.Borrow(kNovember.month), nullptr);
}

TEST(HandleKeys, ACipherThatCameBackIsLentForItsMonth) {
  HandleKeys keys;
  keys.Put(kNovember, {1});
  keys.Put(kDecember, {2});
  std::set<base::Bytes16> seen;
  for (const base::MonthKeyName& name : {kNovember, kDecember, kNovember}) {
    for (int i = 0; i < 3; ++i) {
      auto cipher = keys.Borrow(name.month);
      EXPECT_EQ(cipher->name(), name);
      seen.insert(cipher->Encrypt(kHandle));
      keys.GiveBack(std::move(cipher));
    }
  }
  EXPECT_EQ(seen.size(), 2U) << "one for each month";
}

// However many of one month come back, those of another are there: a check costs no new cipher.
TEST(HandleKeys, MonthsKeepTheirCiphersBesideEachOther) {
  HandleKeys keys;
  keys.Put(kNovember, {1});
  keys.Put(kDecember, {2});
  auto cipher = keys.Borrow(kDecember.month);
  const HandleCipher* const first = cipher.get();
  keys.GiveBack(std::move(cipher));
  std::vector<std::unique_ptr<HandleCipher>> many;
  for (int i = 0; i < 200; ++i) many.push_back(keys.Borrow(kNovember.month));
  for (auto& each : many) keys.GiveBack(std::move(each));
  EXPECT_EQ(keys.Borrow(kDecember.month).get(), first);
}

TEST(HandleKeys, WhatIsDroppedIsLentNoMore) {
  HandleKeys keys;
  keys.Put(kNovember, {1});
  auto cipher = keys.Borrow(kNovember.month);
  keys.Drop(kNovember);
  keys.GiveBack(std::move(cipher));
  EXPECT_EQ(keys.Borrow(kNovember.month), nullptr) << "not even the one that was under way";
  // Nor is one of another key of the month.
  keys.Put(kNovember, {1});
  cipher = keys.Borrow(kNovember.month);
  const base::MonthKeyName another{kNovember.month, 7};
  keys.Put(another, {7});
  keys.GiveBack(std::move(cipher));
  EXPECT_EQ(keys.Borrow(kNovember.month)->name(), another);
}

TEST(HandleKeys, KeepsFewMonths) {
  HandleKeys keys;
  for (uint32_t i = 0; i < 5; ++i) keys.Put({kNovember.month.Plus(static_cast<int>(i)), i}, {1});
  EXPECT_FALSE(keys.Has(kNovember.month)) << "the one that was put first has made way";
  for (int i = 1; i < 5; ++i) EXPECT_TRUE(keys.Has(kNovember.month.Plus(i)));
}

}  // namespace
}  // namespace consent::decisions
