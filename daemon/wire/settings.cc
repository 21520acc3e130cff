#include "daemon/wire/settings.h"

#include <optional>
#include <utility>

#include "daemon/wire/digest.h"
#include "daemon/wire/fields.h"

namespace consent::wire {
namespace {

// What every write of this service has.
template <typename Request>
void ReadCommon(const Request& request, const base::IdHasher& hasher, ChangeReader& reader, Violations* fatal,
                Violations* others, ChangeInput* input) {
  const Path root;
  RefuseMistyped(request, root, fatal);
  CheckId(request.account_id(), Path(root, "account_id"), fatal);
  reader.ProofOf(request, root, &input->command.proof, &input->evidence);
  input->subject = hasher.Subject(request.account_id());
  input->account_id = request.account_id();
  input->request_id = ReadRequestId(request.request_id(), 1, Path(root, "request_id"), others);
}

// Nothing where it is none.
std::optional<domain::Choice> ChoiceOf(int number) {
  switch (number) {
    case v1::CHOICE_UNSET:
      return domain::Choice::kUnset;
    case v1::CHOICE_GIVEN:
      return domain::Choice::kGiven;
    case v1::CHOICE_REFUSED:
      return domain::Choice::kRefused;
    case v1::CHOICE_WITHDRAWN:
      return domain::Choice::kWithdrawn;
    default:
      return std::nullopt;
  }
}

}  // namespace

absl::StatusOr<SettingsQuery> ReadGetSettings(const v1::GetSettingsRequest& request, const base::IdHasher& hasher) {
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  CheckId(request.account_id(), Path(root, "account_id"), &violations);
  CheckText(request.language(), 0, kMaxLanguageBytes, Path(root, "language"), &violations);
  domain::Region region;
  if (!request.region().empty()) region = ReadRegion(request.region(), Path(root, "region"), &violations);
  if (!violations.empty()) return violations.ToStatus();
  return SettingsQuery{hasher.Subject(request.account_id()), request.language(), region};
}

absl::StatusOr<ChangeInput> ReadUpdateSettings(const v1::UpdateSettingsRequest& request, const base::IdHasher& hasher) {
  Violations fatal;
  Violations others;
  const Path root;
  ChangeInput input;
  ChangeReader reader(hasher, &others, &input.names);
  ReadCommon(request, hasher, reader, &fatal, &others, &input);
  CheckText(request.etag(), 0, kMaxTokenBytes, Path(root, "etag"), &others);
  if (request.etag().size() <= kMaxTokenBytes) input.etag = request.etag();
  if (!request.self_profile_id().empty()) {
    reader.Apart([&](Violations*) {
      input.command.self_profile =
          base::ProfileHandle{reader.Profile(request.self_profile_id(), Path(root, "self_profile_id")).handle};
    });
  }
  const int64_t parts = int64_t{request.changes_size()} + request.retention_size();
  input.command.confirms_restored = request.confirm_restored();
  if ((parts < 1 && !request.confirm_restored()) || parts > kMaxParts) {
    fatal.Add(Path(root, "changes"), "must be 1 to " + std::to_string(kMaxParts) + " items together with retention");
  } else {
    input.command.choices = reader.Choices(request.changes(), root, "changes");
    input.command.retention = reader.Retentions(request.retention(), root);
  }
  if (absl::Status s = Settle(fatal, others, &input.command); !s.ok()) return s;
  input.validate_only = request.validate_only();
  input.digest = RequestDigest(request);
  return input;
}

absl::StatusOr<ChangeInput> ReadOptOut(const v1::OptOutRequest& request, const base::IdHasher& hasher) {
  Violations fatal;
  Violations others;
  const Path root;
  ChangeInput input;
  ChangeReader reader(hasher, &others, &input.names);
  ReadCommon(request, hasher, reader, &fatal, &others, &input);
  domain::ScopeRef scope;
  const bool has_scope =
      reader.Apart([&](Violations*) { scope = reader.Scope(request.scope(), Path(root, "scope")); }).empty();
  if (CheckCount(request.targets_size(), 1, kMaxParts, Path(root, "targets"), &fatal) && has_scope) {
    for (int i = 0; i < request.targets_size(); ++i) {
      domain::ChoiceCommand& off = input.command.choices.emplace_back();
      off.scope = scope;
      off.unreadable =
          reader.Apart([&](Violations*) { off.target = reader.Target(request.targets(i), Path(root, "targets", i)); });
    }
  }
  if (absl::Status s = Settle(fatal, others, &input.command); !s.ok()) return s;
  input.digest = RequestDigest(request);
  return input;
}

absl::StatusOr<HistoryQuery> ReadListHistory(const v1::ListSettingsHistoryRequest& request,
                                             const base::IdHasher& hasher) {
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  CheckId(request.account_id(), Path(root, "account_id"), &violations);
  CheckRange(request.page_size(), 0, kMaxPageSize, Path(root, "page_size"), &violations);
  CheckText(request.page_token(), 0, kMaxTokenBytes, Path(root, "page_token"), &violations);
  if (!violations.empty()) return violations.ToStatus();
  return HistoryQuery{hasher.Subject(request.account_id()),
                      request.page_size() == 0 ? kDefaultPageSize : request.page_size(), request.page_token()};
}

absl::StatusOr<ChoicesQuery> ReadListChoices(const v1::ListChoicesRequest& request, const base::IdHasher& hasher) {
  constexpr int kMaxChoices = 3;
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  ChoicesQuery query;
  query.has_subject = !request.account_id().empty();
  if (query.has_subject) {
    CheckId(request.account_id(), Path(root, "account_id"), &violations);
    query.subject = hasher.Subject(request.account_id());
  }
  if (!request.has_from()) violations.Add(Path(root, "from"), "must be set");
  if (!request.has_before()) violations.Add(Path(root, "before"), "must be set");
  query.from = ReadTimestamp(request.from(), Path(root, "from"), &violations);
  query.before = ReadTimestamp(request.before(), Path(root, "before"), &violations);
  const bool can_compare = request.has_from() && request.has_before() && query.before.IsSet();
  if (can_compare && query.before <= query.from) violations.Add(Path(root, "before"), "must lie after from");
  if (CheckCount(request.to_size(), 0, kMaxChoices, Path(root, "to"), &violations)) {
    for (int i = 0; i < request.to_size(); ++i) {
      CheckChosen(request.to(i), v1::Choice_IsValid, Path(root, "to", i), &violations);
      if (const std::optional<domain::Choice> choice = ChoiceOf(request.to(i))) query.to.push_back(*choice);
    }
  }
  CheckRange(request.page_size(), 0, kMaxPageSize, Path(root, "page_size"), &violations);
  CheckText(request.page_token(), 0, kMaxTokenBytes, Path(root, "page_token"), &violations);
  query.page_size = request.page_size() == 0 ? kDefaultPageSize : request.page_size();
  query.page_token = request.page_token();
  return violations.empty() ? absl::StatusOr<ChoicesQuery>(std::move(query)) : violations.ToStatus();
}

absl::StatusOr<SettingsAtQuery> ReadSettingsAt(const v1::GetSettingsAtRequest& request, const base::IdHasher& hasher,
                                               base::Instant now) {
  Violations violations;
  const Path root;
  const Path at(root, "at");
  RefuseMistyped(request, root, &violations);
  CheckId(request.account_id(), Path(root, "account_id"), &violations);
  base::Instant instant;
  if (!request.has_at()) {
    violations.Add(at, "must be set");
  } else {
    instant = ReadTimestamp(request.at(), at, &violations);
    if (instant > now) violations.Add(at, "must not lie in the future");
  }
  CheckText(request.language(), 0, kMaxLanguageBytes, Path(root, "language"), &violations);
  if (!violations.empty()) return violations.ToStatus();
  return SettingsAtQuery{hasher.Subject(request.account_id()), instant, request.language()};
}

std::string OptOutPartName(size_t part) { return "targets[" + std::to_string(part) + ']'; }

std::string UpdatePartName(const v1::UpdateSettingsRequest& request, size_t part) {
  const auto changes = static_cast<size_t>(request.changes_size());
  if (part < changes) return "changes[" + std::to_string(part) + ']';
  if (part == changes + static_cast<size_t>(request.retention_size())) return "confirm_restored";
  return "retention[" + std::to_string(part - changes) + ']';
}

}  // namespace consent::wire
