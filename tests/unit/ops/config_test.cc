#include "daemon/ops/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace consent::ops {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() {
    surroundings_.environment["HOME"] = "/h/op";
    surroundings_.environment["XDG_RUNTIME_DIR"] = "/run/user/7";
    surroundings_.working_directory = "/w";
  }
  ~ConfigTest() override { std::filesystem::remove(file_); }

  absl::StatusOr<Invocation> Serve(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "serve");
    return ParseInvocation(arguments, surroundings_);
  }
  std::string Error(std::vector<std::string> arguments) {
    absl::StatusOr<Invocation> invocation = Serve(std::move(arguments));
    if (invocation.ok()) return "no error";
    EXPECT_EQ(invocation.status().message().find('\n'), absl::string_view::npos);
    return std::string(invocation.status().message());
  }
  std::string File(const std::string& content) {
    std::ofstream(file_) << content;
    return file_;
  }

  ProcessEnvironment surroundings_;
  const std::string file_ = testing::TempDir() + "config_test." + std::to_string(getpid()) + ".toml";
};

TEST_F(ConfigTest, Defaults) {
  const absl::StatusOr<Invocation> user = Serve({});
  ASSERT_TRUE(user.ok()) << user.status();
  EXPECT_EQ(user->command, Command::kServe);
  EXPECT_EQ(user->serve.listeners[0].place.text(), "unix:/run/user/7/consentd/consentd.sock");
  EXPECT_EQ(user->serve.data_dir, "/h/op/.local/share/consentd");
  EXPECT_EQ(user->serve.key_file, "/h/op/.local/share/consentd.key");
  EXPECT_EQ(user->serve.head_file, "/h/op/.local/share/consentd.head");
  EXPECT_EQ(user->serve.metrics_listen->text(), "127.0.0.1:9464");
  EXPECT_EQ(user->serve.drain_seconds, 10);
  EXPECT_FALSE(user->serve.accept_loss);

  surroundings_.root = true;
  const absl::StatusOr<Invocation> root = Serve({});
  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_EQ(root->serve.listeners[0].place.text(), "unix:/run/consentd/consentd.sock");
  EXPECT_EQ(root->serve.data_dir, "/var/lib/consentd");
}

TEST_F(ConfigTest, WithoutARuntimeFolderTheSystemsSocketIsMeant) {
  surroundings_.environment["XDG_RUNTIME_DIR"] = "relative";
  EXPECT_EQ(Serve({})->serve.listeners[0].place.text(), "unix:/run/consentd/consentd.sock");
  surroundings_.environment.erase("XDG_RUNTIME_DIR");
  EXPECT_EQ(Serve({})->serve.listeners[0].place.text(), "unix:/run/consentd/consentd.sock");
  surroundings_.environment.erase("HOME");
  EXPECT_THAT(Error({}), HasSubstr("--data-dir is needed"));
}

TEST_F(ConfigTest, UnderAServiceManagerTheStoreIsInItsStateDirectory) {
  surroundings_.environment["STATE_DIRECTORY"] = "/var/lib/consentd:/var/lib/other";
  EXPECT_EQ(Serve({})->serve.data_dir, "/var/lib/consentd/store");
  EXPECT_EQ(Serve({"--config", File("data-dir = \"/srv/consent\"\n")})->serve.data_dir, "/srv/consent");
  surroundings_.environment["STATE_DIRECTORY"] = "relative";
  EXPECT_EQ(Serve({})->serve.data_dir, "/h/op/.local/share/consentd");
}

TEST_F(ConfigTest, CommandLineWinsOverEnvironmentOverFileOverDefault) {
  const std::string file = File("drain-seconds = 31\nread-threads = 32\nwrite-threads = 33\n");
  surroundings_.environment["CONSENTD_READ_THREADS"] = "42";
  surroundings_.environment["CONSENTD_WRITE_THREADS"] = "43";
  const absl::StatusOr<Invocation> invocation = Serve({"--config", file, "--write-threads", "53"});
  ASSERT_TRUE(invocation.ok()) << invocation.status();
  EXPECT_EQ(invocation->serve.drain_seconds, 31);
  EXPECT_EQ(invocation->serve.read_threads, 42);
  EXPECT_EQ(invocation->serve.write_threads, 53);
}

