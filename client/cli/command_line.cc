#include "client/cli/command_line.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

#include "client/cli/exit_codes.h"
#include "client/cli/help.h"
#include "client/cli/output.h"
#include "client/cli/printable.h"
#include "client/cli/version.h"
#include "client/cli/words.h"
#include "client/src/default_endpoint.h"

namespace consent::cli {
namespace {

void AddTimeout(CLI::App* app, double* seconds) {
  app->add_option_function<std::string>(
         "--timeout",
         [seconds](const std::string& text) {
           double read = 0;
           const bool begins = !text.empty() && text[0] >= '0' && text[0] <= '9';
           const auto [end, error] =
               std::from_chars(text.data(), text.data() + text.size(), read, std::chars_format::general);
           if (!begins || error != std::errc() || end != text.data() + text.size() ||
               !(read >= 0.001 && read <= 3600.0)) {
             throw CLI::ValidationError("--timeout", "must be a number of seconds from 0.001 to 3600");
           }
           *seconds = read;
         },
         "Seconds that one call may take, repetitions included (default 10)")
      ->type_name("SECONDS");
}

// Not for a Unix socket: TLS is not spoken there.
void AddTlsFiles(CLI::App* app, Cli* cli) {
  const auto add = [app](const char* flag, std::string* file, const char* help) {
    return NotEmpty(app->add_option(flag, *file, help))->type_name("FILE")->group("TLS");
  };
  add("--ca", &cli->ca_file, "The CA of the daemon's certificate (PEM). Environment: CONSENT_CA");
  add("--cert", &cli->certificate_file, "Your certificate, with what leads to its CA (PEM). Environment: CONSENT_CERT");
  add("--key", &cli->key_file, "Its key, without a passphrase (PEM). Environment: CONSENT_KEY");
}

// `--verified=` and `--verified=no` are no ways to say yes.
void RefuseValuesOfFlags(CLI::App* app) {
  for (CLI::Option* option : app->get_options()) {
    if (option->get_expected_max() == 0) option->disable_flag_override(true);
  }
  for (CLI::App* command : app->get_subcommands({})) RefuseValuesOfFlags(command);
}

// CLI11 takes `--verified=` for `--verified`, and `--self-profile=` for one without a value.
void RefuseEmptyValueOfFlag(CLI::App* app, const std::string& argument) {
  if (argument.size() < 4 || argument.compare(0, 2, "--") != 0 || argument.back() != '=') return;
  const std::string name = argument.substr(0, argument.size() - 1);
  for (const CLI::Option* option : app->get_options()) {
    if (!option->check_name(name) || option->get_expected_min() != 0) continue;
    throw CLI::ValidationError(name, option->get_expected_max() == 0 ? "takes no value" : "has an empty value");
  }
  for (CLI::App* command : app->get_subcommands({})) RefuseEmptyValueOfFlag(command, argument);
}

// Somebody may have it for an id, and then nobody could tell.
void RefuseOnlyAdult(const std::string& argument, const char* next) {
  const std::string flag = "--self-profile";
  if (argument == flag + "=" + kOnlyAdult || (argument == flag && next != nullptr && next == std::string(kOnlyAdult))) {
    throw CLI::ValidationError(flag, "cannot be said of a profile with that id; use --profile in a call for itself");
  }
}

// Each line with what a terminal would obey or hide made visible.
void PrintLines(FILE* out, const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) std::fprintf(out, "%s\n", Printable(line).c_str());
}

void AddGlobalOptions(CLI::App* app, Cli* cli) {
  NotEmpty(app->add_option("--endpoint", cli->endpoint,
                           "Where consentd listens: unix:/path, HOST:port, [IPv6]:port; another machine only over TLS. "
                           "Environment: CONSENT_ENDPOINT. Default: " +
                               DefaultEndpoint()));
  AddTlsFiles(app, cli);
  AddTimeout(app, &cli->timeout_seconds);
  app->add_flag("--json", cli->json, "Print one JSON object");
  app->add_flag_callback(
      "--no-header", [cli] { cli->header = false; }, "Print tables without the line of their columns' names");
  app->set_version_flag("--version", std::string("consentctl ") + kVersion, "Print the version and end");
}

void AddCommands(CLI::App& app, Cli& cli) {
  AddSubject(app, cli);
  AddSettings(app, cli);
  AddCheck(app, cli);
  AddReportRecording(app, cli);
  AddPolicy(app, cli);
  AddClock(app, cli);
  AddKeys(app, cli);
  AddBackup(app, cli);
  AddImport(app, cli);
  AddFilter(app, cli);
  AddDecisions(app, cli);
  AddDelete(app, cli);
  AddRequests(app, cli);
  AddSystems(app, cli);
  AddTasks(app, cli);
  AddWorker(app, cli);
  AddSweep(app, cli);
  AddChildren(app, cli);
  AddHolds(app, cli);
  AddApprovals(app, cli);
  AddFlags(app, cli);
  AddReviews(app, cli);
  AddExportSubject(app, cli);
  AddCerts(app, cli);
  AddStatus(app, cli);
  AddCompletion(app, cli);
  AddHelp(app, cli);
  AddVersion(app, cli);
}

// What CLI11 found, in a sentence without its names for things.
std::string ProblemText(const CLI::ParseError& error) {
  std::string text = error.what();
  const auto replace = [&text](const std::string& what, const std::string& with) {
    const size_t at = text.find(what);
    if (at != std::string::npos) text.replace(at, what.size(), with);
    return at != std::string::npos;
  };
  replace("The following argument was not expected: ", "this word is too many: ");
  replace("The following arguments were not expected: ", "these words are too many: ");
  if (error.get_name() == "ArgumentMismatch") {
    const size_t colon = text.find(": ");
    const size_t missing = text.rfind(" missing");
    if (missing != std::string::npos) text = text.substr(0, colon) + " needs a value";
    if (text.find("disallowed flag override") != std::string::npos)
      text = "--" + text.substr(0, text.find(' ')) + " takes no value";
  } else if (error.get_name() == "ExcludesError") {
    replace(" excludes ", " cannot be given beside ");
  } else if (error.get_name() == "RequiresError") {
    replace(" requires ", " is only given beside ");
  }
  return text;
}

int WrongLine(const CLI::App& command, const std::string& problem) {
  PrintLines(stderr, "consentctl: " + problem + "\nRun `" + FullName(command) + " --help` for more.");
  return kUsage;
}

}  // namespace

