#include "client/cli/import_state.h"

#include <fcntl.h>
#include <unistd.h>

#include "client/cli/output.h"
#include "client/src/json_fields.h"
#include "daemon/base/hash.h"

namespace consent::cli {
namespace {

constexpr char kMarker[] = "consentctl_import";

absl::StatusOr<std::string> ReadAll(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.IsOpen()) return std::string();
  std::string text(SizeOf(file.get()), '\0');
  size_t held = 0;
  while (held < text.size()) {
    const ssize_t count = ::read(file.get(), text.data() + held, text.size() - held);
    if (count < 0) return absl::FailedPreconditionError("the state file cannot be read");
    if (count == 0) break;
    held += static_cast<size_t>(count);
  }
  // A torn last line counts as not written.
  text.resize(held);
  text.resize(text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1);
  return text;
}

absl::Status Damaged() { return absl::FailedPreconditionError("the state file is damaged or not one of `consentctl import`"); }

}  // namespace

std::string ImportState::HashOf(const AccountId& account) const {
  return base::Hex(base::View(base::Blake2b(salt_, account.value())).substr(0, 16));
}

absl::Status ImportState::LoadLine(const nlohmann::json& line, const std::string* input_hash) {
  Fields fields(line);
  const auto number = [&fields](const char* key, int64_t low, int64_t high) {
    std::optional<int64_t> value;
    fields.Require({key});
    fields.ReadInteger(key, low, high, &value);
    return static_cast<uint64_t>(value.value_or(0));
  };
  std::string text;
  if (input_hash != nullptr) {
    fields.Require({"input", "salt"});
    number(kMarker, 1, 1);
    fields.ReadText("input", kMaxLineBytes, &text);
    fields.ReadText("salt", kMaxLineBytes, &salt_);
    if (fields.status().ok() && text != *input_hash) {
      return absl::FailedPreconditionError("the state file belongs to an input with other content; use a new one");
    }
  } else if (fields.Has("blocked")) {
    fields.ReadText("blocked", kMaxLineBytes, &text);
    blocked_.emplace(text, number("line", 1, INT64_MAX));
  } else {
    reached_[number("pass", 1, 2) == 1 ? 0 : 1] = number("line", 0, INT64_MAX);
    counts_ = {number("lines", 0, INT64_MAX), number("imported", 0, INT64_MAX), number("refused", 0, INT64_MAX),
               number("unreadable", 0, INT64_MAX)};
  }
  return fields.status().ok() ? absl::OkStatus() : Damaged();
}

absl::Status ImportState::Load(const std::string& text, const std::string& input_hash) {
  size_t at = 0;
  for (bool head = true; at < text.size(); head = false) {
    const size_t end = text.find('\n', at);
    const absl::StatusOr<nlohmann::json> line = ParseObject(std::string_view(text).substr(at, end - at));
    at = end + 1;
    if (!line.ok()) return Damaged();
    if (absl::Status loaded = LoadLine(*line, head ? &input_hash : nullptr); !loaded.ok()) return loaded;
  }
  return absl::OkStatus();
}

absl::StatusOr<ImportState> ImportState::Open(const std::string& path, const std::string& input_hash, int input,
                                              Random& random) {
  ImportState state;
  std::array<uint8_t, 16> salt{};
  random.Fill(salt.data(), salt.size());
  state.salt_ = base::Hex(base::View(salt));
  if (path.empty()) return state;
  const absl::StatusOr<std::string> text = ReadAll(path);
  if (!text.ok()) return text.status();
  if (absl::Status loaded = state.Load(*text, input_hash); !loaded.ok()) return loaded;
  absl::StatusOr<LineFile> file = LineFile::Open(path, /*append=*/true, input);
  if (!file.ok()) return file.status();
  state.file_ = *std::move(file);
  if (::ftruncate(state.file_.descriptor(), static_cast<off_t>(text->size())) != 0 ||
      ::lseek(state.file_.descriptor(), 0, SEEK_END) < 0) {
    return absl::FailedPreconditionError("the state file cannot be written");
  }
  if (!text->empty()) return state;
  const Json head = {{kMarker, 1}, {"input", input_hash}, {"salt", state.salt_}};
  if (absl::Status written = state.file_.Write(head.dump() + "\n"); !written.ok()) return written;
  return state;
}

absl::Status ImportState::Save(int pass, uint64_t line, const ImportCounts& counts) {
  reached_[pass == 1 ? 0 : 1] = line;
  counts_ = counts;
  const Json json = {{"pass", pass},
                     {"line", line},
                     {"lines", counts.lines},
                     {"imported", counts.imported},
                     {"refused", counts.refused},
                     {"unreadable", counts.unreadable}};
  return file_.Write(json.dump() + "\n");
}

absl::Status ImportState::Block(const AccountId& account, uint64_t line) {
  if (blocked_.size() >= kMaxBlocked) {
    return absl::ResourceExhaustedError("the restrictions of more than " + std::to_string(kMaxBlocked) +
                                        " lines were refused; nothing that allows more was sent. Correct the input first");
  }
  const std::string hash = HashOf(account);
  if (!blocked_.emplace(hash, line).second) return absl::OkStatus();
  return file_.Write(Json{{"blocked", hash}, {"line", line}}.dump() + "\n");
}

bool ImportState::IsBlocked(const AccountId& account) const {
  if (blocked_.empty()) return false;
  const std::string hash = HashOf(account);
  const auto found = blocked_.lower_bound({hash, 0});
  return found != blocked_.end() && found->first == hash;
}

bool ImportState::WasRefused(const AccountId& account, uint64_t line) const {
  return blocked_.count({HashOf(account), line}) != 0;
}

}  // namespace consent::cli