TEST_F(ConfigTest, TheEnvironmentNamesTheFileAndTheCommandLineAnother) {
  surroundings_.environment["CONSENTD_CONFIG"] = File("drain-seconds = 31\n");
  ASSERT_TRUE(Serve({}).ok());
  EXPECT_EQ(Serve({})->serve.drain_seconds, 31);
  EXPECT_THAT(Error({"--config", "/nowhere/consentd.toml"}), HasSubstr("/nowhere/consentd.toml"));
}

TEST_F(ConfigTest, ARestrictionJournalLiesOutsideTheStoreAndAKeyGoesWithOne) {
  EXPECT_EQ(Serve({})->serve.restriction_journal, "");
  const auto both = Serve({"--restriction-journal", "/m/j/", "--backup-public-key", "/k/pub"});
  ASSERT_TRUE(both.ok()) << both.status();
  EXPECT_EQ(both->serve.restriction_journal, "/m/j");
  EXPECT_EQ(both->serve.backup_public_key, "/k/pub");
  EXPECT_THAT(Error({"--data-dir", "/d", "--restriction-journal", "/d/j"}),
              HasSubstr("--restriction-journal must lie outside"));
  EXPECT_THAT(Error({"--data-dir", "/d", "--restriction-journal", "/d.decisions"}), HasSubstr("must differ"));
  EXPECT_THAT(Error({"--backup-public-key", "/k/pub"}), HasSubstr("give both"));
}

TEST_F(ConfigTest, AnEmptyValueIsAValue) {
  EXPECT_FALSE(Serve({"--metrics-listen", ""})->serve.metrics_listen.has_value());
  EXPECT_FALSE(Serve({"--metrics-listen=", "--drain-seconds", "3"})->serve.metrics_listen.has_value());
  EXPECT_FALSE(Serve({"--metrics-listen=off"})->serve.metrics_listen.has_value());
  surroundings_.environment["CONSENTD_METRICS_LISTEN"] = "";
  EXPECT_FALSE(Serve({"--drain-seconds", "3"})->serve.metrics_listen.has_value());
  surroundings_.environment.erase("CONSENTD_METRICS_LISTEN");
  const absl::StatusOr<Invocation> from_file = Serve({"--config", File("metrics-listen = \"off\"\n")});
  ASSERT_TRUE(from_file.ok()) << from_file.status();
  EXPECT_FALSE(from_file->serve.metrics_listen.has_value());
}

TEST_F(ConfigTest, WhatIsUnknownStopsTheStart) {
  EXPECT_THAT(Error({"--nonsense"}), HasSubstr("--nonsense"));
  EXPECT_THAT(Error({"stray"}), HasSubstr("stray"));
  EXPECT_THAT(Error({"--config", File("nonsense = 1\n")}), HasSubstr("unknown key 'nonsense'"));
  EXPECT_THAT(Error({"--config", File("[serve]\ndrain-seconds = 1\n")}), HasSubstr("unknown section 'serve'"));
  surroundings_.environment["CONSENTD_NONSENSE"] = "1";
  EXPECT_THAT(Error({}), HasSubstr("CONSENTD_NONSENSE"));
}

TEST_F(ConfigTest, ALossIsAcceptedOnTheCommandLineOnly) {
  EXPECT_TRUE(Serve({"--accept-loss"})->serve.accept_loss);
  EXPECT_THAT(Error({"--config", File("accept-loss = true\n")}), HasSubstr("accept-loss"));
  surroundings_.environment["CONSENTD_ACCEPT_LOSS"] = "true";
  EXPECT_THAT(Error({}), HasSubstr("CONSENTD_ACCEPT_LOSS"));
}