std::unique_ptr<CLI::App> MakeCommandLine(Cli& cli, size_t columns) {
  auto app = std::make_unique<CLI::App>(
      "consentctl: read and change what users chose, ask whether recordings may be used, have them deleted or held, "
      "and tell a subject what is known.",
      "consentctl");
  app->formatter(std::make_shared<HelpFormatter>(columns));
  app->require_subcommand(1);
  app->fallthrough();
  AddGlobalOptions(app.get(), &cli);
  AddCommands(*app, cli);
  RefuseValuesOfFlags(app.get());
  AddFooters(app.get());
  return app;
}

int Run(int argc, const char* const* argv) {
  Cli cli;
  const std::unique_ptr<CLI::App> app = MakeCommandLine(cli, HelpColumns());
  const ReachedCommand reached = FollowWords(*app, std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
  if (!reached.problem.empty()) return WrongLine(*reached.command, reached.problem);
  // Nothing is done without a command, so this is no 0; help is what is wanted all the same.
  if (!reached.help && !reached.command->get_subcommands({}).empty()) {
    return PrintText(PageOf(*reached.command), kUsage);
  }
  try {
    for (int i = 1; i < argc && std::strcmp(argv[i], "--") != 0; ++i) {
      RefuseEmptyValueOfFlag(app.get(), argv[i]);
      RefuseOnlyAdult(argv[i], i + 1 < argc ? argv[i + 1] : nullptr);
    }
    app->parse(argc, argv);
  } catch (const CLI::Success& success) {
    std::ostringstream help;
    const int code = app->exit(success, help, help);
    return PrintText(help.str(), code);
  } catch (const CLI::ParseError& error) {
    return WrongLine(*reached.command, ProblemText(error));
  }
  return cli.action();
}

}  // namespace consent::cli
