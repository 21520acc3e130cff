#include "client/cli/engines/import_state.h"

#include "client/cli/input_file.h"
#include "client/cli/output.h"
#include "client/lines/json_fields.h"
#include "daemon/base/hash.h"

namespace consent::cli {
namespace {

constexpr char kMarker[] = "consentctl_import";

std::string Head(const std::string& input_hash, const std::string& salt) {
  return Json{{kMarker, 1}, {"input", input_hash}, {"salt", salt}}.dump() + "\n";
}

// True of what a first write that was cut short leaves. Any other text without a line's end is somebody else's file,
// say a key.
bool IsTornHead(std::string_view text, const std::string& input_hash) {
  const std::string whole = Head(input_hash, "");
  const std::string_view before_salt = std::string_view(whole).substr(0, whole.rfind('"'));
  if (text.size() <= before_salt.size()) return before_salt.substr(0, text.size()) == text;
  return text.substr(0, before_salt.size()) == before_salt &&
         text.find_first_not_of("0123456789abcdef\"}", before_salt.size()) == std::string_view::npos;
}

absl::Status Damaged() {
  return absl::FailedPreconditionError(
      "the state file is damaged or not one of `consentctl import`; name another one with --state. It is left as it "
      "is");
}

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
  } else if (fields.Has("store")) {
    fields.ReadText("store", kMaxLineBytes, &store_);
  } else if (fields.Has("blocked")) {
    fields.ReadText("blocked", kMaxLineBytes, &text);
    blocked_.insert(text);
  } else if (fields.Has("blocks_all")) {
    blocks_all_ = number("blocks_all", 1, INT64_MAX);
  } else if (fields.Has("counted")) {
    counted_.push_back(number("counted", 1, INT64_MAX));
  } else {
    reached_[number("pass", 1, 2) == 1 ? 0 : 1] = number("line", 0, INT64_MAX);
    counts_ = {number("lines", 0, INT64_MAX), number("imported", 0, INT64_MAX), number("refused", 0, INT64_MAX),
               number("unreadable", 0, INT64_MAX), number("unreached", 0, INT64_MAX)};
  }
  return fields.status().ok() ? absl::OkStatus() : Damaged();
}

absl::Status ImportState::Load(std::string_view text, const std::string& input_hash) {
  size_t at = 0;
  for (bool head = true; at < text.size(); head = false) {
    const size_t end = text.find('\n', at);
    const absl::StatusOr<nlohmann::json> line = ParseObject(text.substr(at, end - at));
    at = end + 1;
    if (!line.ok()) return Damaged();
    if (absl::Status loaded = LoadLine(*line, head ? &input_hash : nullptr); !loaded.ok()) return loaded;
  }
  return absl::OkStatus();
}

absl::StatusOr<ImportState> ImportState::Open(const std::string& path, const std::string& input_hash, Random& random) {
  ImportState state;
  std::array<uint8_t, 16> salt{};
  random.Fill(salt.data(), salt.size());
  state.salt_ = base::Hex(base::View(salt));
  if (path.empty()) return state;
  const absl::StatusOr<std::string> text = ReadStateFile(path, "the state file");
  if (!text.ok()) return text.status();
  state.head_ = Head(input_hash, state.salt_);
  // A torn last line counts as not written.
  state.whole_ = text->rfind('\n') + 1;
  if (state.whole_ == 0 && !IsTornHead(*text, input_hash)) return Damaged();
  if (absl::Status loaded = state.Load(std::string_view(*text).substr(0, state.whole_), input_hash); !loaded.ok()) {
    return loaded;
  }
  absl::StatusOr<LineFile> file = LineFile::Open(path);
  if (!file.ok()) return file.status();
  state.file_ = *std::move(file);
  return state;
}

absl::Status ImportState::Begin(const std::string& store) {
  // Of a file without a store nothing was reached: that line is the second.
  if (store_.empty() && reached_ != std::array<uint64_t, 2>{}) return Damaged();
  if (!store_.empty() && store_ != store) {
    return absl::FailedPreconditionError(
        "the state file tells how far the import into another store has come; use a new one for this daemon");
  }
  if (absl::Status cut = file_.KeepFirst(whole_); !cut.ok()) return cut;
  if (whole_ == 0) {
    if (absl::Status head = file_.Write(head_); !head.ok()) return head;
  }
  return store_.empty() ? file_.Write(Json{{"store", store}}.dump() + "\n") : absl::OkStatus();
}

absl::Status ImportState::Save(int pass, uint64_t line, const ImportCounts& counts) {
  reached_[pass == 1 ? 0 : 1] = line;
  counts_ = counts;
  const Json json = {{"pass", pass},
                     {"line", line},
                     {"lines", counts.lines},
                     {"imported", counts.imported},
                     {"refused", counts.refused},
                     {"unreadable", counts.unreadable},
                     {"unreached", counts.unreached}};
  return file_.Write(json.dump() + "\n");
}

absl::Status ImportState::Block(const AccountId& account) {
  if (blocked_.size() >= kMaxBlocked) {
    return absl::ResourceExhaustedError(
        "the restrictions of more than " + std::to_string(kMaxBlocked) +
        " accounts were refused; nothing that allows more was sent. Correct the input first");
  }
  const std::string hash = HashOf(account);
  if (!blocked_.insert(hash).second) return absl::OkStatus();
  return file_.Write(Json{{"blocked", hash}}.dump() + "\n");
}

bool ImportState::IsBlocked(const AccountId& account) const {
  return !blocked_.empty() && blocked_.contains(HashOf(account));
}

absl::Status ImportState::BlockAll(uint64_t line) {
  if (blocks_all_ != 0) return absl::OkStatus();
  blocks_all_ = line;
  return file_.Write(Json{{"blocks_all", line}}.dump() + "\n");
}

absl::Status ImportState::CountRefused(uint64_t line) {
  if (IsCounted(line)) return absl::OkStatus();
  counted_.push_back(line);
  return file_.Write(Json{{"counted", line}}.dump() + "\n");
}

}  // namespace consent::cli
