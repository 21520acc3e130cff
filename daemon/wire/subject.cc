#include "daemon/wire/subject.h"

#include <algorithm>
#include <utility>

#include "daemon/wire/digest.h"
#include "daemon/wire/fields.h"

namespace consent::wire {
namespace {

constexpr int kMaxScopes = static_cast<int>(domain::kMaxProfiles);  // profiles or devices that one call may add
constexpr int kMaxRemovals = 2 * kMaxScopes;                        // a restriction may have named as many again
constexpr int kMaxDueKinds = 3;
constexpr char kDateFault[] = "must be an existing date YYYY-MM-DD, YYYY-MM or YYYY from 1900 to today";

// The calendar date of an instant, in the time zone that is furthest ahead: it is "today" there first.
base::Date LatestDate(base::Instant now) {
  return base::Date{static_cast<int32_t>((now + base::Hours(14)).micros / base::Days(1).micros)};
}

// `YYYY` and `YYYY-MM` count as their last day, which may lie ahead; that they have begun is what is asked.
domain::Age ReadBorn(const std::string& text, base::Instant now, const Path& at, Violations* violations) {
  domain::Age age{domain::AgeKind::kBorn, {}, {}};
  base::Date first;
  const std::string first_day = text + (text.size() == 4 ? "-01-01" : text.size() == 7 ? "-01" : "");
  const bool valid = text.size() <= 10 && base::ParseDate(text, &age.born) && base::ParseDate(first_day, &first);
  base::Date earliest;
  base::ParseDate("1900-01-01", &earliest);
  if (!valid || first < earliest || first > LatestDate(now)) violations->Add(at, kDateFault);
  return age;
}

// nullopt: not said.
std::optional<domain::Age> ReadAge(const v1::Age& age, base::Instant now, const Path& at, Violations* violations) {
  switch (age.kind_case()) {
    case v1::Age::kAdult:
      if (!age.adult()) violations->Add(Path(at, "adult"), "must be true");
      return domain::Age{domain::AgeKind::kAdult, {}, {}};
    case v1::Age::kChild:
      if (!age.child()) violations->Add(Path(at, "child"), "must be true");
      return domain::Age{domain::AgeKind::kChild, {}, {}};
    case v1::Age::kBorn:
      return ReadBorn(age.born(), now, Path(at, "born"), violations);
    case v1::Age::KIND_NOT_SET:
      violations->Add(at, "must say adult, child or born");
      break;
  }
  return std::nullopt;
}

domain::ProfileCommand ReadProfile(const v1::Profile& profile, base::Instant now, const Path& at, ChangeReader& reader,
                                   Violations* violations) {
  domain::ProfileCommand command;
  command.profile.bytes = reader.Profile(profile.profile_id(), Path(at, "profile_id")).handle;
  if (profile.has_age()) command.age = ReadAge(profile.age(), now, Path(at, "age"), violations);
  if (profile.has_guardian_id()) {
    // Empty takes the guardian away.
    command.guardian = profile.guardian_id().empty() ? base::GuardianHandle{}
                                                     : reader.Guardian(profile.guardian_id(), Path(at, "guardian_id"));
  }
  if (profile.has_last_active_at()) {
    const Path last_active_at(at, "last_active_at");
    command.last_active = ReadTimestamp(profile.last_active_at(), last_active_at, violations);
    CheckPast(command.last_active, now, last_active_at, violations);
  }
  return command;
}

// False where a list is too long: then do not look at the items.
bool CheckCountsOfPeople(const v1::UpsertSubjectRequest& request, Violations* violations) {
  const Path root;
  bool bounded = CheckCount(request.profiles_size(), 0, kMaxScopes, Path(root, "profiles"), violations);
  bounded &= CheckCount(request.device_ids_size(), 0, kMaxScopes, Path(root, "device_ids"), violations);
  bounded &=
      CheckCount(request.remove_profile_ids_size(), 0, kMaxRemovals, Path(root, "remove_profile_ids"), violations);
  return CheckCount(request.remove_device_ids_size(), 0, kMaxRemovals, Path(root, "remove_device_ids"), violations) &&
         bounded;
}

// The same of what may restrict.
bool CheckCountsOfParts(const v1::UpsertSubjectRequest& request, Violations* violations) {
  const Path root;
  const bool bounded =
      CheckCount(request.initial_choices_size(), 0, kMaxParts, Path(root, "initial_choices"), violations);
  return CheckCount(request.retention_size(), 0, kMaxParts, Path(root, "retention"), violations) && bounded;
}

// Profiles, devices and removals; a scope may be named once.
void ReadPeople(const v1::UpsertSubjectRequest& request, base::Instant now, ChangeReader& reader,
                Violations* violations, domain::Command* command) {
  const Path root;
  std::vector<domain::ScopeRef> seen;
  const auto once = [&](const domain::ScopeRef& scope, const Path& at) {
    if (std::find(seen.begin(), seen.end(), scope) != seen.end()) {
      violations->Add(at, "names a profile or device a second time");
    }
    seen.push_back(scope);
  };
  for (int i = 0; i < request.profiles_size(); ++i) {
    const Path at(root, "profiles", i);
    command->profiles.push_back(ReadProfile(request.profiles(i), now, at, reader, violations));
    once({domain::ScopeKind::kProfile, command->profiles.back().profile.bytes}, at);
  }
  for (int i = 0; i < request.device_ids_size(); ++i) {
    const Path at(root, "device_ids", i);
    const domain::ScopeRef device = reader.Device(request.device_ids(i), at);
    command->devices.push_back(base::DeviceHandle{device.handle});
    once(device, at);
  }
  for (int i = 0; i < request.remove_profile_ids_size(); ++i) {
    const Path at(root, "remove_profile_ids", i);
    command->removals.push_back(reader.Profile(request.remove_profile_ids(i), at));
    once(command->removals.back(), at);
  }
  for (int i = 0; i < request.remove_device_ids_size(); ++i) {
    const Path at(root, "remove_device_ids", i);
    command->removals.push_back(reader.Device(request.remove_device_ids(i), at));
    once(command->removals.back(), at);
  }
}

std::string NameOf(const domain::ScopeFacts& scope, const Names& names) {
  const domain::ScopeRef ref{scope.kind, scope.handle};
  for (const auto& [known, id] : names.scopes) {
    if (known == ref) return id;
  }
  return {};
}

// Empty: it has none.
std::string GuardianOf(const domain::ScopeFacts& scope, const Names& names) {
  for (const auto& [guardian, id] : names.guardians) {
    if (scope.guardian.IsSet() && guardian == scope.guardian) return id;
  }
  return {};
}

void WriteProfile(const domain::ScopeFacts& scope, const Names& names, v1::Profile* out) {
  out->set_profile_id(NameOf(scope, names));
  switch (scope.age.kind) {
    case domain::AgeKind::kAdult:
      out->mutable_age()->set_adult(true);
      break;
    case domain::AgeKind::kChild:
      out->mutable_age()->set_child(true);
      break;
    case domain::AgeKind::kBorn:
      out->mutable_age()->set_born(base::FormatDate(scope.age.born));
      break;
    case domain::AgeKind::kUnknown:
      break;
  }
  if (std::string guardian = GuardianOf(scope, names); !guardian.empty()) out->set_guardian_id(std::move(guardian));
  if (scope.last_active.IsSet()) WriteTimestamp(scope.last_active, out->mutable_last_active_at());
}

}  // namespace

absl::StatusOr<ChangeInput> ReadUpsertSubject(const v1::UpsertSubjectRequest& request, const base::IdHasher& hasher,
                                              base::Instant now) {
  Violations fatal;
  Violations others;
  const Path root;
  ChangeInput input;
  ChangeReader reader(hasher, &others, &input.names);
  RefuseMistyped(request, root, &fatal);
  CheckId(request.account_id(), Path(root, "account_id"), &fatal);
  input.request_id = ReadRequestId(request.request_id(), 1, Path(root, "request_id"), &others);
  CheckText(request.etag(), 0, kMaxTokenBytes, Path(root, "etag"), &others);
  if (request.has_region()) input.command.region = ReadRegion(request.region(), Path(root, "region"), &others);
  if (CheckCountsOfPeople(request, &others)) {
    reader.Apart([&](Violations* own) { ReadPeople(request, now, reader, own, &input.command); });
  }
  if (CheckCountsOfParts(request, &fatal)) {
    input.command.choices = reader.Choices(request.initial_choices(), root, "initial_choices");
    input.command.retention = reader.Retentions(request.retention(), root);
  }
  reader.ProofOf(request, root, &input.command.proof, &input.evidence);
  if (absl::Status s = Settle(fatal, others, &input.command); !s.ok()) return s;
  input.command.registers = true;
  input.subject = hasher.Subject(request.account_id());
  input.account_id = request.account_id();
  input.create_new = request.create_new() && input.command.unusable.empty();
  input.validate_only = request.validate_only();
  if (request.etag().size() <= kMaxTokenBytes) input.etag = request.etag();
  input.digest = RequestDigest(request);
  return input;
}

absl::StatusOr<base::SubjectHandle> ReadGetSubject(const v1::GetSubjectRequest& request, const base::IdHasher& hasher) {
  Violations violations;
  RefuseMistyped(request, Path(), &violations);
  CheckId(request.account_id(), Path(Path(), "account_id"), &violations);
  if (!violations.empty()) return violations.ToStatus();
  return hasher.Subject(request.account_id());
}

absl::StatusOr<JoinInput> ReadJoinSubjects(const v1::JoinSubjectsRequest& request, const base::IdHasher& hasher) {
  Violations violations;
  const Path root;
  JoinInput input;
  Names unused;
  ChangeReader reader(hasher, &violations, &unused);
  RefuseMistyped(request, root, &violations);
  CheckId(request.from_account_id(), Path(root, "from_account_id"), &violations);
  CheckId(request.into_account_id(), Path(root, "into_account_id"), &violations);
  if (request.from_account_id() == request.into_account_id() && !request.from_account_id().empty()) {
    violations.Add(Path(root, "into_account_id"), "must be another account than from_account_id");
  }
  CheckText(request.from_etag(), 0, kMaxTokenBytes, Path(root, "from_etag"), &violations);
  CheckText(request.into_etag(), 0, kMaxTokenBytes, Path(root, "into_etag"), &violations);
  if (request.into_is_new() && !request.into_etag().empty()) {
    violations.Add(Path(root, "into_etag"), "must be empty with into_is_new: nothing is stored of that account");
  }
  input.from.request_id = ReadRequestId(request.request_id(), 1, Path(root, "request_id"), &violations);
  reader.ProofOf(request, root, &input.from.command.proof, &input.from.evidence);
  if (!violations.empty()) return violations.ToStatus();
  input.from.subject = hasher.Subject(request.from_account_id());
  input.from.account_id = request.from_account_id();
  input.from.etag = request.from_etag();
  input.into_etag = request.into_etag();
  input.from.digest = RequestDigest(request);
  input.into = hasher.Subject(request.into_account_id());
  input.into_account_id = request.into_account_id();
  input.into_is_new = request.into_is_new();
  return input;
}

absl::StatusOr<ChangeInput> ReadRecordChildNotice(const v1::RecordChildNoticeRequest& request,
                                                  const base::IdHasher& hasher) {
  Violations violations;
  const Path root;
  ChangeInput input;
  Names unused;
  ChangeReader reader(hasher, &violations, &unused);
  RefuseMistyped(request, root, &violations);
  CheckId(request.account_id(), Path(root, "account_id"), &violations);
  input.command.child_notice.emplace().bytes = reader.Profile(request.profile_id(), Path(root, "profile_id")).handle;
  input.request_id = ReadRequestId(request.request_id(), 1, Path(root, "request_id"), &violations);
  reader.ProofOf(request, root, &input.command.proof, &input.evidence);
  if (!violations.empty()) return violations.ToStatus();
  input.subject = hasher.Subject(request.account_id());
  input.digest = RequestDigest(request);
  return input;
}

absl::StatusOr<ChildrenQuery> ReadListChildrenDue(const v1::ListChildrenDueRequest& request,
                                                  const base::IdHasher& hasher) {
  Violations violations;
  const Path root;
  ChildrenQuery query;
  RefuseMistyped(request, root, &violations);
  CheckText(request.account_id(), 0, base::kMaxIdBytes, Path(root, "account_id"), &violations);
  if (CheckCount(request.due_size(), 0, kMaxDueKinds, Path(root, "due"), &violations)) {
    for (int i = 0; i < request.due_size(); ++i) {
      CheckChosen(request.due(i), v1::ChildDue_IsValid, Path(root, "due", i), &violations);
      query.due.push_back(static_cast<domain::ChildDue>(request.due(i)));
    }
  }
  CheckRange(request.page_size(), 0, kMaxPageSize, Path(root, "page_size"), &violations);
  CheckText(request.page_token(), 0, kMaxTokenBytes, Path(root, "page_token"), &violations);
  if (!violations.empty()) return violations.ToStatus();
  if (!request.account_id().empty()) query.subject = hasher.Subject(request.account_id());
  query.page_size = request.page_size() == 0 ? kDefaultPageSize : request.page_size();
  query.page_token = request.page_token();
  return query;
}

void WriteInactiveChild(const std::string& account_id, const domain::ScopeFacts& profile,
                        const domain::ChildInactivity& inactivity, const Names& names, v1::InactiveChild* out) {
  out->set_account_id(account_id);
  out->set_profile_id(NameOf(profile, names));
  out->set_guardian_id(GuardianOf(profile, names));
  out->set_due(static_cast<v1::ChildDue>(inactivity.due));
  WriteTimestamp(profile.last_active, out->mutable_last_active_at());
  WriteTimestamp(inactivity.inactive_at, out->mutable_inactive_at());
  if (!inactivity.purge_at.IsSet()) return;
  WriteTimestamp(profile.inactivity_notice, out->mutable_notice_at());
  WriteTimestamp(inactivity.purge_at, out->mutable_purge_at());
}

std::string UpsertPartName(const v1::UpsertSubjectRequest& request, size_t part) {
  if (request.has_region()) {
    if (part == 0) return "region";
    --part;
  }
  const std::pair<const char*, int> lists[] = {{"profiles", request.profiles_size()},
                                               {"device_ids", request.device_ids_size()},
                                               {"remove_profile_ids", request.remove_profile_ids_size()},
                                               {"remove_device_ids", request.remove_device_ids_size()},
                                               {"initial_choices", request.initial_choices_size()},
                                               {"retention", request.retention_size()}};
  for (const auto& [name, size] : lists) {
    if (part < static_cast<size_t>(size)) return std::string(name) + '[' + std::to_string(part) + ']';
    part -= static_cast<size_t>(size);
  }
  return {};
}

void WriteSubject(const domain::SubjectFacts& facts, const Names& names, const std::string& revision,
                  v1::GetSubjectResponse* out) {
  if (facts.region.IsSet()) out->set_region(facts.region.ToString());
  for (const domain::ScopeFacts& scope : facts.scopes) {
    if (!scope.registered) continue;
    if (scope.kind == domain::ScopeKind::kProfile) WriteProfile(scope, names, out->add_profiles());
    if (scope.kind == domain::ScopeKind::kDevice) out->add_device_ids(NameOf(scope, names));
  }
  out->set_registered(facts.registered);
  if (facts.closed_at.IsSet()) WriteTimestamp(facts.closed_at, out->mutable_closed_at());
  if (facts.reopened_at.IsSet()) WriteTimestamp(facts.reopened_at, out->mutable_reopened_at());
  out->set_etag(revision);
}

}  // namespace consent::wire
