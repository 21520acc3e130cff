#include "daemon/ops/config.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "daemon/base/file.h"
#include "daemon/ops/config_environment.h"
#include "daemon/ops/config_paths.h"
#include "daemon/ops/config_problem.h"
#include "daemon/ops/help_formatter.h"
#include "daemon/ops/journal_command.h"
#include "daemon/ops/keys_command.h"
#include "daemon/ops/policy_command.h"
#include "daemon/ops/restore_command.h"
#include "daemon/ops/store_command.h"

namespace consent::ops {
namespace {

// Every option as it is written, before it is validated.
struct RawOptions {
  std::string config;
  std::vector<std::string> listen;
  std::string tls_cert;
  std::string tls_key;
  std::string tls_client_ca;
  std::string data_dir;
  std::string key_file;
  std::string head_file;
  std::string decision_log;
  std::string restriction_journal;
  std::string backup_public_key;
  std::string policy;
  std::string callers;
  int64_t index_max_subjects = 25'000'000;
  std::string metrics_listen = "127.0.0.1:9464";
  std::string log_format = "auto";
  std::string log_level = "info";
  int64_t drain_seconds = 10;
  int64_t read_threads = 4;
  int64_t write_threads = 2;
  int64_t clock_step_seconds = 3'600;
  int64_t clock_downtime_days = 7;
  bool accept_loss = false;
  std::string accept_clock;
};

constexpr size_t kMaxConfigBytes = 1 << 20;

// Empty, or why CLI11, which waits for whatever it opens, must not be given this file.
std::string ConfigProblem(const std::string& path) {
  const absl::StatusOr<base::FileDescriptor> file = base::OpenRegular("configuration file", path, base::Links::kFollow);
  absl::Status status = file.status();
  if (status.ok()) status = base::CheckNotOpenToAll(file->fd(), "configuration file", path);
  if (status.ok()) status = base::ReadBounded(file->fd(), "configuration file", path, kMaxConfigBytes).status();
  return std::string(status.message());
}

// As an unset variable of a shell leaves it: the default is had by leaving the option out.
std::string NotEmpty(const std::string& text) {
  return text.empty() ? "must not be empty; leave it out for the default" : "";
}

// THE definition: names, meanings and defaults of all options.
void AddListenOptions(CLI::App* app, RawOptions* raw) {
  app->add_option(
         "--listen", raw->listen,
         "Where the API is served; again for up to 16 places (in CONSENTD_LISTEN with ; between them): unix:/path (its "
         "folder is made 0700 or must be so), or with certificates HOST:port, where HOST is an address, a name, or * "
         "for all; without them only 127.0.0.1:port or [::1]:port. A Unix socket or loopback may be followed by "
         ",roles=ROLE+ROLE ,name=CALLER ,systems=NAME+NAME and a Unix socket by ,group=GROUP. Default: "
         "unix:$XDG_RUNTIME_DIR/consentd/consentd.sock for users that have one, else unix:/run/consentd/consentd.sock")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false)
      ->check(NotEmpty);
  app->add_option("--tls-cert", raw->tls_cert,
                  "The server's certificate and what leads to its CA (PEM). With it, --tls-key and --tls-client-ca all "
                  "TCP listeners speak TLS 1.3 and require a client's certificate; read again when they change")
      ->check(NotEmpty)
      ->type_name("FILE");
  app->add_option("--tls-key", raw->tls_key, "Its key (PEM), closed to everybody but the daemon's user")
      ->check(NotEmpty)
      ->type_name("FILE");
  app->add_option("--tls-client-ca", raw->tls_client_ca, "The CA of the clients' certificates (PEM)")
      ->check(NotEmpty)
      ->type_name("FILE");
}

void AddJournalOptions(CLI::App* app, RawOptions* raw) {
  app->add_option("--restriction-journal", raw->restriction_journal,
                  "Folder of the restriction journal, made if it is not there; best on another disk than the store, "
                  "never inside the data folder. Each change is there before it is acknowledged, so that a restore "
                  "from a backup misses no restriction. Default: none is kept")
      ->check(NotEmpty)
      ->type_name("DIR");
  app->add_option("--backup-public-key", raw->backup_public_key,
                  "The public half of the backups' keys (consentd keys backup-pair), to which the ids of deletions are "
                  "sealed in the journal. Default: the journal has no ids")
      ->check(NotEmpty)
      ->type_name("FILE");
}

void AddClockOptions(CLI::App* app, RawOptions* raw) {
  app->add_option(
      "--clock-step-seconds", raw->clock_step_seconds,
      "How far the wall clock may be from the trusted time within one boot before the time is doubtful, 60 to 86400");
  app->add_option(
      "--clock-downtime-days", raw->clock_downtime_days,
      "How long the machine may have been off, as far as the wall clock tells, before the time is doubtful, 1 to 365");
}

void AddOptions(CLI::App* app, RawOptions* raw) {
  app->set_config("--config", "", "Configuration file (TOML): keys are the options below without dashes in front");
  app->get_config_ptr()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app->get_config_ptr()->check(ConfigProblem)->type_name("FILE");
  app->allow_config_extras(CLI::config_extras_mode::error);
  app->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)->always_capture_default();

