// Media tokens for a data system that cannot call: which system gets which kind, that the daemon redeems none of them,
// and how long one is good at most after a restriction, measured with the verifier that such a system has.
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "consent/media_token.h"
#include "daemon/base/base64.h"
#include "daemon/base/hash.h"
#include "daemon/domain/media_token.h"
#include "tests/support/service/deleting.h"
#include "tests/unit/service/joining.h"
#include "tests/unit/service/reviewing.h"

namespace consent::test {
namespace {

constexpr char kVault[] = "vault";
const base::BoxSecretKey kSecret(base::Digest{8});
// The bound that client/README.md states.
constexpr base::Span Bound(int64_t tolerance) { return base::Seconds(10 + tolerance); }

class OfflineTokenTest : public testing::Test {
 protected:
  OfflineTokenTest() : world_({.partitions = 3}), reviewing_(world_), deleting_(world_) {
    for (const char* account : {"ann-account", "bob-account"}) Agree(world_, account);
    deleting_.Register(Vault());
    deleting_.Register(System("audio"));
    Recapture();
  }
  // Recordings of a moment ago: what is asked about later is not too old.
  void Recapture() { reviewing_.CapturedAt(world_.Now() - base::Seconds(30)); }
  static service::SystemRow Vault(const base::BoxSecretKey& secret = kSecret) {
    service::SystemRow row = System(kVault);
    row.offline_key = secret.Public();
    return row;
  }
  absl::StatusOr<service::OpenedMedia> Open(const Held& held, const std::string& audience = kVault) {
    return world_.reviews().Open(held.name, audience, service::Caller{"tool"});
  }
  std::string Opened(const Held& held, const std::string& audience = kVault) {
    const auto opened = Open(held, audience);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? opened->token : "";
  }
  std::string Why(const std::string& token, const std::string& system = kVault) {
    return Reviewing::Why(reviewing_.Redeem(token, system));
  }
  // A data system that has just begun, whose clock is so far behind the daemon's.
  std::unique_ptr<OfflineMediaVerifier> Store(base::Span behind = {}, int64_t tolerance = 1,
                                              const base::BoxSecretKey& secret = kSecret) {
    OfflineMediaOptions options;
    options.key = *world_.reviews().ReadPublicKey();
    options.secret_key = secret.bytes();
    options.tolerance = std::chrono::seconds(tolerance);
    options.wall_clock = [this, behind] {
      return Time(std::chrono::microseconds((world_.clock.Now() - behind).micros));
    };
    return *OfflineMediaVerifier::Create(options);
  }
  static MediaTokenUse UseOf(const Held& held) {
    return {kVault, Employee().site, base::Hex(base::View(held.grant.media))};
  }
  // Acknowledged when it returns, at the very time at which it was sent.
  void OptOutNow(const std::string& account) {
    std::promise<Reply> promise;
    world_.changes().Submit(world_.OptOutRequest(account, Account(), Everything()),
                            [&](Reply reply) { promise.set_value(std::move(reply)); });
    ASSERT_TRUE(promise.get_future().get().ok());
  }

