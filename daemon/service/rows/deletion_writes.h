// Rows that one step of a deletion request writes together. Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "daemon/service/rows/deletion_rows.h"

namespace consent::service {

// The rows of a request that begins: its own, that of its id, its line in the subject's list, its key's share, and a
// task for each of its parts. Precondition: its id is free.
void WriteNewDeletion(const Core& core, DeletionPlace place, const DeletionRow& row, const std::string& share,
                      std::vector<store::Write>& writes);
// Ends a request that was open and is not done: its tasks and its key go, and what is left of it in the files is noted
// for erasure. `next` is its row to be written.
void CloseDeletion(const Core& core, DeletionPlace place, const domain::DeletionRequest& before,
                   const store::Stamp& stamp, DeletionRow& next, std::vector<store::Write>& writes);
// A task for each of its parts.
void WriteTasks(const domain::DeletionRequest& request, DeletionNumber number, std::vector<store::Write>& writes);

}  // namespace consent::service
