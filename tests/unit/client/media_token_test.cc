// Media tokens verified without a call. The vectors of the golden file are those that the Python package is tested by,
// too (tests/integration/clients/test_python_client.py); CONSENT_WRITE_GOLDEN=1 writes it anew.
#include "consent/media_token.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "daemon/base/base64.h"
#include "daemon/base/bytes.h"
#include "daemon/base/hash.h"
#include "daemon/domain/media_token.h"

namespace consent {
namespace {

constexpr char kGolden[] = CONSENT_GOLDEN_DIR "/media/tokens-1.txt";
constexpr int64_t kNow = 1'790'000'000'000'000;  // microseconds
constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kTolerance = 5;  // seconds

const base::SigningKey& Key(uint8_t seed = 1) {
  static const std::array<base::SigningKey, 2> keys = {base::SigningKey(base::Digest{1}),
                                                       base::SigningKey(base::Digest{2})};
  return keys[seed - 1];
}

domain::MediaToken Token(int64_t not_after = kNow + 60 * kSecond) {
  domain::MediaToken token;
  token.grant.bytes.fill(0x11);
  token.fence = 300;
  token.media.fill(0xab);
  token.nonce.fill(0x33);
  token.not_after.micros = not_after;
  token.site = "cluj";
  token.audience = "audio";
  return token;
}

MediaTokenUse Use() { return {"audio", "cluj", "abababababababababababababababab"}; }

struct Vector {
  std::string name;
  std::string finding;
  std::string token;
  MediaTokenUse use = Use();
  int64_t now = kNow;
};

MediaTokenVerifier Verifier(int64_t now, const base::PublicKey& key = Key().public_key()) {
  MediaTokenOptions options;
  options.key = key;
  options.tolerance = std::chrono::seconds(kTolerance);
  options.wall_clock = [now] { return Time(std::chrono::microseconds(now)); };
  return *MediaTokenVerifier::Create(options);
}

std::string Found(const Vector& vector) {
  return std::string(Word(Verifier(vector.now).Verify(vector.token, vector.use)));
}

std::string Bytes(const std::string& token) { return *base::DecodeBase64Url(token, token.size() * 3 / 4); }

// The same signature written with S + L in place of S, which RFC 8032 forbids.
std::string WithLargeS(const std::string& token) {
  static constexpr std::array<uint8_t, 32> kOrder = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                                     0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                                     0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
  std::string bytes = Bytes(token);
  int carry = 0;
  for (size_t i = 0; i < 32; ++i) {
    auto& byte = bytes[bytes.size() - 32 + i];
    carry += static_cast<uint8_t>(byte) + kOrder[i];
    byte = static_cast<char>(carry & 0xff);
    carry >>= 8;
  }
  return base::EncodeBase64Url(bytes);
}

std::string Signed(const domain::MediaToken& token, uint8_t seed = 1) { return SignMediaToken(token, Key(seed)); }

// A body that is no token's, signed all the same.
std::string SignedBody(std::string body) {
  body.append(base::View(Key().Sign(body)));
  return base::EncodeBase64Url(body);
}

std::vector<Vector> Times() {
  const int64_t end = kNow + 60 * kSecond;
  const std::string token = Signed(Token());
  const int64_t tolerance = kTolerance * kSecond;
  return {{"fresh", "good", token},
          {"at its end", "good", token, Use(), end},
          {"within the tolerance", "good", token, Use(), end + tolerance},
          {"after it", "over", token, Use(), end + tolerance + 1},
          {"a year after it", "over", token, Use(), end + 365 * 86'400 * kSecond},
          {"its whole life ahead", "good", token, Use(), end - 120 * kSecond},
          {"more, within the tolerance", "good", token, Use(), end - 120 * kSecond - tolerance},
          {"more than that", "ahead", token, Use(), end - 120 * kSecond - tolerance - 1},
          {"a clock of 1969", "ahead", token, Use(), -1},
          {"no end that a clock has", "ahead", Signed(Token(INT64_MAX))},
          {"an end in 1970", "over", Signed(Token(0))}};
}

std::vector<Vector> Uses() {
  const std::string token = Signed(Token());
  domain::MediaToken without_site = Token();
  without_site.site.clear();
  domain::MediaToken longest = Token();
  longest.fence = UINT64_MAX;
  longest.site = std::string(64, 's');
  longest.audience = std::string(64, 'a');
  const std::string media = Use().media_handle;
  return {{"another data system", "audience", token, {"vendor", "cluj", media}},
          {"a longer name", "audience", token, {"audio2", "cluj", media}},
          {"no name", "audience", token, {"", "cluj", media}},
          {"another site", "site", token, {"audio", "iasi", media}},
          {"no site", "site", token, {"audio", "", media}},
          {"another recording", "media", token, {"audio", "cluj", "bb" + media.substr(2)}},
          {"in capitals", "media", token, {"audio", "cluj", "AB" + media.substr(2)}},
          {"no recording", "media", token, {"audio", "cluj", ""}},
          {"without a site", "good", Signed(without_site), {"audio", "", media}},
          {"without a site, for one", "site", Signed(without_site)},
          {"the longest", "good", Signed(longest), {longest.audience, longest.site, media}}};
}

std::vector<Vector> Forged() {
  const std::string token = Signed(Token());
  std::string bytes = Bytes(token);
  const std::string body = bytes.substr(0, bytes.size() - 64);
  std::string format = body;
  format[0] = 3;
  std::string over_long = body;
  over_long.replace(17, 2, std::string("\xac\x82\x00", 3));
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  return {
      {"another key", "signature", Signed(Token(), 2)},
      {"a bit of the signature", "signature", base::EncodeBase64Url(bytes)},
      {"the signature in other words", "signature", WithLargeS(token)},
      {"no signature", "unreadable", base::EncodeBase64Url(body)},
      {"a signature alone", "unreadable", base::EncodeBase64Url(std::string(64, 's'))},
      {"another format", "unreadable", SignedBody(format)},
      {"one for a data system that cannot call", "unreadable",
       SignedBody('\x02' + body.substr(1) + std::string(309, 's'))},
      {"a byte more", "unreadable", SignedBody(body + "x")},
      {"a byte less", "unreadable", SignedBody(body.substr(0, body.size() - 1))},
      {"a number in other words", "unreadable", SignedBody(over_long)},
      {"nothing", "unreadable", ""},
      {"no base64", "unreadable", "?" + token.substr(1)},
      {"padded", "unreadable", token + "="},
      {"with blanks", "unreadable", token + " "},
      {"cut", "signature", base::EncodeBase64Url(Bytes(token).substr(0, bytes.size() - 64) + std::string(64, '\0'))},
      {"768 bytes", "unreadable", std::string(768, 'A')},
      {"769 bytes", "unreadable", std::string(769, 'A')}};
}

std::vector<Vector> All() {
  std::vector<Vector> all = Times();
  for (const auto& more : {Uses(), Forged()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::string GoldenText(const std::vector<Vector>& vectors) {
  std::ostringstream out;
  out << "# key\ttolerance in seconds\n"
      << base::Hex(base::View(Key().public_key())) << "\t" << kTolerance
      << "\n# name\tfinding\tnow in microseconds\taudience\tsite\tmedia handle\ttoken\n";
  for (const Vector& vector : vectors) {
    out << vector.name << "\t" << vector.finding << "\t" << vector.now << "\t" << vector.use.audience << "\t"
        << vector.use.site << "\t" << vector.use.media_handle << "\t" << vector.token << "\n";
  }
  return out.str();
}

TEST(MediaTokenVerifierTest, FindsWhatTheVectorsSay) {
  for (const Vector& vector : All()) EXPECT_EQ(Found(vector), vector.finding) << vector.name;
  const std::string text = GoldenText(All());
  if (std::getenv("CONSENT_WRITE_GOLDEN") != nullptr) std::ofstream(kGolden) << text;
  std::ostringstream golden;
  golden << std::ifstream(kGolden).rdbuf();
  EXPECT_EQ(golden.str(), text) << "CONSENT_WRITE_GOLDEN=1 writes it anew";
}

TEST(MediaTokenVerifierTest, NoBitOfATokenMayTurn) {
  const std::string token = Signed(Token());
  const std::string bytes = Bytes(token);
  const MediaTokenVerifier verifier = Verifier(kNow);
  ASSERT_EQ(verifier.Verify(token, Use()), MediaTokenFinding::kGood);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string turned = bytes;
    turned[bit / 8] = static_cast<char>(turned[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(verifier.Verify(base::EncodeBase64Url(turned), Use()), MediaTokenFinding::kGood) << bit;
  }
  // The text, too: what is no text of these very bytes is none.
  for (size_t bit = 0; bit < token.size() * 8; ++bit) {
    std::string turned = token;
    turned[bit / 8] = static_cast<char>(turned[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(verifier.Verify(turned, Use()), MediaTokenFinding::kGood) << bit;
  }
  for (size_t size = 0; size < token.size(); ++size) {
    EXPECT_NE(verifier.Verify(token.substr(0, size), Use()), MediaTokenFinding::kGood) << size;
  }
}

TEST(MediaTokenVerifierTest, GarbageOfAnyLengthIsNothing) {
  std::mt19937 dice(19);
  const std::string token = Signed(Token());
  const MediaTokenVerifier verifier = Verifier(kNow);
  for (int round = 0; round < 20'000; ++round) {
    // Bytes, the text of bytes, or a token of which some letters were put elsewhere.
    std::string garbage(dice() % 900, '\0');
    for (char& byte : garbage) byte = static_cast<char>(dice());
    if (round % 3 == 1) garbage = base::EncodeBase64Url(garbage);
    if (round % 3 == 2) {
      garbage = token;
      garbage.replace(dice() % token.size(), 1 + dice() % 9, token.substr(dice() % token.size(), dice() % 9));
      if (garbage == token) continue;
    }
    EXPECT_NE(verifier.Verify(garbage, Use()), MediaTokenFinding::kGood) << "seed 19, round " << round;
  }
}

TEST(MediaTokenVerifierTest, TheKeyOfBeforeIsNone) {
  EXPECT_EQ(Verifier(kNow, Key(2).public_key()).Verify(Signed(Token()), Use()), MediaTokenFinding::kSignature);
  EXPECT_EQ(Verifier(kNow, base::PublicKey{}).Verify(Signed(Token()), Use()), MediaTokenFinding::kSignature);
}

TEST(MediaTokenVerifierTest, AToleranceHasItsBounds) {
  for (const int seconds : {-1, 61}) {
    MediaTokenOptions options;
    options.tolerance = std::chrono::seconds(seconds);
    EXPECT_EQ(MediaTokenVerifier::Create(options).status().code(), absl::StatusCode::kInvalidArgument) << seconds;
  }
  MediaTokenOptions options;
  options.key = Key().public_key();
  options.tolerance = std::chrono::seconds(0);
  const int64_t now =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  const auto verifier = MediaTokenVerifier::Create(options);
  ASSERT_TRUE(verifier.ok());
  EXPECT_EQ(verifier->Verify(Signed(Token(now + 100 * kSecond)), Use()), MediaTokenFinding::kGood)
      << "the system's clock";
  EXPECT_EQ(verifier->Verify(Signed(Token(now - 1)), Use()), MediaTokenFinding::kOver);
}

}  // namespace
}  // namespace consent
