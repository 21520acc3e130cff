// What a closed account still takes.
#include "daemon/service/commit/change_work.h"
#include "daemon/service/commit/refusals.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

// A suppression record that is more than one.
bool RefusesAnything(const domain::SubjectFacts& facts) {
  return facts.scopes.size() > 1 || !(facts.account() == domain::ScopeFacts{});
}

}  // namespace

// A new account begins at a stamp, and all before it is purged: not by a clock that may be wrong.
absl::Status ChangeSubject::MayReopen(const domain::Command& command) const {
  if (command.proof.channel == domain::Channel::kImport) {
    return RefusalStatus(domain::PartOutcome{domain::Refusal::kImportCannotLoosen, false, "the account's closure"});
  }
  return TimeToLoosen(core_.Present());
}

bool ChangeSubject::IsClosed(Work& work) const {
  const domain::SubjectFacts& facts = work.before.facts;
  work.new_incarnation = false;
  absl::Status refused;
  if (!facts.closed_at.IsSet() || facts.reopened_at.IsSet()) return false;
  const bool finished = domain::IsSuppressionRecord(facts);
  switch (work.request.kind) {
    case ChangeKind::kUpsertSubject:
      work.new_incarnation = finished && work.request.create_new;
      if (work.new_incarnation) refused = MayReopen(work.request.command);
      work.new_incarnation = work.new_incarnation && refused.ok();
      work.request.command.reopens = work.new_incarnation;
      // Of the closed one nothing but what was refused since: who looked at that may choose otherwise, so its revision
      // is asked for then.
      if (work.new_incarnation && !RefusesAnything(facts)) {
        if (work.request.command.expected_revision == facts.revision) work.request.command.expected_revision.reset();
        work.before.facts.revision = 0;
      }
      if (work.new_incarnation || !work.request.command.choices.empty() || !work.request.command.retention.empty())
        return false;
      break;
    // Their transition takes restrictions and nothing else.
    case ChangeKind::kUpdateSettings:
    case ChangeKind::kOptOut:
    case ChangeKind::kReportRecording:
      return false;
    default:
      // Data systems look for it once more, and named recordings stay named for an account that is started anew.
      if (IsOfDeletion(work.request.kind) || !domain::IsForgotten(facts)) return false;
      break;
  }
  if (!refused.ok()) {
    work.reply = refused;
    return true;
  }
  work.reply = wire::MakeError(
      v1::ERROR_REASON_ACCOUNT_CLOSED,
      finished
          ? "the account is closed: nothing of it is used. UpsertSubject with create_new starts a new one of that id"
          : "the account is closed and its closure is not finished: nothing of it is used. A new one of that id can "
            "begin when the closure is COMPLETED");
  return true;
}

}  // namespace consent::service
