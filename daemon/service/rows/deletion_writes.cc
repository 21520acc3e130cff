#include "daemon/service/rows/deletion_writes.h"

#include "daemon/service/rows/erasure_rows.h"
#include "daemon/service/rows/id_rows.h"
#include "daemon/service/rows/key_share_rows.h"
#include "daemon/service/rows/task_rows.h"

namespace consent::service {

void WriteTasks(const domain::DeletionRequest& request, DeletionNumber number, std::vector<store::Write>& writes) {
  for (const domain::SystemProgress& part : request.parts) {
    writes.push_back({store::Table::kTask, TaskKey(part.system, number), EncodeTaskRow(TaskRow{})});
  }
}

void WriteNewDeletion(const Core& core, DeletionPlace place, const DeletionRow& row, const std::string& share,
                      std::vector<store::Write>& writes) {
  writes.push_back({store::Table::kDeletion, DeletionKey(place.number), EncodeDeletionRow(row)});
  writes.push_back(PutId(row.request.id, place.number));
  ListDeletion(core, place.number, row.request, writes);
  if (!share.empty()) writes.push_back(PutShare(core, row.request.subject, DeletionShareKey(core, place), share));
  WriteTasks(row.request, place.number, writes);
}

void CloseDeletion(const Core& core, DeletionPlace place, const domain::DeletionRequest& before,
                   const store::Stamp& stamp, DeletionRow& next, std::vector<store::Write>& writes) {
  next.sealed.clear();
  writes.push_back({store::Table::kKeyShare, DeletionShareKey(core, place), std::nullopt});
  store::EraseTargets targets = RowsOf(core, place, before);
  targets.rows.push_back({store::Table::kKeyShare, DeletionShareKey(core, place)});
  for (const domain::SystemProgress& part : before.parts) {
    writes.push_back({store::Table::kTask, TaskKey(part.system, place.number), std::nullopt});
  }
  BeginErasure(place.number, targets, stamp, writes);
}

}  // namespace consent::service
