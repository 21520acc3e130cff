// The rules that a decision applies: a policy as plain values, with the history that a file cannot know (when an
// OPT_OUT default began to apply, suspensions). Built by daemon/policy; immutable once built; thread-safe to read.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "daemon/base/bytes.h"
#include "daemon/domain/deadlines.h"
#include "daemon/domain/review_caps.h"
#include "daemon/domain/texts.h"
#include "daemon/domain/types.h"

namespace consent::domain {

enum class DefaultRule : uint8_t { kOptIn = 0, kOptOut = 1 };

// Countries of use that a regime allows.
struct Countries {
  bool any = false;
  std::vector<Region> named;  // sorted
  bool operator==(const Countries&) const = default;
};
struct PurposeCountries {
  Purpose purpose = Purpose::kNone;
  Countries countries;
  bool operator==(const PurposeCountries&) const = default;
};

// A default-constructed regime is the strictest one: opt-in, nothing allowed anywhere.
struct Regime {
  std::string name;
  DefaultRule default_rule = DefaultRule::kOptIn;
  Span false_wake_ttl;  // 0..90 days
  Countries countries;  // where people may listen, and where every purpose may be used that has no entry of its own
  std::vector<PurposeCountries> other_countries;  // at most one for each purpose
  bool any_site = false;
  std::vector<std::string> sites;  // sorted
  bool employees = false;
  bool contractors = false;
  bool allow_several_speakers = false;
  bool allow_unmatched_speakers = false;
  bool allow_unidentified_single_adult = false;
  int child_inactive_months = 1;
  Span child_notice_period;  // at most 90 days
  DeadlineRules deletion;
  // After a no, before a person may be asked again. Where a policy is silent: the longest that a law asks for which we
  // know (Cal. Civ. Code 1798.135(c)(4), "at least 12 months").
  Span ask_again_after = base::Days(366);
  std::vector<AppealText> appeal_texts;

  const Countries& CountriesFor(Purpose p) const {
    for (const PurposeCountries& other : other_countries) {
      if (other.purpose == p) return other.countries;
    }
    return countries;
  }
};

struct Notice {
  std::string version;
  NoticeNumber number = 0;
  std::vector<std::string> languages;
  PurposeSet purposes;
  bool says_people_listen = false;
  bool covers_past = false;
  Instant valid_from;
  Instant superseded_from = base::kEndOfTime;  // when a notice that supersedes it becomes valid
  int consent_lifetime_months = 0;             // 0: no end
  std::vector<Text> texts;                     // at most one in each language
};

struct Control {
  std::string name;
  ControlNumber number = 0;
  PurposeSet purposes;
  std::vector<Text> texts = {};  // at most one in each language
};

// One purpose stopped for a region or everywhere. Of kNone, everywhere: the whole store, which a restore without a
// journal brought back, until an officer accepts that (Rules::restored_at). No consent has to be given again after it.
struct Suspension {
  Purpose purpose = Purpose::kNone;
  Region region;  // unset: everywhere; a country covers its subdivisions
  bool active = false;
  Instant suspended_at;
  Instant resumed_at;  // end of the last suspension; unset while the first is active
};

struct RegionRules {
  size_t regime = 0;      // index into Rules::regimes
  Instant opt_out_since;  // since when OPT_OUT has applied to this region without a break; unset under OPT_IN
};

// An age of consent in years, with what it was before: a policy that changes one makes no past capture an adult's and
// brings no consent back.
class AgeOfConsent {
 public:
  struct Step {
    Instant from;
    int years = 0;
    bool operator==(const Step&) const = default;
  };
  // NOLINTNEXTLINE(google-explicit-constructor): one that never changed is a number
  AgeOfConsent(int years = 21) : steps_{{Instant{}, years}} {}
  int years() const { return steps_.back().years; }
  // From `at` on, which is not before any earlier step; nothing where it is so already.
  void ChangeTo(int years, Instant at);
  // Never empty, oldest first; the first has applied always.
  const std::vector<Step>& steps() const { return steps_; }
  bool operator==(const AgeOfConsent&) const = default;

