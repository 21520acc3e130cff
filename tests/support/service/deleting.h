// Words in which a test tells the story of a deletion: requests, data systems and their workers, on a World.
#pragma once

#include <string>
#include <vector>

#include "tests/support/service/world.h"

namespace consent::test {

// What is wrong with the rows by which requests and holds are found by their ids: each leads to the row that has the
// id, and each such row is found. Empty: nothing.
std::string WrongIds(const World& world);

domain::Selector AllOfIt();
domain::Selector Within(base::Instant from, base::Instant to);
// A data system that matches by account and recording, asks about what arrives, and has no late data.
service::SystemRow System(std::string name);

// Each change takes a minute of the world's clock. Ends the process on what no test means.
class Deleting {
 public:
  explicit Deleting(World& world) : world_(world) {}

  domain::Selector Of(const ScopeName& scope) const;
  domain::Selector Recordings(const std::vector<std::string>& recordings) const;

  absl::StatusOr<service::Deletions::Created> TryAsk(const std::string& account, domain::Selector selector,
                                                     domain::DeletionState state = domain::DeletionState::kAccepted,
                                                     const std::string& request_id = "");
  service::DeletionPlace Ask(const std::string& account, domain::Selector selector,
                             domain::DeletionState state = domain::DeletionState::kAccepted);
  absl::Status Step(service::DeletionPlace place, service::DeletionStep step, const std::string& reason = "");
  // With evidence and the request's etag as it is now.
  absl::Status Cancel(service::DeletionPlace place);
  domain::DeletionRequest Get(service::DeletionPlace place) const;

  void Register(service::SystemRow system);
  service::SystemRow Named(const std::string& name) const;
  std::vector<service::LeasedTask> Lease(const std::string& system, size_t limit = 100,
                                         base::Span visibility = base::Seconds(300));
  // The eraser follows at once.
  absl::Status End(const std::string& system, const service::LeasedTask& task,
                   domain::PurgeOutcome outcome = domain::PurgeOutcome::kAcknowledged, uint64_t count = 1);
  absl::Status Fail(const std::string& system, const service::LeasedTask& task);

  absl::StatusOr<service::Holds::Placed> TryHold(const std::string& account, domain::HeldPart held);
  service::HoldPlace Hold(const std::string& account, domain::HeldPart held);
  domain::HeldPart HeldRecordings(const std::vector<std::string>& recordings) const;
  // With evidence and the hold's etag as it is now.
  absl::Status Release(service::HoldPlace place);
  // Leases and acknowledges all that there is; the eraser follows each lease. How many there were.
  size_t Work(const std::string& system);

 private:
  // What End does but for the eraser.
  absl::Status Report(const std::string& system, const service::LeasedTask& task, domain::PurgeOutcome outcome,
                      uint64_t count);

  World& world_;
};

}  // namespace consent::test
