// Writes man pages and completions into a folder: make_manual FOLDER VERSION. Run by the build; what it writes is made
// of the command lines that the programs parse with, so it cannot say anything else than they do.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "client/cli/command_line.h"
#include "client/cli/exit_codes.h"
#include "client/cli/manual/command_tree.h"
#include "client/cli/manual/completion.h"
#include "client/cli/manual/manual_page.h"
#include "daemon/app/exit_codes.h"
#include "daemon/ops/command_tree.h"

namespace consent {
namespace {

constexpr size_t kColumns = 80;

bool Write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) std::fprintf(stderr, "make_manual: %s cannot be written\n", path.c_str());
  return static_cast<bool>(file);
}

cli::ManualFacts ClientFacts(const std::string& version) {
  cli::ManualFacts facts;
  facts.section = "1";
  facts.version = version;
  for (const cli::ExitCodeMeaning& code : cli::kExitCodes) {
    facts.exit_codes.emplace_back(std::to_string(code.code), code.meaning);
  }
  facts.environment = {{"TRACEPARENT", "Goes along with every call (W3C Trace Context)."}};
  facts.see_also = {"consentd(8)"};
  return facts;
}

cli::ManualFacts DaemonFacts(const std::string& version) {
  cli::ManualFacts facts;
  facts.section = "8";
  facts.version = version;
  for (const app::ExitCodeMeaning& code : app::kExitCodes) {
    facts.exit_codes.emplace_back(std::to_string(static_cast<int>(code.code)), code.meaning);
  }
  facts.environment = {
      {"CONSENTD_CONFIG, CONSENTD_DATA_DIR and so on",
       "Each option of `serve`: its name in capitals, with underscores."},
      {"STATE_DIRECTORY",
       "The unit's StateDirectory (systemd.exec(5)): the store's default is the folder `store` in it."}};
  facts.files = {{"/etc/consentd/consentd.toml", "The service's settings: keys are the options of `serve`."},
                 {"/etc/consentd/policy.json", "The policy that is shipped: read it, and make it yours."},
                 {"/var/lib/consentd", "Store, keys, head file and decision log of the service."},
                 {"/run/consentd/consentd.sock", "Where the service listens, for the group consentd."},
                 {"/usr/share/doc/consentd/examples", "Every option with its meaning, callers, policies with cases."}};
  facts.see_also = {"consentctl(1)"};
  return facts;
}

int MakeAll(const std::string& folder, const std::string& version) {
  cli::Cli cli;
  const cli::ManualCommand client = cli::ReadCommandTree(*cli::MakeCommandLine(cli, kColumns));
  const cli::ManualCommand daemon = cli::ReadCommandTree(*ops::MakeCommandTree());
  bool is_written = Write(folder + "/consentctl.bash", cli::BashCompletion(client)) &&
                    Write(folder + "/_consentctl", cli::ZshCompletion(client)) &&
                    Write(folder + "/consentd.bash", cli::BashCompletion(daemon)) &&
                    Write(folder + "/_consentd", cli::ZshCompletion(daemon));
  for (const cli::ManualPage& page : cli::MakeManualPages(client, ClientFacts(version), /*page_each=*/true)) {
    is_written = is_written && Write(folder + "/" + page.file, page.text);
  }
  for (const cli::ManualPage& page : cli::MakeManualPages(daemon, DaemonFacts(version), /*page_each=*/false)) {
    is_written = is_written && Write(folder + "/" + page.file, page.text);
  }
  return is_written ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace consent

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: make_manual FOLDER VERSION\n");
    return EXIT_FAILURE;
  }
  // Nothing of who builds it stands in the pages: no default that hangs on the user or the environment.
  clearenv();
  return consent::MakeAll(argv[1], argv[2]);
}
