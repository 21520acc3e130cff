#include "daemon/base/bytes.h"

#include <gtest/gtest.h>

#include <random>

#include "daemon/base/hash.h"

namespace consent::base {
namespace {

TEST(Bytes, RoundTrip) {
  std::string bytes;
  Encoder encoder(&bytes);
  encoder.Byte(7);
  for (const uint64_t v : {0ull, 1ull, 127ull, 128ull, 16'383ull, 16'384ull, 1ull << 63, ~0ull}) encoder.Varint(v);
  encoder.BigEndian(0x0102030405060708, 8);
  encoder.BigEndian(0xabcdef, 2);
  encoder.String(std::string_view("a\0b", 3));
  encoder.Raw("tail");

  Decoder decoder(bytes);
  EXPECT_EQ(decoder.Byte(), 7);
  for (const uint64_t v : {0ull, 1ull, 127ull, 128ull, 16'383ull, 16'384ull, 1ull << 63, ~0ull}) {
    EXPECT_EQ(decoder.Varint(), v);
  }
  EXPECT_EQ(decoder.BigEndian(8), 0x0102030405060708u);
  EXPECT_EQ(decoder.BigEndian(2), 0xcdefu) << "the low bytes";
  EXPECT_EQ(decoder.String(3), std::string_view("a\0b", 3));
  EXPECT_FALSE(decoder.Done());
  EXPECT_EQ(decoder.Raw(4), "tail");
  EXPECT_TRUE(decoder.Done());
}

TEST(Bytes, RefusesOverlongVarints) {
  for (const char* hex :
       {"8000", "808000", "ff00", "ffffffffffffffffff02", "80808080808080808080", "8080808080808080808001"}) {
    std::string bytes(std::string_view(hex).size() / 2, '\0');
    ASSERT_TRUE(FromHex(hex, bytes.data(), bytes.size()));
    Decoder decoder(bytes);
    EXPECT_EQ(decoder.Varint(), 0u);
    EXPECT_FALSE(decoder.ok()) << hex;
  }
}

TEST(Bytes, AfterAFailureEverythingIsEmpty) {
  const std::string bytes =
      "\x05"
      "abc";
  Decoder decoder(bytes);
  EXPECT_EQ(decoder.String(100), "") << "five bytes announced, three there";
  EXPECT_EQ(decoder.Byte(), 0);
  EXPECT_EQ(decoder.Varint(), 0u);
  EXPECT_EQ(decoder.BigEndian(1), 0u);
  EXPECT_EQ(decoder.Raw(0), "");
  EXPECT_EQ((decoder.Array<2>()), (std::array<uint8_t, 2>{}));
  EXPECT_FALSE(decoder.Done());
}

TEST(Bytes, StringsHaveALimit) {
  std::string bytes;
  Encoder(&bytes).String("four");
  EXPECT_EQ(Decoder(bytes).String(4), "four");
  Decoder decoder(bytes);
  EXPECT_EQ(decoder.String(3), "");
  EXPECT_FALSE(decoder.ok());
}

TEST(Bytes, AnyBytesAreReadSafely) {
  const uint64_t seed = 3;
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 24, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    Decoder decoder(bytes);
    const uint64_t v = decoder.Varint();
    const std::string_view text = decoder.String(8);
    if (!decoder.Done()) continue;
    std::string again;
    Encoder encoder(&again);
    encoder.Varint(v);
    encoder.String(text);
    EXPECT_EQ(again, bytes) << "one value, one encoding; seed " << seed;
  }
}

TEST(Hash, KnownAnswers) {
  // FIPS 180-4 and RFC 7693 style answers for "abc".
  EXPECT_EQ(Hex(View(Sha256("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Hex(View(Blake2b("abc"))), "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
  EXPECT_EQ(Sha256("a", "bc"), Sha256("abc"));
  EXPECT_EQ(Blake2b("ab", "c"), Blake2b("abc"));
}

TEST(Hash, HexIsLowerCaseAndOfExactLength) {
  uint8_t bytes[2] = {};
  EXPECT_TRUE(FromHex("00ff", bytes, 2));
  EXPECT_EQ(bytes[1], 255);
  EXPECT_FALSE(FromHex("00FF", bytes, 2));
  EXPECT_FALSE(FromHex("00f", bytes, 2));
  EXPECT_FALSE(FromHex("00ff0", bytes, 2));
  EXPECT_FALSE(FromHex("00fg", bytes, 2));
}

}  // namespace
}  // namespace consent::base
