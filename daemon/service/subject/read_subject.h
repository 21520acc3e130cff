// Reads of one subject: people, settings now and at a past time, history. All of these may block: call them on a pool
// thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/domain/texts.h"
#include "daemon/policy/document.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/state/core.h"

namespace consent::service {

// Raw ids of scopes, opened from the subject's sealed names. A scope that a restriction alone named is there too.
struct SubjectView {
  domain::SubjectFacts facts;
  std::vector<std::pair<domain::ScopeRef, std::string>> names;
  std::vector<std::pair<base::GuardianHandle, std::string>> guardians;
  std::string account_id;  // only where a child lives there
  Revision revision;       // also the etag
};

struct HistoryItem {
  Revision revision;
  base::Instant time;
  ChangeRow row;    // without `facts` and `sealed`
  Payload payload;  // opened
};

struct HistoryPage {
  std::vector<HistoryItem> items;  // newest first
  store::Sequence next = 0;        // where the next page begins; 0: this is the last
};

// What was shown when the consent of one scope to one purpose was last given, and by whom it was handed in.
struct ShownConsent {
  domain::ScopeRef scope;
  domain::Purpose purpose = domain::Purpose::kNone;
  std::string caller;
  std::string policy_version;  // under which it was given
  std::vector<domain::ShownText> texts;
};

// Which entries of histories are listed.
struct ChoiceFilter {
  std::optional<base::SubjectHandle> subject;  // nothing: of all
  base::Instant from;
  base::Instant before;
  std::vector<domain::Choice> to;  // empty: every entry
};

struct ChoiceItem {
  std::string account_id;  // empty: it is forgotten
  HistoryItem entry;
};

struct ChoicePlace {
  store::Partition partition;
  store::Sequence sequence = 0;  // 0: from the partition's first entry in time
};

struct ChoicePage {
  std::vector<ChoiceItem> items;  // by partition, and in it by time
  uint64_t erased = 0;            // stubs among what was looked at, of which nobody can tell what they were
  bool truncated = false;         // the store no longer has the oldest entries
  std::optional<ChoicePlace> next;
};

struct SettingsAt {
  SubjectView view;                 // as it was
  std::vector<ShownConsent> shown;  // of the consents in `view`, as far as their changes are kept
  std::shared_ptr<const domain::Rules> rules;
  std::shared_ptr<const policy::Document> policy;
};

// A page of history ends behind the entry with which it shows so many different texts.
inline constexpr size_t kMaxTextsPerPage = 128;
// Changes that At looks through for the texts of consents, backwards; of what was agreed to before, it is not told.
inline constexpr size_t kMaxChangesForTexts = 10'000;

// Thread-safe. SUBJECT_NOT_FOUND, STORE_UNREADABLE.
class ReadSubject {
 public:
  explicit ReadSubject(Core& core);
  // Of an account that was joined into another one that other one's; its history stays its own.
  absl::StatusOr<SubjectView> Get(base::SubjectHandle subject) const;
  // The same, and of a subject of which nothing is stored its view before the first change: not registered, revision 0.
  absl::StatusOr<SubjectView> GetOrNobody(base::SubjectHandle subject) const;
  // From the change at `from` backwards; 0: from the newest. `page_size` 1..1000, and see kMaxTextsPerPage.
  // INVALID_FIELD of page_token where no page began there.
  absl::StatusOr<HistoryPage> History(base::SubjectHandle subject, int page_size, store::Sequence from) const;
  // From `from` on, at most `limit` (1..1000) entries, after looking at most at kMaxRowsPerPage rows.
  absl::StatusOr<ChoicePage> Choices(const ChoiceFilter& filter, size_t limit, ChoicePlace from) const;
  // NO_SETTINGS_AT_TIME before the first change.
  absl::StatusOr<SettingsAt> At(base::SubjectHandle subject, base::Instant at) const;

 private:
  // As GetOrNobody, of the record of that very account.
  absl::StatusOr<SubjectView> GetOwn(base::SubjectHandle subject) const;
  // Finds what was shown to whoever gave the consents of `settings`: in the change at `from` and those before it.
  absl::Status FindShown(base::SubjectHandle subject, store::Sequence from, SettingsAt* settings) const;
  // Adds the names of what `view`, of a past time, shows and the present names no longer hold. `from`: the newest
  // change.
  absl::Status NamePast(base::SubjectHandle subject, store::Sequence from, SubjectView* view) const;

  Core& core_;
};

}  // namespace consent::service
