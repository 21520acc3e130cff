#include "tests/bench/servers.h"

#include <grpcpp/security/credentials.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/engines/dev_certificates.h"

namespace consent::bench {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds kStartPatience{600'000};
constexpr milliseconds kLoadPatience{4'000'000};
constexpr milliseconds kStopPatience{60'000};

double Number(const std::string& line, const std::string& key) {
  const size_t at = line.find("\"" + key + "\":");
  return at == std::string::npos ? 0 : std::strtod(line.c_str() + at + key.size() + 3, nullptr);
}

// Without limits that a benchmark could reach.
constexpr char kCallers[] = R"({"callers": [{
  "name": "sampler", "identities": ["spiffe://consentd.dev/sampler"], "roles": ["ROLE_SAMPLER"], "maxCertificateHours": 1000,
  "limits": {"callsPerSecond": 1000000, "itemsPerSecond": 100000000, "callsInFlight": 65536}}]})";

// One that nobody listens on now.
uint16_t FreePort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ::bind(fd, reinterpret_cast<const sockaddr*>(&at), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  ::close(fd);
  return ntohs(at.sin_port);
}

}  // namespace

absl::Status FillPlaces(Places* places) {
  std::error_code error;
  const fs::path programs = fs::read_symlink("/proc/self/exe", error).parent_path();
  if (error) return absl::UnavailableError(error.message());
  places->programs = programs.string();
  places->slow_sync = (programs / "consent_slow_sync.so").string();
  absl::StatusOr<std::string> folder = test::MakeTempFolder("consent-bench");
  if (!folder.ok()) return folder.status();
  places->folder = *std::move(folder);
  return absl::OkStatus();
}

absl::StatusOr<std::string> Servers::Load(const std::string& name, uint64_t subjects, Population population,
                                          const std::string& policy_file) {
  test::ProcessSpec spec;
  spec.program = places_.programs + "/bench_load";
  spec.arguments = {"--data-dir",   Folder(name),
                    "--subjects",   std::to_string(subjects),
                    "--population", std::to_string(static_cast<int>(population))};
  if (!policy_file.empty()) spec.arguments.insert(spec.arguments.end(), {"--policy", policy_file});
  spec.output_file = Folder(name) + ".load.log";
  auto process = test::ChildProcess::Start(spec);
  if (!process.ok()) return process.status();
  const auto ended = process->Wait(kLoadPatience);
  std::ifstream in(spec.output_file);
  std::string line;
  std::getline(in, line);
  if (ended != 0) return absl::InternalError("bench_load failed: " + line);
  return line;
}

absl::StatusOr<Server> Servers::Start(const std::string& what, const std::string& program,
                                      std::vector<std::string> arguments, const StartOptions& options) {
  const std::string tag = absl::StrCat(what, ++started_);
  std::string address = absl::StrCat("unix:", places_.folder, "/", tag, "/socket");
  test::ProcessSpec spec;
  spec.program = program;
  spec.arguments = std::move(arguments);
  spec.arguments.insert(spec.arguments.end(), {"--listen", address});
  std::string over_tls;
  if (options.tls) {
    if (absl::Status status = MakeTlsFiles(); !status.ok()) return status;
    over_tls = absl::StrCat("127.0.0.1:", FreePort());
    spec.arguments.insert(spec.arguments.end(), {"--listen", over_tls, "--tls-cert", TlsFile("server.pem"), "--tls-key",
                                                 TlsFile("server-key.pem"), "--tls-client-ca", TlsFile("ca.pem")});
  }
  if (options.slow) spec.environment = {{"LD_PRELOAD", places_.slow_sync}};
  spec.output_file = places_.folder + "/" + tag + ".log";
  auto process = test::ChildProcess::Start(spec);
  if (!process.ok()) return process.status();
  if (!test::WaitUntilServing(address, "", *process, kStartPatience).yes) {
    return absl::InternalError(program + " does not serve; see " + spec.output_file);
  }
  auto credentials = grpc::InsecureChannelCredentials();
  if (options.tls) {
    address = over_tls;
    credentials = grpc::SslCredentials({tls_["ca.pem"], tls_["sampler-key.pem"], tls_["sampler.pem"]});
  }
  return Server{address, credentials, spec.output_file, *std::move(process)};
}

