#include "daemon/base/sealed_box.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <string>
#include <vector>

#include "daemon/base/random.h"

namespace consent::base {
namespace {

const BoxSecretKey kSecret(Digest{7});

TEST(SealedBox, OnlyTheSecretHalfOpensWhatIsSealed) {
  SystemRandom random;
  for (const size_t size : {0, 1, 261, 10'000}) {
    const std::string plain(size, 'p');
    const std::string sealed = kSecret.Public().Seal(plain, random);
    EXPECT_EQ(sealed.size(), size + kSealedBoxOverhead);
    EXPECT_EQ(kSecret.Open(sealed), plain);
    EXPECT_EQ(BoxSecretKey(Digest{8}).Open(sealed), std::nullopt);
    EXPECT_NE(kSecret.Public().Seal(plain, random), sealed) << "two seals of one text are told apart";
  }
}

TEST(SealedBox, EveryFlippedBitAndEveryBeginningIsRefused) {
  SystemRandom random;
  const std::string sealed = kSecret.Public().Seal("an id", random);
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string other = sealed;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << (bit % 8)));
    // The top bit of an X25519 key says nothing, but the nonce is of all its bytes.
    EXPECT_EQ(kSecret.Open(other), std::nullopt) << bit;
  }
  for (size_t size = 0; size < sealed.size(); ++size) EXPECT_EQ(kSecret.Open(sealed.substr(0, size)), std::nullopt);
}

TEST(SealedBox, ItIsLibsodiums) {
  const Digest key = kSecret.Public().bytes();
  const std::string plain = "an id";
  std::string sealed(plain.size() + crypto_box_SEALBYTES, '\0');
  ASSERT_EQ(crypto_box_seal(reinterpret_cast<unsigned char*>(sealed.data()), Unsigned(plain), plain.size(), key.data()),
            0);
  EXPECT_EQ(kSecret.Open(sealed), plain);
}

TEST(SealedBox, AKeyOfLowOrderSealsNothing) {
  SystemRandom random;
  // RFC 7748: the points of order 1, 2, 4 and 8, and those that equal one of them modulo 2^255 − 19.
  const auto from = [](uint8_t first, uint8_t rest, uint8_t last) {
    Digest key{};
    key.fill(rest);
    key.front() = first;
    key.back() = last;
    return key;
  };
  const Digest order_eight = {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
                              0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
                              0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00};
  for (const Digest& key : {Digest{}, Digest{1}, order_eight, from(0xec, 0xff, 0x7f), from(0xed, 0xff, 0x7f),
                            from(0xee, 0xff, 0x7f), from(0, 0, 0x80)}) {
    EXPECT_FALSE(BoxPublicKey(key).CanSeal()) << static_cast<int>(key[0]);
    EXPECT_EQ(BoxPublicKey(key).Seal("an id", random), "");
  }
  EXPECT_TRUE(kSecret.Public().CanSeal());
  EXPECT_TRUE(BoxPublicKey(Digest{9}).CanSeal());
}

}  // namespace
}  // namespace consent::base