  AddListenOptions(app, raw);
  app->add_option(
         "--data-dir", raw->data_dir,
         "Folder of the store, made if it is not there. Default: $STATE_DIRECTORY/store of a unit that has one, else "
         "/var/lib/consentd for root, else $XDG_DATA_HOME/consentd or ~/.local/share/consentd")
      ->check(NotEmpty)
      ->type_name("DIR");
  app->add_option("--key-file", raw->key_file,
                  "The daemon's secrets, made at first start; not inside the data folder. Default: DATA-DIR.key. "
                  "credential:NAME is the credential of that name that the service manager brings (LoadCredential= of "
                  "systemd.exec(5)); the daemon never makes it")
      ->check(NotEmpty)
      ->type_name("FILE");
  app->add_option("--head-file", raw->head_file,
                  "Last known end of the store, so that an old copy put back is noticed; not inside the data folder. "
                  "Default: DATA-DIR.head")
      ->check(NotEmpty)
      ->type_name("FILE");
  app->add_option("--decision-log", raw->decision_log,
                  "Folder of the decision log, made if it is not there; not inside the data folder. Each yes for a "
                  "purpose that the policy marks is on record there before it is said. off: none is, and the metrics "
                  "show it. Default: DATA-DIR.decisions")
      ->check(NotEmpty)
      ->type_name("DIR");
  AddJournalOptions(app, raw);
  app->add_option("--policy", raw->policy, "Policy file (JSON); read again on SIGHUP. Default: the compiled-in policy")
      ->check(NotEmpty)
      ->type_name("FILE");
  app->add_option("--callers", raw->callers,
                  "Callers' file (JSON): who may call with which certificate; read again on SIGHUP. Default: nobody")
      ->check(NotEmpty)
      ->type_name("FILE");
  app->add_option("--index-max-subjects", raw->index_max_subjects,
                  "Subjects kept in memory; what is beyond is read from the store");
  app->add_option(
      "--metrics-listen", raw->metrics_listen,
      "Where /metrics, /livez and /readyz are served, which hold no ids: 127.0.0.1:port, or any other HOST:port "
      "that is to be asked from elsewhere; empty or off: nowhere");
  app->add_option("--log-format", raw->log_format, "json, text, or auto: text on a terminal, JSON lines elsewhere");
  app->add_option("--log-level", raw->log_level, "debug, info, warn or error");
  app->add_option("--drain-seconds", raw->drain_seconds, "How long calls may go on after SIGTERM, 0 to 600");
  app->add_option("--read-threads", raw->read_threads, "Threads for reads that may block, 1 to 256");
  app->add_option("--write-threads", raw->write_threads, "Threads that prepare changes, 1 to 256");
  AddClockOptions(app, raw);
  // Not in the environment or a file: left there they would switch the protection off for good.
  app->add_option("--accept-clock", raw->accept_clock,
                  "Vouch for the wall clock once by naming the time in UTC, such as 2026-11-27T12 or 2026-11-27T12:30: "
                  "taken where the clock is within an hour of it. Command line only")
      ->configurable(false);
  app->add_flag("--accept-loss", raw->accept_loss,
                "Open a store that misses acknowledged changes, once, and go on without them. Command line only")
      ->configurable(false);
}

absl::Status InRange(const char* name, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--", name, " must be ", least, " to ", most, ", not ", value));
}

