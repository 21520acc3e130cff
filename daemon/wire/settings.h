// SettingsService: requests to the domain's words, answers back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "consent/v1/settings_service.pb.h"
#include "daemon/base/ids.h"
#include "daemon/base/time.h"
#include "daemon/domain/rules.h"
#include "daemon/domain/texts.h"
#include "daemon/domain/transitions.h"
#include "daemon/domain/types.h"
#include "daemon/domain/unreached.h"
#include "daemon/wire/change_input.h"

namespace consent::wire {

struct HistoryQuery {
  base::SubjectHandle subject;
  int page_size = 0;       // 1..1000
  std::string page_token;  // empty: the first page
};
struct SettingsQuery {
  base::SubjectHandle subject;
  std::string language;   // empty: none asked for
  domain::Region region;  // unset: unknown
};

struct ChoicesQuery {
  bool has_subject = false;  // else of all
  base::SubjectHandle subject;
  base::Instant from;
  base::Instant before;
  std::vector<domain::Choice> to;  // empty: any
  int page_size = 0;               // 1..1000
  std::string page_token;          // empty: the first page
};
struct SettingsAtQuery {
  base::SubjectHandle subject;
  base::Instant at;
  std::string language;
};

// INVALID_FIELD or MALFORMED_MESSAGE with up to 16 violations. Thread-safe.
absl::StatusOr<SettingsQuery> ReadGetSettings(const v1::GetSettingsRequest& request, const base::IdHasher& hasher);
absl::StatusOr<ChangeInput> ReadUpdateSettings(const v1::UpdateSettingsRequest& request, const base::IdHasher& hasher);
// A target given twice is harmless here: it is off all the same.
absl::StatusOr<ChangeInput> ReadOptOut(const v1::OptOutRequest& request, const base::IdHasher& hasher);
absl::StatusOr<HistoryQuery> ReadListHistory(const v1::ListSettingsHistoryRequest& request,
                                             const base::IdHasher& hasher);
absl::StatusOr<ChoicesQuery> ReadListChoices(const v1::ListChoicesRequest& request, const base::IdHasher& hasher);
// `at` after `now` is refused.
absl::StatusOr<SettingsAtQuery> ReadSettingsAt(const v1::GetSettingsAtRequest& request, const base::IdHasher& hasher,
                                               base::Instant now);

// The field that part i of the request was.
std::string OptOutPartName(size_t part);
// The field that part i of the request was: `changes[0]`, ..., `retention[0]`, ...
std::string UpdatePartName(const v1::UpdateSettingsRequest& request, size_t part);

// What is in force at `now` under `rules`; the same functions as the decision's say so. Texts by
// domain::ChooseText(`language`).
void WriteSettings(const domain::SubjectFacts& facts, const std::vector<ScopeName>& names, const domain::Rules& rules,
                   const base::Now& now, std::string_view language, v1::Settings* out);

// A scope without a name in `names` has an empty id.
void WriteUnreached(const std::vector<domain::Unreached>& unreached, const std::vector<ScopeName>& names,
                    const domain::Rules& rules, const base::Now& now,
                    google::protobuf::RepeatedPtrField<v1::Unreached>* out);

// Which texts were shown when the consent of one scope to one purpose was last given.
struct ConsentShown {
  domain::ScopeRef scope;
  domain::Purpose purpose = domain::Purpose::kNone;
  std::vector<domain::ShownText> texts;
};
// Adds to the details that WriteSettings wrote, of the same `names`, which texts were shown.
void WriteConsentsShown(const std::vector<ConsentShown>& consents, const std::vector<ScopeName>& names,
                        v1::Settings* out);
// `text`: the very text; without title and sentence where it is not known any more.
void WriteShownText(const domain::ShownText& shown, const domain::Text& text, v1::ShownText* out);

// `scope` of the change goes by `names`.
void WriteHistoryChange(const domain::FactChange& change, const std::vector<ScopeName>& names, v1::HistoryChange* out);
// Evidence as it was sealed. Bytes that are none (from a damaged row) leave `out` empty.
void WriteEvidence(std::string_view evidence, v1::Evidence* out);

// The first end of the consents that were given.
void WriteConsentEnd(const std::vector<domain::FactChange>& changes, v1::UpdateSettingsResponse* out);
// What an opt-out turned off, without duplicates, in ascending order.
void WriteChangedPurposes(const std::vector<domain::FactChange>& changes, v1::OptOutResponse* out);

}  // namespace consent::wire