 private:
  std::vector<Step> steps_;
};

// Which loosenings one person may do alone, and for how long a proposal of two can be approved. A default-constructed
// one: none.
struct Approvals {
  bool one_resumes = false;
  bool one_releases = false;
  bool one_activates = false;
  Span open_for = base::Hours(72);
  bool operator==(const Approvals&) const = default;
};

// What follows from a report of SAFETY, each counted from the first one about a recording.
struct SafetyPeriods {
  Span hold;                                  // so long nothing of the recording is purged; zero: no hold
  Span acknowledge_within = base::Hours(24);  // until when somebody has said that it is theirs
  Span handle_within = base::Hours(72);       // until when somebody has looked after the person
  bool operator==(const SafetyPeriods&) const = default;

  // Until when the hold lasts that began at `since`, exclusive; unset: there is none.
  Instant HeldUntil(Instant since) const { return since.IsSet() && hold.micros > 0 ? since + hold : Instant{}; }
  // Whether it lasts, as far as `now` is sure: in doubt it does.
  bool Holds(Instant since, const base::Now& now) const {
    const Instant until = HeldUntil(since);
    return until.IsSet() && !(now.earliest.IsSet() && until <= now.earliest);
  }
};

struct Rules {
  std::string version;
  base::Digest hash{};
  Span longest_answer_age;
  Span default_uncertainty;
  Instant service_began_at;  // a stamp of before is that of a clock that was never set
  std::vector<Regime> regimes;
  size_t unknown_regime = 0;                              // index; OPT_IN
  absl::btree_map<Region, RegionRules> regions;           // countries and subdivisions that the policy names
  absl::btree_map<Region, Instant> opt_out_until;         // where OPT_OUT applied once, the latest end of it
  absl::btree_map<Region, AgeOfConsent> ages_of_consent;  // by country
  AgeOfConsent default_age_of_consent;
  PurposeSet purposes;  // in use; any other is never eligible
  PurposeSet recorded;  // a yes for them is on record before it is said
  // Since when each purpose (index: number - 1) has been in use without a break: no default covers earlier captures for
  // it.
  std::array<Instant, kPurposes> in_use_since{};
  std::vector<Control> controls;
  std::vector<Control>
      retired_controls;         // that only earlier policies had, and what they listed last; turned off, never on
  std::vector<Notice> notices;  // sorted by number
  bool offers_until_deleted = false;
  bool offers_do_not_save = false;
  std::vector<uint8_t> offered_months;  // sorted
  std::vector<Suspension> suspensions;
  // A restore without a journal brought the store back, and nobody has accepted yet what may be lost: each record
  // counts as restored (SubjectFacts::restored_at). Unset: none did, or somebody has.
  Instant restored_at;
  Approvals approvals;
  SafetyPeriods safety;
  std::vector<ReviewCaps> review_caps;  // at most one for each purpose; without one no grant is given

  // nullptr where there is none.
  const Notice* FindNotice(NoticeNumber number) const;
  const Notice* FindNotice(std::string_view version) const;
  const Control* FindControl(ControlNumber number) const;
  const Control* FindControl(std::string_view name) const;
  const ReviewCaps* FindReviewCaps(Purpose purpose) const;
  // The regime of a region and since when its default applied: subdivision, else country, else unknown's.
  RegionRules ForRegion(Region region) const;
  // The latest end of an OPT_OUT there that applies no more; unset: it never ended.
  Instant OptOutUntil(Region region) const;
  const AgeOfConsent& AgeOfConsentIn(Region region) const;
  // ISO 3166-1 assigns the country's code, or the policy says what it means: in its regions, or as a place of use. Any
  // other code counts as unknown where it is not refused.
  bool Knows(Region region) const;
  // A subject may be registered there: ISO 3166-1 assigns the country's code, or leaves it to its users and the policy
  // has a regime for it. Any other code would be an unknown region without a word.
  bool MayLiveIn(Region region) const;
  Instant InUseSince(Purpose p) const { return in_use_since[static_cast<size_t>(p) - 1]; }
};

}  // namespace consent::domain
