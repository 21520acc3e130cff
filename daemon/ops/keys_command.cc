#include "daemon/ops/keys_command.h"

#include <array>
#include <charconv>
#include <filesystem>
#include <utility>

namespace consent::ops {
namespace {

constexpr char kKeysUsage[] =
    "usage: consentd keys show, consentd keys add-master, consentd keys drop-master NUMBER, consentd keys export "
    "FILE, each with --config, --key-file and --data-dir as of consentd serve; or consentd keys backup-pair "
    "SECRET_FILE";

struct Word {
  const char* word;
  KeyAct act;
  bool takes_one;
};
constexpr std::array kWords{Word{"show", KeyAct::kShow, false}, Word{"add-master", KeyAct::kAddMaster, false},
                            Word{"drop-master", KeyAct::kDropMaster, true}, Word{"export", KeyAct::kExport, true}};

bool ReadNumber(const std::string& text, uint16_t* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size() && *number != 0;
}

}  // namespace

absl::StatusOr<Invocation> ParseKeysCommand(const std::vector<std::string>& arguments,
                                            const ProcessEnvironment& environment) {
  for (const Word& word : kWords) {
    const size_t taken = word.takes_one ? 3 : 2;
    if (arguments.size() < taken || arguments[1] != word.word) continue;
    std::vector<std::string> serving{"serve"};
    serving.insert(serving.end(), arguments.begin() + static_cast<ptrdiff_t>(taken), arguments.end());
    absl::StatusOr<Invocation> invocation = ParseInvocation(serving, environment);
    if (!invocation.ok()) return invocation.status();
    if (invocation->command != Command::kServe) break;  // --help
    invocation->command = Command::kKeys;
    invocation->keys.act = word.act;
    if (word.act == KeyAct::kDropMaster && !ReadNumber(arguments[2], &invocation->keys.number)) {
      return absl::InvalidArgumentError(
          "consentd keys drop-master takes the number of a master key, 1 to 65535, not '" + arguments[2] +
          "'; consentd keys show lists them");
    }
    if (word.act == KeyAct::kExport) {
      if (arguments[2].empty() || arguments[2][0] == '-') break;
      const std::filesystem::path whole = std::filesystem::path(environment.working_directory) / arguments[2];
      invocation->keys.file = whole.lexically_normal().string();
    }
    return invocation;
  }
  return absl::InvalidArgumentError(kKeysUsage);
}

}  // namespace consent::ops
