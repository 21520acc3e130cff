#include "client/cli/render/explanation_orders.h"

#include "client/cli/printable.h"
#include "client/cli/render/explanation_phrases.h"
#include "consent/names.h"

namespace consent::cli {
namespace {

// "may", "could" or "will be able to", by the time that is told of.
std::string Use(const Explanation& explanation, bool is_allowed, Purpose purpose) {
  const bool is_past = explanation.basis == ExplanationBasis::kPast || explanation.basis == ExplanationBasis::kRecorded;
  const std::string of_it =
      purpose == Purpose::kHumanReview ? "listened to by people" : "used for " + PurposeWords(purpose);
  if (is_past)
    return std::string("this recording could ") + (is_allowed ? "" : "not ") + "be " + of_it + " at that time.";
  if (explanation.basis == ExplanationBasis::kFuture) {
    return std::string("if nothing changes until then, this recording ") + (is_allowed ? "may" : "may not") + " be " +
           of_it + ".";
  }
  return std::string("this recording ") + (is_allowed ? "may" : "may not") + " be " + of_it + ".";
}

std::string KeepingWords(const Explanation& explanation) {
  const bool is_past = explanation.basis == ExplanationBasis::kPast || explanation.basis == ExplanationBasis::kRecorded;
  switch (explanation.disposition) {
    case Disposition::kKeep:
      return is_past ? "Nothing ordered it to be deleted." : "Nothing orders it to be deleted.";
    case Disposition::kPurge:
      return is_past ? "It had to be deleted." : "It must be deleted.";
    case Disposition::kHold:
      return is_past ? "It had to be kept: a legal hold covered it."
                     : "It must not be deleted: a legal hold covers it.";
    case Disposition::kUnset:
      break;
  }
  return "Whether it had to be deleted cannot be told any more.";
}

std::string SelectionWords(const ExplainedRequest& request) {
  switch (request.selection) {
    case DeletionSelectorKind::kEverything:
      return "everything";
    case DeletionSelectorKind::kTimeRange:
      return "a stretch of time";
    case DeletionSelectorKind::kSpokenDay:
      return "what was said on a day";
    case DeletionSelectorKind::kRecordings:
      return "this recording by its id";
    case DeletionSelectorKind::kProfile:
    case DeletionSelectorKind::kDevice:
      return "all of " + LowerWhoOf(request.scope);
    case DeletionSelectorKind::kPurposeCopies: {
      std::vector<std::string> purposes;
      for (const Purpose purpose : request.purposes) purposes.push_back(PurposeWords(purpose));
      return "the copies made for " + JoinedWords(purposes);
    }
    case DeletionSelectorKind::kVoiceId:
      return "a learnt voice";
    case DeletionSelectorKind::kAccountClosure:
    case DeletionSelectorKind::kDraft:
    case DeletionSelectorKind::kUnset:
      break;
  }
  return "something that this version of consentctl does not know";
}

std::string WhyWords(const ExplainedRequest& request) {
  switch (request.cause) {
    case DeletionCause::kWithdrawal:
      return "A no was said on " + DayText(request.received_at) + ", which deletes " + SelectionWords(request);
    case DeletionCause::kRetention:
      return "A shorter time to keep recordings was chosen on " + DayText(request.received_at) +
             ", which deletes what is older";
    default:
      break;
  }
  if (request.selection == DeletionSelectorKind::kAccountClosure) {
    return "The closure of the account was asked for on " + DayText(request.received_at);
  }
  return "Deletion of " + SelectionWords(request) + " was asked for on " + DayText(request.received_at);
}

std::string CoveredWords(const ExplainedRequest& request) {
  if (!request.covers.has_value()) return ".";
  return ": " + CapturesOf(request.scope, request.covers->from, request.covers->to) + ".";
}

std::string MatchWords(OrderMatch match) {
  switch (match) {
    case OrderMatch::kYes:
      return " It covers this recording.";
    case OrderMatch::kPerhaps:
      return " This recording is so close to the end of that time that it may belong to it.";
    case OrderMatch::kOnlyCopies:
      return " This recording is none of those copies.";
    case OrderMatch::kOtherScope:
      return " This recording is not of that profile or device.";
    default:
      return " This recording does not belong to it.";
  }
}

std::string StateWords(const ExplainedRequest& request) {
  const std::string due = request.due_at.has_value() ? " It has to be done by " + DayText(request.due_at) : "";
  switch (request.state) {
    case DeletionState::kReceived:
    case DeletionState::kVerifying:
      return " It was not yet verified who asked." + (due.empty() ? "" : due + ".");
    case DeletionState::kAccepted:
    case DeletionState::kInProgress:
      return " It was accepted on " + DayText(request.verified_at) + " and is not finished." +
             (due.empty() ? "" : due + (request.overdue ? ", and is overdue." : "."));
    case DeletionState::kCompleted:
      return " It was finished on " + DayText(request.ended_at) + ".";
    case DeletionState::kDenied:
      return " It was denied on " + DayText(request.ended_at) + ": " + Printable(request.denied_reason) + ".";
    case DeletionState::kCancelled:
      return " It was taken back on " + DayText(request.ended_at) + ".";
    case DeletionState::kUnset:
      break;
  }
  return " This version of consentctl does not know its state.";
}

std::string TimesOf(int count) {
  if (count == 1) return "once";
  return count == 2 ? "twice" : std::to_string(count) + " times";
}

std::string OpenTaskWords(const ExplainedTask& task) {
  std::string words = " has not confirmed that it is deleted";
  if (task.waits_for_release) return words + ": a legal hold keeps it";
  if (task.leased_until.has_value()) words += ", and is working on it";
  if (task.failures > 0) {
    words += "; it failed " + TimesOf(task.failures);
    if (task.not_before.has_value()) words += " and is asked again from " + DayText(task.not_before) + " on";
  }
  return words;
}

std::string TaskWords(const ExplainedTask& task) {
  const std::string system = Printable(task.system.empty() ? "a data system" : task.system);
  const std::string on = " on " + DayText(task.ended_at);
  switch (task.outcome) {
    case PurgeOutcome::kAcknowledged:
      return system + " confirmed" + on + " that it is deleted.";
    case PurgeOutcome::kNotFound:
      return system + " said" + on + " that it had nothing of it.";
    case PurgeOutcome::kExempt:
      return system + " keeps it, as was said" + on + ": " + Printable(task.reason) + ".";
    case PurgeOutcome::kExcludedFromNextBuild:
      return system + " had built a model or data set already, and leaves it out of the next one, as was said" + on +
             ".";
    case PurgeOutcome::kErasedBeforeHold:
      return system + " had deleted it before the hold, as was said" + on + ".";
    case PurgeOutcome::kUnset:
      break;
  }
  return system + OpenTaskWords(task) + ".";
}

}  // namespace

std::string AnswerWords(const Explanation& explanation, Purpose purpose) {
  if (explanation.basis == ExplanationBasis::kUnset) return "There is no explanation.";
  if (purpose == Purpose::kUnset) return KeepingWords(explanation);
  switch (explanation.eligibility) {
    case Eligibility::kEligible:
      return "Yes: " + Use(explanation, true, purpose) + " " + KeepingWords(explanation);
    case Eligibility::kNotEligible:
      return "No: " + Use(explanation, false, purpose) + " " + KeepingWords(explanation);
    case Eligibility::kUnset:
      break;
  }
  return "It cannot be told any more whether this recording could be " +
         (purpose == Purpose::kHumanReview ? "listened to by people" : "used for " + PurposeWords(purpose)) +
         " at that time. " + KeepingWords(explanation);
}

std::string UntoldWords(Untold why) {
  switch (why) {
    case Untold::kHistoryErased:
      return "The history of the account at that time has been erased.";
    case Untold::kTooManyChanges:
      return "The account has changed too often since.";
    case Untold::kManyDeletions:
      return "There were so many separate deletions at that time that what they covered then cannot be put together "
             "any more.";
    case Untold::kFlags:
      return "Something was reported about this recording, and it is not kept whether that was before or after.";
    case Untold::kNoPolicy:
      return "No policy was in force at that time, or another one than the record names.";
    case Untold::kRequests:
      return "The account has so many deletions or holds that not all of them were looked at.";
    case Untold::kUnknownRecord:
      return "The record names an account or a state of it that this store does not have.";
    case Untold::kUnset:
      break;
  }
  return "This version of consentctl does not know why.";
}

std::vector<std::string> RequestWords(const ExplainedRequest& request) {
  std::vector<std::string> words = {WhyWords(request) + CoveredWords(request) + MatchWords(request.match) +
                                    StateWords(request)};
  for (const ExplainedTask& task : request.tasks) words.push_back(TaskWords(task));
  return words;
}

std::string HoldWords(const ExplainedHold& hold) {
  std::string words = "A legal hold was placed on " + DayText(hold.placed_at) + " on ";
  words += hold.names_recording ? "this very recording." : CapturesOf(hold.scope, hold.from, hold.to) + ".";
  if (!hold.names_recording) words += MatchWords(hold.match);
  return words +
         (hold.released_at.has_value() ? " It was released on " + DayText(hold.released_at) + "." : " It is in force.");
}

std::vector<std::string> RuleWords(const Explanation& explanation) {
  std::vector<std::string> lines;
  if (explanation.policy_version.empty()) return lines;
  std::string policy = "The policy " + Printable(explanation.policy_version);
  if (explanation.policy_since.has_value()) policy += ", in force since " + DayText(explanation.policy_since);
  lines.push_back(policy + ".");
  for (const ExplainedRegime& regime : explanation.regimes) {
    std::vector<std::string> regions;
    for (const std::string& region : regime.regions) regions.push_back(region.empty() ? "an unknown region" : region);
    lines.push_back("For " + JoinedWords(regions) + " the rules \"" + Printable(regime.name) + "\": " +
                    (regime.opt_in ? "nothing may be used before the person has agreed."
                                   : "recordings may be used until the person says no."));
  }
  return lines;
}

}  // namespace consent::cli
