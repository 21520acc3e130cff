// What people are shown, as messages: a settings page's texts and notices, and how to appeal.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/domain/rules.h"
#include "daemon/domain/texts.h"
#include "daemon/domain/types.h"
#include "daemon/wire/appeal.h"
#include "daemon/wire/settings.h"

namespace consent::testing::texts_test {
namespace {

using domain::Purpose;
using ::testing::ElementsAre;

constexpr base::Instant kNow{1'000};

domain::Notice NoticeOf(const std::string& version, domain::NoticeNumber number, const domain::PurposeSet& purposes) {
  domain::Notice notice;
  notice.version = version;
  notice.number = number;
  notice.purposes = purposes;
  notice.says_people_listen = true;
  notice.valid_from = base::Instant{1};
  notice.texts = {domain::MakeText("en", version, "English"), domain::MakeText("de", version, "Deutsch")};
  return notice;
}

// A control that people listen under, one that they do not, and a notice for each way in which it can be left out.
domain::Rules RulesWithTexts() {
  domain::Rules rules;
  domain::Regime own;
  own.name = "own";
  own.appeal_texts = {{"en", "Write.", "https://example.com/own"}, {"de", "Schreiben.", ""}};
  domain::Regime unknown;
  unknown.name = "unknown";
  unknown.appeal_texts = {{"en", "Write anyway.", ""}};
  rules.regimes = {own, unknown};
  rules.unknown_regime = 1;
  domain::PurposeSet review;
  review.Add(Purpose::kHumanReview);
  domain::PurposeSet both = review;
  both.Add(Purpose::kFeatureDevelopment);
  domain::PurposeSet training;
  training.Add(Purpose::kModelTraining);
  rules.purposes = both;
  rules.purposes.Add(Purpose::kModelTraining);
  rules.controls.push_back({"help_improve", 1, both, {domain::MakeText("de", "Titel", "Menschen hören zu.")}});
  rules.controls.push_back({"train", 2, training, {domain::MakeText("en", "Title", "Computers learn.")}});
  rules.notices = {NoticeOf("all", 1, rules.purposes), NoticeOf("silent", 2, rules.purposes),
                   NoticeOf("review", 3, review), NoticeOf("later", 4, rules.purposes),
                   NoticeOf("over", 5, rules.purposes)};
  rules.notices[1].says_people_listen = false;
  rules.notices[3].valid_from = kNow + base::Microseconds(1);
  rules.notices[4].superseded_from = kNow;
  return rules;
}

domain::SubjectFacts SomebodyWhoAgreedTo(domain::NoticeNumber notice) {
  domain::SubjectFacts facts;
  domain::ScopeFacts account;
  account.kind = domain::ScopeKind::kAccount;
  if (notice != 0) {
    domain::PurposeChoice given;
    given.choice = domain::Choice::kGiven;
    given.since = base::Instant{500};
    given.notice = notice;
    account.ChoiceFor(Purpose::kModelTraining) = given;
  }
  facts.scopes.push_back(account);
  return facts;
}

v1::Settings Shown(domain::NoticeNumber agreed_to, const std::string& language) {
  v1::Settings settings;
  wire::WriteSettings(SomebodyWhoAgreedTo(agreed_to), {}, RulesWithTexts(), base::Now::Sure(kNow), language, &settings);
  return settings;
}

std::vector<std::string> VersionsOf(const v1::Settings& settings) {
  std::vector<std::string> versions;
  for (const v1::NoticeSetting& notice : settings.notices()) {
    versions.push_back((notice.offered() ? "" : "not ") + notice.text().notice_version());
  }
  return versions;
}

TEST(SettingsPage, OffersNoticesThatAreValidAndNotSuperseded) {
  EXPECT_THAT(VersionsOf(Shown(0, "")), ElementsAre("all", "silent", "review"));
  EXPECT_THAT(VersionsOf(Shown(5, "")), ElementsAre("all", "silent", "review", "not over"))
      << "one that a consent names is shown as well";
}

TEST(SettingsPage, SaysOfEachControlUnderWhichNoticesItCanBeTurnedOn) {
  const v1::Settings settings = Shown(0, "");
  EXPECT_THAT(settings.controls(0).notice_versions(), ElementsAre("all"))
      << "one that lists all its purposes and says that people listen";
  EXPECT_THAT(settings.controls(1).notice_versions(), ElementsAre("all", "silent"));
}

TEST(SettingsPage, ShowsEachTextInTheLanguageThatIsAskedForOrTheNearest) {
  const v1::Settings german = Shown(0, "de-AT");
  const v1::ShownText& text = german.controls(0).text();
  EXPECT_EQ(text.control(), "help_improve");
  EXPECT_EQ(text.language(), "de");
  EXPECT_EQ(text.title(), "Titel");
  EXPECT_EQ(text.sentence(), "Menschen hören zu.");
  const base::Digest hash = domain::HashOfText("Titel", "Menschen hören zu.");
  EXPECT_EQ(text.sha256(), std::string(base::View(hash)));
  EXPECT_EQ(german.controls(1).text().language(), "en") << "it has no other";
  EXPECT_EQ(german.notices(0).text().sentence(), "Deutsch");
  EXPECT_EQ(Shown(0, "fr").notices(0).text().sentence(), "English");
  EXPECT_EQ(Shown(0, "").controls(0).text().language(), "de") << "no English one, so the first";
}

v1::DeletionRequest ToldTo(const std::string& regime, domain::DeletionState state, const std::string& language) {
  domain::DeletionRequest request;
  request.regime = regime;
  request.state = state;
  v1::DeletionRequest out;
  wire::WriteHowToAppeal(request, RulesWithTexts(), language, &out);
  return out;
}

TEST(HowToAppeal, IsToldToWhoeverWasDeniedUnderItsRegime) {
  const v1::HowToAppeal english = ToldTo("own", domain::DeletionState::kDenied, "").how_to_appeal();
  EXPECT_EQ(english.language() + "|" + english.sentence() + "|" + english.url(), "en|Write.|https://example.com/own");
  const v1::HowToAppeal german = ToldTo("own", domain::DeletionState::kDenied, "de-CH").how_to_appeal();
  EXPECT_EQ(german.language() + "|" + german.sentence() + "|" + german.url(), "de|Schreiben.|");
  EXPECT_EQ(ToldTo("dropped", domain::DeletionState::kDenied, "de").how_to_appeal().sentence(), "Write anyway.")
      << "a denial always says how, also when its regime has left the policy";
  for (int number = 1; number <= static_cast<int>(domain::DeletionState::kCancelled); ++number) {
    const auto state = static_cast<domain::DeletionState>(number);
    EXPECT_EQ(ToldTo("own", state, "").has_how_to_appeal(), state == domain::DeletionState::kDenied) << number;
  }
}

}  // namespace
}  // namespace consent::testing::texts_test
