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

void AddFolder(CLI::App* program, const std::string& name, const std::string& what) {
  program
      ->add_option_function<std::string>(
          name, [](const std::string&) {}, what)
      ->type_name("DIR");
}

void AddRestore(CLI::App* program) {
  CLI::App* restore = program->add_subcommand(
      "restore",
      "Make a store out of a backup and the restriction journal. Where it lies and its keys are said by the options of "
      "serve: --data-dir, --key-file, --head-file, --config.");
  AddFolder(restore, "backup", "The backup");
  AddFolder(restore, "--journal", "The restriction journal of the lost store");
  AddFile(restore, "--secret", "The secret half of the backup's keys, which opens the ids that open requests need");
  restore->add_flag_callback(
      "--without-journal", [] {}, "Restore the backup alone; nothing is eligible until an officer accepts that");
  AddFolder(restore, "--data-dir", "Where the store is to be: not there, or an empty folder");
  AddFile(restore, "--key-file", "The key file of the lost store");
  AddFile(restore, "--head-file", "The head file that is made beside the store");
  AddFile(restore, "--config", "The configuration file of serve");
}

void AddStoreCommands(CLI::App* program) {
  CLI::App* store = program->add_subcommand("store", "Look at a store whose daemon is stopped, or at a backup");
  const auto add = [store](const char* name, const char* help) {
    CLI::App* command = store->add_subcommand(name, help);
    command
        ->add_option_function<std::string>(
            "folder", [](const std::string&) {}, "The folder of a store or backup")
        ->type_name("DIR");
    return command;
  };
  for (CLI::App* command : {add("verify", "Read every row, and say what is wrong"),
                            add("stats", "Say what it holds: rows, bytes and files, and what waits to be erased")}) {
    command->add_flag_callback(
        "--json", [] {}, "Print JSON");
  }
  add("compact", "Rewrite a store's files, so that what was overwritten or deleted takes no room");
  add("copy", "Make another store of it, with another id; the old one is left as it is")
      ->add_option_function<std::string>(
          "--to", [](const std::string&) {}, "Where nothing is yet")
      ->type_name("DIR");
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
  AddFile(keys->add_subcommand("backup-pair", "Make the backups' keys: prints the public half"), "file",
          "A new file for the secret half");
}

void AddJournalCommands(CLI::App* program) {
  CLI::App* journal = program->add_subcommand("journal", "Look at a restriction journal");
  AddFolder(journal->add_subcommand("verify", "Read all of it, and say what it has"), "folder", "The journal's folder");
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
  AddRestore(&tree->app);
  CLI::App* callers = tree->app.add_subcommand("callers", "Look at callers' files, without a daemon");
  AddFile(callers->add_subcommand("validate", "Check a callers' file; prints the problems, one per line"), "file",
          "A file");
  AddStoreCommands(&tree->app);
  AddJournalCommands(&tree->app);
  AddKeysCommands(&tree->app);
  tree->app.add_subcommand("version", "Print the version");
  return {tree, &tree->app};
}

}  // namespace consent::ops
