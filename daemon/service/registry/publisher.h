// The one place where what a service keeps in memory follows its store.
#pragma once

#include "daemon/service/purge/task_queue.h"
#include "daemon/service/registry/follow_policies.h"
#include "daemon/service/registry/known_proposals.h"
#include "daemon/service/registry/known_review_rates.h"
#include "daemon/service/registry/known_sweeps.h"
#include "daemon/service/registry/known_systems.h"
#include "daemon/service/state/core.h"
#include "daemon/store/store.h"

namespace consent::service {

// Hears of every commit, of this service or of another one on the same store, and gives what its rows say to the parts
// that remember it: facts index, gauges, policy book, data systems, counts of reviews, task queue, last stamp. Nothing
// else changes them once the service is filled, and nothing is acknowledged before they have changed. What was there
// before a commit each part knows itself.
//
// A row that cannot be decoded ends the process: a service wrote it a moment ago, so the memory or the program is
// damaged, and whoever goes on would answer by what was in force before. The store is whole, and the next start reads
// it.
class Publisher final : public store::Subscriber {
 public:
  // Subscribes; core and queue outlive it.
  Publisher(Core& core, TaskQueue& queue);
  // Ends the subscription.
  ~Publisher() override;
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  void OnCommitted(const store::Committed& committed) override;

  PolicyFollower& policies() { return policies_; }
  KnownSystems& systems() { return systems_; }
  KnownSweeps& sweeps() { return sweeps_; }
  KnownProposals& proposals() { return proposals_; }
  KnownReviewRates& review_rates() { return review_rates_; }

 private:
  Core& core_;
  TaskQueue& queue_;
  PolicyFollower policies_;
  KnownSystems systems_;
  KnownSweeps sweeps_;
  KnownProposals proposals_;
  KnownReviewRates review_rates_;
};

}  // namespace consent::service