TEST_F(ConfigTest, ATimeIsVouchedForOnTheCommandLineOnly) {
  const base::Instant noon{1'795'780'800'000'000};  // 2026-11-27T12:00:00Z
  EXPECT_EQ(Serve({"--accept-clock=2026-11-27T12"})->serve.accept_clock, noon);
  EXPECT_EQ(Serve({"--accept-clock=2026-11-27T12:30"})->serve.accept_clock, noon + base::Seconds(1'800));
  EXPECT_EQ(Serve({"--accept-clock=2026-11-27T13:00:00+01:00"})->serve.accept_clock, noon);
  EXPECT_FALSE(Serve({})->serve.accept_clock.IsSet());
  for (const char* bad : {"now", "2026-11-27", "2026-11-27T25", "12:30"}) {
    EXPECT_THAT(Error({"--accept-clock", bad}), HasSubstr("2026-11-27T12")) << bad;
  }
  EXPECT_THAT(Error({"--config", File("accept-clock = \"2026-11-27T12\"\n")}), HasSubstr("accept-clock"));
}

TEST_F(ConfigTest, EveryBoundIsSaid) {
  EXPECT_THAT(Error({"--drain-seconds=-1"}), HasSubstr("0 to 600"));
  EXPECT_THAT(Error({"--drain-seconds", "601"}), HasSubstr("0 to 600"));
  EXPECT_THAT(Error({"--read-threads", "257"}), HasSubstr("1 to 256"));
  EXPECT_THAT(Error({"--write-threads", "0"}), HasSubstr("1 to 256"));
  EXPECT_THAT(Error({"--index-max-subjects", "0"}), HasSubstr("index-max-subjects"));
  EXPECT_THAT(Error({"--drain-seconds", "ten"}), HasSubstr("drain-seconds"));
  EXPECT_THAT(Error({"--log-format", "xml"}), HasSubstr("auto, json, text"));
  EXPECT_THAT(Error({"--log-level", "loud"}), HasSubstr("debug, error, info, warn"));
  surroundings_.environment["CONSENTD_DRAIN_SECONDS"] = "601";
  EXPECT_THAT(Error({}), HasSubstr("0 to 600"));
}

TEST_F(ConfigTest, KeysAndHeadLieOutsideTheDataFolder) {
  EXPECT_THAT(Error({"--data-dir", "/d", "--key-file", "/d/keys"}), HasSubstr("--key-file must lie outside"));
  EXPECT_THAT(Error({"--data-dir", "/d/", "--head-file", "/d/../d/head"}), HasSubstr("--head-file must lie outside"));
  EXPECT_THAT(Error({"--key-file", "/k", "--head-file", "/k"}), HasSubstr("must differ"));
  EXPECT_EQ(Serve({"--data-dir", "data/./x"})->serve.key_file, "/w/data/x.key");
}

TEST_F(ConfigTest, KeysMayBeACredential) {
  EXPECT_THAT(Error({"--key-file", "credential:consentd-keys"}), HasSubstr("CREDENTIALS_DIRECTORY is not set"));
  surroundings_.environment["CREDENTIALS_DIRECTORY"] = "run/credentials";
  EXPECT_THAT(Error({"--key-file", "credential:consentd-keys"}), HasSubstr("no absolute path"));
  surroundings_.environment["CREDENTIALS_DIRECTORY"] = "/run/credentials/consentd.service";
  const auto options = Serve({"--key-file", "credential:consentd-keys"});
  EXPECT_TRUE(options->serve.key_is_credential);
  EXPECT_EQ(options->serve.key_file, "/run/credentials/consentd.service/consentd-keys");
  for (const std::string bad : {"", ".", "..", ".hidden", "a/b", "../keys", "a:b", "a b", "k\u00e9"}) {
    EXPECT_THAT(Error({"--key-file", "credential:" + bad}), HasSubstr("a credential's name")) << bad;
  }
  EXPECT_THAT(Error({"--key-file", "credential:" + std::string(256, 'k')}), HasSubstr("1 to 255"));
  EXPECT_FALSE(Serve({"--key-file", "/k"})->serve.key_is_credential);
  surroundings_.environment["CONSENTD_KEY_FILE"] = "credential:consentd-keys";
  EXPECT_TRUE(Serve({})->serve.key_is_credential);
}

TEST_F(ConfigTest, OtherCommandsAskNeitherEnvironmentNorFile) {
  surroundings_.environment["CONSENTD_NONSENSE"] = "1";
  EXPECT_EQ(ParseInvocation({"version"}, surroundings_)->command, Command::kPrintVersion);
  const absl::StatusOr<Invocation> validate = ParseInvocation({"policy", "validate", "p.json"}, surroundings_);
  ASSERT_TRUE(validate.ok());
  EXPECT_EQ(validate->command, Command::kValidatePolicy);
  EXPECT_EQ(validate->policy_file, "p.json");
  EXPECT_EQ(ParseInvocation({}, surroundings_)->command, Command::kHelp);
  const absl::StatusOr<Invocation> callers = ParseInvocation({"callers", "validate", "c.json"}, surroundings_);
  ASSERT_TRUE(callers.ok()) << callers.status();
  EXPECT_EQ(callers->command, Command::kValidateCallers);
  EXPECT_EQ(callers->callers_file, "c.json");
  for (const auto& wrong :
       {std::vector<std::string>{"callers"}, {"callers", "validate"}, {"callers", "validate", ""}}) {
    EXPECT_FALSE(ParseInvocation(wrong, surroundings_).ok());
  }
  EXPECT_FALSE(ParseInvocation({"policy"}, surroundings_).ok());
  EXPECT_FALSE(ParseInvocation({"policy", "validate"}, surroundings_).ok());
  EXPECT_FALSE(ParseInvocation({"version", "more"}, surroundings_).ok());
  EXPECT_FALSE(ParseInvocation({"surve"}, surroundings_).ok());
}

TEST_F(ConfigTest, WhatIsDoneToTheKeyFile) {
  surroundings_.working_directory = "/here";
  const auto keys = [this](std::vector<std::string> more) {
    more.insert(more.begin(), "keys");
    return ParseInvocation(more, surroundings_);
  };
  const absl::StatusOr<Invocation> drop = keys({"drop-master", "7", "--data-dir", "store"});
  ASSERT_TRUE(drop.ok()) << drop.status();
  EXPECT_EQ(drop->command, Command::kKeys);
  EXPECT_EQ(drop->keys.act, KeyAct::kDropMaster);
  EXPECT_EQ(drop->keys.number, 7);
  EXPECT_EQ(drop->serve.data_dir, "/here/store");
  EXPECT_EQ(drop->serve.key_file, "/here/store.key");
  EXPECT_EQ(keys({"show", "--key-file", "/k", "--data-dir", "/d"})->serve.key_file, "/k");
  EXPECT_EQ(keys({"add-master", "--data-dir", "/d"})->keys.act, KeyAct::kAddMaster);
  EXPECT_EQ(keys({"export", "kept", "--data-dir", "/d"})->keys.file, "/here/kept");
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{{},
                                                                                     {"shew"},
                                                                                     {"drop-master"},
                                                                                     {"drop-master", "0"},
                                                                                     {"drop-master", "65536"},
                                                                                     {"drop-master", "-1"},
                                                                                     {"drop-master", "1x"},
                                                                                     {"export"},
                                                                                     {"export", ""},
                                                                                     {"export", "--data-dir"},
                                                                                     {"show", "more"},
                                                                                     {"show", "--help"},
                                                                                     {"show", "--nonsense", "1"}}) {
    const absl::Status refused = keys(wrong).status();
    EXPECT_TRUE(absl::IsInvalidArgument(refused)) << refused << " " << wrong.size();
  }
}

TEST_F(ConfigTest, WhatIsAskedAboutPolicies) {
  const absl::StatusOr<Invocation> diff = ParseInvocation({"policy", "diff", "old.json", "new.json"}, surroundings_);
  ASSERT_TRUE(diff.ok()) << diff.status();
  EXPECT_EQ(diff->command, Command::kDiffPolicies);
  EXPECT_EQ(diff->policy_file, "old.json");
  EXPECT_EQ(diff->next_policy, "new.json");
  const absl::StatusOr<Invocation> test =
      ParseInvocation({"policy", "test", "a.json", "--policy", "p.json", "--json", "b.json"}, surroundings_);
  ASSERT_TRUE(test.ok()) << test.status();
  EXPECT_EQ(test->command, Command::kTestPolicy);
  EXPECT_EQ(test->test.files, (std::vector<std::string>{"a.json", "b.json"}));
  EXPECT_EQ(test->test.policy_file, "p.json");
  EXPECT_TRUE(test->test.json);
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{
           {"test"}, {"test", "--json"}, {"test", "a", "--policy"}, {"test", "a", "--what"}, {"diff", "a"}, {"diff"}}) {
    std::vector<std::string> arguments = {"policy"};
    arguments.insert(arguments.end(), wrong.begin(), wrong.end());
    EXPECT_FALSE(ParseInvocation(arguments, surroundings_).ok()) << wrong.back();
  }
}

TEST_F(ConfigTest, WhatARestoreIsAskedFor) {
  const absl::StatusOr<Invocation> restore =
      ParseInvocation({"restore", "b", "--journal", "/j", "--secret=s", "--data-dir", "/var/store"}, surroundings_);
  ASSERT_TRUE(restore.ok()) << restore.status();
  EXPECT_EQ(restore->command, Command::kRestore);
  EXPECT_EQ(restore->restore.backup, surroundings_.working_directory + "/b");
  EXPECT_EQ(restore->restore.journal, "/j");
  EXPECT_EQ(restore->restore.secret_file, surroundings_.working_directory + "/s");
  EXPECT_EQ(restore->serve.data_dir, "/var/store");
  EXPECT_EQ(restore->serve.head_file, "/var/store.head");
  const absl::StatusOr<Invocation> alone = ParseInvocation({"restore", "/b", "--without-journal"}, surroundings_);
  ASSERT_TRUE(alone.ok()) << alone.status();
  EXPECT_TRUE(alone->restore.without_journal);
  EXPECT_EQ(ParseInvocation({"restore", "--help"}, surroundings_)->command, Command::kHelp);
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{},
                                             {"/b"},
                                             {"--journal", "/j"},
                                             {"/b", "--journal", "/j", "--without-journal"},
                                             {"/b", "/c", "--journal", "/j"},
                                             {"/b", "--journal", "/j", "--nonsense"}}) {
    std::vector<std::string> arguments = {"restore"};
    arguments.insert(arguments.end(), wrong.begin(), wrong.end());
    EXPECT_FALSE(ParseInvocation(arguments, surroundings_).ok()) << (wrong.empty() ? "" : wrong.back());
  }
}

