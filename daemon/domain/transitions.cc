#include "daemon/domain/transitions.h"

#include <algorithm>

#include "daemon/base/known_names.h"
#include "daemon/domain/transitions_internal.h"

namespace consent::domain {
namespace internal {

PartOutcome MayLoosen(const TransitionBuilder& builder, bool about_people, bool answers) {
  const Command& command = builder.command;
  if (!command.unusable.empty()) return Refused(Refusal::kUnusable, command.unusable);
  if (builder.IsClosed()) return Refused(Refusal::kAccountClosed);
  if (builder.moment.now.doubtful) return Refused(Refusal::kClockDoubtful);
  if (builder.moment.now.behind) return Refused(Refusal::kClockBehind);
  builder.result.needs_policy = true;
  if (builder.moment.policy_changing) return Refused(Refusal::kPolicyChanging);
  const bool registering = command.registers && !builder.before.registered;
  if (!builder.before.registered && !registering) return Refused(Refusal::kSubjectNotFound);
  const bool needs_etag = registering ? builder.before.revision != 0 && !about_people : true;
  if (needs_etag && !answers && !command.expected_revision) return Refused(Refusal::kEtagRequired);
  if (command.expected_revision && *command.expected_revision != builder.before.revision) {
    return Refused(Refusal::kEtagMismatch);
  }
  if (registering && about_people) return Applied(false);
  if (command.proof.channel == Channel::kMissing) return Refused(Refusal::kEvidenceRequired, "channel");
  if (command.proof.actor == Actor::kMissing) return Refused(Refusal::kEvidenceRequired, "actor");
  return Applied(false);
}

int Strictness(const Retention& retention) {
  switch (retention.kind) {
    case RetentionKind::kDoNotSave:
      return 0;
    case RetentionKind::kMonths:
      return retention.months;
    case RetentionKind::kUntilDeleted:
      break;
  }
  return INT16_MAX;
}

// The last capture up to which every one has expired. One that has expired on the last day of a short month, while an
// earlier one of the day before has not yet, waits for it: a PURGE is never answered from what the record cannot tell.
Instant ExpiredUpTo(const Retention& retention, Instant now) {
  if (retention.kind == RetentionKind::kUntilDeleted) return Instant{};
  if (retention.kind == RetentionKind::kDoNotSave) return now;
  int64_t low = 0;
  int64_t high = now.micros;
  while (low < high) {
    const int64_t middle = low + (high - low + 1) / 2;
    if (base::LatestAfterMonths(Instant{1}, Instant{middle}, retention.months) <= now) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return Instant{low};
}

}  // namespace internal

namespace {

using internal::Applied;
using internal::Refused;
using internal::TransitionBuilder;

bool Offered(const Retention& retention, const Rules& rules) {
  switch (retention.kind) {
    case RetentionKind::kUntilDeleted:
      return rules.offers_until_deleted;
    case RetentionKind::kDoNotSave:
      return rules.offers_do_not_save;
    case RetentionKind::kMonths:
      break;
  }
  return std::binary_search(rules.offered_months.begin(), rules.offered_months.end(), retention.months);
}

// What is said of one that is not offered.
std::string OfferedRetentions(const Rules& rules) {
  std::string text;
  const auto add = [&text](const std::string& name) { text += (text.empty() ? "" : ", ") + name; };
  if (rules.offers_until_deleted) add("until deleted");
  for (const uint8_t months : rules.offered_months) add(std::to_string(months));
  if (!rules.offered_months.empty()) text += " months";
  if (rules.offers_do_not_save) add("do not save");
  return text.size() <= base::kMaxKnownNamesBytes ? text : "many numbers of months: GetPolicy says which";
}

// The same command asks for a shorter one, too.
bool IsContradicted(const Command& whole, const RetentionCommand& longer) {
  return std::any_of(whole.retention.begin(), whole.retention.end(), [&](const RetentionCommand& other) {
    return other.unreadable.empty() && other.scope == longer.scope &&
           internal::Strictness(other.retention) < internal::Strictness(longer.retention);
  });
}

PartOutcome ChangeRetention(TransitionBuilder& builder, const RetentionCommand& command) {
  if (!command.unreadable.empty()) return Refused(Refusal::kUnusable, command.unreadable);
  if (!Offered(command.retention, builder.rules))
    return Refused(Refusal::kRetentionNotOffered, OfferedRetentions(builder.rules));
  const ScopeFacts* existing = builder.after().Find(command.scope.kind, command.scope.handle);
  const Retention now = existing != nullptr ? existing->retention : Retention{};
  FactChange change;
  change.what = ChangedWhat::kRetention;
  change.scope = command.scope;
  change.retention = command.retention;
  const bool restricts = command.retention.kind != RetentionKind::kUntilDeleted;
  if (restricts && builder.IsClosed() && internal::Strictness(command.retention) >= internal::Strictness(now)) {
    // Nothing stricter for the closed account; it binds the next one of its id.
    const bool is_news = builder.IsToBeForgotten();
    if (is_news) builder.Record(std::move(change));
    return Applied(is_news);
  }
  if (now == command.retention) return Applied(false);
  if (internal::Strictness(command.retention) > internal::Strictness(now)) {
    if (IsContradicted(builder.command, command)) return Refused(Refusal::kContradiction, "retention");
    if (builder.IsImport()) return Refused(Refusal::kImportCannotLoosen, "a shorter retention");
    PartOutcome gate = internal::MayLoosen(builder, false);
    if (gate.refusal != Refusal::kNone) return gate;
  }
  ScopeFacts& scope = internal::FindOrCreate(builder, command.scope);
  // What had surely expired stays expired.
  scope.purge_floor = std::max(scope.purge_floor, internal::ExpiredUpTo(scope.retention, builder.moment.now.earliest));
  scope.retention = command.retention;
  change.loosens = internal::Strictness(command.retention) > internal::Strictness(now);
  builder.Record(std::move(change));
  return Applied(true);
}

// Of who lives behind a closed account nothing is changed, nor by a request that cannot be used as it was sent.
void ApplyPeople(TransitionBuilder& builder) {
  const Command& command = builder.command;
  std::vector<PartOutcome>& parts = builder.result.parts;
  if (builder.IsClosed() || !command.unusable.empty()) {
    const size_t count = (command.region ? 1 : 0) + command.profiles.size() + command.devices.size() +
                         command.removals.size() + (command.child_notice ? 1 : 0);
    parts.assign(count, command.unusable.empty() ? Refused(Refusal::kAccountClosed)
                                                 : Refused(Refusal::kUnusable, command.unusable));
    return;
  }
  if (command.region) parts.push_back(internal::ApplyRegion(builder, *command.region));
  for (const ProfileCommand& profile : command.profiles) parts.push_back(internal::ApplyProfile(builder, profile));
  for (const base::DeviceHandle device : command.devices) parts.push_back(internal::ApplyDevice(builder, device));
  for (const ScopeRef& scope : command.removals) parts.push_back(internal::ApplyRemoval(builder, scope));
  if (command.child_notice) parts.push_back(internal::ApplyChildNotice(builder, *command.child_notice));
}

void EndRestored(TransitionBuilder& builder) {
  builder.after().restored_at = Instant{};
  FactChange change;
  change.what = ChangedWhat::kRestoreConfirmed;
  change.loosens = true;
  builder.Record(std::move(change));
}

// A yes that applies by the present etag was said by somebody who has read what the record says: what is not said
// otherwise stands as it was shown. One that names the no that it answers was not, nor is an import's.
bool SaysYesHavingRead(const TransitionBuilder& builder, size_t first_choice) {
  const std::vector<ChoiceCommand>& choices = builder.command.choices;
  for (size_t i = 0; i < choices.size(); ++i) {
    const bool applied = builder.result.parts[first_choice + i].refusal == Refusal::kNone;
    if (applied && choices[i].on && !choices[i].answers.IsSet() && !builder.IsImport()) return true;
  }
  return false;
}

PartOutcome ConfirmRestored(TransitionBuilder& builder) {
  if (!builder.after().restored_at.IsSet()) return Applied(false);
  if (builder.IsImport()) return Refused(Refusal::kImportCannotLoosen, "what was restored, which nobody has read");
  PartOutcome gate = internal::MayLoosen(builder, false);
  if (gate.refusal != Refusal::kNone) return gate;
  EndRestored(builder);
  return Applied(true);
}

}  // namespace

bool Transition::AnyApplied() const {
  return parts.empty() || std::any_of(parts.begin(), parts.end(),
                                      [](const PartOutcome& part) { return part.refusal == Refusal::kNone; });
}

Transition Apply(const SubjectFacts& before, const Command& command, const Moment& moment, const Rules& rules) {
  Transition result;
  result.after = before;
  TransitionBuilder builder{before, command, moment, rules, result};
  const bool was_closed = before.closed_at.IsSet() && !before.reopened_at.IsSet();
  if (command.registers && command.unusable.empty() && !before.registered && (!was_closed || command.reopens)) {
    result.registered_now = true;
    result.needs_policy = true;
    result.after.registered = true;
    result.after.account().registered = true;
    result.after.default_from = moment.time;
    if (was_closed) result.after.reopened_at = moment.time;
    FactChange change;
    change.what = ChangedWhat::kRegistered;
    change.loosens = true;
    builder.Record(std::move(change));
  }
  ApplyPeople(builder);
  const size_t first_choice = result.parts.size();
  internal::ApplyChoices(builder);
  for (const RetentionCommand& retention : command.retention) {
    result.parts.push_back(ChangeRetention(builder, retention));
  }
  if (result.after.restored_at.IsSet() && SaysYesHavingRead(builder, first_choice)) EndRestored(builder);
  if (command.confirms_restored) result.parts.push_back(ConfirmRestored(builder));
  if (command.join) result.parts.push_back(internal::ApplyJoin(builder, *command.join));
  internal::DropGuardiansOfAdults(builder);
  result.after.revision = moment.sequence;
  return result;
}

RecordingState AddFlags(const RecordingState& before, uint8_t flags, Instant safety_at) {
  RecordingState after = before;
  const bool is_first = (flags & ~before.flags & Flags::kSafety) != 0;
  if (is_first) after.safety_since = safety_at;
  after.flags = static_cast<uint8_t>(after.flags | flags);
  return after;
}

}  // namespace consent::domain
