// The programs that the driver measures, started and asked about themselves.
#pragma once

#include <grpcpp/security/credentials.h>

#include <map>
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
  std::shared_ptr<grpc::ChannelCredentials> credentials;  // to call it with
  std::string log;
  test::ChildProcess process;
};

// Where the programs are and where they may write.
struct Places {
  std::string programs;   // folder of bench_empty_server, bench_raw_server, bench_load
  std::string daemon;     // the consentd program
  std::string slow_sync;  // library, where it was built
  std::string folder;     // temporary, on the disk that is measured
};

// Sets all but the daemon: the programs beside the one that runs, and a new temporary folder.
absl::Status FillPlaces(Places* places);

// How a server is started.
struct StartOptions {
  bool slow = false;  // adds a millisecond to each sync
  bool logs = false;  // each yes goes to the decision log, whose folder lies beside the store's; else the log is off
  bool journals = false;         // with a restriction journal beside the store
  std::string policy_file = {};  // empty: the shipped policy
  bool tls = false;  // is called over TCP and TLS 1.3, both sides with certificates; else over a Unix socket
};

// What consentd logs about its start.
struct Filled {
  double subjects = 0;
  double bytes = 0;  // of the index
  double seconds = 0;
};

// Starts programs. Not thread-safe.
class Servers {
 public:
  explicit Servers(Places places) : places_(std::move(places)) {}

  // Fills the new store folder `name`; bench_load's own line of output.
  // `policy_file`: in force in place of the shipped one.
  absl::StatusOr<std::string> Load(const std::string& name, uint64_t subjects, Population population,
                                   const std::string& policy_file = "");
  // On the store folder `name`, made where it is not there.
  absl::StatusOr<Server> StartDaemon(const std::string& name, const StartOptions& options = {});
  absl::StatusOr<Server> StartEmpty(const StartOptions& options = {});
  // On the folder of a store, which is spoilt for consentd.
  absl::StatusOr<Server> StartRaw(const std::string& name, const RowSizes& sizes, const StartOptions& options = {});
  // SIGTERM; an error unless it ends well.
  static absl::Status Stop(Server server);
  // A second folder with the same content; table files are shared, nothing else.
  absl::Status Copy(const std::string& from, const std::string& to) const;
  void Remove(const std::string& name) const;
  std::string Folder(const std::string& name) const { return places_.folder + "/" + name; }

 private:
  absl::StatusOr<Server> Start(const std::string& what, const std::string& program, std::vector<std::string> arguments,
                               const StartOptions& options);
  // Makes certificates and the callers' file, once.
  absl::Status MakeTlsFiles();
  std::string TlsFile(const std::string& name) const { return places_.folder + "/tls/" + name; }
  const Places places_;
  int started_ = 0;
  std::map<std::string, std::string> tls_;  // PEMs by the names of their files; empty until they are needed
};

// From the daemon's log; nothing where it did not say.
absl::StatusOr<Filled> ReadFilled(const std::string& log);

}  // namespace consent::bench