absl::Status Servers::MakeTlsFiles() {
  if (!tls_.empty()) return absl::OkStatus();
  const auto now = std::chrono::time_point_cast<Time::duration>(std::chrono::system_clock::now());
  for (cli::NamedPem& file : cli::MakeDevCertificates({}, now)) tls_[file.name] = std::move(file.pem);
  tls_["callers.json"] = kCallers;
  std::error_code error;
  fs::create_directory(places_.folder + "/tls", error);
  for (const auto& [name, text] : tls_) {
    std::ofstream(TlsFile(name)) << text;
    fs::permissions(TlsFile(name), fs::perms::owner_read | fs::perms::owner_write, error);
    if (error) return absl::UnavailableError(TlsFile(name) + " cannot be made: " + error.message());
  }
  return absl::OkStatus();
}

absl::StatusOr<Server> Servers::StartDaemon(const std::string& name, const StartOptions& options) {
  std::vector<std::string> arguments = {"serve",
                                        "--data-dir",
                                        Folder(name),
                                        "--metrics-listen",
                                        "127.0.0.1:0",
                                        "--log-format",
                                        "json",
                                        "--decision-log",
                                        options.logs ? Folder(name) + ".decisions" : "off"};
  if (options.journals) arguments.insert(arguments.end(), {"--restriction-journal", Folder(name) + ".journal"});
  if (!options.policy_file.empty()) arguments.insert(arguments.end(), {"--policy", options.policy_file});
  if (options.tls) arguments.insert(arguments.end(), {"--callers", TlsFile("callers.json")});
  return Start("consentd", places_.daemon, std::move(arguments), options);
}

absl::StatusOr<Server> Servers::StartEmpty(const StartOptions& options) {
  return Start("empty", places_.programs + "/bench_empty_server", {}, options);
}

absl::StatusOr<Server> Servers::StartRaw(const std::string& name, const RowSizes& sizes, const StartOptions& options) {
  return Start("raw", places_.programs + "/bench_raw_server",
               {"--data-dir", Folder(name), "--record-bytes", std::to_string(sizes.record), "--feed-bytes",
                std::to_string(sizes.feed), "--request-bytes", std::to_string(sizes.request)},
               options);
}

absl::Status Servers::Stop(Server server) {
  server.process.Signal(SIGTERM);
  const auto ended = server.process.Wait(kStopPatience);
  return ended == 0 ? absl::OkStatus() : absl::InternalError("a server does not stop cleanly; see " + server.log);
}

absl::Status Servers::Copy(const std::string& from, const std::string& to) const {
  std::error_code error;
  fs::create_directory(Folder(to), error);
  fs::permissions(Folder(to), fs::perms::owner_all, error);
  for (const auto& entry : fs::directory_iterator(Folder(from), error)) {
    if (error || !entry.is_regular_file()) continue;
    const fs::path target = fs::path(Folder(to)) / entry.path().filename();
    if (entry.path().extension() == ".sst") {
      fs::create_hard_link(entry.path(), target, error);
    } else {
      fs::copy_file(entry.path(), target, error);
    }
    if (error) return absl::UnavailableError("cannot copy " + entry.path().string() + ": " + error.message());
  }
  for (const char* beside : {".key", ".head"}) {
    fs::copy_file(Folder(from) + beside, Folder(to) + beside, error);
    if (error) return absl::UnavailableError("cannot copy " + Folder(from) + beside + ": " + error.message());
  }
  return absl::OkStatus();
}

void Servers::Remove(const std::string& name) const {
  std::error_code ignored;
  fs::remove_all(Folder(name), ignored);
}

absl::StatusOr<Filled> ReadFilled(const std::string& log) {
  std::ifstream in(log);
  for (std::string line; std::getline(in, line);) {
    if (absl::StrContains(line, "\"index filled\"")) {
      return Filled{Number(line, "subjects"), Number(line, "bytes"), Number(line, "seconds")};
    }
  }
  return absl::NotFoundError("the daemon's log does not say how its index was filled");
}

}  // namespace consent::bench
