// What a policy file cannot know and the daemon stores with each activation: the numbers under which notices and
// controls stand in stored choices, and since when defaults apply. Pure values; thread-safe to read.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/time.h"
#include "daemon/domain/rules.h"
#include "daemon/policy/document.h"

namespace consent::policy {

// Versions and names ever seen, dropped ones included: their numbers are never given to another.
inline constexpr size_t kMaxNoticesEver = 4096;
inline constexpr size_t kMaxControlsEver = domain::kMaxControls;
// Regions of the policy and subdivisions that it no longer names, see State::opt_out_since.
inline constexpr size_t kMaxStateRegions = 8192;
// Regions from which OPT_OUT was taken; beyond, subdivisions count as their country, of which there are fewer.
inline constexpr size_t kMaxOnceOptOut = 1024;
// Changes of one country's age of consent.
inline constexpr size_t kMaxAgeSteps = 16;
inline constexpr size_t kMaxStateBytes = size_t{448} * 1024;
inline constexpr size_t kMaxVersionBytes = kMaxStateBytes + 512;

struct ControlState {
  domain::ControlNumber number = 0;
  // What a stored refusal of the control covers: the purposes that it lists, and those that it listed when they went
  // out of use.
  domain::PurposeSet covers;
  // What it lists, or listed in the last policy that had it: what the button of an older app means.
  domain::PurposeSet last_listed;
  bool operator==(const ControlState&) const = default;
};

// A default-constructed one precedes the first activation.
struct State {
  base::Instant activated_at;
  // Since when each purpose (index: number - 1) has been in use without a break; unset: it is not.
  std::array<base::Instant, domain::kPurposes> in_use_since{};
  std::map<std::string, domain::NoticeNumber> notices;  // by version; the numbers are 1..size
  std::map<std::string, ControlState> controls;         // by name; the numbers are 1..size
  // Every region that the policy names: since when OPT_OUT has applied to it without a break; unset under OPT_IN. Also
  // subdivisions that an earlier policy named and this one does not, where OPT_OUT came to them at another time than to
  // their country.
  std::map<domain::Region, base::Instant> opt_out_since;
  // Regions to which OPT_OUT applied until then, whatever applies now; the latest end of each.
  std::map<domain::Region, base::Instant> opt_out_until;
  // By country; under the unset region the one of all others. A country that the policy does not list has an entry
  // where it once had an age of its own.
  std::map<domain::Region, domain::AgeOfConsent> ages_of_consent;
  bool operator==(const State&) const = default;
};

// The state after `next` is activated at `now` (of the commit's stamp; set) as successor of the policy whose state is
// `previous`. Numbers that were ever given stay; new ones go up from the largest. A region to which OPT_OUT applied, be
// it through its country, keeps its time; one to which it newly applies gets `now`, as does one that comes under
// another regime than it had by `replaced`, the predecessor's document (nullptr: that is not asked); OPT_IN forgets it.
// An activation is never earlier than its predecessor: `now` before previous.activated_at counts as that.
// ResourceExhausted: over kMaxNoticesEver, kMaxControlsEver, kMaxStateRegions or kMaxAgeSteps. InvalidArgument: `now`
// is not set or is after base::kLastInstant.
absl::StatusOr<State> Advance(const State& previous, const Document& next, base::Instant now,
                              const Document* replaced = nullptr);

// The rules of an activated policy. `state` is Advance's for this document; total nevertheless: what the state lacks
// denies (a notice or control without number is left out, an OPT_OUT default without time never applies).
domain::Rules BuildRules(const Document& document, const State& state, std::vector<domain::Suspension> suspensions);

// The state's canonical encoding (layout in README.md), at most kMaxStateBytes for a state that Advance made.
std::string EncodeState(const State& state);
// DataLoss: not an encoding of a state, or beyond a bound. One state has one encoding: what decodes encodes to the same
// bytes.
absl::StatusOr<State> DecodeState(std::string_view bytes);

// The longest name of who activated a version; callers' names are shorter.
inline constexpr size_t kMaxActivatedByBytes = 256;

// A policy version that was activated.
struct PolicyRow {
  Document document;
  State state;
  std::string activated_by = {};  // the caller's name; empty: the daemon, from the file that it was started with
  std::string proposed_by = {};   // who proposed it, where it took two persons; then activated_by approved it
};

// What every partition holds of a version: which document it is, and its state. The document itself, which may be
// large, lies once in the store.
struct VersionRow {
  base::Digest document{};  // Document::hash
  State state;
  std::string activated_by = {};  // as PolicyRow's; at most kMaxActivatedByBytes
  std::string proposed_by = {};   // likewise
};
// At most kMaxVersionBytes.
std::string EncodeVersion(const VersionRow& row);
// DataLoss: damaged.
absl::StatusOr<VersionRow> DecodeVersion(std::string_view bytes);
// DataLoss: the state is not one of this document, or the row names another.
absl::StatusOr<PolicyRow> Join(Document document, VersionRow row);

}  // namespace consent::policy
