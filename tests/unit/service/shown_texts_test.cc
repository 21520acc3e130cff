// What was shown to whoever agreed: sealed with the consent, found again word for word, and never changed under it.
#include "daemon/service/subject/shown_texts.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/base/hash.h"
#include "tests/support/policy_texts.h"
#include "tests/support/service/world.h"

namespace consent::test::shown_texts_test {
namespace {

using domain::Purpose;
using domain::ShownKind;
using domain::ShownText;

// As FillTexts writes it, without its mark.
std::string SentenceOf(const std::string& name) { return "People listen under " + name + ", in en."; }
base::Digest HashOf(const std::string& name) { return base::Sha256(name + " in en\n" + SentenceOf(name) + "\n"); }

const std::vector<ShownText> kHelpUnderGeneral = {{ShownKind::kNotice, "general", "en", HashOf("general")},
                                                  {ShownKind::kControl, "help_improve", "en", HashOf("help_improve")}};

// Of the newest changes first.
std::vector<std::vector<ShownText>> ShownInHistory(World& world, const std::string& account) {
  std::vector<std::vector<ShownText>> shown;
  const auto page = world.reads().History(world.Handle(account), 1000, 0);
  EXPECT_TRUE(page.ok()) << page.status();
  if (!page.ok()) return shown;
  for (const service::HistoryItem& item : page->items) shown.push_back(item.payload.shown);
  return shown;
}

// What settings at `at` say of the account's consent to human review.
std::vector<ShownText> ShownAt(World& world, const std::string& account, base::Instant at) {
  const auto then = world.reads().At(world.Handle(account), at);
  EXPECT_TRUE(then.ok()) << then.status();
  if (!then.ok()) return {};
  for (const service::ShownConsent& consent : then->shown) {
    const bool of_account = consent.scope.kind == domain::ScopeKind::kAccount;
    if (of_account && consent.purpose == Purpose::kHumanReview) return consent.texts;
  }
  return {};
}

// Another text of the control in English.
PolicyBuilder WithOtherControlText(const std::string& version) {
  PolicyBuilder next(version);
  v1::LocalizedText* text = next.Control("help_improve").add_texts();
  text->set_language("en");
  text->set_title("A new title");
  text->set_sentence("[[People listen]], newly said.");
  return next;
}

TEST(ShownWithAConsent, IsSealedInItsChangeAndInNoOther) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Only(Purpose::kModelTraining), Under("past")).ok());
  ASSERT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
  const std::vector<ShownText> past = {{ShownKind::kNotice, "past", "en", HashOf("past")}};
  EXPECT_EQ(ShownInHistory(world, "a"), (std::vector<std::vector<ShownText>>{{}, past, kHelpUnderGeneral, {}}));
  const auto feed = world.store().Feed(store::Partition{0}, 1, 100);
  ASSERT_TRUE(feed.ok());
  const std::string hash(base::View(HashOf("general")));
  for (const store::FeedRow& row : *feed) {
    EXPECT_EQ(row.event.body.find(hash), std::string::npos) << "the evidence is sealed";
  }
}

TEST(ShownWithAConsent, IsToldOfEachPastTimeAsItWasShownThen) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
  const base::Instant first = world.Now();
  ASSERT_TRUE(world.Activate(WithOtherControlText("v2")).ok()) << "what a toggle says may change with a policy";
  ASSERT_TRUE(world.OptIn("a", Account(), Control("messages_improve")).ok());
  const base::Instant second = world.Now();
  world.Wait(base::Seconds(1));
  ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok()) << "renewed";
  const base::Instant third = world.Now();
  world.Restart();

  EXPECT_EQ(ShownAt(world, "a", first), kHelpUnderGeneral);
  EXPECT_EQ(ShownAt(world, "a", second), kHelpUnderGeneral) << "another consent's texts are not this one's";
  const std::vector<ShownText> renewed = ShownAt(world, "a", third);
  ASSERT_EQ(renewed.size(), 2U);
  EXPECT_EQ(renewed[0], kHelpUnderGeneral[0]);
  EXPECT_EQ(renewed[1].sha256, base::Sha256("A new title\nPeople listen, newly said.\n"));

  service::ShownTexts texts(world.core().policies);
  for (const ShownText& shown : {kHelpUnderGeneral[0], kHelpUnderGeneral[1], renewed[1]}) texts.Add(shown, "v2");
  ASSERT_EQ(texts.texts().size(), 3U);
  EXPECT_EQ(texts.texts().at(kHelpUnderGeneral[1]).sentence, SentenceOf("help_improve"))
      << "of an earlier policy, though a later one was named";
  EXPECT_EQ(texts.texts().at(renewed[1]).sentence, "People listen, newly said.");
}

TEST(ShownWithAConsent, IsToldWhenItsNoticeIsSupersededAndItsLanguageDropped) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  service::ChangeRequest request = world.OptInRequest("a", Account(), Control("help_improve"), Under("general"));
  request.command.proof.notice_language = "de";
  ASSERT_TRUE(world.Submit(request).ok());
  PolicyBuilder english("v2");
  english.AddNotice("next", "general", "2026-01-02T00:00:00Z", {"general"});
  english.Notice("general").clear_languages();
  english.Notice("general").add_languages("en");
  ASSERT_TRUE(world.Activate(english).ok());
  world.Restart();

  const std::vector<ShownText> shown = ShownAt(world, "a", world.Now());
  ASSERT_EQ(shown.size(), 2U);
  service::ShownTexts texts(world.core().policies);
  for (const ShownText& text : shown) texts.Add(text, "v1");
  for (const ShownText& text : shown) {
    EXPECT_EQ(text.language, "de");
    EXPECT_EQ(texts.texts().at(text),
              domain::MakeText("de", text.name + " in de", "People listen under " + text.name + ", in de."));
  }
}

