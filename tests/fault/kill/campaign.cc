#include "tests/fault/kill/campaign.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/fault/kill/writers.h"

namespace consent::test {
namespace {

using std::chrono::milliseconds;

// A start syncs several files, and a disk that takes what a build has written lets each wait for many seconds.
constexpr milliseconds kStartPatience{120'000};
constexpr milliseconds kExitPatience{60'000};
constexpr int kShortage = 75;  // its exit code: a supervisor starts it again
constexpr int kMaxStarts = 5;  // of which all but the last may end with it
constexpr size_t kShownLogBytes = 2048;
constexpr uint64_t kMaxLoadMs = 300;
constexpr uint64_t kMaxStartMs = 80;
constexpr int kStartsPerKill = 6;      // one start in so many is killed on the way
constexpr uint64_t kRepeatOneIn = 40;  // acknowledged requests
constexpr int kOlderAccounts = 12;     // looked at again in each cycle

// The last lines of what the daemons wrote.
std::string EndOf(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  return text.size() <= kShownLogBytes ? text : text.substr(text.size() - kShownLogBytes);
}

std::string HowItEnded(const std::optional<ExitStatus>& ended) {
  if (!ended.has_value()) return absl::StrCat("does not serve within ", kStartPatience.count() / 1000, " s");
  return *ended < 0 ? absl::StrCat("was ended by signal ", -*ended) : absl::StrCat("ended with ", *ended);
}

}  // namespace

Campaign::Campaign(CampaignOptions options)
    : options_(std::move(options)),
      address_("unix:" + options_.folder + "/run/consentd.sock"),
      trigger_(options_.folder + "/fail-syncs"),
      random_(options_.seed) {}

absl::StatusOr<ChildProcess> Campaign::Start(const std::vector<std::pair<std::string, std::string>>& environment) {
  ProcessSpec spec;
  spec.program = options_.daemon;
  spec.arguments = {"serve", "--data-dir", options_.folder + "/data", "--listen", address_, "--metrics-listen", "off"};
  spec.environment = environment;
  spec.output_file = options_.folder + "/log";
  return ChildProcess::Start(spec);
}

absl::Status Campaign::EnsureServing() {
  if (daemon_.has_value()) return absl::OkStatus();
  while (random_() % kStartsPerKill == 0) {
    if (absl::Status status = KillWhileStarting(); !status.ok()) return status;
  }
  std::optional<ExitStatus> ended = kShortage;
  for (int i = 0; i < kMaxStarts && ended == kShortage; ++i) {
    absl::StatusOr<ChildProcess> started = Start({});
    if (!started.ok()) return started.status();
    daemon_ = *std::move(started);
    const Serving serving = WaitUntilServing(address_, "consent.v1.SettingsService", *daemon_, kStartPatience);
    if (serving.yes) return absl::OkStatus();
    ended = serving.ended;
  }
  return absl::InternalError(absl::StrCat("after a crash the daemon ", HowItEnded(ended), "; the end of its log:\n",
                                          EndOf(options_.folder + "/log")));
}

absl::Status Campaign::KillWhileStarting() {
  absl::StatusOr<ChildProcess> started = Start({});
  if (!started.ok()) return started.status();
  const auto ended = started->Wait(milliseconds(random_() % kMaxStartMs));
  if (ended.has_value()) {
    return absl::InternalError(absl::StrCat("right after its start the daemon ", HowItEnded(ended),
                                            "; the end of its log:\n", EndOf(options_.folder + "/log")));
  }
  started->KillAndWait();
  ++tally_.killed_starting;
  return absl::OkStatus();
}

absl::Status Campaign::CrashUnderLoad(Crash crash, int cycle, std::vector<Attempt>* attempts) {
  if (crash == Crash::kFailSync) {
    daemon_.reset();
    std::filesystem::remove(trigger_);
    absl::StatusOr<ChildProcess> started =
        Start({{"LD_PRELOAD", options_.shim}, {"CONSENT_LOSE_UNSYNCED_WHILE", trigger_}});
    if (!started.ok()) return started.status();
    daemon_ = *std::move(started);
    if (const Serving serving = WaitUntilServing(address_, "", *daemon_, kStartPatience); !serving.yes) {
      return absl::InternalError(absl::StrCat("under the shim the daemon ", HowItEnded(serving.ended)));
    }
  }
  Writers::Options options;
  options.address = address_;
  options.seed = options_.seed + static_cast<uint64_t>(cycle);
  options.threads = options_.threads;
  options.accounts = options_.accounts;
  options.prefix = absl::StrCat("c", cycle, "-");
  Writers writers(options);
  std::this_thread::sleep_for(milliseconds(1 + random_() % kMaxLoadMs));
  absl::Status status;
  if (crash == Crash::kKill) {
    daemon_->KillAndWait();
  } else {
    std::ofstream(trigger_).put('\n');
    status = AwaitFailure();
  }
  *attempts = writers.Stop();
  daemon_.reset();
  return status;
}

absl::Status Campaign::AwaitFailure() {
  const std::optional<ExitStatus> ended = daemon_->Wait(kExitPatience);
  if (!ended.has_value()) return absl::InternalError("the daemon lives on although its syncs fail");
  if (*ended <= 0) {
    return absl::InternalError(absl::StrCat("the daemon ended with ", *ended, " although its syncs failed"));
  }
  return absl::OkStatus();
}

absl::Status Campaign::Repeat(const Api& api, std::vector<Attempt>* attempts, std::set<std::string>* accounts) {
  for (Attempt& attempt : *attempts) {
    const bool unknown = attempt.ending == Ending::kUnknown;
    if (!unknown && (attempt.ending != Ending::kAcknowledged || random_() % kRepeatOneIn != 0)) continue;
    accounts->insert(attempt.operation.account);
    std::string revision;
    const Ending ending = api.Send(attempt.operation, &revision);
    const std::string which = attempt.operation.account + ": the repeated request " + attempt.operation.request_id;
    if (ending == Ending::kUnknown) return absl::InternalError(which + " got no answer from a daemon that serves");
    if (!attempt.revision.empty() && revision != attempt.revision) {
      return absl::InternalError(which + " was answered anew");
    }
    if (!unknown) {
      ++tally_.repeated;
      continue;
    }
    attempt.ending = ending;
    attempt.revision = revision;
  }
  return absl::OkStatus();
}

absl::Status Campaign::Check(std::vector<Attempt>* attempts) {
  const Api api(address_);
  std::map<std::string, std::vector<const Attempt*>> by_account;
  for (const Attempt& attempt : *attempts) {
    by_account[attempt.operation.account].push_back(&attempt);
    ++(attempt.ending == Ending::kAcknowledged ? tally_.acknowledged
       : attempt.ending == Ending::kRefused    ? tally_.refused
                                               : tally_.unknown);
  }
  // First as the crash left it; what turns out to have been done has a revision from then on, which a repetition must
  // be answered with.
  for (const auto& [account, of_account] : by_account) {
    if (absl::Status status = CheckAccount(api, account, of_account, &known_[account]); !status.ok()) return status;
    names_.push_back(account);
    ++tally_.accounts_checked;
  }
  for (Attempt& attempt : *attempts) {
    if (attempt.ending != Ending::kUnknown) continue;
    const auto history = api.History(attempt.operation.account);
    if (!history.ok()) return history.status();
    for (const v1::HistoryEntry& entry : *history) {
      if (entry.evidence().reference() != attempt.operation.request_id) continue;
      attempt.revision = entry.revision();
      ++tally_.unknown_done;
    }
  }
  std::set<std::string> repeated;
  if (absl::Status status = Repeat(api, attempts, &repeated); !status.ok()) return status;
  for (const std::string& account : repeated) {
    if (absl::Status status = CheckAccount(api, account, by_account[account], &known_[account]); !status.ok()) {
      return status;
    }
  }
  return CheckOlder(api);
}

absl::Status Campaign::CheckOlder(const Api& api) {
  for (int i = 0; i < kOlderAccounts && !names_.empty(); ++i) {
    const std::string& account = names_[random_() % names_.size()];
    if (absl::Status status = CheckState(api, account, known_[account]); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Campaign::Run(Crash crash, int cycle) {
  if (absl::Status status = EnsureServing(); !status.ok()) return status;
  std::vector<Attempt> attempts;
  if (absl::Status status = CrashUnderLoad(crash, cycle, &attempts); !status.ok()) return status;
  std::filesystem::remove(trigger_);
  if (absl::Status status = EnsureServing(); !status.ok()) return status;
  return Check(&attempts);
}

absl::Status Campaign::CheckAll() {
  if (absl::Status status = EnsureServing(); !status.ok()) return status;
  const Api api(address_);
  for (const auto& [account, model] : known_) {
    if (absl::Status status = CheckState(api, account, model); !status.ok()) return status;
    const auto history = api.History(account);
    if (!history.ok()) return history.status();
    if (history->size() != model.entries) return absl::InternalError(account + ": history has shrunk or grown");
  }
  daemon_->Signal(SIGTERM);
  const auto ended = daemon_->Wait(kExitPatience);
  daemon_.reset();
  return ended == 0 ? absl::OkStatus() : absl::InternalError("the daemon does not stop cleanly");
}

}  // namespace consent::test
