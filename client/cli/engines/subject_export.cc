#include "client/cli/engines/subject_export.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "client/cli/render/render.h"
#include "client/cli/render/render_deletion.h"
#include "client/cli/render/render_heard.h"
#include "client/cli/render/render_hold.h"
#include "client/cli/render/render_subject.h"
#include "client/cli/render/render_texts.h"

namespace consent::cli {
namespace {

constexpr int kEntriesPerPage = 1000;
// A hundred of them fit a message even where each names a thousand recordings.
constexpr int kListedPerPage = 100;
constexpr int kMostReads = 5;
constexpr char kNotIncluded[] =
    "The recordings and what was made of them: they lie in the data systems. Which recordings were reported: their ids "
    "are kept as keyed hashes only.";
constexpr char kNoDecisions[] =
    " What was answered yes about them, and which people read about them: the decision log's files were not given.";

// Asks `next` for page after page and appends their items to *all.
template <typename Page, typename Item>
absl::Status ReadPages(const std::function<absl::StatusOr<Page>(const std::string& token)>& next,
                       std::vector<Item> Page::*items, std::vector<Item>* all) {
  std::string token;
  do {
    absl::StatusOr<Page> page = next(token);
    if (!page.ok()) return page.status();
    std::vector<Item>& found = (*page).*items;
    all->insert(all->end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
    token = page->next_page_token;
  } while (!token.empty());
  return absl::OkStatus();
}

// Each once, whichever pages show it.
void AddTexts(const std::vector<ShownText>& of_page, std::vector<ShownText>* all) {
  for (const ShownText& text : of_page) {
    if (std::find(all->begin(), all->end(), text) == all->end()) all->push_back(text);
  }
}

absl::Status ReadLists(Client& client, SubjectExport* out) {
  const AccountId& account = out->account_id;
  absl::Status status = ReadPages<HistoryPage, HistoryEntry>(
      [&](const std::string& token) {
        absl::StatusOr<HistoryPage> page = client.ListSettingsHistory(account, kEntriesPerPage, token);
        if (page.ok()) AddTexts(page->texts, &out->texts);
        return page;
      },
      &HistoryPage::entries, &out->history);
  if (!status.ok()) return status;
  DeletionQuery deletions;
  deletions.account_id = account;
  deletions.page_size = kListedPerPage;
  status = ReadPages<DeletionPage, DeletionRequest>(
      [&](const std::string& token) {
        deletions.page_token = token;
        return client.ListDeletionRequests(deletions);
      },
      &DeletionPage::requests, &out->requests);
  if (!status.ok()) return status;
  HoldQuery holds;
  holds.account_id = account;
  holds.include_released = true;
  holds.page_size = kListedPerPage;
  status = ReadPages<HoldPage, Hold>(
      [&](const std::string& token) {
        holds.page_token = token;
        return client.ListHolds(holds);
      },
      &HoldPage::holds, &out->holds);
  if (!status.ok()) return status;
  absl::StatusOr<HeardList> heard = client.reviews().ListHeard(account);
  if (!heard.ok()) return heard.status();
  out->heard = *std::move(heard);
  return absl::OkStatus();
}

// One reading. Sets *changed where the subject was not the same at its end as at its beginning.
absl::StatusOr<SubjectExport> ReadOnce(Client& client, const AccountId& account, bool* changed) {
  SubjectExport out;
  out.account_id = account;
  absl::StatusOr<Subject> before = client.GetSubject(account);
  if (!before.ok()) return before.status();
  absl::StatusOr<CurrentSettings> settings = client.GetSettings(account);
  if (!settings.ok()) return settings.status();
  out.settings = *std::move(settings);
  if (absl::Status status = ReadLists(client, &out); !status.ok()) return status;
  absl::StatusOr<Subject> after = client.GetSubject(account);
  if (!after.ok()) return after.status();
  *changed = before->etag != after->etag;
  out.subject = *std::move(after);
  return out;
}

std::string Section(const std::string& title, const std::vector<Table>& tables) {
  std::string text;
  for (const Table& table : tables) text += table.ForTerminal();
  return title + "\n" + std::string(title.size(), '-') + "\n" + (text.empty() ? "none\n\n" : text);
}

std::string NotIncluded(const SubjectExport& subject) {
  return kNotIncluded + std::string(subject.decisions.has_value() ? "" : kNoDecisions);
}

}  // namespace

absl::StatusOr<SubjectExport> ReadSubject(Client& client, const AccountId& account) {
  for (int read = 0; read < kMostReads; ++read) {
    bool changed = false;
    absl::StatusOr<SubjectExport> out = ReadOnce(client, account, &changed);
    if (!out.ok() || !changed) return out;
  }
  return absl::UnavailableError("the subject changed each time while it was read; repeat later");
}

absl::StatusOr<SubjectExport::Decisions> ReadSubjectDecisions(Client& client, const AccountId& account,
                                                              const std::vector<std::string>& files, Time now) {
  SubjectExport::Decisions decisions;
  DecisionQuery query;
  query.account_id = account;
  DecisionFind find({&client}, query, [&decisions](const FoundDecision& one) {
    if (decisions.found.size() < kMostFound) decisions.found.push_back(one);
  });
  if (absl::Status status = find.Begin(now); !status.ok()) return status;
  if (absl::Status status = ReadDecisionFiles(files, find); !status.ok()) return status;
  decisions.counts = find.counts();
  if (decisions.counts.found > kMostFound) {
    return absl::ResourceExhaustedError("the files have more than " + std::to_string(kMostFound) +
                                        " records about the subject; give fewer files at a time");
  }
  return decisions;
}

Json ExportJson(const SubjectExport& subject, Time read_at) {
  Json json = {{"account_id", subject.account_id.value()},
               {"read_at", TimeText(read_at)},
               {"not_included", NotIncluded(subject)},
               {"subject", SubjectJson(subject.subject)},
               {"settings", CurrentSettingsJson(subject.settings)},
               {"history", Json::array()},
               {"deletion_requests", Json::array()},
               {"holds", Json::array()}};
  json["texts_shown"] = ShownTextsJson(subject.texts);
  for (const HistoryEntry& entry : subject.history) json["history"].push_back(HistoryEntryJson(entry));
  for (const DeletionRequest& request : subject.requests) json["deletion_requests"].push_back(DeletionJson(request));
  for (const Hold& hold : subject.holds) json["holds"].push_back(HoldJson(hold));
  json["heard"] = HeardJson(subject.heard.heard);
  json["heard_is_cut"] = subject.heard.is_cut;
  if (subject.decisions.has_value()) {
    json["decision_log"] = FindCountsJson(subject.decisions->counts);
    json["decision_log"]["decisions"] = Json::array();
    for (const FoundDecision& one : subject.decisions->found)
      json["decision_log"]["decisions"].push_back(FoundJson(one));
  }
  return json;
}

std::string ExportText(const SubjectExport& subject, Time read_at) {
  std::string text = "What consentd holds about the account " + Printable(subject.account_id.value()) + ", read at " +
                     TimeText(read_at) + "\n\nNot included: " + NotIncluded(subject) + "\n\n";
  text += Section("Subject", SubjectTables(subject.subject));
  text += Section("Settings", CurrentSettingsTables(subject.settings));
  text += Section("History, newest first", {HistoryTable(subject.history)});
  text += Section("Evidence", {EvidenceTable(subject.history)});
  text += Section("Texts that were shown", {ShownTextsTable(subject.texts)});
  std::vector<Table> requests;
  for (const DeletionRequest& request : subject.requests) {
    for (Table& table : DeletionTables(request)) requests.push_back(std::move(table));
  }
  text += Section("Requests to delete", requests);
  text += Section("Legal holds", {HoldsTable(subject.holds)});
  text += Section(
      subject.heard.is_cut ? "What people were given to hear, the latest of it" : "What people were given to hear",
      {HeardTable(subject.heard.heard)});
  if (subject.decisions.has_value()) {
    text += Section("Decision log: files that were read", {FindCountsTable(subject.decisions->counts)});
    text += Section("Decision log: what was answered yes, and who read", {FoundTable(subject.decisions->found)});
  }
  return text;
}

}  // namespace consent::cli