  World world_;
  Reviewing reviewing_;
  Deleting deleting_;
};

TEST_F(OfflineTokenTest, ItGivesTheIdsToItsSystemOnce) {
  const Held held = reviewing_.Lease("ann-account", "rec-of-ann");
  const auto opened = Open(held);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->life, base::Seconds(10));
  EXPECT_EQ(opened->not_after, world_.clock.Now() + base::Seconds(10));
  const auto store = Store();
  const OfflineMedia media = store->Accept(opened->token, UseOf(held));
  ASSERT_EQ(media.finding, MediaTokenFinding::kGood) << Word(media.finding);
  EXPECT_EQ(media.media->account_id.value(), "ann-account");
  EXPECT_EQ(media.media->recording_id.value(), "rec-of-ann");
  EXPECT_EQ(media.media->artefact, Artefact::kSource);
  EXPECT_EQ(media.media->site, Employee().site);
  EXPECT_EQ(store->Accept(opened->token, UseOf(held)).finding, MediaTokenFinding::kUsed);
  const base::BoxSecretKey other(base::Digest{16});
  EXPECT_EQ(Store({}, 1, other)->Accept(opened->token, UseOf(held)).finding, MediaTokenFinding::kSealed);
}

TEST_F(OfflineTokenTest, ThereIsOneWayForEachDataSystem) {
  const Held held = reviewing_.Lease("ann-account", "rec-of-ann");
  const std::string offline = Opened(held);
  EXPECT_EQ(Why(offline), "MEDIA_TOKEN_REFUSED offline");
  EXPECT_EQ(Why(offline, "audio"), "MEDIA_TOKEN_REFUSED audience");
  const std::string redeemed = Opened(held, "audio");
  EXPECT_EQ(Store()->Accept(redeemed, UseOf(held)).finding, MediaTokenFinding::kUnreadable);
  EXPECT_EQ(Why(redeemed, "audio"), "NONE");
  EXPECT_EQ(Why(Opened(held, "nobody-registered-it"), "nobody-registered-it"), "NONE");
}

TEST_F(OfflineTokenTest, WhatWasOpenedBeforeItsSystemWasRegisteredIsRedeemedNoMore) {
  const std::string token = Opened(reviewing_.Lease("ann-account", "rec-of-ann"), "later");
  service::SystemRow later = Vault();
  later.name = "later";
  deleting_.Register(later);
  EXPECT_EQ(Why(token, "later"), "MEDIA_TOKEN_REFUSED offline");
}

TEST_F(OfflineTokenTest, ARetiredSystemGetsNone) {
  const Held held = reviewing_.Lease("ann-account", "rec-of-ann");
  ASSERT_TRUE(world_.systems().Retire(kVault, "").ok());
  EXPECT_EQ(Reviewing::Why(Open(held).status()), "SYSTEM_NOT_FOUND");
  EXPECT_EQ(reviewing_.State(held), domain::GrantState::kLive);
  const auto heard = world_.list_reviews().Heard(world_.Handle("ann-account"));
  ASSERT_TRUE(heard.ok());
  EXPECT_TRUE(heard->heard.empty()) << "what was not opened was not heard";
}

TEST_F(OfflineTokenTest, ItsKeyStandsAfterARestartAndCannotBeChanged) {
  world_.Restart();
  const auto listed = world_.systems().Find(kVault);
  ASSERT_TRUE(listed.ok());
  EXPECT_EQ(listed->offline_key, kSecret.Public());
  EXPECT_FALSE(world_.systems().Find("audio")->offline_key.has_value());
  EXPECT_TRUE(world_.systems().Register(Vault()).ok()) << "the same again";
  const base::BoxSecretKey other(base::Digest{16});
  EXPECT_EQ(ReasonOf(world_.systems().Register(Vault(other))), "SYSTEM_EXISTS");
  EXPECT_EQ(ReasonOf(world_.systems().Register(System(kVault))), "SYSTEM_EXISTS") << "it cannot begin to call";
  service::SystemRow audio = System("audio");
  audio.offline_key = kSecret.Public();
  EXPECT_EQ(ReasonOf(world_.systems().Register(audio)), "SYSTEM_EXISTS") << "nor stop";
  Recapture();
  const Held held = reviewing_.Lease("ann-account", "rec-of-ann");
  EXPECT_EQ(Store()->Accept(Opened(held), UseOf(held)).finding, MediaTokenFinding::kGood);
}

TEST_F(OfflineTokenTest, WhatIsOpenedIsHeardAndCountedApartFromWhatIsRedeemed) {
  const Held held = reviewing_.Lease("ann-account", "rec-of-ann");
  Opened(held);
  Opened(held);
  EXPECT_EQ(Why(Opened(held, "audio"), "audio"), "NONE");
  const auto shown = world_.list_reviews().Named({held.name.id});
  ASSERT_TRUE(shown.ok() && shown->size() == 1);
  EXPECT_EQ(shown->front().row.grant.opens, 3u);
  EXPECT_EQ(shown->front().row.grant.redeems, 1u);
  EXPECT_EQ(shown->front().row.grant.offline_opens, 2u);
  EXPECT_EQ(world_.list_reviews().Heard(world_.Handle("ann-account"))->heard.size(), 1u);
  // A former grant's counts stay.
  ASSERT_TRUE(reviewing_.End(held, domain::ReviewOutcome::kSkipped).ok());
  world_.Wait(base::Days(31));
  Agree(world_, "ann-account");
  reviewing_.Lease("ann-account", "rec-of-ann");
  const auto former = world_.list_reviews().Named({held.name.id});
  ASSERT_TRUE(former.ok() && former->size() == 1);
  EXPECT_EQ(former->front().row.grant.offline_opens, 2u);
}

TEST_F(OfflineTokenTest, AfterARestrictionNoneIsGiven) {
  const Held held = reviewing_.Lease("ann-account", "rec-of-ann");
  OptOutNow("ann-account");
  EXPECT_EQ(Reviewing::Why(Open(held).status()), "GRANT_ENDED SUBJECT_CHANGED");
}

// The longest time between an acknowledged opt-out and the last moment at which a store that has just begun still gives
// out. The opt-out comes at once after an opening, which is the worst of all its moments; the others are drawn.
TEST_F(OfflineTokenTest, NoPlayBeginsLaterThanTheStatedBoundAfterAnOptOut) {
  struct Clock {
    base::Span behind;
    base::Span longest;
  };
  for (const Clock& clock :
       {Clock{{}, Bound(0)}, Clock{base::Seconds(1), Bound(1)}, Clock{base::Seconds(-3), base::Seconds(7)}}) {
    base::Span longest;
    std::mt19937 dice(19);
    for (int round = 0; round < 12; ++round) {
      const std::string account = "round-" + std::to_string(clock.behind.micros) + "-" + std::to_string(round);
      Agree(world_, account);
      Recapture();
      const Held held = reviewing_.Lease(account, "rec-1");
      const std::string token = Opened(held);
      if (round > 0) world_.Wait(base::Span{static_cast<int64_t>(dice() % 10'000) * 1'000});
      OptOutNow(account);
      const base::Instant acknowledged = world_.clock.Now();
      EXPECT_FALSE(Open(held).ok());
      for (int quarter = 0; quarter < 80; ++quarter, world_.Wait(base::Span{250'000})) {
        // A new one each time: what is good is not used up.
        if (Store(clock.behind)->Accept(token, UseOf(held)).finding != MediaTokenFinding::kGood) continue;
        longest = std::max(longest, world_.clock.Now() - acknowledged);
      }
    }
    EXPECT_EQ(longest.micros, clock.longest.micros) << "a clock that is behind by " << clock.behind.micros;
  }
}

TEST_F(OfflineTokenTest, NothingOfItNamesAnybodyAndNothingComesTwice) {
  std::set<std::string> seen;
  std::set<size_t> lengths;
  for (int i = 0; i < 100; ++i) {
    const std::string account = i % 2 == 0 ? "ann-account" : "bob-account";
    const std::string recording = "recording-" + std::string(static_cast<size_t>(i), 'x') + std::to_string(i);
    const Held held = reviewing_.Lease(account, recording, "listener" + std::to_string(i / 2));
    // Twice of one grant: what is not in plain differs all the same.
    for (int open = 0; open < 2; ++open) {
      const std::string token = Opened(held);
      const auto bytes = base::DecodeBase64Url(token, token.size() * 3 / 4);
      ASSERT_TRUE(bytes.has_value());
      lengths.insert(token.size());
      const base::IdHasher& hasher = world_.core().hasher;
      for (const base::Bytes16& handle :
           {hasher.Subject(account).bytes, hasher.Recording(recording).bytes, hasher.Profile("ann").bytes}) {
        EXPECT_EQ(bytes->find(base::View(handle)), std::string::npos);
      }
      EXPECT_EQ(bytes->find(recording), std::string::npos);
      EXPECT_EQ(bytes->find(account), std::string::npos);
      const auto read = domain::ReadMediaToken(token, *world_.reviews().ReadPublicKey());
      ASSERT_TRUE(read.has_value() && read->is_signed && read->token.IsOffline());
      for (size_t at = 0; at + 6 <= read->token.sealed.size(); ++at) {
        ASSERT_TRUE(seen.insert(read->token.sealed.substr(at, 6)).second) << i << " " << at;
      }
    }
  }
  EXPECT_EQ(lengths.size(), 1u) << "the length tells nothing";
  EXPECT_LE(*lengths.begin(), domain::kMaxMediaTokenBytes);
}

}  // namespace
}  // namespace consent::test
