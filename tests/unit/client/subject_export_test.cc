// All that is held about one subject: every page, of one time, in both forms; and the file that it goes to.
#include "client/cli/engines/subject_export.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "client/cli/files.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/client/fakes.h"

namespace consent::cli {
namespace {

using testing::FakeClient;

const Time kReadAt = std::chrono::sys_days(std::chrono::year(2026) / 2 / 3);
const AccountId kAnn("ann");

// `count` items in pages of two.
template <typename Page, typename Item>
Page PageOf(std::vector<Item> Page::*items, int count, const std::string& token, const std::function<Item(int)>& make) {
  Page page;
  const int from = token.empty() ? 0 : std::stoi(token);
  for (int n = from; n < std::min(from + 2, count); ++n) (page.*items).push_back(make(n));
  if (from + 2 < count) page.next_page_token = std::to_string(from + 2);
  return page;
}

class SubjectExportTest : public ::testing::Test {
 protected:
  SubjectExportTest() {
    client_.on_get_subject = [this](const AccountId& account) {
      EXPECT_EQ(account, kAnn);
      Subject subject;
      subject.region = "DE";
      subject.devices = {DeviceId("hall")};
      // Changes as often as the test says.
      subject.etag = Etag(changes_ > 0 ? "change " + std::to_string(changes_--) : "last");
      return subject;
    };
    client_.on_get_settings = [](const AccountId&) {
      CurrentSettings current;
      current.policy_version = "policy-1";
      return current;
    };
    client_.on_history = [](const AccountId&, int, const std::string& token) {
      return PageOf<HistoryPage, HistoryEntry>(&HistoryPage::entries, 5, token, [](int n) {
        HistoryEntry entry;
        entry.revision = Etag("revision-" + std::to_string(n));
        entry.kind = ChangeKind::kHoldPlaced;
        entry.evidence.reference = "ticket-" + std::to_string(n);
        return entry;
      });
    };
    client_.on_list_deletions = [](const DeletionQuery& query) {
      EXPECT_EQ(query.account_id, kAnn);
      return PageOf<DeletionPage, DeletionRequest>(&DeletionPage::requests, 3, query.page_token, [](int n) {
        DeletionRequest request;
        request.deletion_id = DeletionId("deletion-" + std::to_string(n));
        request.selector = Everything{};
        return request;
      });
    };
    client_.on_list_holds = [](const HoldQuery& query) {
      EXPECT_EQ(query.account_id, kAnn);
      EXPECT_TRUE(query.include_released);
      return PageOf<HoldPage, Hold>(&HoldPage::holds, 3, query.page_token, [](int n) {
        Hold hold;
        hold.hold_id = HoldId("hold-" + std::to_string(n));
        hold.selector.scope = ProfileId("eve");
        return hold;
      });
    };
    client_.on_list_heard = [](const AccountId& account) {
      EXPECT_EQ(account, kAnn);
      Heard heard;
      heard.heard_at = kReadAt - std::chrono::hours(24);
      heard.purpose = Purpose::kHumanReview;
      heard.country = "FR";
      heard.reviewer = ReviewerClass::kContractor;
      heard.outcome = ReviewOutcome::kSkipped;
      return consent::HeardList{{heard, Heard{}}, true};
    };
  }

