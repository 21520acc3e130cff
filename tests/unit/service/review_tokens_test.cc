// Media tokens: what is refused, and that nothing of a reply names anybody.
#include "daemon/domain/media_token.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "daemon/base/base64.h"
#include "tests/unit/service/joining.h"
#include "tests/unit/service/reviewing.h"

namespace consent::test {
namespace {

class ReviewTokenTest : public testing::Test {
 protected:
  ReviewTokenTest() : world_({.partitions = 3}), reviewing_(world_) {
    for (const char* account : {"a", "b"}) Agree(world_, account);
    reviewing_.CapturedAt(world_.Now() - base::Seconds(30));
  }
  std::string Opened(const Held& held) {
    const auto opened = reviewing_.Open(held);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? opened->token : "";
  }
  std::string Why(const std::string& token, const std::string& system = "audio") {
    return Reviewing::Why(reviewing_.Redeem(token, system));
  }

  World world_;
  Reviewing reviewing_;
};

TEST_F(ReviewTokenTest, ItIsGoodOnceAndTheLatestAlone) {
  const Held held = reviewing_.Lease("a", "rec");
  const std::string first = Opened(held);
  const std::string second = Opened(held);
  EXPECT_EQ(Why(first), "MEDIA_TOKEN_REFUSED replaced");
  EXPECT_EQ(Why(second), "NONE");
  EXPECT_EQ(Why(second), "MEDIA_TOKEN_REFUSED redeemed");
  world_.Restart();
  EXPECT_EQ(Why(second), "MEDIA_TOKEN_REFUSED redeemed") << "it is burned durably";
  EXPECT_EQ(Why(Opened(held)), "NONE") << "another play";
}

TEST_F(ReviewTokenTest, ItIsForOneDataSystem) {
  const std::string token = Opened(reviewing_.Lease("a", "rec"));
  EXPECT_EQ(Why(token, "vendor"), "MEDIA_TOKEN_REFUSED audience");
  EXPECT_EQ(Why(token), "NONE");
}

TEST_F(ReviewTokenTest, ItLivesForTwoMinutesWhateverTheWallDoes) {
  const Held held = reviewing_.Lease("a", "rec");
  std::string token = Opened(held);
  world_.clock.StepWall(base::Seconds(3'500));
  world_.Wait(base::Seconds(119));
  EXPECT_EQ(Why(token), "NONE");
  token = Opened(held);
  world_.clock.StepWall(base::Seconds(-3'500));
  world_.Wait(base::Seconds(120));
  EXPECT_EQ(Why(token), "MEDIA_TOKEN_REFUSED over");
}

TEST_F(ReviewTokenTest, EachFlippedBitIsSeen) {
  const std::string token = Opened(reviewing_.Lease("a", "rec"));
  const auto bytes = base::DecodeBase64Url(token, token.size() * 3 / 4);
  ASSERT_TRUE(bytes.has_value());
  for (size_t bit = 0; bit < bytes->size() * 8; ++bit) {
    std::string flipped = *bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << (bit % 8));
    const std::string why = Why(base::EncodeBase64Url(flipped));
    EXPECT_TRUE(why == "MEDIA_TOKEN_REFUSED signature" || why == "MEDIA_TOKEN_REFUSED unreadable") << bit << why;
  }
  for (size_t length = 0; length < token.size(); ++length) {
    const std::string why = Why(token.substr(0, length));
    EXPECT_EQ(why.substr(0, 19), "MEDIA_TOKEN_REFUSED") << length;
  }
  EXPECT_EQ(Why(token + "A").substr(0, 19), "MEDIA_TOKEN_REFUSED");
  EXPECT_EQ(Why(token), "NONE");
}

TEST_F(ReviewTokenTest, AnotherStoresKeySignsNothingHere) {
  const Held held = reviewing_.Lease("a", "rec");
  const std::string token = Opened(held);
  const auto key = world_.reviews().ReadPublicKey();
  ASSERT_TRUE(key.ok());
  auto read = domain::ReadMediaToken(token, *key);
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(read->is_signed);
  EXPECT_EQ(world_.core().tokens.Cover(read->token.grant), held.name.id);
  EXPECT_EQ(read->token.media, held.grant.media);
  EXPECT_EQ(read->token.audience, "audio");
  EXPECT_EQ(read->token.site, Employee().site);
  const base::SigningKey other(base::Digest{1});
  EXPECT_EQ(Why(domain::SignMediaToken(read->token, other)), "MEDIA_TOKEN_REFUSED signature");
  EXPECT_FALSE(domain::ReadMediaToken(token, other.public_key())->is_signed);
}

TEST_F(ReviewTokenTest, ItsKeyOutlivesTheMasterKey) {
  const Held held = reviewing_.Lease("a", "rec");
  ASSERT_TRUE(world_.master_keys().Take(world_.keys()).ok());
  const auto before = world_.reviews().ReadPublicKey();
  ASSERT_TRUE(before.ok());
  world_.AddMasterKey();
  ASSERT_TRUE(world_.master_keys().Take(world_.keys()).ok());
  ASSERT_TRUE(world_.master_keys().BeginRewrapping().ok());
  for (;;) {
    const auto piece = world_.rewrapping().Next();
    ASSERT_TRUE(piece.ok()) << piece.status();
    if (piece->is_idle) break;
  }
  world_.Restart();
  EXPECT_EQ(*world_.reviews().ReadPublicKey(), *before);
  EXPECT_EQ(Why(Opened(held)), "NONE");
}

TEST_F(ReviewTokenTest, NothingNamesAnybodyAndNothingComesTwice) {
  std::set<std::string> seen;
  const auto once = [&](const std::string& text) { EXPECT_TRUE(seen.insert(text).second) << text; };
  for (int i = 0; i < 200; ++i) {
    const std::string account = i % 2 == 0 ? "a" : "b";
    const std::string recording = "recording-" + std::to_string(i);
    const Held held = reviewing_.Lease(account, recording, "listener" + std::to_string(i / 2));
    const std::string token = Opened(held);
    const auto bytes = base::DecodeBase64Url(token, token.size() * 3 / 4);
    ASSERT_TRUE(bytes.has_value());
    const base::IdHasher& hasher = world_.core().hasher;
    for (const base::Bytes16& handle :
         {hasher.Subject(account).bytes, hasher.Recording(recording).bytes, hasher.Profile("ann").bytes}) {
      const std::string_view raw = base::View(handle);
      EXPECT_EQ(bytes->find(raw), std::string::npos);
      EXPECT_EQ(base::View(held.grant.media).find(raw), std::string::npos);
      EXPECT_EQ(held.pseudonym.find(base::Hex(raw)), std::string::npos);
    }
    EXPECT_EQ(bytes->find(recording), std::string::npos);
    once(held.pseudonym);
    once(base::IdText(held.name.id));
    once(std::string(base::View(held.grant.media)));
    once(token);
  }
}

}  // namespace
}  // namespace consent::test
