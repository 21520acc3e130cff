// A process that only writes, to be hurt: writer <folder> <threads> <commits per thread>. Prints, one line each and
// unbuffered:
//   ack <key>       after Done(kCommitted)
//   unknown <key>   after Done(kUnknown)
//   closed <key>    after Done(kClosed)
//   failure         from on_failure
// and exits with 0; with 2 if the store cannot be opened.
#include <unistd.h>

#include <cstdlib>
#include <future>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/random.h"
#include "daemon/store/rocksdb/rocks_store.h"

namespace {

namespace base = consent::base;
namespace store = consent::store;

void Print(const std::string& line) {
  const std::string whole = line + "\n";
  if (write(STDOUT_FILENO, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size())) std::abort();
}

void WriteRows(store::Store& store, int thread, int commits) {
  for (int i = 0; i < commits; ++i) {
    const std::string key = std::to_string(thread) + "-" + std::to_string(i);
    std::promise<store::Outcome> answer;
    store.Commit(
        store::Partition{}, {},
        [&key](const store::Stamp&) {
          return store::Change{{{store::Table::kSubject, key, key}}, {}};
        },
        [&](const store::CommitResult& result) {
          if (result.outcome == store::Outcome::kCommitted) Print("ack " + key);
          if (result.outcome == store::Outcome::kUnknown) Print("unknown " + key);
          if (result.outcome == store::Outcome::kClosed) Print("closed " + key);
          answer.set_value(result.outcome);
        });
    if (answer.get_future().get() == store::Outcome::kClosed) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 64;
  const std::string folder = argv[1];
  base::SystemClock clock;
  base::SystemRandom random;
  store::RocksStore::Options options;
  options.db_path = folder + "/db";
  options.head_path = folder + "/head";
  options.clock = &clock;
  options.random = &random;
  options.on_failure = [](const absl::Status&) { Print("failure"); };
  const auto opened = store::RocksStore::Open(options);
  if (!opened.ok()) {
    std::cerr << opened.status() << "\n";
    return 2;
  }
  std::vector<std::thread> threads;
  const int count = std::atoi(argv[2]);
  threads.reserve(static_cast<size_t>(count));
  for (int t = 0; t < count; ++t) {
    threads.emplace_back([&opened, t, commits = std::atoi(argv[3])] { WriteRows(**opened, t, commits); });
  }
  for (std::thread& thread : threads) thread.join();
  return 0;
}