absl::Status CheckListeners(const RawOptions& raw, const ProcessEnvironment& environment, ServeOptions* out) {
  const int tls_files = !raw.tls_cert.empty() + !raw.tls_key.empty() + !raw.tls_client_ca.empty();
  if (tls_files != 0 && tls_files != 3) {
    return absl::InvalidArgumentError(
        "TLS takes --tls-cert, --tls-key and --tls-client-ca, and some are missing: give all three, or none");
  }
  out->tls_certificate = Absolute(raw.tls_cert, environment);
  out->tls_key = Absolute(raw.tls_key, environment);
  out->tls_client_ca = Absolute(raw.tls_client_ca, environment);
  const std::vector<std::string> texts = raw.listen.empty() ? std::vector{DefaultListen(environment)} : raw.listen;
  absl::StatusOr<std::vector<ListenOption>> listeners = ReadListeners(texts, tls_files != 0);
  if (!listeners.ok()) return listeners.status();
  out->listeners = *std::move(listeners);
  if (raw.metrics_listen.empty() || raw.metrics_listen == "off") return absl::OkStatus();
  absl::StatusOr<Place> metrics = ReadMetricsPlace(raw.metrics_listen, out->listeners);
  if (!metrics.ok()) return metrics.status();
  out->metrics_listen = *std::move(metrics);
  return absl::OkStatus();
}

absl::Status CheckJournal(const ServeOptions& options) {
  const std::string& folder = options.restriction_journal;
  if (folder.empty()) {
    if (options.backup_public_key.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError("--backup-public-key is for what --restriction-journal keeps: give both");
  }
  if (folder == options.decision_log || folder == options.key_file || folder == options.head_file) {
    return absl::InvalidArgumentError(
        "--restriction-journal must differ from --decision-log, --key-file and --head-file: it is a folder");
  }
  return absl::OkStatus();
}

absl::Status ResolvePaths(const RawOptions& raw, const ProcessEnvironment& environment, ServeOptions* out) {
  if (absl::Status status = CheckListeners(raw, environment, out); !status.ok()) return status;
  absl::StatusOr<std::string> data_dir = raw.data_dir.empty() ? DefaultDataDir(environment) : raw.data_dir;
  if (!data_dir.ok()) return data_dir.status();
  out->data_dir = Absolute(*data_dir, environment);
  if (out->data_dir == "/") return absl::InvalidArgumentError("--data-dir must be a folder of its own, not /");
  if (absl::Status status = ResolveKeyFile(raw.key_file, environment, out); !status.ok()) return status;
  out->head_file = Absolute(raw.head_file.empty() ? out->data_dir + ".head" : raw.head_file, environment);
  out->policy_file = Absolute(raw.policy, environment);
  out->callers_file = Absolute(raw.callers, environment);
  if (raw.decision_log != "off") {
    out->decision_log =
        Absolute(raw.decision_log.empty() ? out->data_dir + ".decisions" : raw.decision_log, environment);
  }
  out->restriction_journal = Absolute(raw.restriction_journal, environment);
  out->backup_public_key = Absolute(raw.backup_public_key, environment);
  for (const auto& [name, path] :
       {std::pair{"--key-file", out->key_file}, std::pair{"--head-file", out->head_file},
        std::pair{"--decision-log", out->decision_log}, std::pair{"--restriction-journal", out->restriction_journal}}) {
    if (path == out->data_dir || path.rfind(out->data_dir + "/", 0) == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, " must lie outside the data folder, or an old copy of the folder brings it along"));
    }
  }
  if (out->key_file == out->head_file) return absl::InvalidArgumentError("--key-file and --head-file must differ");
  if (out->decision_log == out->key_file || out->decision_log == out->head_file) {
    return absl::InvalidArgumentError("--decision-log must differ from --key-file and --head-file: it is a folder");
  }
  return CheckJournal(*out);
}

