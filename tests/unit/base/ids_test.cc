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

// What an id leads to is what every handle of before leads to: nobody needs the ids.
TEST(Ids, ALayerLiesOverEachHandle) {
  const IdHasher below(Bytes16{1});
  const HandleLayer first(Bytes16{2});
  const HandleLayer second(Bytes16{3});
  const IdHasher both(Bytes16{1}, {first, second});
  EXPECT_EQ(both.Subject("a"), second.Over(first.Over(below.Subject("a"))));
  EXPECT_EQ(both.Profile("a"), second.Over(first.Over(below.Profile("a"))));
  EXPECT_EQ(both.Device("a"), second.Over(first.Over(below.Device("a"))));
  EXPECT_EQ(both.Guardian("a"), second.Over(first.Over(below.Guardian("a"))));
  EXPECT_EQ(both.Recording("a"), second.Over(first.Over(below.Recording("a"))));
  SubjectHandle subject;
  ProfileHandle profile;
  both.SubjectAndProfile("a", "b", &subject, &profile);
  EXPECT_EQ(subject, both.Subject("a"));
  EXPECT_EQ(profile, both.Profile("b"));
  EXPECT_NE(both.Subject("a"), IdHasher(Bytes16{1}, {second, first}).Subject("a"));
  EXPECT_NE(first.Over(ProfileHandle{{7}}).bytes, first.Over(DeviceHandle{{7}}).bytes) << "kinds stay apart";
}

TEST(Ids, ALayerKeepsThePartitionAndNothingElse) {
  const IdHasher below(Bytes16{1});
  const HandleLayer layer(Bytes16{2});
  size_t kept_more = 0;
  for (int i = 0; i < 1000; ++i) {
    const Bytes16 was = below.Subject(std::to_string(i)).bytes;
    const Bytes16 is = layer.Over(SubjectHandle{was}).bytes;
    EXPECT_EQ(was[15], is[15]);
    EXPECT_EQ(was[14] & 3, is[14] & 3);
    kept_more += was[14] == is[14] ? 1 : 0;
    EXPECT_NE(was[0] << 16 | was[1] << 8 | was[2], is[0] << 16 | is[1] << 8 | is[2]) << i;
  }
  EXPECT_LT(kept_more, 60U) << "one in 64";
  EXPECT_FALSE(layer.Over(SubjectHandle{}).IsSet()) << "none stays none";
  EXPECT_FALSE(layer.Over(GuardianHandle{}).IsSet());
}

// Handles are on disk: these answers must never change.
TEST(Ids, Golden) {
  EXPECT_EQ(Hex(View(IdHasher(Bytes16{1, 2, 3}).Subject("account-1").bytes)), "8aaa4892341cc3a1c98a9a2bd6eb8682");
  const IdHasher layered(Bytes16{1, 2, 3}, {HandleLayer(Bytes16{4, 5, 6})});
  EXPECT_EQ(Hex(View(layered.Subject("account-1").bytes)), "542bb84cb8ad4f12f503c2efd7cf9e82");
}

}  // namespace
}  // namespace consent::base
