#include "daemon/app/month_key_keeper.h"

#include <vector>

#include "daemon/policy/reading.h"

namespace consent::app {

std::chrono::milliseconds MonthKeyKeeper::Look() {
  const base::Now now = core_.Present();
  absl::Status status = recorder_.on() ? MakeAhead(now) : absl::OkStatus();
  status.Update(DestroyOld(now));
  std::string failure = status.ok() ? "" : status.ToString();
  if (!status.ok() && failure != failure_) {
    log_.Error("a key of the decision log could not be made or destroyed; it will be tried again",
               {{"why", ops::OperatorText(status)}});
  } else if (status.ok() && !failure_.empty()) {
    log_.Info("the keys of the decision log are as they should be again");
  }
  failure_ = std::move(failure);
  return kBetweenLooks;
}

absl::Status MonthKeyKeeper::MakeAhead(const base::Now& now) {
  std::vector<base::Month> months = {base::Month::Of(now.latest)};
  if (!now.doubtful && !now.behind) months.push_back(base::Month::Of(now.latest + kAhead));
  for (const base::Month month : months) {
    if (in_use_.Has(month)) continue;
    const absl::StatusOr<service::MonthKey> key = keys_.TakeOrMake(month);
    if (!key.ok()) return key.status();
    in_use_.Put(key->name, *key->key);
  }
  return absl::OkStatus();
}

absl::Status MonthKeyKeeper::DestroyOld(const base::Now& now) {
  const std::shared_ptr<const policy::PolicyRow> policy = core_.policies.current();
  if (!now.earliest.IsSet() || policy == nullptr) return absl::OkStatus();
  const int kept = policy::DecisionLogKeepMonths(policy->document.policy());
  const base::Month first_kept = base::Month::Of(now.earliest).Plus(-kept);
  if (first_kept_.has_value() && first_kept <= *first_kept_) return absl::OkStatus();
  const absl::StatusOr<std::vector<base::MonthKeyName>> destroyed = keys_.DestroyBefore(first_kept);
  if (!destroyed.ok()) return destroyed.status();
  for (const base::MonthKeyName& name : *destroyed) {
    in_use_.Drop(name);
    log_.Info("a key of the decision log is destroyed: its lines name nobody any more",
              {{"month", ops::OperatorText(name.ToText())}});
  }
  if (!destroyed->empty()) recorder_.DropSpare();
  first_kept_ = first_kept;
  return absl::OkStatus();
}

}  // namespace consent::app
