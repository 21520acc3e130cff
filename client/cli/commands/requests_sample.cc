// consentctl requests sample.
#include "client/cli/commands/requests.h"
#include "client/cli/engines/request_sample.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"
#include "client/cli/render/render_deletion.h"

namespace consent::cli {
namespace {

constexpr int kMostDrawn = 1000;
constexpr size_t kMaxSeedBytes = 64;

struct SampleFlags {
  int count = 0;
  std::string seed;
  DeletionQuery query;
};

int RunSample(const Cli& cli, const SampleFlags& flags) {
  return cli.WithClient([&](Client& client) {
    RequestSample sample(flags.seed, static_cast<size_t>(flags.count));
    const absl::Status status =
        ReadRequestPages(client, flags.query, [&sample](const DeletionRequest& request) { sample.Consider(request); });
    // A part of the requests is no population.
    if (!status.ok()) return PrintError(status, cli.json);
    Report report;
    report.json = {{"seed", flags.seed},
                   {"from", TimeText(flags.query.received_from)},
                   {"to", TimeText(flags.query.received_before)},
                   {"population", sample.population()},
                   {"requests", Json::array()}};
    Table head("sample", {"SEED", "POPULATION", "DRAWN"});
    head.Add({flags.seed, std::to_string(sample.population()), std::to_string(sample.drawn().size())});
    report.tables = {head};
    for (const auto& [key, request] : sample.drawn()) {
      Json json = DeletionJson(request);
      json["key"] = key;
      report.json["requests"].push_back(std::move(json));
      for (Table& table : DeletionTables(request)) report.tables.push_back(std::move(table));
    }
    return Print(report, cli, kDone);
  });
}

}  // namespace

void AddRequestsSample(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "sample",
      "Draw requests that somebody asked for, each with what every data system reported. The same seed draws the same "
      "of the same requests: those whose SHA-256 of seed, line feed and deletion_id is smallest, in that order.");
  auto flags = std::make_shared<SampleFlags>();
  AddNumber(app, "--n", &flags->count, 1, kMostDrawn, "How many, 1 to 1000")->required();
  AddText(app, "--seed", &flags->seed, 1, kMaxSeedBytes, "1 to 64 bytes, for example a number that somebody else chose")
      ->required();
  AddTime(app, "--from", &flags->query.received_from, "Only those received from then on", TimeForm::kFirst)->required();
  AddTime(app, "--to", &flags->query.received_before, "Only those received before then", TimeForm::kFirst)->required();
  AddNames(app, "--state", &flags->query.states, "Only in these states; several times");
  app->callback([&cli, flags] {
    if (*flags->query.received_from >= *flags->query.received_before) {
      throw CLI::ValidationError("--to", kEmptyPeriod);
    }
    cli.action = [&cli, flags] { return RunSample(cli, *flags); };
  });
}

}  // namespace consent::cli
