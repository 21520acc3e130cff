#include "daemon/base/sip_hash.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace consent::base {
namespace {

// SipHash reads and writes little-endian words.
static_assert(std::endian::native == std::endian::little);

constexpr size_t kWord = sizeof(uint64_t);

uint64_t Load(const void* from) {
  uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

class State {
 public:
  explicit State(const Bytes16& key) {
    const uint64_t k0 = Load(key.data());
    const uint64_t k1 = Load(key.data() + kWord);
    v0_ = k0 ^ 0x736f6d6570736575;
    v1_ = k1 ^ 0x646f72616e646f6d ^ 0xee;
    v2_ = k0 ^ 0x6c7967656e657261;
    v3_ = k1 ^ 0x7465646279746573;
  }

  // Around the two rounds of each word of input.
  void Before(uint64_t word) { v3_ ^= word; }
  void After(uint64_t word) { v0_ ^= word; }
  // Before the four rounds of either half of the output.
  void BeginFirstHalf() { v2_ ^= 0xee; }
  void BeginSecondHalf() { v1_ ^= 0xdd; }

  void Round() {
    v0_ += v1_;
    v2_ += v3_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v1_;
    v0_ += v3_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ = std::rotl(v2_, 32);
  }

  void Absorb(uint64_t word) {
    Before(word);
    Round();
    Round();
    After(word);
  }

  void Write(uint8_t* to) const {
    const uint64_t half = v0_ ^ v1_ ^ v2_ ^ v3_;
    std::memcpy(to, &half, sizeof half);
  }

 private:
  uint64_t v0_, v1_, v2_, v3_;
};

// Both states take a word at once.
void Absorb(State& a, uint64_t word_a, State& b, uint64_t word_b) {
  a.Before(word_a);
  b.Before(word_b);
  for (int i = 0; i < 2; ++i) {
    a.Round();
    b.Round();
  }
  a.After(word_a);
  b.After(word_b);
}

uint64_t WordOf(std::string_view text, size_t number) { return Load(text.data() + number * kWord); }

// The bytes behind the last whole word, and the length.
uint64_t LastWord(std::string_view text) {
  const size_t left = text.size() % kWord;
  uint64_t word = 0;
  if (text.size() >= kWord) {
    // The last eight bytes, without those that were in a word before. Shifted twice, as `left` may be 0.
    word = Load(text.data() + text.size() - kWord) >> 8 >> (8 * (kWord - 1 - left));
  } else {
    for (size_t i = 0; i < left; ++i) word |= static_cast<uint64_t>(static_cast<uint8_t>(text[i])) << (8 * i);
  }
  return word | static_cast<uint64_t>(text.size()) << 56;
}

}  // namespace

Bytes16 SipHash128(const Bytes16& key, std::string_view text) {
  State state(key);
  const size_t words = text.size() / kWord;
  for (size_t i = 0; i < words; ++i) state.Absorb(WordOf(text, i));
  state.Absorb(LastWord(text));
  Bytes16 out;
  state.BeginFirstHalf();
  for (int i = 0; i < 4; ++i) state.Round();
  state.Write(out.data());
  state.BeginSecondHalf();
  for (int i = 0; i < 4; ++i) state.Round();
  state.Write(out.data() + kWord);
  return out;
}

void SipHash128(const SipHashJob& first, const SipHashJob& second) {
  State a(first.key);
  State b(second.key);
  const size_t words_a = first.text.size() / kWord;
  const size_t words_b = second.text.size() / kWord;
  const size_t both = std::min(words_a, words_b);
  for (size_t i = 0; i < both; ++i) Absorb(a, WordOf(first.text, i), b, WordOf(second.text, i));
  for (size_t i = both; i < words_a; ++i) a.Absorb(WordOf(first.text, i));
  for (size_t i = both; i < words_b; ++i) b.Absorb(WordOf(second.text, i));
  Absorb(a, LastWord(first.text), b, LastWord(second.text));
  a.BeginFirstHalf();
  b.BeginFirstHalf();
  for (int i = 0; i < 4; ++i) {
    a.Round();
    b.Round();
  }
  a.Write(first.out->data());
  b.Write(second.out->data());
  a.BeginSecondHalf();
  b.BeginSecondHalf();
  for (int i = 0; i < 4; ++i) {
    a.Round();
    b.Round();
  }
  a.Write(first.out->data() + kWord);
  b.Write(second.out->data() + kWord);
}

}  // namespace consent::base
