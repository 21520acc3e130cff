// Which loosenings take two persons: validated, read and compared.
#include <string>

#include "absl/strings/str_cat.h"
#include "daemon/base/time.h"
#include "daemon/policy/differences.h"
#include "daemon/policy/problems.h"
#include "daemon/policy/reading.h"

namespace consent::policy {
namespace {

constexpr int kMostHours = 720;

void CheckPersons(const char* field, v1::Persons persons, Problems* problems) {
  if (v1::Persons_IsValid(persons)) return;
  problems->Add(absl::StrCat("approvals.", field),
                absl::StrCat(static_cast<int>(persons), " is no Persons", PermittedOf(*v1::Persons_descriptor())));
}

void ComparePersons(const char* field, bool one_before, bool one_after, Differences* out) {
  if (one_before == one_after) return;
  out->push_back({absl::StrCat("approvals.", field),
                  one_after ? "TWO becomes ONE: one person may do it alone" : "ONE becomes TWO",
                  one_after ? DifferenceKind::kLoosening : DifferenceKind::kRestriction, 0, 0});
}

}  // namespace

void CheckApprovals(const v1::Policy& policy, Problems* problems) {
  const v1::Approvals& approvals = policy.approvals();
  CheckPersons("resume", approvals.resume(), problems);
  CheckPersons("release_hold", approvals.release_hold(), problems);
  CheckPersons("activate_policy", approvals.activate_policy(), problems);
  problems->Range("approvals.expire_after_hours", approvals.expire_after_hours(), 0, kMostHours);
}

domain::Approvals ApprovalsOf(const v1::Policy& policy) {
  const v1::Approvals& approvals = policy.approvals();
  domain::Approvals rules;
  rules.one_resumes = approvals.resume() == v1::PERSONS_ONE;
  rules.one_releases = approvals.release_hold() == v1::PERSONS_ONE;
  rules.one_activates = approvals.activate_policy() == v1::PERSONS_ONE;
  if (approvals.expire_after_hours() != 0) rules.open_for = base::Hours(approvals.expire_after_hours());
  return rules;
}

void CompareApprovals(const v1::Policy& from, const v1::Policy& to, Differences* out) {
  const domain::Approvals before = ApprovalsOf(from);
  const domain::Approvals after = ApprovalsOf(to);
  ComparePersons("resume", before.one_resumes, after.one_resumes, out);
  ComparePersons("release_hold", before.one_releases, after.one_releases, out);
  ComparePersons("activate_policy", before.one_activates, after.one_activates, out);
  if (before.open_for == after.open_for) return;
  constexpr int64_t kHour = base::Hours(1).micros;
  out->push_back({"approvals.expire_after_hours",
                  absl::StrCat(before.open_for.micros / kHour, " becomes ", after.open_for.micros / kHour),
                  before.open_for < after.open_for ? DifferenceKind::kLoosening : DifferenceKind::kRestriction, 0, 0});
}

}  // namespace consent::policy
