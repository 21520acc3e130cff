// A deletion request on its way out of the files. Private to this folder.
#pragma once

#include <string>

#include "daemon/service/erasure/erasures.h"
#include "daemon/service/rows/deletion_rows.h"
#include "daemon/service/rows/erasure_rows.h"

namespace consent::service {

// A request of which every task has ended.
struct Erasures::Finished {
  DeletionPlace place;
  base::Instant since;
  std::string bytes;  // of its row
  DeletionRow row;
  bool IsClosure() const { return row.request.selector.kind == domain::SelectorKind::kAccountClosure; }
};

}  // namespace consent::service