TEST_F(ConfigTest, HelpNamesEveryOption) {
  const absl::StatusOr<Invocation> help = Serve({"--help"});
  ASSERT_TRUE(help.ok()) << help.status();
  EXPECT_EQ(help->command, Command::kHelp);
  for (const auto& [name, value] : ConfigurableOptions()) EXPECT_THAT(help->help, HasSubstr("--" + name));
  EXPECT_THAT(help->help, HasSubstr("--accept-loss"));
}

constexpr const char* kTls[] = {"--tls-cert", "server.pem", "--tls-key", "server-key.pem", "--tls-client-ca", "ca.pem"};

std::vector<std::string> WithTls(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), std::begin(kTls), std::end(kTls));
  return arguments;
}

TEST_F(ConfigTest, WhatIsMistypedIsNamedWithWhatWasPerhapsMeant) {
  EXPECT_THAT(Error({"--polcy", "x"}), HasSubstr("did you mean '--policy'?"));
  EXPECT_THAT(Error({"--data_dir=x"}), HasSubstr("did you mean '--data-dir'?"));
  EXPECT_THAT(Error({"--zzzzzz"}), Not(HasSubstr("did you mean")));
  const auto said = [this](const std::vector<std::string>& arguments) {
    return std::string(ParseInvocation(arguments, surroundings_).status().message());
  };
  EXPECT_THAT(said({"srve"}),
              HasSubstr("unknown command 'srve'; did you mean 'serve'? There are serve, restore, policy"));
  EXPECT_THAT(said({"zzzz"}), HasSubstr("unknown command 'zzzz'; there are serve, restore, policy"));
}

