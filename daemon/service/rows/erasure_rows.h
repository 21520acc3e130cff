// The rows of what waits to be erased. Layouts: store/FORMAT.md. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/domain/deletion.h"
#include "daemon/service/rows/deletion_rows.h"

namespace consent::service {

// The first byte of the keys: a finished request's keys, and rows of which former bytes are to go.
inline constexpr char kKeysStep = 'k';
inline constexpr char kBytesStep = 'r';
inline constexpr uint64_t kListedChunk = 1;  // of an account's rows; chunk 0 is the request's own

std::string WaitingKey(char step, DeletionNumber number, uint64_t chunk = 0);
DeletionNumber NumberOfWaiting(std::string_view key);
std::string EncodeWaiting(base::Instant since, const store::EraseTargets& targets);
bool DecodeWaiting(std::string_view bytes, base::Instant* since, store::EraseTargets* targets);
// Without what it lists.
base::Instant SinceOf(std::string_view bytes);
absl::Status DamagedWaiting();
// The request's own rows: former values of its row, and the tasks, which are gone, as what was found by its selection.
store::EraseTargets RowsOf(const Core& core, DeletionPlace place, const domain::DeletionRequest& request);

// A request of which every task has ended: its key's share goes with the commit, and the keys' step is due.
void BeginErasure(const Core& core, DeletionPlace place, const store::Stamp& stamp, std::vector<store::Write>& writes);
// Rows that the commit deletes or overwrites, where nothing waits for their keys: a request that was cancelled, a hold
// that was released. `number` distinguishes it from others of the partition.
void BeginErasure(DeletionNumber number, const store::EraseTargets& targets, const store::Stamp& stamp,
                  std::vector<store::Write>& writes);

}  // namespace consent::service
