#include "daemon/service/state/policy_book.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "daemon/base/bytes.h"

namespace consent::service {
namespace {

constexpr uint8_t kSuspensionFormat = 2;
constexpr size_t kMaxReasonBytes = 256;

}  // namespace

std::string SuspensionKey(const SuspensionRow& row) {
  std::string key;
  base::Encoder out(&key);
  out.Byte(static_cast<uint8_t>(row.purpose));
  out.BigEndian(row.region.packed(), 4);
  out.BigEndian(static_cast<uint64_t>(row.time.micros), 8);
  return key;
}

std::string EncodeSuspension(const SuspensionRow& row) {
  std::string bytes;
  base::Encoder out(&bytes);
  out.Byte(kSuspensionFormat);
  out.Byte(static_cast<uint8_t>(row.purpose));
  out.BigEndian(row.region.packed(), 4);
  out.Byte(row.active ? 1 : 0);
  out.BigEndian(static_cast<uint64_t>(row.time.micros), 8);
  out.String(row.reason);
  out.String(row.by);
  out.Byte(row.approval.IsSet() ? 1 : 0);
  if (!row.approval.IsSet()) return bytes;
  out.Raw(base::View(row.approval.proposal.bytes));
  out.String(row.approval.proposed_by);
  return bytes;
}

bool DecodeSuspension(std::string_view bytes, SuspensionRow* row) {
  base::Decoder in(bytes);
  const uint8_t format = in.Byte();
  const uint8_t purpose = in.Byte();
  row->region = domain::Region::FromPacked(static_cast<uint32_t>(in.BigEndian(4)));
  const uint8_t active = in.Byte();
  row->time = base::Instant{static_cast<int64_t>(in.BigEndian(8))};
  row->reason = in.String(kMaxReasonBytes);
  row->by = in.String(kMaxPersonBytes);
  row->approval = Approval{};
  const uint8_t approved = in.Byte();
  if (approved == 1) {
    row->approval.proposal.bytes = in.Array<16>();
    row->approval.proposed_by = in.String(kMaxPersonBytes);
    row->approval.approved_by = row->by;
    if (!row->approval.IsSet()) in.Fail();
  }
  if (approved > 1) return false;
  if (format != kSuspensionFormat || purpose > domain::kPurposes || active > 1) return false;
  if (purpose == 0 && row->region.IsSet()) return false;
  row->purpose = static_cast<domain::Purpose>(purpose);
  row->active = active == 1;
  return in.Done();
}

std::vector<domain::Suspension> FoldSuspensions(const std::vector<SuspensionRow>& rows, base::Instant at) {
  std::vector<domain::Suspension> folded;
  for (const SuspensionRow& row : rows) {
    if (row.time > at) continue;
    auto same = std::find_if(folded.begin(), folded.end(), [&](const domain::Suspension& suspension) {
      return suspension.purpose == row.purpose && suspension.region == row.region;
    });
    if (same == folded.end()) {
      domain::Suspension first;
      first.purpose = row.purpose;
      first.region = row.region;
      folded.push_back(first);
      same = folded.end() - 1;
    }
    same->active = row.active;
    (row.active ? same->suspended_at : same->resumed_at) = row.time;
  }
  return folded;
}

std::shared_ptr<const domain::Rules> PolicyBook::rules() const {
  base::MutexLock lock(mutex_);
  return rules_;
}

PolicyBook::InForce PolicyBook::in_force() const {
  base::MutexLock lock(mutex_);
  return {rules_, versions_.empty() ? base::Instant{} : versions_.back()->state.activated_at};
}

std::shared_ptr<const policy::PolicyRow> PolicyBook::current() const {
  base::MutexLock lock(mutex_);
  return versions_.empty() ? nullptr : versions_.back();
}

std::shared_ptr<const policy::PolicyRow> PolicyBook::Find(std::string_view version) const {
  base::MutexLock lock(mutex_);
  // The newest of that version: reactivating an old one gives it a new row with the same content.
  const auto at = std::find_if(versions_.rbegin(), versions_.rend(),
                               [&](const auto& row) { return row->document.version() == version; });
  return at == versions_.rend() ? nullptr : *at;
}

std::vector<std::shared_ptr<const policy::PolicyRow>> PolicyBook::All() const {
  base::MutexLock lock(mutex_);
  return versions_;
}

std::vector<std::shared_ptr<const policy::PolicyRow>> PolicyBook::Activations(base::Instant until, size_t limit) const {
  std::vector<std::shared_ptr<const policy::PolicyRow>> found;
  base::MutexLock lock(mutex_);
  for (auto row = versions_.rbegin(); row != versions_.rend() && found.size() < limit; ++row) {
    if ((*row)->state.activated_at <= until) found.push_back(*row);
  }
  return found;
}

std::shared_ptr<const policy::PolicyRow> PolicyBook::At(base::Instant at) const {
  base::MutexLock lock(mutex_);
  const auto found = std::find_if(versions_.rbegin(), versions_.rend(),
                                  [&](const auto& row) { return row->state.activated_at <= at; });
  return found == versions_.rend() ? nullptr : *found;
}

std::shared_ptr<const domain::Rules> PolicyBook::RulesAt(base::Instant at) const {
  const std::shared_ptr<const policy::PolicyRow> version = At(at);
  if (version == nullptr) return nullptr;
  return std::make_shared<const domain::Rules>(
      policy::BuildRules(version->document, version->state, FoldSuspensions(suspensions(), at)));
}

std::vector<std::shared_ptr<const domain::Rules>> PolicyBook::RulesWithin(base::Instant from, base::Instant to) const {
  constexpr size_t kMost = 64;
  std::vector<base::Instant> times = {to};  // each just before something began
  {
    base::MutexLock lock(mutex_);
    const auto add = [&](base::Instant began) {
      if (from < began && began <= to) times.push_back(began - base::Span{1});
    };
    for (const auto& version : versions_) add(version->state.activated_at);
    for (const SuspensionRow& row : suspensions_) add(row.time);
  }
  std::sort(times.begin(), times.end(), std::greater<>());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  times.resize(std::min(times.size(), kMost));
  std::vector<std::shared_ptr<const domain::Rules>> found;
  for (const base::Instant time : times) {
    if (std::shared_ptr<const domain::Rules> then = RulesAt(time); then != nullptr) found.push_back(std::move(then));
  }
  return found;
}

std::vector<SuspensionRow> PolicyBook::suspensions() const {
  base::MutexLock lock(mutex_);
  return suspensions_;
}

void PolicyBook::Publish(policy::PolicyRow version) {
  auto row = std::make_shared<const policy::PolicyRow>(std::move(version));
  base::MutexLock lock(mutex_);
  versions_.push_back(std::move(row));
  std::stable_sort(versions_.begin(), versions_.end(),
                   [](const auto& a, const auto& b) { return a->state.activated_at < b->state.activated_at; });
  Rebuild();
}

void PolicyBook::Publish(SuspensionRow suspension) {
  base::MutexLock lock(mutex_);
  suspensions_.push_back(std::move(suspension));
  std::stable_sort(suspensions_.begin(), suspensions_.end(),
                   [](const auto& a, const auto& b) { return a.time < b.time; });
  Rebuild();
}

void PolicyBook::Rebuild() {
  if (versions_.empty()) return;
  const policy::PolicyRow& now = *versions_.back();
  rules_ = std::make_shared<const domain::Rules>(
      policy::BuildRules(now.document, now.state, FoldSuspensions(suspensions_, base::kEndOfTime)));
}

}  // namespace consent::service
