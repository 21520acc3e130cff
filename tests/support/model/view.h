// One question, spelled out: which scopes, regimes and times the rows look at. And the rows themselves.
#pragma once

#include <optional>
#include <vector>

#include "daemon/domain/decide.h"
#include "tests/support/model/lookups.h"

namespace consent::model {

using Reasons = std::vector<domain::Reason>;

// The regimes of the subject's and of the capture's region and of those that the subject left after the capture, and
// what all of them together allow.
struct Law {
  std::vector<domain::Region> regions;
  std::vector<domain::Regime> regimes;
  std::vector<domain::Regime> surely;  // without those that were left at a time that may be before the capture
  Instant default_began;               // the later start of an OPT_OUT default
  std::vector<domain::AgeOfConsent> ages_of_consent;  // home first
  std::vector<domain::AgeOfConsent> other_homes;      // of these, where it lives too

  bool OptIn() const;
  domain::Span FalseWakeTtl() const;
  bool AnyCountryAllowed(domain::Purpose purpose) const;
  bool CountryAllowed(domain::Purpose purpose, domain::Region country) const;
  bool AnySiteAllowed() const;
  bool SiteAllowed(const std::string& site) const;
  bool ClassAllowed(domain::ReviewerClass reviewer) const;
  bool SeveralSpeakersAllowed() const;
  bool UnmatchedSpeakersAllowed() const;
  bool UnidentifiedSingleAdultAllowed() const;
  // Of all regimes for what is denied, of those that surely hold for what is purged.
  static int ChildInactiveMonths(const std::vector<domain::Regime>& of);
  domain::Span ChildNoticePeriod() const;
};

struct View {
  View(const domain::SubjectFacts* subject_in, const domain::RecordingState& marks_in, const domain::Question& question,
       const domain::Rules& rules_in);

  const domain::SubjectFacts* subject;
  const domain::RecordingState& marks;
  const domain::RecordingFacts& recording;
  domain::Place place;  // without a country whose code means nothing
  const domain::Rules& rules;
  Instant now;                        // the later end: what denies asks it
  std::optional<Instant> surely_now;  // the earlier end: what purges by time asks it; none: no time is sure
  bool doubtful;

  Law law;
  bool time_invalid = false;
  bool has_time = false;            // neither missing nor invalid
  Instant lo, hi;                   // the capture lies somewhere in [lo, hi]
  std::optional<Instant> ingested;  // by the server's clock; none: not said, or the stamp of a clock that was never set
  uint8_t flags = 0;                // stored and given
  bool accidental = false;

  // Scopes that the recording names and the subject's record knows.
  std::vector<domain::ScopeFacts> accounts;  // one, or none where the subject is unknown
  std::vector<domain::ScopeFacts> profiles;
  std::vector<domain::ScopeFacts> devices;
  bool names_strange_profile = false;  // named, but in no record
  bool names_strange_device = false;

  // The record, or the whole store, came back by a restore, and what allowed more than it says is lost.
  bool IsRestored() const {
    if (rules.restored_at.IsSet()) return true;
    return subject != nullptr && subject->restored_at.IsSet();
  }
  std::vector<domain::ScopeFacts> NamedScopes() const;
  // By every region's age of consent.
  std::optional<Instant> ComesOfAgeEverywhere(const domain::ScopeFacts& profile) const;
  bool IsChild(const domain::ScopeFacts& profile) const;
  bool WasChildAtCapture(const domain::ScopeFacts& profile) const;
  bool NamesAChild() const;
  // A child by the ages of consent of all regions: a guardian can answer for it.
  bool MayHaveGuardian(const domain::ScopeFacts& profile) const;
  // A guardian's consent that had ended before, because the child had come of age where it lives; no later change of an
  // age brings it back.
  bool HadEndedOnce(const domain::ScopeFacts& scope, const domain::PurposeChoice& consent) const;
  // The same by its own region alone, which is what purges.
  bool HadEndedOnceAtHome(const domain::ScopeFacts& scope, const domain::PurposeChoice& consent) const;
  // The profile is an adult now, and the consent is one that the child had given for itself.
  bool GivenBeforeAdulthood(const domain::ScopeFacts& scope, const domain::PurposeChoice& consent) const;
};

bool AboutThisArtefact(const View& view, const domain::Tombstone& tombstone);
bool Listed(const View& view, domain::ScopeKind scope, const base::Bytes16& handle);
bool CoversThePast(const View& view, const domain::PurposeChoice& consent);
bool ConsentCoversTheCapture(const View& view, const domain::PurposeChoice& consent);
bool SaysNo(const domain::PurposeChoice& says);
// It said no when the recording was captured, though it does not now, and has agreed to nothing that covers the past
// since.
bool RefusedAtTheCapture(const View& view, const domain::PurposeChoice& says);
// The same as far as nobody remembers that it did not.
bool PerhapsRefusedAtTheCapture(const View& view, const domain::PurposeChoice& says);
// The recording names no scope of a kind of which one refuses the purpose, or did at the capture.
bool HidesARefusal(const View& view, domain::Purpose purpose);

enum class Known { kNo, kPerhaps, kYes };
Known OfClosedAccount(const View& view);

// The rows of the disposition.
Reasons RowR1(const View& view);
Reasons RowR2(const View& view);
Reasons RowR3(const View& view);
Reasons RowR4(const View& view);
Reasons RowR5(const View& view);

// The rows of the eligibility for one purpose. E1 without the disposition's own reasons.
Reasons RowE0(const View& view, domain::Purpose purpose);
Reasons RowE1(const View& view);
Reasons RowE2(const View& view, domain::Purpose purpose);
Reasons RowE3(const View& view);
Reasons RowE4(const View& view, domain::Purpose purpose);
Reasons RowE5(const View& view);
Reasons RowE6(const View& view);
Reasons RowE7(const View& view);
Reasons RowE8(const View& view, domain::Purpose purpose);
Reasons RowE9(const View& view, domain::Purpose purpose);
// Whatever is asked: a copy that was made under a consent which only one of two joined accounts gave.
Reasons RowE9OfCopies(const View& view);
Reasons RowE10(const View& view, domain::Purpose purpose);
// `grants` nullptr: no review grant is asked for.
Reasons RowE11(const View& view, domain::Purpose purpose, const domain::GrantCounts* grants);
// E12: all that the recording names have agreed, and for this capture.
bool EligibleByConsent(const View& view, domain::Purpose purpose);

}  // namespace consent::model
