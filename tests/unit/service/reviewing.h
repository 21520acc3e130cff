// Words in which tests lease, open, redeem and end review grants.
#pragma once

#include <future>
#include <optional>
#include <string>
#include <utility>

#include "daemon/service/review/revoke_reviews.h"
#include "daemon/wire/errors.h"
#include "tests/support/service/world.h"

namespace consent::test {

// What a tool keeps of a grant.
struct Held {
  domain::GrantName name;
  std::string pseudonym;
  domain::ReviewGrant grant;
};

// A tool, a store and an officer on a world. Not thread-safe in itself; its calls are as the services are.
class Reviewing {
 public:
  explicit Reviewing(World& world) : world_(world) {}

  service::LeaseAnswer TryLease(const std::string& account, const std::string& recording,
                                const std::string& reviewer = "r1") {
    service::LeaseOrder order;
    order.purpose = domain::Purpose::kHumanReview;
    order.place = Employee();
    order.reviewer = reviewer;
    service::LeaseItem item;
    item.subject = world_.Handle(account);
    item.account_id = account;
    item.recording_id = recording;
    item.facts = Recording(captured_).Facts(world_.core().hasher);
    return world_.reviews().Lease(order, item, tool_);
  }
  // "GRANT", "NOT_ELIGIBLE WITHDRAWN", "GRANTED", "HEARD_RECENTLY", or the error's reason.
  static std::string Said(const service::LeaseAnswer& answer) {
    if (!answer.error.ok()) return ReasonOf(answer.error);
    switch (answer.refusal) {
      case service::LeaseRefusal::kNone:
        return "GRANT";
      case service::LeaseRefusal::kNotEligible:
        return "NOT_ELIGIBLE " + Text(answer.decision);
      case service::LeaseRefusal::kGranted:
        return "GRANTED";
      case service::LeaseRefusal::kHeardRecently:
        return "HEARD_RECENTLY";
      case service::LeaseRefusal::kHeardOften:
        return "HEARD_OFTEN";
    }
    return "";
  }
  // Ends the process where it is refused: the test is wrong.
  Held Lease(const std::string& account, const std::string& recording, const std::string& reviewer = "r1") {
    const service::LeaseAnswer answer = TryLease(account, recording, reviewer);
    if (Said(answer) != "GRANT") {
      ADD_FAILURE() << account << " " << recording << " " << reviewer << ": " << Said(answer);
      std::abort();
    }
    return HeldOf(answer);
  }
  Held HeldOf(const service::LeaseAnswer& answer) const {
    return {{answer.grant.id, answer.grant.fence}, PseudonymOf(world_.core(), answer.grant), answer.grant};
  }

  absl::StatusOr<service::OpenedMedia> Open(const Held& held) {
    return world_.reviews().Open(held.name, "audio", tool_);
  }
  absl::StatusOr<service::RedeemedMedia> Redeem(const std::string& token, const std::string& system = "audio") {
    return world_.reviews().Redeem(token, system, store_);
  }
  absl::Status Submit(const Held& held, uint8_t digest = 1) {
    base::Digest bytes{};
    bytes[0] = digest;
    return world_.reviews().Submit(held.name, bytes, tool_);
  }
  absl::Status End(const Held& held, domain::ReviewOutcome outcome) {
    std::promise<absl::Status> ended;
    world_.end_review().Run(held.name, outcome, tool_, {}, [&](const absl::Status& s) { ended.set_value(s); });
    return ended.get_future().get();
  }
  absl::Status Revoke(domain::RevocationKind kind, const std::string& name = "") {
    service::Revocation revocation{kind, domain::Purpose::kNone, name, "a test"};
    if (kind == domain::RevocationKind::kPurpose) revocation.purpose = domain::Purpose::kHumanReview;
    return service::RevokeReviews(world_.core(), revocation, officer_).status();
  }
  // As a listing shows it: of the grants of one recording the latest alone is there.
  domain::GrantState State(const Held& held) {
    const auto page = world_.list_reviews().Grants(domain::GrantState::kNone, 1'000'000, {});
    if (!page.ok()) return domain::GrantState::kNone;
    for (const service::GrantShown& shown : page->grants) {
      if (shown.row.grant.id == held.name.id) return shown.state;
    }
    return domain::GrantState::kNone;
  }

  // "NONE", "GRANT_LOST", "GRANT_ENDED SUBJECT_CHANGED", "GRANT_ENDED NOT_ELIGIBLE SUSPENDED", "MEDIA_TOKEN_REFUSED
  // redeemed".
  static std::string Why(const absl::Status& status) {
    std::string text = ReasonOf(status);
    const wire::ErrorDetail detail = wire::DetailOf(status);
    for (const char* key : {"cause", "reasons", "why"}) {
      const auto at = detail.metadata.find(key);
      if (at != detail.metadata.end()) text += " " + at->second;
    }
    return text;
  }
  template <typename T>
  static std::string Why(const absl::StatusOr<T>& result) {
    return Why(result.status());
  }

  void CapturedAt(base::Instant at) { captured_ = at; }

 private:
  World& world_;
  base::Instant captured_;
  const service::Caller tool_{"tool"};
  const service::Caller store_{"store"};
  const service::Caller officer_{"officer"};
};

}  // namespace consent::test
