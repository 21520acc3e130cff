#include "daemon/ops/config_paths.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace consent::ops {
namespace {

std::string Variable(const ProcessEnvironment& environment, const char* name) {
  const auto found = environment.environment.find(name);
  return found == environment.environment.end() ? std::string() : found->second;
}

// NAME of `credential:NAME`.
constexpr std::string_view kCredential = "credential:";

// As systemd names credentials (systemd.exec(5)), less what only confuses in a path: 1 to 255 of letters, digits and
// "._-", and no "." in front.
bool IsCredentialName(std::string_view name) {
  constexpr size_t kMost = 255;
  return !name.empty() && name.size() <= kMost && name[0] != '.' &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-'; });
}

}  // namespace

std::string Absolute(const std::string& path, const ProcessEnvironment& environment) {
  if (path.empty()) return path;
  std::filesystem::path whole = std::filesystem::path(environment.working_directory) / path;
  std::string text = whole.lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

// The same rule as the client library's default endpoint.
std::string DefaultListen(const ProcessEnvironment& environment) {
  const std::string runtime = Variable(environment, "XDG_RUNTIME_DIR");
  if (environment.root || runtime.empty() || runtime[0] != '/') return "unix:/run/consentd/consentd.sock";
  return absl::StrCat("unix:", runtime, "/consentd/consentd.sock");
}

absl::StatusOr<std::string> DefaultDataDir(const ProcessEnvironment& environment) {
  // What systemd made by StateDirectory= (systemd.exec(5)); of several, which colons part, the first.
  const std::string states = Variable(environment, "STATE_DIRECTORY");
  const std::string state = states.substr(0, states.find(':'));
  if (!state.empty() && state[0] == '/') return absl::StrCat(state, "/store");
  if (environment.root) return std::string("/var/lib/consentd");
  const std::string data = Variable(environment, "XDG_DATA_HOME");
  if (!data.empty()) return absl::StrCat(data, "/consentd");
  const std::string home = Variable(environment, "HOME");
  if (home.empty()) return absl::InvalidArgumentError("--data-dir is needed: there is neither XDG_DATA_HOME nor HOME");
  return absl::StrCat(home, "/.local/share/consentd");
}

absl::Status ResolveKeyFile(const std::string& given, const ProcessEnvironment& environment, ServeOptions* out) {
  out->key_is_credential = given.rfind(kCredential, 0) == 0;
  if (!out->key_is_credential) {
    out->key_file = Absolute(given.empty() ? out->data_dir + ".key" : given, environment);
    return absl::OkStatus();
  }
  const std::string name = given.substr(kCredential.size());
  if (!IsCredentialName(name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--key-file ", given,
                     ": a credential's name is 1 to 255 of letters, digits, '.', '_' and '-', without '.' in front"));
  }
  const std::string folder = Variable(environment, "CREDENTIALS_DIRECTORY");
  if (folder.empty() || folder[0] != '/') {
    return absl::InvalidArgumentError(absl::StrCat(
        "--key-file ", given, ": CREDENTIALS_DIRECTORY is ", folder.empty() ? "not set" : "no absolute path",
        ": the service manager sets it where the unit has LoadCredential= or LoadCredentialEncrypted="));
  }
  out->key_file = Absolute(absl::StrCat(folder, "/", name), environment);
  return absl::OkStatus();
}

}  // namespace consent::ops
