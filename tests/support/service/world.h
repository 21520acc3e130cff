// A whole daemon without its network: every use case over a store in memory, with a clock, randomness and keys of the
// test's own, and few words in which a test can tell a story.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/service/commit/change_subject.h"
#include "daemon/service/deletion/deletions.h"
#include "daemon/service/deletion/holds.h"
#include "daemon/service/erasure/erasures.h"
#include "daemon/service/erasure/master_keys.h"
#include "daemon/service/erasure/month_keys.h"
#include "daemon/service/erasure/rewrap_shares.h"
#include "daemon/service/purge/purge_tasks.h"
#include "daemon/service/registry/data_systems.h"
#include "daemon/service/registry/known_review_rates.h"
#include "daemon/service/registry/policy_admin.h"
#include "daemon/service/registry/proposals.h"
#include "daemon/service/registry/sweeps.h"
#include "daemon/service/review/end_review.h"
#include "daemon/service/review/list_reviews.h"
#include "daemon/service/review/reviews.h"
#include "daemon/service/subject/check_eligibility.h"
#include "daemon/service/subject/children_due.h"
#include "daemon/service/subject/join_subjects.h"
#include "daemon/service/subject/read_subject.h"
#include "daemon/service/subject/safety_flags.h"
#include "daemon/service/subject/subject_changes.h"
#include "daemon/wire/errors.h"
#include "tests/support/service/policy_builder.h"
#include "tests/support/service/process_clock.h"
#include "tests/support/service/recording.h"
#include "tests/support/service/seeded_random.h"
#include "tests/support/store/clock.h"
#include "tests/support/store/memory.h"

namespace consent::test {

// A scope by its name.
struct ScopeName {
  domain::ScopeKind kind = domain::ScopeKind::kAccount;
  std::string id;
};
inline ScopeName Account() { return {}; }
inline ScopeName Profile(std::string id) { return {domain::ScopeKind::kProfile, std::move(id)}; }
inline ScopeName Device(std::string id) { return {domain::ScopeKind::kDevice, std::move(id)}; }

domain::Target Control(std::string name);
domain::Target Only(domain::Purpose purpose);
domain::Target Everything();

struct Person {
  std::string id;
  domain::Age age;
  std::string guardian;  // empty: none
};
Person Adult(std::string id);
Person Child(std::string id, std::string guardian);
Person Born(std::string id, const std::string& date, std::string guardian);
Person OfUnknownAge(std::string id);

// What goes with a consent.
struct Given {
  std::string notice = "general";
  domain::Actor actor = domain::Actor::kSelf;
  std::string guardian;
  base::Instant imported_at;  // set: an import with its own time
};
Given Under(std::string notice);
Given ByGuardian(std::string guardian, std::string notice = "general");

using Reply = absl::StatusOr<service::ChangeReply>;

// Without an error NONE, else "ETAG_MISMATCH" and so on.
std::string ReasonOf(const absl::Status& status);
template <typename T>
std::string ReasonOf(const absl::StatusOr<T>& result) {
  return ReasonOf(result.status());
}
// "KEEP no: WITHDRAWN", "KEEP yes: CONSENT", without a purpose "PURGE: DELETED": what tests compare and print.
std::string Text(domain::Disposition disposition);
std::string Text(const domain::Decision& decision);
bool IsYes(const domain::Decision& decision);

// Every change takes a minute of the clock, so that the story's order is also the clock's. The default recording is
// made half a minute before it is asked about, after the last change. Ends the process on what no test means (an
// unreadable store).
class World {
 public:
  struct Options {
    uint16_t partitions = 1;
    uint64_t seed = 1;
    uint8_t store = 0;  // another one under the same keys has another number
    uint64_t max_subjects = 1 << 20;
    size_t max_in_flight = 1024;
    int threads = 2;
    size_t queue = 4096;
    base::Instant now{};                          // unset: 2026-03-01T12:00:00Z
    bool policy = true;                           // PolicyBuilder's is activated
    std::optional<base::Keys> keys{};             // absent: those of the seed
    const store::FrozenStore* copy_of = nullptr;  // what the store in memory begins with
    // Puts a decorator before the store; it outlives restarts.
    std::function<std::unique_ptr<store::Store>(store::Store&)> decorate{};
  };
  explicit World(Options options);
  World() : World(Options{}) {}
  ~World();

