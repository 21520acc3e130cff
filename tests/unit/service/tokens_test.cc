// Tokens are good for one thing in one store.
#include "daemon/service/state/tokens.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "daemon/base/base64.h"
#include "tests/support/base/seeded_keys.h"
#include "tests/support/service/seeded_random.h"

namespace consent::service {
namespace {

base::Bytes16 IdBytes(uint8_t first, uint16_t partition) {
  base::Bytes16 bytes{first};
  bytes[14] = static_cast<uint8_t>(partition >> 8);
  bytes[15] = static_cast<uint8_t>(partition);
  return bytes;
}

// Every kind of token, and of those that belong to something two.
class OneOfEach {
 public:
  OneOfEach(uint16_t partition, uint64_t number) : partition_{partition}, number_(number) {}

  std::map<std::string, std::string> Made(const Tokens& tokens) const {
    return {{"a revision", tokens.Encode(Revision{partition_, number_})},
            {"a request's etag", tokens.Encode(DeletionEtag{one_, number_})},
            {"another request's etag", tokens.Encode(DeletionEtag{other_, number_})},
            {"a hold's etag", tokens.Encode(HoldEtag{hold_, number_})},
            {"another hold's etag", tokens.Encode(HoldEtag{other_hold_, number_})},
            {"a page", tokens.Encode(PageToken{partition_, number_}, "a listing")},
            {"another listing's page", tokens.Encode(PageToken{partition_, number_}, "another")},
            {"a page of no listing", tokens.Encode(PageToken{partition_, number_}, "")},
            // What a listing's name, an id of zeros and an id of another kind with the same bytes might be taken for.
            {"a page of a listing named as a request is",
             tokens.Encode(PageToken{partition_, number_}, base::View(one_.bytes))}};
  }

  // Who takes it.
  std::vector<std::string> TakenBy(const Tokens& tokens, const std::string& text) const {
    std::vector<std::string> by;
    if (const auto revision = tokens.DecodeRevision(text)) {
      EXPECT_EQ(*revision, (Revision{partition_, number_}));
      by.emplace_back("a revision");
    }
    for (const auto& [name, id] : {std::pair("a request's etag", one_), std::pair("another request's etag", other_)}) {
      if (const auto etag = tokens.DecodeEtag(text, id)) {
        EXPECT_EQ(*etag, (DeletionEtag{id, number_}));
        by.emplace_back(name);
      }
    }
    for (const auto& [name, id] : {std::pair("a hold's etag", hold_), std::pair("another hold's etag", other_hold_)}) {
      if (const auto etag = tokens.DecodeEtag(text, id)) {
        EXPECT_EQ(*etag, (HoldEtag{id, number_}));
        by.emplace_back(name);
      }
    }
    const std::string as_a_request(base::View(one_.bytes));
    for (const auto& [name, listing] : {std::pair<std::string, std::string>("a page", "a listing"),
                                        {"another listing's page", "another"},
                                        {"a page of no listing", ""},
                                        {"a page of a listing named as a request is", as_a_request}}) {
      if (const auto page = tokens.DecodePage(text, listing)) {
        EXPECT_EQ(*page, (PageToken{partition_, number_}));
        by.push_back(name);
      }
    }
    return by;
  }

 private:
  const store::Partition partition_;
  const uint64_t number_;
  const base::DeletionId one_{IdBytes(1, partition_.number)}, other_{IdBytes(2, partition_.number)};
  const base::HoldId hold_{IdBytes(1, partition_.number)}, other_hold_{IdBytes(2, partition_.number)};
};

TEST(Tokens, AreGoodForOneThingInOneStore) {
  const base::Keys keys = test::SeededKeys(1);
  const Tokens tokens(keys, base::Bytes16{1});
  const Tokens other_store(keys, base::Bytes16{2});
  const Tokens other_keys(test::SeededKeys(2), base::Bytes16{1});
  for (const uint64_t number : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 40, UINT64_MAX}) {
    for (const uint16_t partition : {0, 1, 1023, 65535}) {
      const OneOfEach one(partition, number);
      for (const auto& [name, text] : one.Made(tokens)) {
        EXPECT_LE(text.size(), 32U);
        EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                  std::string::npos);
        EXPECT_EQ(one.TakenBy(tokens, text), std::vector<std::string>{name});
        EXPECT_EQ(one.TakenBy(other_store, text), std::vector<std::string>{}) << name;
        EXPECT_EQ(one.TakenBy(other_keys, text), std::vector<std::string>{}) << name;
      }
    }
  }
}

TEST(Tokens, AreNothingWithABitFlippedOrCut) {
  const Tokens tokens(test::SeededKeys(1), base::Bytes16{1});
  const OneOfEach one(5, 1234);
  for (const auto& [name, text] : one.Made(tokens)) {
    const std::string bytes = *base::DecodeBase64Url(text, 15);
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
      EXPECT_EQ(one.TakenBy(tokens, base::EncodeBase64Url(flipped)), std::vector<std::string>{}) << name << bit;
    }
    for (size_t bit = 0; bit < text.size() * 8; ++bit) {
      std::string flipped = text;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
      EXPECT_EQ(one.TakenBy(tokens, flipped), std::vector<std::string>{}) << name << bit;
    }
    for (size_t length = 0; length < text.size(); ++length) {
      EXPECT_EQ(one.TakenBy(tokens, text.substr(0, length)), std::vector<std::string>{}) << name << length;
      EXPECT_EQ(one.TakenBy(tokens, text.substr(text.size() - length)), std::vector<std::string>{}) << name << length;
    }
    for (const std::string& wrong : {text + "A", text + "=", " " + text, text + '\0', text + text}) {
      EXPECT_EQ(one.TakenBy(tokens, wrong), std::vector<std::string>{}) << wrong;
    }
  }
}

TEST(Tokens, CannotBeMade) {
  const Tokens tokens(test::SeededKeys(1), base::Bytes16{1});
  const OneOfEach one(5, 1234);
  std::mt19937_64 random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string garbage(random() % 40, '\0');
    for (char& c : garbage) c = static_cast<char>(random());
    ASSERT_EQ(one.TakenBy(tokens, garbage), std::vector<std::string>{});
    ASSERT_EQ(one.TakenBy(tokens, base::EncodeBase64Url(garbage.substr(0, 15))), std::vector<std::string>{});
  }
}

TEST(Tokens, WhatAToolSeesOfAGrantDoesNotSayItsPartition) {
  const Tokens tokens(test::SeededKeys(1), base::Bytes16{1});
  test::SeededRandom random(7);
  constexpr int kGrants = 2000;
  constexpr size_t kPartitions = 1024;
  std::set<uint16_t> seen;
  for (int i = 0; i < kGrants; ++i) {
    const base::GrantId id = base::GrantId::Draw(random, 613);
    const base::GrantId covered = tokens.Cover(id);
    EXPECT_EQ(tokens.Cover(covered), id);
    seen.insert(covered.partition() % kPartitions);
  }
  // As many as of draws by chance: 1,024 × (1 − e^(−2,000 ÷ 1,024)) are 879, give or take 9.
  EXPECT_NEAR(static_cast<double>(seen.size()), 879, 50);
}

}  // namespace
}  // namespace consent::service
