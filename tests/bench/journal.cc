// bench_journal: what the restriction journal costs opt-outs. In one process over the embedded store, without a server:
// clients that opt out one account after the other, with the journal and without it in turn.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <semaphore>
#include <vector>

#include "daemon/journal/journal.h"
#include "daemon/service/subject/subject_changes.h"
#include "tests/bench/offline.h"

namespace consent::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
  std::string data_dir;
  std::string journal;
  int rounds = 7;
  int64_t round_ms = 3000;
  int clients = 64;
};

class JournalBench {
 public:
  explicit JournalBench(const Arguments& arguments)
      : arguments_(arguments),
        offline_(arguments.data_dir),
        ids_(offline_.core(), std::nullopt),
        all_(offline_.core(), Offline::kInFlight),
        changes_(offline_.core(), all_) {}

  // Opt-outs a second, each of an account that nobody has seen.
  double Round() {
    std::atomic<uint64_t> done{0};
    std::counting_semaphore<Offline::kInFlight> room(arguments_.clients);
    const auto began = Clock::now();
    const auto end = began + std::chrono::milliseconds(arguments_.round_ms);
    while (Clock::now() < end) {
      room.acquire();
      changes_.Submit(OptOut(), [&](const absl::StatusOr<service::ChangeReply>& reply) {
        if (!reply.ok()) Give(reply.status());
        done.fetch_add(1);
        room.release();
      });
    }
    for (int i = 0; i < arguments_.clients; ++i) room.acquire();
    return static_cast<double>(done.load()) / std::chrono::duration<double>(Clock::now() - began).count();
  }
  double RoundWithJournal() {
    journal::Folder::Options folder;
    folder.path = arguments_.journal + "/" + std::to_string(++folders_);
    const auto opened = Need(journal::Journal::Open(offline_.core(), ids_, folder, [](const absl::Status& behind) {
      if (!behind.ok()) Give(behind);
    }));
    if (absl::Status status = opened->CatchUp(); !status.ok()) Give(status);
    offline_.store().SetGate(opened.get());
    const double rate = Round();
    offline_.store().SetGate(nullptr);
    bytes_each_ = static_cast<double>(opened->counts().bytes) / static_cast<double>(opened->counts().entries);
    std::filesystem::remove_all(folder.path);
    return rate;
  }
  double bytes_each() const { return bytes_each_; }
  void Close() { offline_.store().Close(); }

 private:
  service::ChangeRequest OptOut() {
    service::ChangeRequest change;
    change.account_id = "account-" + std::to_string(++accounts_);
    change.subject = offline_.core().hasher.Subject(change.account_id);
    change.kind = service::ChangeKind::kOptOut;
    domain::ChoiceCommand choice;
    choice.on = false;
    change.command.choices.push_back(choice);
    change.command.proof.channel = domain::Channel::kApp;
    change.command.proof.actor = domain::Actor::kSelf;
    return change;
  }

  const Arguments arguments_;
  Offline offline_;
  const journal::Ids ids_;
  service::ChangeSubject all_;
  service::SubjectChanges changes_;
  uint64_t accounts_ = 0;
  int folders_ = 0;
  double bytes_each_ = 0;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Run(const Arguments& arguments) {
  JournalBench bench(arguments);
  bench.Round();  // warm
  std::vector<double> without;
  std::vector<double> with;
  std::vector<double> ratios;
  for (int round = 0; round < arguments.rounds; ++round) {
    without.push_back(bench.Round());
    with.push_back(bench.RoundWithJournal());
    ratios.push_back(with.back() / without.back());
  }
  bench.Close();
  std::printf(
      "opt-outs of %d clients: %.0f/s without, %.0f/s with the journal, %.0f bytes each; ratio %.2f (%.2f to %.2f)\n",
      arguments.clients, Median(without), Median(with), bench.bytes_each(), Median(ratios),
      *std::min_element(ratios.begin(), ratios.end()), *std::max_element(ratios.begin(), ratios.end()));
}

}  // namespace
}  // namespace consent::bench

int main(int argc, char** argv) {
  consent::bench::Arguments arguments;
  CLI::App app("Measures what the restriction journal costs opt-outs");
  app.add_option("--data-dir", arguments.data_dir, "A new folder; key and head file beside it")->required();
  app.add_option("--journal", arguments.journal, "A folder, on the disk of the journal")->required();
  app.add_option("--rounds", arguments.rounds)->capture_default_str();
  app.add_option("--round-ms", arguments.round_ms)->capture_default_str();
  app.add_option("--clients", arguments.clients)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  consent::bench::Run(arguments);
}