  // Everything of the process goes; the store stays.
  void Restart();
  // As if an operator had added a master key to the key file; in use after the next Restart, or once the master keys
  // are taken from it.
  void AddMasterKey();
  // The same of another key file.
  void PutKeys(const base::Keys& keys) { keys_ = keys; }
  const base::Keys& keys() const { return keys_; }
  absl::Status TryRestart();

  // --- changes; each a minute apart ---
  Reply Register(const std::string& account, const std::string& region,
                 const std::vector<Person>& people = {Adult("ann")}, const std::vector<std::string>& devices = {});
  Reply OptIn(const std::string& account, const ScopeName& scope, domain::Target target, const Given& given = {});
  Reply OptOut(const std::string& account, const ScopeName& scope, domain::Target target);
  Reply Retain(const std::string& account, const ScopeName& scope, domain::Retention retention);
  Reply Report(const std::string& account, const std::string& recording, uint8_t flags);
  // Any request, filled in with the minute and nothing else.
  Reply Submit(service::ChangeRequest request);
  absl::Status Activate(const PolicyBuilder& policy);
  // A change of the facts that no request can make yet, through the store, followed by a restart.
  void Rewrite(const std::string& account, const std::function<void(domain::SubjectFacts&)>& edit);

  // --- the requests behind them ---
  service::ChangeRequest Request(const std::string& account, service::ChangeKind kind) const;
  service::ChangeRequest OptInRequest(const std::string& account, const ScopeName& scope, domain::Target target,
                                      const Given& given) const;
  service::ChangeRequest OptOutRequest(const std::string& account, const ScopeName& scope, domain::Target target) const;
  domain::ScopeRef Ref(const ScopeName& scope) const;
  domain::ProfileCommand Command(const Person& person) const;
  domain::Proof Proof(const Given& given) const;
  base::SubjectHandle Handle(const std::string& account) const { return hasher_.Subject(account); }

  // --- answers ---
  domain::Decision Check(const std::string& account, Recording recording,
                         domain::Purpose purpose = domain::Purpose::kHumanReview,
                         const domain::Place& place = Employee()) const;
  // For the default recording.
  domain::Decision Check(const std::string& account, domain::Purpose purpose = domain::Purpose::kHumanReview) const;
  domain::SubjectFacts Facts(const std::string& account) const;
  bool Known(const std::string& account) const;
  uint64_t RevisionOf(const std::string& account) const;

  void Wait(base::Span span) { clock.Advance(span); }
  base::Instant Now() const { return core().Now(); }

  service::Core& core() const;
  service::SubjectChanges& changes();
  service::JoinSubjects& joins();
  size_t in_flight() const;  // changes that are not yet answered
  service::CheckEligibility& checks();
  service::ReadSubject& reads();
  service::PolicyAdmin& admin();
  service::Proposals& proposals();
  service::TaskQueue& queue();
  service::DataSystems& systems();
  service::Sweeps& sweeps();
  service::ChildrenDue& children_due();
  service::SafetyFlags& safety_flags();
  service::Reviews& reviews();
  service::EndReview& end_review();
  service::ListReviews& list_reviews();
  service::KnownReviewRates& review_rates();
  service::Deletions& deletions();
  service::PurgeTasks& tasks();
  service::Holds& holds();
  service::Erasures& erasures();
  service::MasterKeys& master_keys();
  service::MonthKeys& month_keys();
  service::RewrapShares& rewrapping();
  store::Store& store() const;
  store::MemoryStore& inner_store() { return inner_; }

  // As Restart, of another boot.
  void Reboot();
  // The clock of the process that runs.
  base::TrustedClock& time() { return clock_of_process_.time(); }

  ManualClock clock;
  SeededRandom random;

 private:
  struct Running;
  absl::Status Start();

  const Options options_;
  base::Keys keys_;
  const base::IdHasher hasher_;
  ProcessClock clock_of_process_;
  store::MemoryStore inner_;
  std::unique_ptr<store::Store> decorated_;
  std::unique_ptr<Running> running_;
};

}  // namespace consent::test
