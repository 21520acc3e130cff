// How far an import has come, kept in a file so that it can go on after an interruption.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "client/cli/files.h"
#include "consent/clock.h"
#include "consent/ids.h"

namespace consent::cli {

// The whole file's, over all runs that a state file joins. lines = imported + refused + unreadable, once it is complete.
struct ImportCounts {
  uint64_t lines = 0;
  uint64_t imported = 0;
  // Lines of which a part was refused.
  uint64_t refused = 0;
  uint64_t unreadable = 0;
};

// JSON lines: a head with the file's hash, then what was reached, the last line counting; written whole line by whole line, a
// torn last one is ignored. Accounts appear as salted hashes only. Without a path nothing is kept. Not thread-safe.
class ImportState {
 public:
  // Lines whose restrictions were refused: the consents of their accounts must wait. More, and the input needs a look first.
  static constexpr size_t kMaxBlocked = 100'000;

  // FailedPrecondition: cannot be read or written, is no state file, or is that of another input. `path` may be empty.
  static absl::StatusOr<ImportState> Open(const std::string& path, const std::string& input_hash, int input, Random& random);

  // The last line that is done in this pass (1 or 2); 0: none.
  uint64_t Reached(int pass) const { return reached_[pass == 1 ? 0 : 1]; }
  const ImportCounts& counts() const { return counts_; }
  absl::Status Save(int pass, uint64_t line, const ImportCounts& counts);
  // ResourceExhausted: kMaxBlocked are blocked already.
  absl::Status Block(const AccountId& account, uint64_t line);
  bool IsBlocked(const AccountId& account) const;
  // True where it was this line that blocked it.
  bool WasRefused(const AccountId& account, uint64_t line) const;

 private:
  std::string HashOf(const AccountId& account) const;
  absl::Status Load(const std::string& text, const std::string& input_hash);
  // `input_hash`: of the head; null for any other line.
  absl::Status LoadLine(const nlohmann::json& line, const std::string* input_hash);

  LineFile file_;
  std::string salt_;
  std::array<uint64_t, 2> reached_{};
  ImportCounts counts_;
  std::set<std::pair<std::string, uint64_t>> blocked_;
};

}  // namespace consent::cli