TEST_F(ConfigTest, HelpIsWrappedAndHasTwoExamples) {
  const absl::StatusOr<Invocation> help = ParseInvocation({"help", "serve"}, surroundings_);
  ASSERT_TRUE(help.ok()) << help.status();
  EXPECT_EQ(help->help, Serve({"--help"})->help);
  const size_t examples = help->help.find("Examples:\n");
  ASSERT_NE(examples, std::string::npos);
  std::istringstream lines(help->help.substr(0, examples));
  for (std::string line; std::getline(lines, line);) {
    // Names stand on lines of their own.
    EXPECT_TRUE(line.rfind("  -", 0) == 0 || line.size() <= 80) << line;
  }
  EXPECT_THAT(help->help.substr(examples), HasSubstr("consentd serve --config"));
}

TEST_F(ConfigTest, WithoutCertificatesOnlyThisMachineComes) {
  for (const char* good : {"unix:/run/x.sock", "127.0.0.1:0", "127.3.2.1:65535", "[::1]:7000"}) {
    EXPECT_TRUE(Serve({"--listen", good}).ok()) << good;
  }
  for (const char* bad : {"0.0.0.0:7000", "[::]:7000", "10.0.0.1:7000", "[fe80::1]:7000", "[::2]:7000",
                          "localhost:7000", "*:7000", "consent.example:7000"}) {
    EXPECT_THAT(Error({"--listen", bad}), HasSubstr("without certificates")) << bad;
    EXPECT_TRUE(Serve(WithTls({"--listen", bad})).ok()) << bad;
  }
  for (int missing : {0, 2, 4}) {
    std::vector<std::string> arguments(std::begin(kTls), std::end(kTls));
    arguments.erase(arguments.begin() + missing, arguments.begin() + missing + 2);
    EXPECT_THAT(Error(arguments), HasSubstr("some are missing"));
  }
}

