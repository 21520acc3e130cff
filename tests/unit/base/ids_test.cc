#include "daemon/base/ids.h"

#include <gtest/gtest.h>

#include "daemon/base/hash.h"

namespace consent::base {
namespace {

TEST(Ids, KindsAndKeysAreApart) {
  const IdHasher hasher(Bytes16{1});
  const IdHasher other(Bytes16{2});
  EXPECT_EQ(hasher.Subject("a"), hasher.Subject("a"));
  EXPECT_NE(hasher.Subject("a"), hasher.Subject("A"));
  EXPECT_NE(hasher.Subject("a"), other.Subject("a"));
  EXPECT_NE(hasher.Subject("a").bytes, hasher.Profile("a").bytes);
  EXPECT_NE(hasher.Profile("a").bytes, hasher.Device("a").bytes);
  EXPECT_NE(hasher.Device("a").bytes, hasher.Guardian("a").bytes);
  EXPECT_NE(hasher.Guardian("a").bytes, hasher.Recording("a").bytes);
}

TEST(Ids, EveryByteCounts) {
  const SubjectHandle handle = IdHasher(Bytes16{1}).Subject("a");
  for (size_t i = 0; i < handle.bytes.size(); ++i) {
    SubjectHandle other = handle;
    other.bytes[i] ^= 1;
    EXPECT_NE(other, handle) << i;
    SubjectHandle one;
    one.bytes[i] = 1;
    EXPECT_TRUE(one.IsSet()) << i;
  }
}

TEST(Ids, UnsetIsZero) {
  EXPECT_FALSE(SubjectHandle{}.IsSet());
  EXPECT_TRUE(IdHasher(Bytes16{1}).Subject("").IsSet());
}

// Handles are on disk: this answer must never change.
TEST(Ids, Golden) {
  EXPECT_EQ(Hex(View(IdHasher(Bytes16{1, 2, 3}).Subject("account-1").bytes)), "8aaa4892341cc3a1c98a9a2bd6eb8682");
}

}  // namespace
}  // namespace consent::base
