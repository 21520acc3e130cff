#include "tests/bench/servers.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

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

}  // namespace

absl::StatusOr<std::string> Servers::Load(const std::string& name, uint64_t subjects, Population population) {
  test::ProcessSpec spec;
  spec.program = places_.programs + "/bench_load";
  spec.arguments = {"--data-dir",   Folder(name),
                    "--subjects",   std::to_string(subjects),
                    "--population", std::to_string(static_cast<int>(population))};
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
                                      std::vector<std::string> arguments, bool slow) {
  const std::string tag = absl::StrCat(what, ++started_);
  const std::string address = absl::StrCat("unix:", places_.folder, "/", tag, "/socket");
  test::ProcessSpec spec;
  spec.program = program;
  spec.arguments = std::move(arguments);
  spec.arguments.insert(spec.arguments.end(), {"--listen", address});
  if (slow) spec.environment = {{"LD_PRELOAD", places_.slow_sync}};
  spec.output_file = places_.folder + "/" + tag + ".log";
  auto process = test::ChildProcess::Start(spec);
  if (!process.ok()) return process.status();
  if (!test::WaitUntilServing(address, "", *process, kStartPatience).yes) {
    return absl::InternalError(program + " does not serve; see " + spec.output_file);
  }
  return Server{address, spec.output_file, *std::move(process)};
}

absl::StatusOr<Server> Servers::StartDaemon(const std::string& name, bool slow, bool logs) {
  return Start("consentd", places_.daemon,
               {"serve", "--data-dir", Folder(name), "--metrics-listen", "127.0.0.1:0", "--log-format", "json",
                "--decision-log", logs ? Folder(name) + ".decisions" : "off"},
               slow);
}

absl::StatusOr<Server> Servers::StartEmpty() {
  return Start("empty", places_.programs + "/bench_empty_server", {}, false);
}

absl::StatusOr<Server> Servers::StartRaw(const std::string& name, const RowSizes& sizes, bool slow) {
  return Start("raw", places_.programs + "/bench_raw_server",
               {"--data-dir", Folder(name), "--record-bytes", std::to_string(sizes.record), "--feed-bytes",
                std::to_string(sizes.feed), "--request-bytes", std::to_string(sizes.request)},
               slow);
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
