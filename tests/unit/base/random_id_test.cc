#include "daemon/base/random_id.h"

#include <gtest/gtest.h>

#include <cctype>
#include <cstring>
#include <random>

#include "daemon/base/base64.h"

namespace consent::base {
namespace {

class Counting final : public Random {
 public:
  void Fill(void* out, size_t n) override {
    for (size_t i = 0; i < n; ++i) static_cast<uint8_t*>(out)[i] = next_++;
  }

 private:
  uint8_t next_ = 1;
};

TEST(RandomIds, AreRandomBytesAndAPartition) {
  Counting random;
  const auto first = DeletionId::Draw(random, 300);
  const auto second = DeletionId::Draw(random, 1023);
  EXPECT_EQ(first.bytes, (Bytes16{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 1, 44}));
  EXPECT_EQ(second.bytes, (Bytes16{15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 3, 255}));
  EXPECT_EQ(first.partition(), 300);
  EXPECT_EQ(second.partition(), 1023);
  EXPECT_EQ(IdText(first), "AQIDBAUGBwgJCgsMDQ4BLA");
}

// One that began with '-' was an option to a command line, one in 64.
TEST(RandomIds, BeginWithALetter) {
  class Ones final : public Random {
   public:
    explicit Ones(int first) : first_(first) {}
    void Fill(void* out, size_t n) override {
      std::memset(out, 0xff, n);
      *static_cast<uint8_t*>(out) = static_cast<uint8_t>(first_);
    }

   private:
    const int first_;
  };
  for (int first = 0; first < 256; ++first) {
    Ones random(first);
    const std::string text = IdText(HoldId::Draw(random, 0));
    EXPECT_NE(std::isalpha(static_cast<unsigned char>(text.front())), 0) << text;
  }
}

TEST(RandomIds, HaveOneTextEach) {
  std::mt19937_64 random(1);
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (int i = 0; i < 1'000; ++i) {
    HoldId id;
    for (uint8_t& byte : id.bytes) byte = static_cast<uint8_t>(random());
    const std::string text = IdText(id);
    ASSERT_EQ(text.size(), 22U);
    ASSERT_EQ(ParseId<HoldId>(text), id);
    for (size_t length = 0; length < text.size(); ++length) {
      ASSERT_FALSE(ParseId<HoldId>(text.substr(0, length))) << length;
    }
    for (const std::string& wrong : {text + "A", text + "==", text + '\0', " " + text, text + "\n"}) {
      ASSERT_FALSE(ParseId<HoldId>(wrong)) << wrong;
    }
    // Of the last digit two bits count: of each four digits one is taken.
    int taken = 0;
    for (const char digit : std::string_view(kDigits)) {
      std::string other = text;
      other.back() = digit;
      if (ParseId<HoldId>(other)) ++taken;
    }
    ASSERT_EQ(taken, 4);
  }
}

TEST(Base64Url, TakesNoOtherAlphabetAndNoOtherSize) {
  EXPECT_EQ(EncodeBase64Url("\xfb\xff\xbe"), "-_--");
  EXPECT_EQ(DecodeBase64Url("-_--", 3), "\xfb\xff\xbe");
  EXPECT_FALSE(DecodeBase64Url("+/++", 3));
  EXPECT_FALSE(DecodeBase64Url("\xad_--", 3));
  EXPECT_FALSE(DecodeBase64Url("-\xdf--", 3));
  EXPECT_FALSE(DecodeBase64Url("-_--", 2));
  EXPECT_FALSE(DecodeBase64Url("-_--", 4));
  EXPECT_EQ(EncodeBase64Url(""), "");
  EXPECT_EQ(DecodeBase64Url("", 0), "");
}

}  // namespace
}  // namespace consent::base
