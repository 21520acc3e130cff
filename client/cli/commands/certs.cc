// consentctl certs dev.
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/engines/dev_certificates.h"
#include "client/cli/exit_codes.h"
#include "client/cli/files.h"
#include "client/cli/output.h"
#include "client/cli/times.h"

namespace consent::cli {
namespace {

// A new folder, so that nothing of an earlier CA is left beside the new one.
absl::Status MakeFolder(const std::string& path) {
  constexpr mode_t kPrivate = 0700;
  if (::mkdir(path.c_str(), kPrivate) == 0) return absl::OkStatus();
  const int error = errno;
  const char* const advice = error == EEXIST ? ": it is there already; name a new one" : "";
  return absl::FailedPreconditionError(
      absl::StrCat("the folder ", path, " cannot be made", advice, " (", std::strerror(error), ")"));
}

int MakeAll(const std::string& folder, const std::vector<std::string>& hosts, bool json) {
  const Time now = SystemTime();
  std::vector<NamedPem> files = MakeDevCertificates(hosts, now);
  files.push_back({"callers.json", DevCallersFile()});
  if (absl::Status status = MakeFolder(folder); !status.ok()) return FileError(status);
  Report report;
  report.json["files"] = Json::array();
  Table table("file", {"FILE"});
  for (const NamedPem& file : files) {
    const std::string path = absl::StrCat(folder, "/", file.name);
    if (absl::Status status = WriteWholeFile(path, file.pem, /*replace=*/false); !status.ok()) return FileError(status);
    report.json["files"].push_back(path);
    table.Add({path});
  }
  report.tables = {table};
  return Print(report, json, kDone);
}

void AddDev(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "dev",
      "Make a CA, a certificate for consentd and one for a client of each role, to try TLS with. Not for production: "
      "the keys lie side by side, and the CA's is thrown away.");
  auto folder = std::make_shared<std::string>();
  auto hosts = std::make_shared<std::vector<std::string>>();
  NotEmpty(app->add_option("folder", *folder, "A new folder for them (mode 0700)"))->type_name("DIR")->required();
  app->add_option_function<std::vector<std::string>>(
         "--host",
         [hosts](const std::vector<std::string>& given) {
           if (given.size() > kMostDevHosts) {
             throw CLI::ValidationError("--host", absl::StrCat("may be given at most ", kMostDevHosts, " times"));
           }
           for (const std::string& host : given) {
             if (IsDevHost(host)) continue;
             throw CLI::ValidationError("--host",
                                        "must be a name such as consent.example, or an address such as 192.0.2.7");
           }
           *hosts = given;
         },
         "A further name or address under which consentd is reached; again for more")
      ->allow_extra_args(false)
      ->type_name("HOST");
  app->callback(
      [&cli, folder, hosts] { cli.action = [&cli, folder, hosts] { return MakeAll(*folder, *hosts, cli.json); }; });
}

}  // namespace

void AddCerts(CLI::App& app, Cli& cli) {
  CLI::App* certs = app.add_subcommand("certs", "Certificates to try TLS with");
  certs->require_subcommand(1);
  AddDev(certs, cli);
}

}  // namespace consent::cli
