// How far an import has come, kept in a file so that it can go on after an interruption.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/files.h"
#include "consent/clock.h"
#include "consent/ids.h"

namespace consent::cli {

// The whole file's, over all runs that a state file joins. lines = imported + refused + unreadable, once it is
// complete.
struct ImportCounts {
  uint64_t lines = 0;
  uint64_t imported = 0;
  // Lines of which a part was refused.
  uint64_t refused = 0;
  uint64_t unreadable = 0;
  // Of those imported: lines with a consent that does not reach all that it asks for.
  uint64_t unreached = 0;
};

// JSON lines: a head with the file's hash, the id of the store that takes it, then what was reached, the last line
// counting; written whole line by whole line, a torn last one is ignored. Accounts appear as salted hashes only.
// Without a path nothing is kept. Not thread-safe.
class ImportState {
 public:
  // Accounts whose restrictions were refused: their consents must wait. More, and the input needs a look first.
  static constexpr size_t kMaxBlocked = 100'000;

  // Reads `path`, which may be empty, and changes nothing of it. FailedPrecondition: it cannot be read or opened for
  // writing, is no state file, or is that of another input.
  static absl::StatusOr<ImportState> Open(const std::string& path, const std::string& input_hash, Random& random);
  // Cuts off a torn last line and begins a new file. Comes before Save and Block. `store`: the daemon's, in hex.
  // FailedPrecondition: it cannot be written, or tells of another store, which took what this one has not; it is left
  // as it is then.
  absl::Status Begin(const std::string& store);
  // -1: nothing is kept.
  int descriptor() const { return file_.descriptor(); }

  // The last line that is done in this pass (1 or 2); 0: none.
  uint64_t Reached(int pass) const { return reached_[pass == 1 ? 0 : 1]; }
  const ImportCounts& counts() const { return counts_; }
  absl::Status Save(int pass, uint64_t line, const ImportCounts& counts);
  // ResourceExhausted: kMaxBlocked are blocked already.
  absl::Status Block(const AccountId& account);
  bool IsBlocked(const AccountId& account) const;
  // The line may refuse for any account.
  absl::Status BlockAll(uint64_t line);
  // The first such line; 0: none.
  uint64_t blocks_all() const { return blocks_all_; }
  // The line is among the refused ones of the counts. Lines come in their order.
  absl::Status CountRefused(uint64_t line);
  bool IsCounted(uint64_t line) const { return std::binary_search(counted_.begin(), counted_.end(), line); }

 private:
  std::string HashOf(const AccountId& account) const;
  // Takes the whole lines of `text`.
  absl::Status Load(std::string_view text, const std::string& input_hash);
  // `input_hash`: of the head; null for any other line.
  absl::Status LoadLine(const nlohmann::json& line, const std::string* input_hash);

  LineFile file_;
  // The first line, its end included.
  std::string head_;
  // Bytes of the file that are whole lines.
  uint64_t whole_ = 0;
  std::string salt_;
  std::string store_;
  std::array<uint64_t, 2> reached_{};
  ImportCounts counts_;
  std::set<std::string> blocked_;
  uint64_t blocks_all_ = 0;
  std::vector<uint64_t> counted_;
};

}  // namespace consent::cli
