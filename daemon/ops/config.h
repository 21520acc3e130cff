// What the daemon is told at start: one definition of every option, four places to set it.
// Command line > environment (CONSENTD_<OPTION>, dashes as underscores) > file (--config) > default.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/time.h"
#include "daemon/ops/listener.h"

namespace CLI {
class App;
}  // namespace CLI

namespace consent::ops {

enum class LogFormat : uint8_t { kAuto = 0, kJson = 1, kText = 2 };
enum class LogLevel : uint8_t { kDebug = 0, kInfo = 1, kWarn = 2, kError = 3 };

// Options of `consentd serve`, complete and validated. Paths are absolute.
struct ServeOptions {
  std::vector<ListenOption> listeners;  // 1 to 16; without certificates Unix sockets and loopback alone
  std::string tls_certificate;          // empty: no TLS is spoken; else key and client CA are given, too
  std::string tls_key;
  std::string tls_client_ca;
  std::string data_dir;                 // the store
  std::string key_file;                 // beside data_dir, never inside; or the credential's file
  bool key_is_credential = false;       // the service manager brings it and the daemon never makes it
  std::string head_file;                // beside data_dir, never inside
  std::string decision_log;             // its folder, beside data_dir, never inside; empty: off
  std::string restriction_journal;      // its folder, never inside data_dir; empty: none is kept
  std::string backup_public_key;        // empty: no ids are journaled; only with a journal
  std::string policy_file;              // empty: the compiled-in policy
  std::string callers_file;             // empty: none, and no certificate has a role
  std::optional<Place> metrics_listen;  // absent: off
  uint64_t index_max_subjects = 0;
  int read_threads = 0;   // 1..256
  int write_threads = 0;  // 1..256
  int drain_seconds = 0;  // 0..600
  LogFormat log_format = LogFormat::kAuto;
  LogLevel log_level = LogLevel::kInfo;
  bool accept_loss = false;
  base::Span clock_step;  // a minute to a day: how far the wall clock may jump within one boot before it is doubtful
  base::Span
      clock_downtime;  // one to 365 days: how long the machine may have been off before the wall clock is doubtful
  base::Instant accept_clock;  // the time that an operator vouches for; unset: none
};

enum class Command : uint8_t {
  kHelp = 0,
  kServe = 1,
  kValidatePolicy = 2,
  kPrintVersion = 3,
  kValidateCallers = 4,
  kTestPolicy = 5,
  kDiffPolicies = 6,
  kVerifyJournal = 7,
  kMakeBackupPair = 8,
  kRestore = 9,
  kKeys = 10,
  kStore = 11,
};

enum class KeyAct : uint8_t { kShow = 0, kAddMaster = 1, kDropMaster = 2, kExport = 3 };

// Of `keys ...`.
struct KeyOptions {
  KeyAct act = KeyAct::kShow;
  uint16_t number = 0;  // of kDropMaster; 1 or more
  std::string file;     // of kExport; absolute
};

enum class StoreAct : uint8_t { kVerify = 0, kStats = 1, kCompact = 2, kCopy = 3 };

// Of `store ...`.
struct StoreToolOptions {
  StoreAct act = StoreAct::kVerify;
  std::string folder;        // of a store, or of a backup
  std::string to;            // of kCopy
  std::string key_file;      // of kCopy under new keys: those of the store; empty: its keys stay
  std::string new_key_file;  // likewise: those of the copy, made where there is none
  bool json = false;         // of kVerify and kStats
};

// Of `policy test`.
struct PolicyTestOptions {
  std::vector<std::string> files;  // of cases; 1 or more
  std::string policy_file;         // in place of the one that each file names; empty: none
  bool json = false;
};

// Of `restore`, beside the options of `serve`, which say where the store, its keys and its head file are to be. Paths
// are absolute.
struct RestoreOptions {
  std::string backup;
  std::string journal;           // empty: without_journal
  std::string secret_file;       // empty: nobody has it
  bool without_journal = false;  // everything counts as restored until an officer accepts that
};

// What the daemon was started for.
struct Invocation {
  Command command = Command::kHelp;
  std::string help;          // of kHelp: what to print
  ServeOptions serve;        // of kServe, kRestore and kKeys
  RestoreOptions restore;    // of kRestore
  KeyOptions keys;           // of kKeys
  std::string policy_file;   // of kValidatePolicy; of kDiffPolicies the old one
  std::string next_policy;   // of kDiffPolicies
  PolicyTestOptions test;    // of kTestPolicy
  std::string callers_file;  // of kValidateCallers
  std::string journal;       // of kVerifyJournal: the folder
  std::string secret_file;   // of kMakeBackupPair: to be written
  StoreToolOptions store;    // of kStore
};

// Where the process runs; main fills it from the operating system, tests by hand.
struct ProcessEnvironment {
  bool root = false;
  std::map<std::string, std::string> environment;
  std::string working_directory = "/";
};

// The whole command line without the program's name. Reads the configuration file and nothing else; changes nothing.
// InvalidArgument, with one line that says what is wrong: an unknown command, option, key of the file or CONSENTD_
// variable; a value out of its bounds; a credential that nobody brought; an address that is neither loopback nor a Unix
// socket where there are no certificates; files that collide. For other commands than `serve` environment and file are
// not looked at.
absl::StatusOr<Invocation> ParseInvocation(const std::vector<std::string>& arguments,
                                           const ProcessEnvironment& environment);

// The options of `serve` that environment and file may set: name without dashes and default as text. For documentation
// tests.
std::vector<std::pair<std::string, std::string>> ConfigurableOptions();

// Adds the options of `serve` to `app`, for pages about them. What is returned outlives `app`.
std::shared_ptr<void> DescribeServe(CLI::App* app);

}  // namespace consent::ops
