// consentctl policy diff|activate|list.
#include "client/cli/commands/policy_versions.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/exit_codes.h"
#include "client/cli/files.h"
#include "client/cli/output.h"
#include "client/cli/printable.h"
#include "client/cli/render/render.h"
#include "client/cli/render/render_approval.h"
#include "client/cli/render/render_deletion.h"
#include "daemon/base/bounds.h"

namespace consent::cli {
namespace {

bool Loosens(const PolicyDifference& difference) {
  return difference.effect == PolicyEffect::kLoosens || difference.effect == PolicyEffect::kBreaksStored;
}

// As a shell takes it for one word.
std::string ShellWord(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

Report DiffReport(const PolicyDiff& diff, bool counted) {
  Report report;
  report.json = {
      {"differences", Json::array()}, {"more_differences", diff.more_differences}, {"refused", diff.refused},
      {"turned", Json::array()},      {"examined", diff.examined_subjects},        {"subjects", diff.subjects}};
  Table differences("difference", {"EFFECT", "WHAT"});
  for (const PolicyDifference& difference : diff.differences) {
    report.json["differences"].push_back({{"effect", Name(difference.effect)}, {"words", difference.words}});
    differences.Add({std::string(Name(difference.effect)), difference.words});
  }
  report.tables = {differences};
  if (diff.more_differences > 0) {
    Table more("more", {"FURTHER DIFFERENCES"});
    more.Add({std::to_string(diff.more_differences)});
    report.tables.push_back(more);
  }
  if (!diff.refused.empty()) {
    Table refused("refused", {"CANNOT FOLLOW THE POLICY IN FORCE"});
    refused.Add({diff.refused});
    report.tables.push_back(refused);
  }
  if (!counted) return report;
  Table turned("turned", {"PURPOSE", "SUBJECTS TO ELIGIBLE", "SUBJECTS TO NOT_ELIGIBLE"});
  for (const TurnedAnswers& one : diff.turned) {
    report.json["turned"].push_back(
        {{"purpose", Name(one.purpose)}, {"to_eligible", one.to_eligible}, {"to_not_eligible", one.to_not_eligible}});
    turned.Add({std::string(Name(one.purpose)), std::to_string(one.to_eligible), std::to_string(one.to_not_eligible)});
  }
  Table examined("examined", {"SUBJECTS LOOKED AT", "OF"});
  examined.Add({std::to_string(diff.examined_subjects), std::to_string(diff.subjects)});
  report.tables.push_back(turned);
  report.tables.push_back(examined);
  return report;
}

// Each loosening that is not named, as it is to be named; on standard error.
void TellUnnamed(Client& client, const PolicyActivation& order) {
  const absl::StatusOr<PolicyDiff> diff = client.DiffPolicy(order.policy_json, 0);
  if (!diff.ok()) return;
  std::fprintf(stderr, "To activate it, name what it loosens:\n");
  for (const PolicyDifference& difference : diff->differences) {
    if (!Loosens(difference)) continue;
    if (std::find(order.loosens.begin(), order.loosens.end(), difference.words) != order.loosens.end()) continue;
    std::fprintf(stderr, "  --loosens %s\n", Printable(ShellWord(difference.words)).c_str());
  }
}

struct DiffFlags {
  std::string file;
  int count_seconds = 8;
};

}  // namespace

void AddDiffPolicy(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "diff",
      "What a policy file would change against the policy in force: field by field, what it allows more and less, and "
      "for how many subjects the answer about a recording of tomorrow turns. Activates nothing.");
  auto flags = std::make_shared<DiffFlags>();
  app->add_option("file", flags->file, "The policy file, or - for standard input")->required();
  AddNumber(app, "--count-seconds", &flags->count_seconds, 0, base::kMaxCountSeconds,
            "How long subjects may be counted, 0 to 300, 0: not at all (default 8); longer needs a longer --timeout");
  app->callback([&cli, flags] {
    cli.action = [&cli, flags] {
      const absl::StatusOr<std::string> json = ReadWholeFile(flags->file, base::kMaxPolicyBytes);
      if (!json.ok()) return FileError(json.status());
      return cli.WithClient([&](Client& client) {
        const auto diff = client.DiffPolicy(*json, flags->count_seconds);
        if (!diff.ok()) return PrintError(diff.status(), cli.json);
        return Print(DiffReport(*diff, flags->count_seconds > 0), cli, kDone);
      });
    };
  });
}

void AddActivatePolicy(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "activate",
      "Put a policy file in force, everywhere when the command returns. What it loosens has to be named, each word by "
      "word as `policy diff` prints it. Where it loosens and the policy in force wants two persons for that, this "
      "proposes "
      "it (`approvals`). Put the same file where the daemon reads its own, or its next start may go "
      "back.");
  auto file = std::make_shared<std::string>();
  auto order = std::make_shared<PolicyActivation>();
  app->add_option("file", *file, "The policy file, or - for standard input")->required();
  app->add_option_function<std::vector<std::string>>(
         "--loosens",
         [order](const std::vector<std::string>& texts) {
           if (texts.size() > static_cast<size_t>(base::kMaxLoosens)) {
             throw CLI::ValidationError("--loosens", "may be given at most 1000 times");
           }
           for (const std::string& text : texts) CheckTextFlag("--loosens", text, 1, base::kMaxLooseningBytes);
           order->loosens = texts;
         },
         "One thing that it loosens, word by word; several times")
      ->type_name("WORDS")
      ->allow_extra_args(false);
  app->callback([&cli, file, order] {
    cli.action = [&cli, file, order] {
      absl::StatusOr<std::string> json = ReadWholeFile(*file, base::kMaxPolicyBytes);
      if (!json.ok()) return FileError(json.status());
      order->policy_json = *std::move(json);
      return cli.WithClient([&](Client& client) {
        const auto activated = client.ActivatePolicy(*order);
        if (!activated.ok()) {
          const int code = PrintError(activated.status(), cli.json);
          if (!cli.json && ErrorJson(activated.status())["reason"] == "LOOSENING_NOT_NAMED")
            TellUnnamed(client, *order);
          return code;
        }
        Report report;
        report.json = {{"version", activated->version},
                       {"hash", HexText(activated->hash)},
                       {"activated_at", TimeText(activated->activated_at)},
                       {"changed", activated->changed}};
        Table table("policy", {"VERSION", "ACTIVATED", "CHANGED", "HASH"});
        table.Add({activated->version, TimeText(activated->activated_at), YesNo(activated->changed),
                   HexText(activated->hash)});
        if (activated->proposal.has_value()) {
          TellProposal(*activated->proposal, &report);
          return Print(report, cli, kProposed);
        }
        report.tables = {table};
        return Print(report, cli, kDone);
      });
    };
  });
}