TEST(ShownWithAConsent, IsNotMadeUpWhereNoPolicyHasIt) {
  World world;
  service::ShownTexts texts(world.core().policies);
  const ShownText never{ShownKind::kNotice, "general", "en", base::Digest{1}};
  texts.Add(never, "v1");
  EXPECT_EQ(texts.texts().at(never), domain::Text{});
}

TEST(ShownWithAConsent, IsOfBoundedLengthInAnAnswer) {
  World world;
  service::ShownTexts texts(world.core().policies);
  for (int i = 0; i < 300; ++i) texts.Add({ShownKind::kNotice, std::to_string(i), "en", {}}, "v1");
  EXPECT_EQ(texts.texts().size(), service::ShownTexts::kMaxTexts);
}

TEST(ShownWithAConsent, EndsAPageOfHistoryEarlyAndLosesNoEntry) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  const auto whole = world.reads().History(world.Handle("a"), 1000, 0);
  ASSERT_TRUE(whole.ok());
  PolicyBuilder many("v2");
  for (int i = 0; i < 60; ++i) {
    v1::Control& control = *many.policy().add_controls();
    control = many.Control("train");
    control.set_name("train_" + std::to_string(i));
  }
  ASSERT_TRUE(world.Activate(many).ok());
  for (const char* notice : {"general", "own", "past", "short"}) {
    for (const char* language : {"en", "de"}) {
      service::ChangeRequest request = world.OptInRequest("a", Account(), Control("train"), Under(notice));
      request.command.proof.notice_language = language;
      for (int i = 0; i < 60; ++i) {
        request.command.choices.push_back({domain::ScopeRef{}, Control("train_" + std::to_string(i)), true});
      }
      ASSERT_TRUE(world.Submit(request).ok());
    }
  }
  size_t entries = 0;
  size_t pages = 0;
  store::Sequence next = 0;
  do {
    const auto page = world.reads().History(world.Handle("a"), 1000, next);
    ASSERT_TRUE(page.ok());
    entries += page->items.size();
    next = page->next;
    ++pages;
  } while (next != 0 && pages < 10);
  EXPECT_EQ(entries, whole->items.size() + 8);
  EXPECT_EQ(pages, 2U) << "61 controls and 4 notices in two languages are more than a page has";
}

TEST(NoticesTexts, ChangeUnderNoVersionWhetherAnybodyAgreedOrNot) {
  World world;
  PolicyBuilder changed("v2");
  v1::LocalizedText* text = changed.Notice("short").add_texts();
  text->set_language("en");
  text->set_title("Another");
  text->set_sentence("[[People listen]] otherwise.");
  const absl::Status refused = world.Activate(changed);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(refused.message().find("notices[\"short\"].texts[\"en\"] (line "), std::string::npos) << refused;
  EXPECT_EQ(ReasonOf(refused), "POLICY_REFUSED");
  EXPECT_EQ(world.core().policies.rules()->version, "v1");
  const absl::StatusOr<service::PolicyDiff> diff = world.admin().Diff(changed.Build());
  ASSERT_TRUE(diff.ok()) << diff.status();
  EXPECT_EQ(diff->refused, refused.message()) << "who asks beforehand is told the same";

  // Nor by way of a policy without the notice, nor over a restart.
  PolicyBuilder without("v3");
  without.DropNotice("short");
  ASSERT_TRUE(world.Activate(without).ok());
  world.Restart();
  EXPECT_EQ(world.Activate(changed).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(world.Activate(PolicyBuilder("v4")).ok()) << "with its own text it may come back";

  PolicyBuilder renamed = changed;
  renamed.Version("v5").Notice("short").set_version("shorter");
  EXPECT_TRUE(world.Activate(renamed).ok()) << "a new text is a new version";
}

// Two policies in flight: the consent goes with the texts of the one that it is given under.
TEST(ShownWithAConsent, IsThatOfThePolicyInForceAtItsCommit) {
  World world;
  ASSERT_TRUE(world.Register("a", "DE").ok());
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(world.Activate(round % 2 == 0 ? WithOtherControlText("other") : PolicyBuilder("v1")).ok());
    ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok());
    const auto page = world.reads().History(world.Handle("a"), 1, 0);
    ASSERT_TRUE(page.ok());
    const service::HistoryItem& item = page->items.front();
    const auto row = world.core().policies.Find(item.row.policy_version);
    ASSERT_NE(row, nullptr);
    const domain::Rules rules = policy::BuildRules(row->document, row->state, {});
    ASSERT_EQ(item.payload.shown.size(), 2U);
    for (const ShownText& shown : item.payload.shown) EXPECT_NE(domain::FindShown(shown, rules), nullptr) << round;
    ASSERT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
  }
}

}  // namespace
}  // namespace consent::test::shown_texts_test
