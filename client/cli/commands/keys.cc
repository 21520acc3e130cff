// consentctl keys show|rewrap.
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "client/cli/command.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"

namespace consent::cli {
namespace {

constexpr std::chrono::milliseconds kBetweenLooks(500);

int PrintKeys(const absl::StatusOr<KeyState>& keys, const OutputForm& form) {
  if (!keys.ok()) return PrintError(keys.status(), form.json);
  Report report;
  report.json = {{"master_keys", keys->master_keys},
                 {"rewrapped_to", keys->rewrapped_to},
                 {"rewrapping_to", keys->rewrapping_to},
                 {"shares_left", keys->shares_left}};
  Table table("master-key", {"MASTER KEY", "WHAT LIES UNDER IT"});
  for (const int number : keys->master_keys) {
    std::string what;
    if (number == keys->master_keys.back()) {
      what = "all new keys";
    } else if (number < keys->rewrapped_to) {
      what = "nothing, it may be dropped";
    } else {
      what = "keys of before";
    }
    if (number != 0 && number == keys->rewrapping_to) {
      what += ", and those of before come under it: " + std::to_string(keys->shares_left) + " are left";
    }
    table.Add({std::to_string(number), what});
  }
  report.tables = {table};
  return Print(report, form, kDone);
}

// Looks until nothing is left to do; the daemon goes on without being looked at.
absl::StatusOr<KeyState> AwaitRewrapped(Client& client) {
  absl::StatusOr<KeyState> keys = client.RewrapShares();
  while (keys.ok() && keys->rewrapping_to != 0) {
    std::this_thread::sleep_for(kBetweenLooks);
    keys = client.GetKeys();
  }
  return keys;
}

void AddShow(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand("show", "Which master keys are in force, and how far a rotation has come");
  app->callback([&cli] {
    cli.action = [&cli] { return cli.WithClient([&](Client& client) { return PrintKeys(client.GetKeys(), cli); }); };
  });
}

void AddRewrap(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "rewrap",
      "Has the daemon read its key file again and put every key under the newest master key, and waits until that is "
      "done and the store's files have none of what was. The daemon serves meanwhile, and goes on where it stood after "
      "a restart; where this command is ended, run it again.");
  app->callback([&cli] {
    cli.action = [&cli] {
      return cli.WithClient([&](Client& client) { return PrintKeys(AwaitRewrapped(client), cli); });
    };
  });
}

}  // namespace

void AddKeys(CLI::App& app, Cli& cli) {
  CLI::App* keys = app.add_subcommand("keys", "The daemon's master keys; consentd keys adds and drops them");
  keys->require_subcommand(1);
  AddShow(keys, cli);
  AddRewrap(keys, cli);
}

}  // namespace consent::cli
