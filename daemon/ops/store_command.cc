#include "daemon/ops/store_command.h"

#include <utility>

namespace consent::ops {
namespace {

// Where the value of an option that has one goes; nullptr: the act has no such option.
std::string* ValueOf(StoreToolOptions& tool, const std::string& option) {
  if (tool.act != StoreAct::kCopy) return nullptr;
  if (option == "--to") return &tool.to;
  if (option == "--key-file") return &tool.key_file;
  return option == "--new-key-file" ? &tool.new_key_file : nullptr;
}

}  // namespace

absl::StatusOr<Invocation> ParseStoreCommand(const std::vector<std::string>& arguments) {
  const absl::Status usage = absl::InvalidArgumentError(
      "usage: consentd store verify [--json] FOLDER, consentd store stats [--json] FOLDER, consentd store compact "
      "FOLDER, or consentd store copy FOLDER --to FOLDER [--key-file FILE --new-key-file FILE] (verify and stats take "
      "a store or a backup; only compact writes into it)");
  Invocation invocation;
  invocation.command = Command::kStore;
  StoreToolOptions& tool = invocation.store;
  const std::string what = arguments.size() > 1 ? arguments[1] : "";
  if (what == "verify") {
    tool.act = StoreAct::kVerify;
  } else if (what == "stats") {
    tool.act = StoreAct::kStats;
  } else if (what == "compact") {
    tool.act = StoreAct::kCompact;
  } else if (what == "copy") {
    tool.act = StoreAct::kCopy;
  } else {
    return usage;
  }
  const bool has_json = tool.act == StoreAct::kVerify || tool.act == StoreAct::kStats;
  for (size_t i = 2; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--json" && has_json) {
      tool.json = true;
    } else if (std::string* const value = ValueOf(tool, argument); value != nullptr) {
      if (!value->empty() || i + 1 == arguments.size()) return usage;
      *value = arguments[++i];
    } else if (argument.empty() || argument[0] == '-' || !tool.folder.empty()) {
      return usage;
    } else {
      tool.folder = argument;
    }
  }
  if (tool.folder.empty() || (tool.act == StoreAct::kCopy) == tool.to.empty()) return usage;
  if (tool.key_file.empty() != tool.new_key_file.empty()) return usage;
  return invocation;
}

}  // namespace consent::ops
