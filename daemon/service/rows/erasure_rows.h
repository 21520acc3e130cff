// The rows of what waits to be erased. Layouts: README.md. Private to this folder; pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "daemon/domain/deletion.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/erasure/erasures.h"

namespace consent::service {

// The first byte of the keys: a finished request's keys, and rows of which former bytes are to go.
inline constexpr char kKeysStep = 'k';
inline constexpr char kBytesStep = 'r';
inline constexpr uint64_t kListedChunk = 1;  // of an account's rows; chunk 0 is the request's own

std::string WaitingKey(char step, DeletionNumber number, uint64_t chunk = 0);
DeletionNumber NumberOfWaiting(std::string_view key);
std::string EncodeWaiting(base::Instant since, const store::Remains& remains);
bool DecodeWaiting(std::string_view bytes, base::Instant* since, store::Remains* remains);
// Without what it lists.
base::Instant SinceOf(std::string_view bytes);
absl::Status DamagedWaiting();
// The request's own rows: former values of its row, and the tasks, which are gone, as what was found by its selection.
store::Remains RowsOf(const Context& context, DeletionPlace place, const domain::DeletionRequest& request);

// A request of which every task has ended.
struct Erasures::Finished {
  DeletionPlace place;
  base::Instant since;
  std::string bytes;  // of its row
  DeletionRow row;
  bool IsClosure() const { return row.request.selector.kind == domain::SelectorKind::kAccountClosure; }
};

}  // namespace consent::service
