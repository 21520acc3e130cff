// The programs that the driver measures, started and asked about themselves.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/footprint.h"
#include "tests/bench/population.h"
#include "tests/fault/kill/child_process.h"

namespace consent::bench {

// A server that serves; killed with the object.
struct Server {
  std::string address;
  std::string log;
  test::ChildProcess process;
};

// Where the programs are and where they may write.
struct Places {
  std::string programs;   // folder of bench_empty_server, bench_raw_server, bench_load
  std::string daemon;     // the consentd program
  std::string slow_sync;  // library
  std::string folder;     // temporary, on the disk that is measured
};

// What consentd logs about its start.
struct Filled {
  double subjects = 0;
  double bytes = 0;  // of the index
  double seconds = 0;
};

// Starts programs; `slow` adds a millisecond to each of their syncs. Not thread-safe.
class Servers {
 public:
  explicit Servers(Places places) : places_(std::move(places)) {}

  // Fills the new store folder `name`; bench_load's own line of output.
  absl::StatusOr<std::string> Load(const std::string& name, uint64_t subjects, Population population);
  // On the store folder `name`, made where it is not there. `logs`: each yes goes to the decision log, whose folder
  // lies beside; else the log is off.
  absl::StatusOr<Server> StartDaemon(const std::string& name, bool slow, bool logs = false);
  absl::StatusOr<Server> StartEmpty();
  // On the folder of a store, which is spoilt for consentd.
  absl::StatusOr<Server> StartRaw(const std::string& name, const RowSizes& sizes, bool slow);
  // SIGTERM; an error unless it ends well.
  static absl::Status Stop(Server server);
  // A second folder with the same content; table files are shared, nothing else.
  absl::Status Copy(const std::string& from, const std::string& to) const;
  void Remove(const std::string& name) const;
  std::string Folder(const std::string& name) const { return places_.folder + "/" + name; }

 private:
  absl::StatusOr<Server> Start(const std::string& what, const std::string& program, std::vector<std::string> arguments,
                               bool slow);
  const Places places_;
  int started_ = 0;
};

// From the daemon's log; nothing where it did not say.
absl::StatusOr<Filled> ReadFilled(const std::string& log);

}  // namespace consent::bench
