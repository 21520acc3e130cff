#include "client/cli/engines/request_sample.h"

#include <iterator>

#include "daemon/base/bytes.h"
#include "daemon/base/hash.h"

namespace consent::cli {

std::string DrawnKey(std::string_view seed, const DeletionId& deletion) {
  return base::Hex(base::View(base::Sha256(std::string(seed) + "\n", deletion.value())));
}

void RequestSample::Consider(const DeletionRequest& request) {
  ++population_;
  std::string key = DrawnKey(seed_, request.deletion_id);
  if (drawn_.size() == most_ && key > drawn_.rbegin()->first) return;
  drawn_.emplace(std::move(key), request);
  if (drawn_.size() > most_) drawn_.erase(std::prev(drawn_.end()));
}

}  // namespace consent::cli
