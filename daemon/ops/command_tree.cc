#include "daemon/ops/command_tree.h"

#include <string>
#include <vector>

#include "daemon/ops/config.h"

namespace consent::ops {
namespace {

void AddFile(CLI::App* app, const std::string& name, const std::string& what) {
  app->add_option_function<std::string>(
         name, [](const std::string&) {}, what)
      ->type_name("FILE");
}

void AddPolicyCommands(CLI::App* program) {
  CLI::App* policy = program->add_subcommand("policy", "Look at policy files, without a daemon");
  CLI::App* validate = policy->add_subcommand(
      "validate", "Check a policy file; prints the problems, one per line, and what cannot work");
  AddFile(validate, "file", "A file");
  CLI::App* diff =
      policy->add_subcommand("diff", "Say what the second file allows more and less than the first, word by word");
  AddFile(diff, "old", "A file");
  AddFile(diff, "new", "A file");
  CLI::App* test = policy->add_subcommand("test", "Play files of cases against a policy, and say which fail");
  AddFile(test, "--policy", "This policy in place of the one that each file names");
  test->add_flag_callback(
      "--json", [] {}, "Print JSON");
  test->add_option_function<std::vector<std::string>>(
          "files", [](const std::vector<std::string>&) {}, "Files of cases, one or more")
      ->type_name("FILE");
}

// Of the options of `serve`, which each takes, those that say where keys and store are.
void AddKeyOptions(CLI::App* app) {
  AddFile(app, "--config", "The daemon's configuration file");
  AddFile(app, "--key-file", "The key file");
  app->add_option_function<std::string>(
         "--data-dir", [](const std::string&) {}, "Folder of the store")
      ->type_name("DIR");
}

void AddKeysCommands(CLI::App* program) {
  CLI::App* keys = program->add_subcommand("keys", "Look at and change the key file; no byte of a key is ever printed");
  AddKeyOptions(keys->add_subcommand("show", "List the master keys by their numbers"));
  AddKeyOptions(keys->add_subcommand(
      "add-master", "Add a master key; `consentctl keys rewrap` then has the daemon put everything under it"));
  CLI::App* drop = keys->add_subcommand("drop-master", "Drop a master key under which nothing lies any more");
  drop->add_option_function<std::string>(
          "number", [](const std::string&) {}, "Its number")
      ->type_name("NUMBER");
  AddKeyOptions(drop);
  CLI::App* exported =
      keys->add_subcommand("export", "Write the keys to a new file, for a safe place apart from every backup");
  AddFile(exported, "file", "A new file");
  AddKeyOptions(exported);
}

}  // namespace

std::shared_ptr<CLI::App> MakeCommandTree() {
  struct Tree {
    CLI::App app{
        "consentd: answer whether voice recordings may be used for a purpose, here, now, and whether they must "
        "be purged. It keeps what users chose, drives each deletion until every store has confirmed it, and "
        "says no whenever it does not know.",
        "consentd"};
    std::shared_ptr<void> options;
  };
  auto tree = std::make_shared<Tree>();
  CLI::App* serve =
      tree->app.add_subcommand("serve",
                               "Run the daemon. The command line is stronger than the environment (CONSENTD_DATA_DIR "
                               "and so on: the option's name "
                               "in capitals), the environment than the file of --config, and that than the default.");
  tree->options = DescribeServe(serve);
  AddPolicyCommands(&tree->app);
  CLI::App* callers = tree->app.add_subcommand("callers", "Look at callers' files, without a daemon");
  AddFile(callers->add_subcommand("validate", "Check a callers' file; prints the problems, one per line"), "file",
          "A file");
  AddKeysCommands(&tree->app);
  tree->app.add_subcommand("version", "Print the version");
  return {tree, &tree->app};
}

}  // namespace consent::ops
