// Ids that a restore could not open come back with the same request sent again. Private to this folder.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "daemon/service/rows/deletion_rows.h"

namespace consent::service {

class MissingIds {
 public:
  explicit MissingIds(base::SubjectHandle subject) : subject_(subject) {}
  // The ids of that request, or nothing where they are not known now.
  using PayloadOf = std::function<std::optional<DeletionPayload>(const domain::DeletionRequest&)>;

  // Finds the subject's open requests that need their ids and seals those that `ids` knows. Costs one look into memory
  // where nothing needs any. May block.
  absl::Status Load(const Core& core, const PayloadOf& ids);
  // The same of what somebody asked for and asks for again: what selects the same, whenever it was captured.
  absl::Status LoadAsked(const Core& core, const domain::Selector& selector, const DeletionPayload& payload);
  bool empty() const { return found_.empty(); }

  void AddPreconditions(std::vector<store::Precondition>& preconditions) const;
  // After all else of the commit.
  void Build(const Core& core, std::vector<store::Write>& writes) const;

 private:
  struct Found {
    DeletionPlace place;
    std::string bytes;
    DeletionRow row;
    std::string share;
  };
  const base::SubjectHandle subject_;
  std::vector<Found> found_;
};

}  // namespace consent::service
