// What listings show of review grants. Their states are computed when somebody looks.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/domain/review.h"
#include "daemon/service/rows/review_rows.h"
#include "daemon/service/state/core.h"
#include "daemon/service/state/tokens.h"

namespace consent::service {

struct GrantShown {
  GrantRow row;
  domain::GrantState state = domain::GrantState::kNone;
};
struct GrantPage {
  std::vector<GrantShown> grants;
  std::optional<PageToken> next;  // where to go on; nothing: that was all
};
struct HeardList {
  std::vector<HeardRow> heard;  // those first heard last, first
  bool is_cut = false;          // there were more
};
inline constexpr size_t kMaxHeardShown = 1'000;

// Thread-safe. All block. NOT_SERVING, STORE_UNREADABLE, INTERNAL.
class ListReviews {
 public:
  explicit ListReviews(Core& core) : core_(core) {}
  // Those in `state`, or all (kNone), from `from` on. A page ends at the first account behind `limit` grants, or behind
  // 10,000 rows.
  absl::StatusOr<GrantPage> Grants(domain::GrantState state, size_t limit, const PageToken& from) const;
  // Those of these ids, in their order, without those that name none. Of a former grant, whose recording was granted
  // anew after it had been opened, there is its HeardRow alone; without an outcome it is kExpired, also where something
  // restricted it.
  absl::StatusOr<std::vector<GrantShown>> Named(const std::vector<base::GrantId>& ids) const;
  // What was opened of the account's recordings, and of those of the accounts that are joined with it.
  absl::StatusOr<HeardList> Heard(base::SubjectHandle subject) const;

 private:
  absl::Status ScanPartition(store::Partition partition, uint64_t position, domain::GrantState state, size_t limit,
                             size_t* looked_at, GrantPage* page) const;
  absl::Status AddNamed(const base::GrantId& id, std::vector<GrantShown>* shown) const;
  absl::Status AddHeard(base::SubjectHandle subject, std::vector<HeardRow>* heard) const;

  Core& core_;
};

}  // namespace consent::service