  FakeClient client_;
  int changes_ = 0;
};

TEST_F(SubjectExportTest, HasEveryPageWithEvidence) {
  const auto subject = ReadSubject(client_, kAnn);
  ASSERT_TRUE(subject.ok()) << subject.status();
  const Json json = ExportJson(*subject, kReadAt);
  EXPECT_EQ(json["account_id"], "ann");
  EXPECT_EQ(json["read_at"], "2026-02-03T00:00:00Z");
  EXPECT_EQ(json["subject"]["region"], "DE");
  EXPECT_EQ(json["settings"]["policy_version"], "policy-1");
  ASSERT_EQ(json["history"].size(), 5u);
  EXPECT_EQ(json["history"][4]["evidence"]["reference"], "ticket-4");
  EXPECT_EQ(json["history"][4]["kind"], "HOLD_PLACED");
  ASSERT_EQ(json["deletion_requests"].size(), 3u);
  EXPECT_EQ(json["deletion_requests"][2]["deletion_id"], "deletion-2");
  ASSERT_EQ(json["holds"].size(), 3u);
  EXPECT_EQ(json["holds"][2]["selector"]["profile_id"], "eve");
  ASSERT_EQ(json["heard"].size(), 2u);
  EXPECT_EQ(json["heard"][0], Json({{"heard_at", "2026-02-02T00:00:00Z"},
                                    {"purpose", "HUMAN_REVIEW"},
                                    {"country", "FR"},
                                    {"reviewer_class", "CONTRACTOR"},
                                    {"outcome", "SKIPPED"}}))
      << "and nothing that says who";
  EXPECT_TRUE(json["heard_is_cut"]);
}

TEST_F(SubjectExportTest, TheTextSaysTheSame) {
  const auto subject = ReadSubject(client_, kAnn);
  ASSERT_TRUE(subject.ok());
  const std::string text = ExportText(*subject, kReadAt);
  for (const char* part :
       {"ann", "2026-02-03T00:00:00Z", "DE", "hall", "policy-1", "revision-4", "ticket-4", "deletion-2", "hold-2",
        "profile:eve", "2026-02-02T00:00:00Z", "SKIPPED", "the latest of it"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  SubjectExport bare;
  bare.account_id = AccountId("a\x1b[2J");
  EXPECT_EQ(ExportText(bare, kReadAt).find('\x1b'), std::string::npos) << "nothing reaches a terminal's controls";
  EXPECT_NE(ExportText(bare, kReadAt).find("Legal holds\n-----------\nnone\n"), std::string::npos);
}

TEST_F(SubjectExportTest, AChangeMeanwhileMeansReadingAgain) {
  changes_ = 3;
  const auto subject = ReadSubject(client_, kAnn);
  ASSERT_TRUE(subject.ok());
  EXPECT_EQ(subject->subject.etag, Etag("last"));
  EXPECT_EQ(subject->history.size(), 5u) << "not those of two readings";
  changes_ = 1000;
  EXPECT_EQ(ReadSubject(client_, kAnn).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(SubjectExportTest, AnErrorLeavesNothing) {
  client_.on_list_holds = [](const HoldQuery& query) -> absl::StatusOr<HoldPage> {
    if (!query.page_token.empty()) return absl::UnavailableError("restarting");
    HoldPage page;
    page.next_page_token = "more";
    return page;
  };
  EXPECT_EQ(ReadSubject(client_, kAnn).status().code(), absl::StatusCode::kUnavailable);
  client_.on_list_heard = [](const AccountId&) { return absl::PermissionDeniedError("not yours"); };
  client_.on_list_holds = [](const HoldQuery&) { return HoldPage(); };
  EXPECT_EQ(ReadSubject(client_, kAnn).status().code(), absl::StatusCode::kPermissionDenied);
  client_.on_get_settings = [](const AccountId&) { return absl::NotFoundError("not there"); };
  EXPECT_EQ(ReadSubject(client_, kAnn).status().code(), absl::StatusCode::kNotFound);
}

class WholeFileTest : public ::testing::Test {
 protected:
  std::string Read() const {
    std::ifstream file(path_);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  ptrdiff_t Files() const {
    return std::distance(std::filesystem::directory_iterator(folder_.path()), std::filesystem::directory_iterator());
  }

  test::TempFolder folder_;
  const std::string path_ = folder_ / "out";
};

TEST_F(WholeFileTest, IsWrittenForItsOwnerOnly) {
  const mode_t before = ::umask(0);
  ASSERT_TRUE(WriteWholeFile(path_, "one", false).ok());
  ::umask(before);
  struct stat found {};
  ASSERT_EQ(::stat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
  EXPECT_EQ(Read(), "one");
  EXPECT_EQ(Files(), 1) << "nothing is left beside it";
}

TEST_F(WholeFileTest, ReplacesOnlyWhereThatIsSaid) {
  ASSERT_TRUE(WriteWholeFile(path_, "one", false).ok());
  EXPECT_EQ(WriteWholeFile(path_, "two", false).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Read(), "one");
  EXPECT_TRUE(WriteWholeFile(path_, "two", true).ok());
  EXPECT_EQ(Read(), "two");
  EXPECT_EQ(Files(), 1);
}

TEST_F(WholeFileTest, WhatIsNoFileIsNotReplaced) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(WriteWholeFile(path_, "one", true).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(WriteWholeFile(folder_.path().string(), "one", true).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(WriteWholeFile(folder_ / "nowhere/out", "one", true).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Files(), 1);
}

}  // namespace
}  // namespace consent::cli