TEST_F(ConfigTest, SeveralListeners) {
  const absl::StatusOr<Invocation> two = Serve(
      WithTls({"--listen", "unix:/run/a", "--listen=[::]:7443", "--listen", "unix:/run/b,roles=PURGER,systems=audio"}));
  ASSERT_TRUE(two.ok()) << two.status();
  ASSERT_EQ(two->serve.listeners.size(), 3U);
  EXPECT_EQ(two->serve.listeners[1].place.text(), "[::]:7443");
  EXPECT_EQ(two->serve.tls_key, "/w/server-key.pem");
  EXPECT_THAT(Error({"--listen", "unix:/run/a", "--listen", "unix:/run/a,roles=SAMPLER"}), HasSubstr("twice"));
  EXPECT_THAT(Error(WithTls({"--listen", "127.0.0.1:7,roles=SAMPLER"})), HasSubstr("which certificates say on TCP"));
  std::vector<std::string> many;
  for (int i = 0; i < 17; ++i) many.insert(many.end(), {"--listen", "unix:/run/" + std::to_string(i)});
  EXPECT_THAT(Error(many), HasSubstr("16 times"));
  // The environment's are others' only where the command line names none.
  surroundings_.environment["CONSENTD_LISTEN"] = "unix:/run/c;127.0.0.1:7";
  EXPECT_EQ(Serve({})->serve.listeners.size(), 2U);
  EXPECT_EQ(Serve({"--listen", "unix:/run/d"})->serve.listeners.size(), 1U);
  surroundings_.environment.erase("CONSENTD_LISTEN");
  EXPECT_EQ(Serve({"--config", File("listen = [\"unix:/run/e\", \"127.0.0.1:8\"]\n")})->serve.listeners.size(), 2U);
}

TEST_F(ConfigTest, MetricsAreServedWhereTheyAreAskedFor) {
  for (const char* good : {"0.0.0.0:9464", "*:9464", "metrics.example:9464", "[::]:0"}) {
    EXPECT_TRUE(Serve({"--metrics-listen", good}).ok()) << good;
  }
  EXPECT_THAT(Error({"--metrics-listen", "unix:/run/x.sock"}), HasSubstr("write 127.0.0.1:port"));
}

TEST_F(ConfigTest, TheTwoListenersDiffer) {
  EXPECT_THAT(Error({"--listen", "127.0.0.1:9464"}), HasSubstr("choose two ports"));
  EXPECT_THAT(Error({"--listen", "[0::1]:9465", "--metrics-listen", "[::1]:9465"}), HasSubstr("choose two ports"));
  EXPECT_TRUE(Serve({"--listen", "[::1]:9464"}).ok());
  EXPECT_TRUE(Serve({"--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"}).ok());
}

// The example file shows every option, commented out, and can be taken as it is.
TEST_F(ConfigTest, TheExampleFileShowsEveryOption) {
  std::ifstream in(CONSENT_EXAMPLE_CONFIG);
  std::string line;
  std::string uncommented;
  std::string text;
  while (std::getline(in, line)) {
    text += line + "\n";
    if (line.rfind("#", 0) == 0 && line.rfind("# ", 0) != 0) uncommented += line.substr(1) + "\n";
  }
  for (const auto& [name, value] : ConfigurableOptions()) EXPECT_THAT(text, HasSubstr("\n#" + name + " = "));
  EXPECT_THAT(text, Not(HasSubstr("accept-loss =")));
  ASSERT_TRUE(Serve({"--config", CONSENT_EXAMPLE_CONFIG}).ok());
  const absl::StatusOr<Invocation> all = Serve({"--config", File(uncommented)});
  ASSERT_TRUE(all.ok()) << all.status();
  // What it shows as defaults are the defaults.
  EXPECT_EQ(all->serve.index_max_subjects, Serve({})->serve.index_max_subjects);
  EXPECT_EQ(all->serve.drain_seconds, Serve({})->serve.drain_seconds);
  EXPECT_EQ(all->serve.read_threads, Serve({})->serve.read_threads);
  EXPECT_EQ(all->serve.write_threads, Serve({})->serve.write_threads);
  EXPECT_EQ(all->serve.metrics_listen->text(), Serve({})->serve.metrics_listen->text());
}

}  // namespace
}  // namespace consent::ops
