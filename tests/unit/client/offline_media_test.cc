// Offline media tokens opened without a call: which, once, and until when. The vectors of the golden file are those
// that the Python package is tested by, too (tests/integration/clients/test_python_reviews.py); CONSENT_WRITE_GOLDEN=1
// writes it anew.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "consent/media_token.h"
#include "daemon/base/base64.h"
#include "daemon/base/bytes.h"
#include "daemon/base/hash.h"
#include "daemon/base/sealed_box.h"
#include "daemon/domain/media_token.h"

namespace consent::offline_media_test {
namespace {

constexpr char kGolden[] = CONSENT_GOLDEN_DIR "/media/offline-1.txt";
constexpr int64_t kNow = 1'790'000'000'000'000;  // microseconds
constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kTolerance = 2;  // seconds

// The same bytes in each run: the golden file has what is sealed with them.
class CountedRandom final : public base::Random {
 public:
  void Fill(void* out, size_t n) override {
    for (size_t i = 0; i < n; ++i) static_cast<uint8_t*>(out)[i] = static_cast<uint8_t>(dice_());
  }

 private:
  std::mt19937 dice_{19};
};

const base::SigningKey& Signer(uint8_t seed = 1) {
  static const std::array<base::SigningKey, 2> keys = {base::SigningKey(base::Digest{1}),
                                                       base::SigningKey(base::Digest{2})};
  return keys[seed - 1];
}
// X25519 does not look at the lowest three bits.
base::BoxSecretKey Box(uint8_t seed = 3) { return base::BoxSecretKey(base::Digest{static_cast<uint8_t>(8 * seed)}); }

const domain::MediaIds kIds = {"ann", "rec-1", domain::Artefact::kSource};

class Tokens {
 public:
  domain::MediaToken Make(int64_t not_after = kNow + 10 * kSecond, const domain::MediaIds& ids = kIds,
                          uint8_t box = 3) {
    domain::MediaToken token;
    token.grant.bytes.fill(0x11);
    token.fence = 300;
    token.media.fill(0xab);
    random_.Fill(token.nonce.data(), token.nonce.size());
    token.not_after.micros = not_after;
    token.site = "cluj";
    token.audience = "vault";
    token.sealed = SealMediaIds(ids, Box(box).Public(), random_);
    return token;
  }
  std::string Signed(int64_t not_after = kNow + 10 * kSecond) { return SignMediaToken(Make(not_after), Signer()); }
  base::Random& random() { return random_; }

 private:
  CountedRandom random_;
};

// The bound that client/README.md states, in microseconds.
constexpr int64_t Bound(int64_t tolerance) { return (10 + tolerance) * kSecond; }

MediaTokenUse Use() { return {"vault", "cluj", "abababababababababababababababab"}; }

// A clock that stands still until it is set.
class Store {
 public:
  explicit Store(int64_t now = kNow, size_t max_accepted = 1000, int64_t tolerance = kTolerance)
      : now_(std::make_shared<std::atomic<int64_t>>(now)) {
    OfflineMediaOptions options;
    options.key = Signer().public_key();
    options.secret_key = Box().bytes();
    options.tolerance = std::chrono::seconds(tolerance);
    options.max_accepted = max_accepted;
    options.wall_clock = [now = now_] { return Time(std::chrono::microseconds(now->load())); };
    verifier_ = *OfflineMediaVerifier::Create(options);
  }
  void SetClock(int64_t now) { *now_ = now; }
  OfflineMedia Accept(const std::string& token, const MediaTokenUse& use = Use()) {
    return verifier_->Accept(token, use);
  }
  // The word of the finding; what is good must give out, and what is not must give nothing.
  std::string Found(const std::string& token, const MediaTokenUse& use = Use()) {
    const OfflineMedia answer = Accept(token, use);
    EXPECT_EQ(answer.media.has_value(), answer.finding == MediaTokenFinding::kGood);
    return std::string(Word(answer.finding));
  }