absl::Status CheckNumbers(const RawOptions& raw, ServeOptions* out) {
  for (const absl::Status& status :
       {InRange("index-max-subjects", raw.index_max_subjects, 1, INT64_C(4'000'000'000)),
        InRange("drain-seconds", raw.drain_seconds, 0, 600), InRange("read-threads", raw.read_threads, 1, 256),
        InRange("write-threads", raw.write_threads, 1, 256),
        InRange("clock-step-seconds", raw.clock_step_seconds, 60, 86'400),
        InRange("clock-downtime-days", raw.clock_downtime_days, 1, 365)}) {
    if (!status.ok()) return status;
  }
  out->index_max_subjects = static_cast<uint64_t>(raw.index_max_subjects);
  out->drain_seconds = static_cast<int>(raw.drain_seconds);
  out->read_threads = static_cast<int>(raw.read_threads);
  out->write_threads = static_cast<int>(raw.write_threads);
  out->clock_step = base::Seconds(raw.clock_step_seconds);
  out->clock_downtime = base::Days(raw.clock_downtime_days);
  return absl::OkStatus();
}

// The hour or the minute in UTC, or a whole RFC 3339 time.
absl::Status NamedTime(const std::string& text, base::Instant* out) {
  constexpr size_t kHour = 13;    // 2026-11-27T12
  constexpr size_t kMinute = 16;  // 2026-11-27T12:30
  if (text.empty()) return absl::OkStatus();
  const std::string whole = text.size() == kHour ? text + ":00:00Z" : text.size() == kMinute ? text + ":00Z" : text;
  if (base::ParseRfc3339(whole, out)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--accept-clock must be a time such as 2026-11-27T12 or 2026-11-27T12:30, not '", text, "'"));
}

template <typename T>
absl::Status OneOf(const char* name, const std::string& text, const std::map<std::string, T>& words, T* out) {
  const auto found = words.find(text);
  if (found != words.end()) {
    *out = found->second;
    return absl::OkStatus();
  }
  std::string known;
  for (const auto& [word, value] : words) absl::StrAppend(&known, known.empty() ? "" : ", ", word);
  return absl::InvalidArgumentError(absl::StrCat("--", name, " must be one of ", known, ", not '", text, "'"));
}

absl::StatusOr<ServeOptions> Validate(const RawOptions& raw, const ProcessEnvironment& environment) {
  ServeOptions out;
  absl::Status status = ResolvePaths(raw, environment, &out);
  if (status.ok()) status = CheckNumbers(raw, &out);
  if (status.ok()) status = NamedTime(raw.accept_clock, &out.accept_clock);
  if (status.ok()) {
    status = OneOf<LogFormat>("log-format", raw.log_format,
                              {{"auto", LogFormat::kAuto}, {"json", LogFormat::kJson}, {"text", LogFormat::kText}},
                              &out.log_format);
  }
  if (status.ok()) {
    status = OneOf<LogLevel>("log-level", raw.log_level,
                             {{"debug", LogLevel::kDebug},
                              {"info", LogLevel::kInfo},
                              {"warn", LogLevel::kWarn},
                              {"error", LogLevel::kError}},
                             &out.log_level);
  }
  if (!status.ok()) return status;
  out.accept_loss = raw.accept_loss;
  return out;
}

constexpr char kOverview[] =
    "consentd answers whether a voice recording may be used for a purpose, here, now, and whether it must be purged.\n"
    "\n"
    "  consentd serve [OPTIONS]         run the daemon; --help lists the options\n"
    "  consentd policy validate FILE    check a policy file; problems one per line, exit 1, and what cannot work\n"
    "  consentd policy diff OLD NEW     what the second file allows more and less than the first, word by word\n"
    "  consentd policy test FILE...     play files of cases against a policy, and say which fail, exit 1;\n"
    "                                   --policy FILE takes that one, --json prints JSON\n"
    "  consentd restore BACKUP --journal DIR  make a store out of a backup and the restriction journal\n"
    "  consentd callers validate FILE   check a callers' file, likewise\n"
    "  consentd journal verify DIR      read a restriction journal to its end, and say what it has\n"
    "  consentd keys backup-pair FILE   make the backups' keys: the secret half into FILE, the public one printed\n"
    "  consentd keys show               the master keys of the key file by their numbers, and no byte of any\n"
    "  consentd keys add-master         add a master key; `consentctl keys rewrap` then puts it into use\n"
    "  consentd keys drop-master NUMBER drop a master key under which nothing lies any more\n"
    "  consentd keys export FILE        write the keys to a new file, for a safe place apart from every backup;\n"
    "                                   each takes --config, --key-file and --data-dir as serve does\n"
    "  consentd store verify FOLDER     read every row of a store whose daemon is stopped, or of a backup; exit 1 "
    "where\n"
    "                                   something is wrong; --json prints JSON\n"
    "  consentd store stats FOLDER      rows, bytes and files of one; --json prints JSON\n"
    "  consentd store compact FOLDER    rewrite a store's files, so that what was deleted takes no room\n"
    "  consentd store copy FOLDER --to FOLDER\n"
    "                                   make another store of it, with another id; --key-file FILE (its keys) and\n"
    "                                   --new-key-file FILE put it under new keys, for when the key file leaked\n"
    "  consentd version                 print the version\n";

absl::StatusOr<Invocation> ParseServe(const std::vector<std::string>& arguments,
                                      const ProcessEnvironment& environment) {
  CLI::App app("Run the daemon. Command line > environment (CONSENTD_DATA_DIR and so on) > --config file > default.",
               "consentd serve");
  app.formatter(std::make_shared<HelpFormatter>(HelpColumns()));
  app.footer(
      "Examples:\n"
      "  # For yourself, with a store in your home\n"
      "  consentd serve --data-dir ~/consent/store --listen unix:$HOME/consent/run/consentd.sock\n"
      "  # By a configuration file, which the environment and the command line overrule\n"
      "  consentd serve --config /etc/consentd/consentd.toml");
  RawOptions raw;
  AddOptions(&app, &raw);
  absl::StatusOr<std::vector<std::string>> all = WithEnvironment(app, arguments, environment.environment);
  if (!all.ok()) return all.status();
  Invocation invocation;
  std::reverse(all->begin(), all->end());  // CLI11 takes them from the end
  try {
    app.parse(*all);
  } catch (const CLI::CallForHelp&) {
    invocation.help = app.help();
    return invocation;
  } catch (const CLI::ConfigError& error) {
    return absl::InvalidArgumentError(OneLine(
        absl::StrCat("configuration file ", app.get_config_ptr()->results().back(), ": ", FileProblem(error.what()))));
  } catch (const CLI::Error& error) {
    return absl::InvalidArgumentError(OneLine(error.what() + OptionMeant(app, arguments)));
  }
  absl::StatusOr<ServeOptions> options = Validate(raw, environment);
  if (!options.ok()) return options.status();
  invocation.command = Command::kServe;
  invocation.serve = *std::move(options);
  return invocation;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> ConfigurableOptions() {
  CLI::App app;
  RawOptions raw;
  AddOptions(&app, &raw);
  std::vector<std::pair<std::string, std::string>> options;
  for (const CLI::Option* option : app.get_options()) {
    if (IsSetFromOutside(*option)) options.emplace_back(option->get_single_name(), option->get_default_str());
  }
  return options;
}

std::shared_ptr<void> DescribeServe(CLI::App* app) {
  auto raw = std::make_shared<RawOptions>();
  AddOptions(app, raw.get());
  return raw;
}

absl::StatusOr<Invocation> ParseInvocation(const std::vector<std::string>& arguments,
                                           const ProcessEnvironment& environment) {
  Invocation invocation;
  invocation.help = kOverview;
  const std::string first = arguments.empty() ? "--help" : arguments[0];
  if (first == "help" && arguments.size() == 2 && arguments[1] == "serve") return ParseServe({"--help"}, environment);
  if (first == "--help" || first == "-h" || first == "help") return invocation;
  if (first == "serve") return ParseServe({arguments.begin() + 1, arguments.end()}, environment);
  if (first == "version" || first == "--version") {
    if (arguments.size() != 1) return absl::InvalidArgumentError("`consentd version` takes nothing more");
    invocation.command = Command::kPrintVersion;
    return invocation;
  }
  if (first == "policy") return ParsePolicyCommand(arguments);
  if (first == "restore") return ParseRestoreCommand(arguments, environment);
  const bool makes_pair = first == "keys" && arguments.size() > 1 && arguments[1] == "backup-pair";
  if (first == "journal" || makes_pair) return ParseJournalCommand(arguments);
  if (first == "keys") return ParseKeysCommand(arguments, environment);
  if (first == "store") return ParseStoreCommand(arguments);
  if (first == "callers") {
    if (arguments.size() != 3 || arguments[1] != "validate" || arguments[2].empty()) {
      return absl::InvalidArgumentError("usage: consentd callers validate FILE");
    }
    invocation.command = Command::kValidateCallers;
    invocation.callers_file = arguments[2];
    return invocation;
  }
  return absl::InvalidArgumentError(OneLine(absl::StrCat("unknown command '", first, "'", CommandMeant(first),
                                                         " serve, restore, policy validate, policy diff, policy test, "
                                                         "callers validate, journal, keys, store and version")));
}

}  // namespace consent::ops
