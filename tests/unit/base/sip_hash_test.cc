// Our SipHash is libsodium's, and two at once are the same as each by itself.
#include "daemon/base/sip_hash.h"

#include <sodium.h>

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "daemon/base/hash.h"
#include "daemon/base/ids.h"

namespace consent::base {
namespace {

constexpr size_t kLongest = 300;

class SipHash : public ::testing::Test {
 protected:
  // `size` bytes at an address that is no multiple of eight more often than not.
  std::string_view Text(size_t size, std::string* memory) {
    const size_t skipped = random_() % 8;
    memory->resize(skipped + size);
    for (char& c : *memory) c = static_cast<char>(random_());
    return std::string_view(*memory).substr(skipped);
  }
  Bytes16 Key() {
    Bytes16 key{};
    for (uint8_t& byte : key) byte = static_cast<uint8_t>(random_());
    return key;
  }
  static Bytes16 Sodium(const Bytes16& key, std::string_view text) {
    Bytes16 out{};
    crypto_shorthash_siphashx24(out.data(), Unsigned(text), text.size(), key.data());
    return out;
  }

  std::mt19937 random_{2012};
};

// The first and the last of the authors' vectors_sip128: key 00 to 0f, no input; and the input 00 to 3e.
TEST_F(SipHash, TheAuthorsVectors) {
  Bytes16 key{};
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<uint8_t>(i);
  EXPECT_EQ(Hex(View(SipHash128(key, ""))), "a3817f04ba25a8e66df67214c7550293");
  std::string text;
  for (int i = 0; i < 63; ++i) text.push_back(static_cast<char>(i));
  EXPECT_EQ(Hex(View(SipHash128(key, text))), "5150d1772f50834a503e069a973fbd7c");
}

TEST_F(SipHash, EqualsLibsodiumsForEveryLength) {
  std::string memory;
  for (size_t size = 0; size <= kLongest; ++size) {
    for (int i = 0; i < 20; ++i) {
      const Bytes16 key = Key();
      const std::string_view text = Text(size, &memory);
      ASSERT_EQ(SipHash128(key, text), Sodium(key, text)) << size;
    }
  }
}

TEST_F(SipHash, TwoAtOnceEqualEachByItselfForEveryPairOfLengths) {
  std::string first_memory, second_memory;
  for (size_t first_size = 0; first_size <= kLongest; ++first_size) {
    for (size_t second_size = 0; second_size <= kLongest; ++second_size) {
      const Bytes16 first_key = Key(), second_key = Key();
      const std::string_view first = Text(first_size, &first_memory);
      const std::string_view second = Text(second_size, &second_memory);
      Bytes16 first_out{}, second_out{};
      SipHash128({first_key, first, &first_out}, {second_key, second, &second_out});
      ASSERT_EQ(first_out, Sodium(first_key, first)) << first_size << " beside " << second_size;
      ASSERT_EQ(second_out, Sodium(second_key, second)) << second_size << " beside " << first_size;
    }
  }
}

TEST_F(SipHash, AHandleIsTheSameHashedWithAnother) {
  const IdHasher hasher(Key());
  SubjectHandle subject;
  ProfileHandle profile;
  hasher.SubjectAndProfile("account-1", "ann", &subject, &profile);
  EXPECT_EQ(subject, hasher.Subject("account-1"));
  EXPECT_EQ(profile, hasher.Profile("ann"));
}

}  // namespace
}  // namespace consent::base
