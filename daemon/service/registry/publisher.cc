#include "daemon/service/registry/publisher.h"

#include <cstdio>
#include <cstdlib>

#include "daemon/service/commit/follow_reviews.h"
#include "daemon/service/commit/follow_subjects.h"
#include "daemon/service/purge/follow_deletions.h"

namespace consent::service {

Publisher::Publisher(Core& core, TaskQueue& queue) : core_(core), queue_(queue), policies_(core), systems_(core) {
  for (uint16_t i = 0; i < core_.store.partition_count(); ++i) {
    core_.heads.Publish({i}, core_.store.GetHead({i}).stamp.sequence);
  }
  core_.store.Subscribe(*this);
}

Publisher::~Publisher() { core_.store.Unsubscribe(*this); }

void Publisher::OnCommitted(const store::Committed& committed) {
  // The index first: whoever is woken for a task reads the record.
  const bool is_whole = FollowSubjects(core_, committed) && policies_.Follow(committed) && systems_.Follow(committed) &&
                        sweeps_.Follow(committed) && proposals_.Follow(committed) && FollowReviews(core_, committed) &&
                        review_rates_.Follow(committed) && FollowDeletions(core_, queue_, committed);
  if (!is_whole) {
    std::fputs("consentd: a row that was just committed cannot be decoded\n", stderr);
    std::abort();
  }
  core_.NoteStamp(committed.stamp.time);
  core_.heads.Publish(committed.partition, committed.stamp.sequence);
}

}  // namespace consent::service
