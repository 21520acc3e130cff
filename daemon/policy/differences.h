// Parts of Compare. Internal to this folder.
#pragma once

#include <string>
#include <vector>

#include "daemon/policy/compare.h"

namespace consent::policy {

using Differences = std::vector<Difference>;

// At most a dozen of `names` in one text.
std::string Listed(const std::vector<std::string>& names);

// What the fields of `to` change against those of `from`, under `path`. Names and regions are not compared.
void CompareRegime(const v1::Regime& from, const v1::Regime& to, const std::string& path, Differences* out);
// deletion_deadlines, appeal_deadlines and holiday_calendar of a regime, by what counts: stating what holds anyway is
// no difference.
void CompareDeadlines(const v1::Regime& from, const v1::Regime& to, const std::string& path, Differences* out);
// ask_again_after_days and appeal_texts of a regime.
void CompareAppeals(const v1::Regime& from, const v1::Regime& to, const std::string& path, Differences* out);
// approvals of a policy, by what counts.
void CompareApprovals(const v1::Policy& from, const v1::Policy& to, Differences* out);
// review_caps of a policy, by what counts.
void CompareReviewCaps(const v1::Policy& from, const v1::Policy& to, Differences* out);
// More of it permits more.
void CompareNumber(const std::string& path, int64_t from, int64_t to, Differences* out);
void CompareNoticeTexts(const v1::Notice& from, const v1::Notice& to, const std::string& path,
                        domain::NoticeNumber number, Differences* out);
void CompareControlTexts(const v1::Control& from, const v1::Control& to, const std::string& path, Differences* out);
void CompareHolidayCalendars(const v1::Policy& from, const v1::Policy& to, Differences* out);
void CompareRegimes(const v1::Policy& from, const v1::Policy& to, Differences* out);
void CompareControls(const PolicyRow& from, const v1::Policy& to, Differences* out);
void CompareNotices(const PolicyRow& from, const v1::Policy& to, Differences* out);

}  // namespace consent::policy
