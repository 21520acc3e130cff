// consentctl settings opt-outs.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "client/cli/commands/settings.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"
#include "client/cli/render/render_subject.h"

namespace consent::cli {
namespace {

constexpr int kMostOptOuts = 100'000;
constexpr int kChoicesPerPage = 1000;

struct OptOutsFlags {
  std::optional<Time> from;
  std::optional<Time> to;
  int limit = 10'000;
};

// What was found, and what is known to be missing.
struct OptOuts {
  std::vector<ChoiceEntry> entries;
  int64_t erased = 0;
  bool truncated = false;
  bool more = false;
};

absl::StatusOr<OptOuts> ReadOptOuts(Client& client, const OptOutsFlags& flags) {
  OptOuts found;
  ChoicesQuery query;
  query.from = *flags.from;
  query.before = *flags.to;
  query.to = {Choice::kRefused, Choice::kWithdrawn};
  query.page_size = kChoicesPerPage;
  do {
    absl::StatusOr<ChoicesPage> page = client.ListChoices(query);
    if (!page.ok()) return page.status();
    found.erased += page->erased;
    found.truncated = found.truncated || page->truncated;
    for (ChoiceEntry& entry : page->choices) {
      if (found.entries.size() == static_cast<size_t>(flags.limit)) {
        found.more = true;
        break;
      }
      found.entries.push_back(std::move(entry));
    }
    query.page_token = page->next_page_token;
  } while (!query.page_token.empty() && !found.more);
  std::stable_sort(found.entries.begin(), found.entries.end(),
                   [](const ChoiceEntry& a, const ChoiceEntry& b) { return a.entry.time < b.entry.time; });
  return found;
}

std::string PurposesOff(const HistoryEntry& entry) {
  std::vector<Purpose> off;
  for (const HistoryChange& change : entry.changes) {
    const auto* purpose = std::get_if<PurposeChange>(&change.what);
    if (purpose == nullptr || (purpose->to != Choice::kRefused && purpose->to != Choice::kWithdrawn)) continue;
    if (std::find(off.begin(), off.end(), purpose->purpose) == off.end()) off.push_back(purpose->purpose);
  }
  return off.empty() ? "said again" : NamesText(off);
}

int RunOptOuts(const Cli& cli, const OptOutsFlags& flags) {
  return cli.WithClient([&](Client& client) {
    const absl::StatusOr<OptOuts> found = ReadOptOuts(client, flags);
    if (!found.ok()) return PrintError(found.status(), cli.json);
    const bool complete = !found->more && !found->truncated && found->erased == 0;
    Report report;
    report.json = {{"complete", complete},    {"limit", flags.limit},          {"reached_limit", found->more},
                   {"erased", found->erased}, {"truncated", found->truncated}, {"opt_outs", Json::array()}};
    Table table("opt_out", {"TIME", "ACCOUNT", "TURNED OFF", "CHANNEL", "ACTOR", "REFERENCE"});
    for (const ChoiceEntry& choice : found->entries) {
      const HistoryEntry& entry = choice.entry;
      report.json["opt_outs"].push_back(
          {{"account_id", choice.account_id.value()}, {"entry", HistoryEntryJson(entry)}});
      table.Add({TimeText(entry.time), choice.account_id.value(), PurposesOff(entry),
                 std::string(Name(entry.evidence.channel)), std::string(Name(entry.evidence.actor)),
                 entry.evidence.reference});
    }
    Table head("opt_outs", {"LISTED", "COMPLETE", "ERASED SINCE", "REACHED THE LIMIT"});
    head.Add(
        {std::to_string(found->entries.size()), YesNo(complete), std::to_string(found->erased), YesNo(found->more)});
    report.tables = {head, table};
    return Print(report, cli, kDone);
  });
}

}  // namespace

void AddOptOuts(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "opt-outs",
      "All that said no within a time, of all accounts, new or again, by time; says whether the list is complete: "
      "neither cut at --limit nor lacking entries that were erased since with their account");
  auto flags = std::make_shared<OptOutsFlags>();
  AddTime(app, "--from", &flags->from, "The first instant", TimeForm::kFirst)->required();
  AddTime(app, "--to", &flags->to, "The first instant that no longer belongs to it", TimeForm::kFirst)->required();
  AddNumber(app, "--limit", &flags->limit, 1, kMostOptOuts, "List at most so many, 1 to 100000 (default 10000)");
  app->callback([&cli, flags] {
    if (*flags->from >= *flags->to) throw CLI::ValidationError("--to", kEmptyPeriod);
    cli.action = [&cli, flags] { return RunOptOuts(cli, *flags); };
  });
}

}  // namespace consent::cli
