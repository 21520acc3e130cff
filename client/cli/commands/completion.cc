// consentctl completion.
#include "client/cli/manual/completion.h"

#include <memory>
#include <string>

#include "client/cli/command.h"
#include "client/cli/exit_codes.h"
#include "client/cli/manual/command_tree.h"
#include "client/cli/output.h"

namespace consent::cli {

void AddCompletion(CLI::App& parent, Cli& cli) {
  CLI::App* app = parent.add_subcommand("completion",
                                        "Print what makes a shell complete commands, options and their values: `source "
                                        "<(consentctl completion bash)`, and "
                                        "likewise in zsh after compinit. The Debian package has installed both.");
  auto shell = std::make_shared<std::string>();
  app->add_option("shell", *shell, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}))
      ->type_name("SHELL");
  app->callback([&cli, &parent, shell] {
    cli.action = [&parent, shell] {
      const ManualCommand program = ReadCommandTree(parent);
      return PrintText(*shell == "bash" ? BashCompletion(program) : ZshCompletion(program), kDone);
    };
  });
}

}  // namespace consent::cli