 private:
  std::shared_ptr<std::atomic<int64_t>> now_;
  std::unique_ptr<OfflineMediaVerifier> verifier_;
};

struct Vector {
  std::string name;
  std::string finding;  // of a verifier that has seen nothing yet
  std::string token;
  MediaTokenUse use = Use();
  int64_t now = kNow;
  domain::MediaIds ids = {};
};

std::string Bytes(const std::string& token) { return *base::DecodeBase64Url(token, token.size() * 3 / 4); }

std::string SignedBody(std::string body) {
  body.append(base::View(Signer().Sign(body)));
  return base::EncodeBase64Url(body);
}

std::vector<Vector> Times(Tokens& tokens) {
  const int64_t end = kNow + 10 * kSecond;
  const std::string token = tokens.Signed();
  const int64_t tolerance = kTolerance * kSecond;
  return {{"fresh", "good", token, Use(), kNow, kIds},
          {"at its end", "good", token, Use(), end, kIds},
          {"after it: no tolerance lengthens a token", "over", token, Use(), end + 1},
          {"a year after it", "over", token, Use(), end + 365 * 86'400 * kSecond},
          {"a clock that is behind within the tolerance", "good", token, Use(), kNow - tolerance, kIds},
          {"more than that", "ahead", token, Use(), kNow - tolerance - 1},
          {"a clock of 1969", "ahead", token, Use(), -1},
          {"no end that a clock has", "ahead", tokens.Signed(INT64_MAX)},
          {"an end in 1970", "over", tokens.Signed(0)}};
}

std::vector<Vector> Uses(Tokens& tokens) {
  const std::string token = tokens.Signed();
  domain::MediaToken longest =
      tokens.Make(kNow + kSecond, {std::string(128, 'a'), std::string(128, 'r'), domain::Artefact::kDatasetItem});
  longest.fence = UINT64_MAX;
  longest.site = std::string(64, 's');
  longest.audience = std::string(64, 'a');
  const domain::MediaIds longest_ids = {std::string(128, 'a'), std::string(128, 'r'), domain::Artefact::kDatasetItem};
  const domain::MediaIds shortest_ids = {"a", "r", domain::Artefact::kTranscript};
  const std::string media = Use().media_handle;
  return {{"another data system", "audience", token, {"audio", "cluj", media}},
          {"another site", "site", token, {"vault", "iasi", media}},
          {"no site", "site", token, {"vault", "", media}},
          {"another recording", "media", token, {"vault", "cluj", "bb" + media.substr(2)}},
          {"the longest",
           "good",
           SignMediaToken(longest, Signer()),
           {longest.audience, longest.site, media},
           kNow,
           longest_ids},
          {"the shortest", "good", SignMediaToken(tokens.Make(kNow + kSecond, shortest_ids), Signer()), Use(), kNow,
           shortest_ids}};
}

std::vector<Vector> Forged(Tokens& tokens) {
  const std::string token = tokens.Signed();
  std::string bytes = Bytes(token);
  const std::string body = bytes.substr(0, bytes.size() - 64);
  domain::MediaToken redeemed = tokens.Make();
  redeemed.sealed.clear();
  domain::MediaToken garbled = tokens.Make();
  garbled.sealed[40] = static_cast<char>(garbled.sealed[40] ^ 1);
  domain::MediaToken nobody = tokens.Make(kNow + kSecond, {"", "rec-1", domain::Artefact::kSource});
  domain::MediaToken unknown = tokens.Make(kNow + kSecond, {"ann", "rec-1", static_cast<domain::Artefact>(7)});
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  return {{"another key", "signature", SignMediaToken(tokens.Make(), Signer(2))},
          {"a bit of the signature", "signature", base::EncodeBase64Url(bytes)},
          {"sealed to another key", "sealed", SignMediaToken(tokens.Make(kNow + kSecond, kIds, 4), Signer())},
          {"a bit of what is sealed", "sealed", SignMediaToken(garbled, Signer())},
          {"nobody's", "sealed", SignMediaToken(nobody, Signer())},
          {"of no artefact", "sealed", SignMediaToken(unknown, Signer())},
          {"one that is redeemed", "unreadable", SignMediaToken(redeemed, Signer())},
          {"the same body as one that is redeemed", "unreadable", SignedBody('\x01' + body.substr(1))},
          {"another format", "unreadable", SignedBody('\x03' + body.substr(1))},
          {"a byte more", "unreadable", SignedBody(body + "x")},
          {"a byte less", "unreadable", SignedBody(body.substr(0, body.size() - 1))},
          {"no signature", "unreadable", base::EncodeBase64Url(body)},
          {"nothing", "unreadable", ""},
          {"padded", "unreadable", token + "="},
          {"768 bytes", "unreadable", std::string(768, 'A')},
          {"769 bytes", "unreadable", std::string(769, 'A')}};
}

std::vector<Vector> All() {
  Tokens tokens;
  std::vector<Vector> all = Times(tokens);
  for (const auto& more : {Uses(tokens), Forged(tokens)}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::string GoldenText(const std::vector<Vector>& vectors) {
  std::ostringstream out;
  out << "# key\tsecret key of the data system\ttolerance in seconds\n"
      << base::Hex(base::View(Signer().public_key())) << "\t" << base::Hex(base::View(Box().bytes())) << "\t"
      << kTolerance
      << "\n# name\tfinding\tnow in microseconds\taudience\tsite\tmedia handle\taccount\trecording\tartefact\ttoken\n";
  for (const Vector& vector : vectors) {
    const bool is_source = vector.ids.artefact == domain::Artefact::kSource;
    out << vector.name << "\t" << vector.finding << "\t" << vector.now << "\t" << vector.use.audience << "\t"
        << vector.use.site << "\t" << vector.use.media_handle << "\t" << vector.ids.account_id << "\t"
        << vector.ids.recording_id << "\t" << (is_source ? 1 : static_cast<int>(vector.ids.artefact)) << "\t"
        << vector.token << "\n";
  }
  return out.str();
}

TEST(OfflineMediaVerifierTest, FindsWhatTheVectorsSay) {
  for (const Vector& vector : All()) {
    Store store(vector.now);
    const OfflineMedia answer = store.Accept(vector.token, vector.use);
    EXPECT_EQ(Word(answer.finding), vector.finding) << vector.name;
    ASSERT_EQ(answer.media.has_value(), vector.finding == "good") << vector.name;
    if (!answer.media.has_value()) continue;
    EXPECT_EQ(answer.media->account_id.value(), vector.ids.account_id);
    EXPECT_EQ(answer.media->recording_id.value(), vector.ids.recording_id);
    const bool is_source = vector.ids.artefact == domain::Artefact::kSource;
    EXPECT_EQ(static_cast<int>(answer.media->artefact), is_source ? 1 : static_cast<int>(vector.ids.artefact));
    EXPECT_EQ(answer.media->site, vector.use.site);
  }
  const std::string text = GoldenText(All());
  if (std::getenv("CONSENT_WRITE_GOLDEN") != nullptr) std::ofstream(kGolden) << text;
  std::ostringstream golden;
  golden << std::ifstream(kGolden).rdbuf();
  EXPECT_EQ(golden.str(), text) << "CONSENT_WRITE_GOLDEN=1 writes it anew";
}

TEST(OfflineMediaVerifierTest, AFilterForDataSystemsThatCallTakesNone) {
  Tokens tokens;
  MediaTokenOptions options;
  options.key = Signer().public_key();
  options.wall_clock = [] { return Time(std::chrono::microseconds(kNow)); };
  EXPECT_EQ(MediaTokenVerifier::Create(options)->Verify(tokens.Signed(), Use()), MediaTokenFinding::kUnreadable);
}

TEST(OfflineMediaVerifierTest, NoBitOfATokenMayTurn) {
  Tokens tokens;
  const std::string token = tokens.Signed();
  const std::string bytes = Bytes(token);
  Store store;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string turned = bytes;
    turned[bit / 8] = static_cast<char>(turned[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(store.Found(base::EncodeBase64Url(turned)), "good") << bit;
  }
  for (size_t bit = 0; bit < token.size() * 8; ++bit) {
    std::string turned = token;
    turned[bit / 8] = static_cast<char>(turned[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(store.Found(turned), "good") << bit;
  }
  for (size_t size = 0; size < token.size(); ++size) EXPECT_NE(store.Found(token.substr(0, size)), "good") << size;
  EXPECT_EQ(store.Found(token), "good") << "what was refused used nothing up";
}

TEST(OfflineMediaVerifierTest, ATokenCountsOnce) {
  Tokens tokens;
  Store store;
  const std::string token = tokens.Signed();
  EXPECT_EQ(store.Found(token), "good");
  EXPECT_EQ(store.Found(token), "used");
  store.SetClock(kNow + 10 * kSecond);
  EXPECT_EQ(store.Found(token), "used") << "to its last moment";
  store.SetClock(kNow + 10 * kSecond + 1);
  EXPECT_EQ(store.Found(token), "over");
  EXPECT_EQ(store.Found(tokens.Signed(kNow + 20 * kSecond)), "good") << "another play";
}

// Whatever the store's clock does, what was accepted is never accepted again.
TEST(OfflineMediaVerifierTest, NoStepOfTheClockBringsATokenBack) {
  Tokens tokens;
  for (uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 dice(seed);
    Store store(kNow, 8 + dice() % 40);
    std::vector<std::string> accepted;
    int64_t daemon = kNow;
    for (int step = 0; step < 40; ++step) {
      daemon += dice() % (3 * kSecond);
      const int64_t apart = static_cast<int64_t>(dice() % (40 * kSecond)) - 20 * kSecond;
      store.SetClock(daemon + (dice() % 3 == 0 ? apart : 0));
      const std::string token = tokens.Signed(daemon + 10 * kSecond);
      if (store.Found(token) == "good") accepted.push_back(token);
      for (const std::string& before : accepted) ASSERT_NE(store.Found(before), "good") << "seed " << seed;
    }
    EXPECT_GT(accepted.size(), 10u) << seed;
  }
}

TEST(OfflineMediaVerifierTest, WhereThereIsNoRoomNothingIsForgottenEarly) {
  Tokens tokens;
  Store store(kNow, 3);
  std::vector<std::string> first;
  for (int i = 0; i < 3; ++i) first.push_back(tokens.Signed());
  for (const std::string& token : first) EXPECT_EQ(store.Found(token), "good");
  store.SetClock(kNow + 10 * kSecond - 1);
  const std::string next = tokens.Signed(kNow + 20 * kSecond - 1);
  EXPECT_EQ(store.Found(next), "full");
  for (const std::string& token : first) EXPECT_EQ(store.Found(token), "used");
  store.SetClock(kNow + 10 * kSecond);
  EXPECT_EQ(store.Found(tokens.Signed(kNow + 20 * kSecond)), "good") << "the three are over by the daemon's clock";
  EXPECT_EQ(store.Found(next), "good") << "what was refused for want of room was not used up";
}

TEST(OfflineMediaVerifierTest, OfManyThreadsOneIsGivenIt) {
  Tokens tokens;
  Store store(kNow, 1'000);
  std::vector<std::string> all;
  for (int i = 0; i < 50; ++i) all.push_back(tokens.Signed());
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (const std::string& token : all) good += store.Accept(token).finding == MediaTokenFinding::kGood ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 50);
}

// What the header says: by a clock that is behind by the tolerance, 10 seconds and the tolerance after the daemon
// signed; by one that is right 10 seconds.
TEST(OfflineMediaVerifierTest, TheLastMomentIsTheStatedBound) {
  const auto last_good = [](int64_t behind) {
    Tokens tokens;
    int64_t last = -1;
    for (int64_t after = 0; after <= 30 * kSecond; after += kSecond / 4) {
      Store store(kNow + after - behind);
      if (store.Found(tokens.Signed()) == "good") last = after;
    }
    return last;
  };
  EXPECT_EQ(last_good(0), Bound(0));
  EXPECT_EQ(last_good(kTolerance * kSecond), Bound(kTolerance));
  EXPECT_EQ(last_good(-4 * kSecond), 6 * kSecond) << "a clock that is ahead shortens it";
}

TEST(OfflineMediaVerifierTest, ItsOptionsHaveBounds) {
  const auto with = [](int64_t tolerance, size_t max_accepted) {
    OfflineMediaOptions options;
    options.tolerance = std::chrono::seconds(tolerance);
    options.max_accepted = max_accepted;
    return OfflineMediaVerifier::Create(options).status().code();
  };
  EXPECT_EQ(with(0, 1), absl::StatusCode::kOk);
  EXPECT_EQ(with(5, kMostAcceptedTokens), absl::StatusCode::kOk);
  for (const auto& [tolerance, most] :
       std::vector<std::pair<int64_t, size_t>>{{-1, 1}, {6, 1}, {0, 0}, {0, kMostAcceptedTokens + 1}}) {
    EXPECT_EQ(with(tolerance, most), absl::StatusCode::kInvalidArgument) << tolerance << " " << most;
  }
  EXPECT_EQ(OfflineMedia().finding, MediaTokenFinding::kUnreadable);
  EXPECT_FALSE(OfflineMedia().media.has_value());
}

TEST(OfflineMediaVerifierTest, TheSystemsClockIsItsDefault) {
  Tokens tokens;
  OfflineMediaOptions options;
  options.key = Signer().public_key();
  options.secret_key = Box().bytes();
  const auto verifier = OfflineMediaVerifier::Create(options);
  ASSERT_TRUE(verifier.ok());
  const int64_t now =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  EXPECT_EQ((*verifier)->Accept(tokens.Signed(now + 9 * kSecond), Use()).finding, MediaTokenFinding::kGood);
  EXPECT_EQ((*verifier)->Accept(tokens.Signed(now - 1), Use()).finding, MediaTokenFinding::kOver);
}

TEST(OfflineMediaVerifierTest, TokensOfOneRecordingShareNothingButWhatIsPlain) {
  Tokens tokens;
  const domain::MediaIds others[] = {kIds, {std::string(128, 'a'), std::string(128, 'r'), domain::Artefact::kSource}};
  const domain::MediaToken first = tokens.Make();
  for (const domain::MediaIds& ids : others) {
    const domain::MediaToken second = tokens.Make(kNow + 10 * kSecond, ids);
    ASSERT_EQ(first.sealed.size(), domain::kSealedMediaIdsBytes);
    ASSERT_EQ(second.sealed.size(), first.sealed.size()) << "the length tells nothing";
    for (size_t i = 0; i + 4 <= first.sealed.size(); ++i) {
      EXPECT_EQ(second.sealed.find(first.sealed.substr(i, 4)), std::string::npos) << i;
    }
    for (const std::string& name : {ids.account_id, ids.recording_id}) {
      EXPECT_EQ(Bytes(SignMediaToken(second, Signer())).find(name), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace consent::offline_media_test