void AddListPolicies(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand("list", "Every activation of a policy, newest first: which, when and by whom");
  struct Query {
    int page_size = 0;
    std::string page_token;
  };
  auto query = std::make_shared<Query>();
  AddPage(app, &query->page_size, &query->page_token, "Lines");
  app->callback([&cli, query] {
    cli.action = [&cli, query] {
      return cli.WithClient([&](Client& client) {
        const auto page = client.ListPolicies(query->page_size, query->page_token);
        if (!page.ok()) return PrintError(page.status(), cli.json);
        Report report;
        report.json = {{"policies", Json::array()}, {"next_page_token", page->next_page_token}};
        Table table("policy", {"VERSION", "CURRENT", "ACTIVATED", "BY", "PROPOSED BY", "HASH"});
        for (const PolicyVersion& one : page->policies) {
          report.json["policies"].push_back({{"version", one.version},
                                             {"current", one.current},
                                             {"activated_at", TimeText(one.activated_at)},
                                             {"activated_by", one.activated_by},
                                             {"proposed_by", one.proposed_by},
                                             {"hash", HexText(one.hash)}});
          table.Add({one.version, YesNo(one.current), TimeText(one.activated_at),
                     one.activated_by.empty() ? "the policy file" : one.activated_by, one.proposed_by,
                     HexText(one.hash)});
        }
        report.tables = {table, NextPageTable(page->next_page_token)};
        return Print(report, cli, kDone);
      });
    };
  });
}

}  // namespace consent::cli
