// Bytes under hashes. They must never change: every chain ever written depends on them.
#include <gtest/gtest.h>

#include "daemon/base/hash.h"
#include "daemon/store/store.h"

namespace consent::store {
namespace {

Event Sample() {
  Event event;
  event.subject = "0123456789abcdef";
  event.body = std::string("body\0bytes", 10);
  event.commitment.fill(0xc0);
  return event;
}

const Stamp kStamp{300, base::Instant{1'700'000'000'123'456}};

TEST(Golden, CanonicalEvent) {
  EXPECT_EQ(base::Hex(CanonicalEvent(kStamp, Sample())),
            "01"                                                                // version
            "ac02"                                                              // sequence
            "c0c480c1c1c48203"                                                  // time
            "1030313233343536373839616263646566"                                // subject
            "c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0"  // commitment
            "0a626f6479006279746573");                                          // body
}

TEST(Golden, Chain) {
  const base::Digest first = NextChain({}, Stamp{1, base::Instant{1}}, Event{});
  const base::Digest second = NextChain(first, kStamp, Sample());
  EXPECT_EQ(base::Hex(base::View(first)), "40b1a0f68355d25bdf80b2a96c938d25f1202f0c3198d66141ee14f989a0dcdc");
  EXPECT_EQ(base::Hex(base::View(second)), "6ee624b81d71f63c05858a4f72c45b78baa8e676823e24d915d646b3b91aba59");
}

TEST(Golden, EveryMemberCounts) {
  const base::Digest whole = NextChain({}, kStamp, Sample());
  Event event = Sample();
  event.subject[0] ^= 1;
  EXPECT_NE(NextChain({}, kStamp, event), whole);
  event = Sample();
  event.commitment[31] ^= 1;
  EXPECT_NE(NextChain({}, kStamp, event), whole);
  event = Sample();
  event.body += '\0';
  EXPECT_NE(NextChain({}, kStamp, event), whole);
  EXPECT_NE(NextChain({}, Stamp{301, kStamp.time}, Sample()), whole);
  EXPECT_NE(NextChain({}, Stamp{300, base::Instant{1}}, Sample()), whole);
  EXPECT_NE(NextChain({1}, kStamp, Sample()), whole);
}

}  // namespace
}  // namespace consent::store
