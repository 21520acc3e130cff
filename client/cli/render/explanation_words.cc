#include "client/cli/render/explanation_words.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/render/explanation_phrases.h"
#include "client/cli/render/missing_facts.h"
#include "client/cli/render/render.h"

namespace consent::cli {
namespace {

constexpr char kRestoredWords[] =
    "the account was restored from a backup and something that it had agreed to is lost, so nothing is deleted for "
    "that until its settings are confirmed.";

std::string SafetyHoldWords(const ExplainedRow& row) {
  const std::string reported = "On " + DayText(row.since) + " somebody reported that a person may be in danger. ";
  if (row.note == RowNote::kEnded) return reported + "Nothing of this was deleted until " + TimeText(row.at) + ".";
  return reported + "Nothing of this is deleted until " + TimeText(row.at) + ", so that it can be looked after.";
}

// R1 to R4, and the deletions of E1.
std::string OrderWords(const ExplainedRow& row) {
  const std::string what = CapturesOf(row);
  const std::string reach = ReachOf(row.note);
  switch (row.reason) {
    case Reason::kLegalHold:
      if (row.scope.kind == ScopeKind::kUnset) return "A legal hold names this very recording.";
      return "A legal hold covers " + what + (reach.empty() ? ", and so this recording." : reach);
    case Reason::kSafetyHold:
      return SafetyHoldWords(row);
    case Reason::kDeleted:
      if (row.scope.kind == ScopeKind::kUnset)
        return "A deletion that was asked for and verified names this very recording.";
      return "A deletion that was asked for and verified covers " + what +
             (reach.empty() ? ", and so this recording." : reach);
    case Reason::kDeletionPending:
      return "A deletion was asked for that covers " + what +
             (reach.empty() ? ". Until it is verified who asked, this recording may not be used, and is not deleted."
                            : reach);
    case Reason::kDeletionDenied:
      return "A deletion was asked for that covers " + what +
             (reach.empty() ? ", and was denied. This recording may not be used all the same." : reach);
    default:
      break;
  }
  if (row.note == RowNote::kReopened) {
    return "The account was closed on " + DayText(row.since) + ". A new one of the same name began on " +
           DayText(row.to) + ", and this was recorded before.";
  }
  if (row.note == RowNote::kEnded) {
    return "An earlier account of the same name was closed on " + DayText(row.since) +
           ". This was recorded after the new one began on " + DayText(row.to) + ".";
  }
  return "The account was closed on " + DayText(row.since) + ": all of its recordings must be deleted.";
}

std::string RetentionWords(const ExplainedRow& row) {
  const std::string who = WhoOf(row.scope);
  if (row.reason == Reason::kDoNotSave) return who + " chose that recordings are not saved.";
  if (row.note == RowNote::kEarlierRetention) {
    return "What was recorded until " + DayText(row.at) + " had expired under a shorter time that " +
           LowerWhoOf(row.scope) + " had chosen before. A longer time that is chosen later brings nothing back.";
  }
  const std::string months = row.retention.has_value() ? MonthsOf(*row.retention) : "some months";
  const std::string chose = who + " chose that recordings are kept for " + months + ". ";
  switch (row.note) {
    case RowNote::kNotYet:
      return chose + "This one must be deleted from " + DayText(row.at) + " on.";
    case RowNote::kPerhaps:
      return chose + "For this one they may be over, because its time is not known exactly; they surely are on " +
             DayText(row.at) + ".";
    case RowNote::kClockDoubtful:
      return chose + "They may be over, but the daemon's clock was in doubt, so nothing is deleted for that.";
    case RowNote::kRestored:
      return chose + "They may be over, but " + kRestoredWords;
    default:
      return chose + "For this one they were over on " + DayText(row.at) + ".";
  }
}

std::string ChildInactiveWords(const ExplainedRow& row) {
  std::string words = WhoOf(row.scope) + " is a child's and was used last on " + DayText(row.since) +
                      ", longer ago than the rules allow. ";
  if (!row.from.has_value()) return words + "The guardian has not been told yet that its recordings will go.";
  words += "The guardian was told on " + DayText(row.from) + " that its recordings will go";
  return words + (row.at.has_value() ? ": they must be deleted from " + DayText(row.at) + " on." : ".");
}

std::string EndedCopyWords(const ExplainedRow& row) {
  const std::string copy = "This is a copy that was made for " + PurposeWords(row.purpose) + ". ";
  const std::string who = WhoOf(row.scope);
  switch (row.note) {
    case RowNote::kSaysNo:
      return copy + who + " said no to that on " + DayText(row.since) + ", so the copy must be deleted.";
    case RowNote::kConsentOver:
      return copy + "The consent of " + LowerWhoOf(row.scope) + " to it is over, so the copy must be deleted.";
    case RowNote::kEndedAfterCapture:
      return copy + who + " said no to that, or its consent ended, on " + DayText(row.from) +
             ", after this was recorded. What was agreed to since does not cover it, so the copy must be deleted.";
    case RowNote::kForgiven:
      return copy + who + " said no to that on " + DayText(row.from) + ", and agreed on " + DayText(row.since) +
             " to a notice that covers earlier recordings: the copy may stay.";
    case RowNote::kInherited:
      return copy +
             "A profile or device that is gone said no to that, perhaps another one: the copy is not deleted for it.";
    case RowNote::kClockDoubtful:
      return copy + "It would have to be deleted, but the daemon's clock was in doubt, so nothing is deleted for that.";
    case RowNote::kRestored:
      return copy + "It would have to be deleted, but " + kRestoredWords;
    default:
      return copy + who + " said no to that on " + DayText(row.from) + ", before this was recorded.";
  }
}

// R3 to R5.
std::string DispositionWords(const ExplainedRow& row) {
  switch (row.reason) {
    case Reason::kDoNotSave:
    case Reason::kRetentionExpired:
      return RetentionWords(row);
    case Reason::kChildInactive:
      return ChildInactiveWords(row);
    case Reason::kPurposeEnded:
      return EndedCopyWords(row);
    default:
      break;
  }
  if (row.note == RowNote::kClockDoubtful) {
    return "It was recorded by accident and would have to be deleted, but the daemon's clock was in doubt.";
  }
  if (row.note == RowNote::kRestored) {
    return std::string("It was recorded by accident and would have to be deleted, but ") + kRestoredWords;
  }
  return "It was recorded by accident. What is recorded by accident must be deleted: this one from " + DayText(row.at) +
         " on.";
}

std::string MissingFactsOf(const Explanation& explanation) {
  std::vector<std::string> words;
  words.reserve(explanation.missing_facts.size());
  for (const MissingFact fact : explanation.missing_facts) words.push_back(FactWords(fact));
  return words.empty() ? "what has to be known" : JoinedWords(words);
}

// E0, E3, E5 and E6: what is said and known of the recording itself.
std::string RecordingWords(const ExplainedRow& row, const Explanation& explanation) {
  const bool allowed = row.note == RowNote::kAllowed;
  switch (row.reason) {
    case Reason::kClockDoubtful:
      return "The daemon's clock is in doubt. Until an operator has confirmed it, nothing may be used.";
    case Reason::kRestored:
      return "The account was restored from a backup on " + DayText(row.since) +
             ", and something that it had agreed to since is lost. Until its settings are confirmed, nothing may be "
             "used.";
    case Reason::kUnknownSubject:
      return "Nothing is known of the account: it was not registered, or nothing but a refusal had named it.";
    case Reason::kMissingFact:
      if (row.note == RowNote::kUnnamedScope) {
        return "The recording does not say which profile, or which device, it is of, and one of the account's said no.";
      }
      return "It was not said " + MissingFactsOf(explanation) + ". Without that nothing may be used.";
    case Reason::kInvalidTime:
      return "The time of recording that was given (" + DayText(row.at) +
             ") cannot be right: it lies after its arrival, or before the service began.";
    case Reason::kCriticalData:
      return "Somebody reported that critical data can be heard in it, such as bank details. It is never used again.";
    case Reason::kSafety:
      return "Somebody reported that it is about a person's safety. It is never used again.";
    case Reason::kAccidental:
      return "The device began to record by accident: nobody had spoken to it. Such recordings are never used.";
    case Reason::kSeveralSpeakers:
      return allowed ? "Several people speak in it, which these rules allow."
                     : "Several people speak in it, and not all of them can have agreed.";
    case Reason::kSpeakerUnmatched:
      return allowed ? "The voice was not recognised as one of the account's, which these rules allow."
                     : "The voice was not recognised as one of the account's: it may be a guest's, who has not agreed.";
    default:
      return allowed ? "Nobody looked whose voice it is. The account has one adult and no child, for whom these rules "
                       "allow it."
                     : "Nobody looked whose voice it is, so it may be a guest's or a child's, who has not agreed.";
  }
}

std::string SuspensionWords(const ExplainedRow& row) {
  const std::string where = row.region.empty() ? "everywhere" : "in " + row.region;
  const std::string use = "The use for " + PurposeWords(row.purpose);
  if (row.note == RowNote::kEnded) {
    return use + " was stopped " + where + " from " + DayText(row.from) + " until " + DayText(row.to) +
           ". Only what was agreed to since then counts.";
  }
  return use + " was stopped " + where + " on " + DayText(row.from) + ", and was not resumed.";
}

std::string GuardianWords(const ExplainedRow& row) {
  if (row.scope.kind == ScopeKind::kUnset) {
    return "A child can be heard in it, and it names no child's profile for which a guardian has agreed.";
  }
  if (row.note == RowNote::kCapturedAsChild) {
    return WhoOf(row.scope) + " has been an adult's since " + DayText(row.at) +
           ", and was a child's when this was recorded.";
  }
  if (row.choice == Choice::kGiven && !row.by_guardian) {
    return WhoOf(row.scope) + " is a child's. What was agreed to on " + DayText(row.since) +
           " did not come from the guardian who is named for it, and only that one can agree.";
  }
  const std::string guardian = " is a child's, and the guardian who is named for it ";
  const std::string purpose = PurposeWords(row.purpose);
  if (row.choice == Choice::kGiven) return WhoOf(row.scope) + guardian + "has to agree to " + purpose + " again.";
  return WhoOf(row.scope) + guardian + "has not agreed to " + purpose + ".";
}

// E8.
std::string RefusalWords(const ExplainedRow& row) {
  const std::string who = WhoOf(row.scope);
  const std::string purpose = PurposeWords(row.purpose);
  if (row.reason == Reason::kRefused) return who + " said no to " + purpose + " on " + DayText(row.since) + ".";
  if (row.reason == Reason::kWithdrawn) {
    return who + " had agreed to " + purpose + ", and took that back on " + DayText(row.since) + ".";
  }
  const std::string span = "from " + DayText(row.from) + (row.to.has_value() ? " until " + DayText(row.to) : " on");
  const std::string said_no = who + " said no to " + purpose + " " + span + ". ";
  if (row.note == RowNote::kOutsideTimes) return said_no + "This was not recorded in that time.";
  if (row.note == RowNote::kForgiven) return said_no + "What was agreed to since covers earlier recordings, too.";
  return said_no + "This was recorded in that time, and what was agreed to since does not cover it.";
}

// E9 of who never chose.
std::string UnsetWords(const ExplainedRow& row) {
  const std::string who = WhoOf(row.scope);
  const std::string purpose = PurposeWords(row.purpose);
  switch (row.note) {
    case RowNote::kBeforeDefault:
      return who + " never chose about " + purpose + ". What is recorded from " + DayText(row.at) +
             " on may be used until somebody says no; this was recorded before.";
    case RowNote::kBeforeSuspensionEnd:
      return "The use for " + purpose + " was stopped" + (row.at.has_value() ? " until " + DayText(row.at) : "") +
             ". " + who + " has not agreed since.";
    case RowNote::kDefaultDenied:
      return "A request to delete everything, or to close the account, was denied on " + DayText(row.at) +
             ". Since then nothing is allowed until " + LowerWhoOf(row.scope) + " chooses.";
    default:
      break;
  }
  if (row.reason == Reason::kProfileWithoutConsent) {
    return who + " never agreed to " + purpose + ". Nobody else of the account can agree for another adult.";
  }
  return who + " never agreed to " + purpose + ", and by the rules that apply nothing may be used without that.";
}

// E9 and E12 of a consent.
std::string ConsentWords(const ExplainedRow& row) {
  const std::string consent = AgreedOf(row);
  const std::string until =
      row.note == RowNote::kNotYet ? " on " + DayText(row.at) + ". From then on it has to be agreed to again." : "";
  switch (row.reason) {
    case Reason::kConsentExpired:
      if (!until.empty()) return WhoOf(row.scope) + " agreed for a time that ends" + until;
      return consent + " That consent was over on " + DayText(row.at) + ".";
    case Reason::kNoticeSuperseded:
      if (!until.empty()) return WhoOf(row.scope) + " agreed under a notice that is replaced by a newer one" + until;
      return consent + " That notice was replaced by a newer one on " + DayText(row.at) +
             ": the consent does not count until it is given again.";
    case Reason::kCapturedBeforeConsent:
      return consent + " This was recorded before, and that notice does not cover earlier recordings.";
    case Reason::kNoticeSilentOnPeople:
      return consent + " That notice does not say that people listen.";
    case Reason::kConsent:
      return row.matched ? consent : consent + " That consent stands, and is not enough here.";
    default:
      break;
  }
  if (row.note == RowNote::kBeforeSuspensionEnd) {
    return consent + " The use was stopped after that" + (row.at.has_value() ? ", until " + DayText(row.at) : "") +
           ": it has to be agreed to again.";
  }
  if (row.note == RowNote::kUnconfirmed) {
    return consent +
           " The account was joined with another one since, to which the same was not said: it has to be "
           "agreed to again.";
  }
  return consent + " That notice is not about this use, or the policy does not have it any more.";
}

// E9, E12.
std::string ChoiceWords(const ExplainedRow& row) {
  if (row.scope.kind == ScopeKind::kUnset)
    return "The policy allows nobody to use recordings for " + PurposeWords(row.purpose) + ".";
  if (row.reason == Reason::kDefault) {
    const std::string since = row.at.has_value() ? "recorded since " + DayText(row.at) : "recorded";
    return WhoOf(row.scope) + " never said no to " + PurposeWords(row.purpose) +
           ". By the rules of that region what is " + since + " may be used until somebody says no.";
  }
  return row.choice == Choice::kGiven ? ConsentWords(row) : UnsetWords(row);
}

// E10.
std::string PlaceWords(const ExplainedRow& row, const Explanation& explanation) {
  for (const ExplainedRegime& regime : explanation.regimes) {
    if (regime.name != row.regime) continue;
    const std::string rules = "The rules \"" + regime.name + "\"";
    if (row.reason == Reason::kReviewerNotAllowed) {
      const std::string who = regime.employees     ? "employees alone"
                              : regime.contractors ? "contractors alone"
                                                   : "nobody";
      return absl::StrCat(rules, " let ", who, " listen.");
    }
    if (row.note == RowNote::kAllowed) return absl::StrCat(rules, " allow this use in ", row.region, ".");
    const std::string places = regime.countries.empty() ? "no country" : ShortList(regime.countries);
    return absl::StrCat(rules, " allow this use in ", places, ", and not in ",
                        row.region.empty() ? "the place asked for" : row.region, ".");
  }
  return "The place or the listener is not allowed by the rules \"" + row.regime + "\".";
}

}  // namespace

std::string RowWords(const ExplainedRow& row, const Explanation& explanation) {
  if (row.row == DecisionRow::kE10) return PlaceWords(row, explanation);
  switch (row.reason) {
    case Reason::kLegalHold:
    case Reason::kSafetyHold:
    case Reason::kDeleted:
    case Reason::kAccountClosed:
    case Reason::kDeletionPending:
    case Reason::kDeletionDenied:
      return OrderWords(row);
    case Reason::kDoNotSave:
    case Reason::kRetentionExpired:
    case Reason::kChildInactive:
    case Reason::kAccidentalExpired:
    case Reason::kPurposeEnded:
      return DispositionWords(row);
    case Reason::kSuspended:
      return SuspensionWords(row);
    case Reason::kChildWithoutGuardian:
      return GuardianWords(row);
    case Reason::kMessagesNotAllowed:
      return "It is a message to somebody, and " + PurposeWords(Purpose::kMessageTranscription) + " is not allowed.";
    case Reason::kRefused:
    case Reason::kWithdrawn:
    case Reason::kCapturedWhileRefused:
      return RefusalWords(row);
    case Reason::kNoConsent:
    case Reason::kConsentExpired:
    case Reason::kNoticeSuperseded:
    case Reason::kCapturedBeforeConsent:
    case Reason::kProfileWithoutConsent:
    case Reason::kNoticeSilentOnPeople:
    case Reason::kConsent:
    case Reason::kDefault:
      return ChoiceWords(row);
    case Reason::kCapSpent:
      return "As many recordings were given to listeners as the policy allows.";
    case Reason::kUnset:
      return "A reason that this version of consentctl does not know.";
    default:
      return RecordingWords(row, explanation);
  }
}

}  // namespace consent::cli
