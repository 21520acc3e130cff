#include "daemon/service/review/list_reviews.h"

#include <algorithm>
#include <string>
#include <utility>

#include "daemon/service/review/grounds.h"
#include "daemon/service/rows/load_subject.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

constexpr size_t kDiskKeyBytes = 16;

std::string EndOfKind(std::string prefix) {
  prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

absl::Status Starting() { return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting or stopping"); }

bool IsNoGrant(const absl::Status& status) { return wire::DetailOf(status).reason == v1::ERROR_REASON_GRANT_NOT_FOUND; }

GrantShown FormerGrant(const HeardRow& heard) {
  GrantShown shown;
  shown.row.purpose = heard.purpose;
  shown.row.place.country = heard.country;
  shown.row.place.reviewer_class = heard.reviewer_class;
  domain::ReviewGrant& grant = shown.row.grant;
  grant.id = heard.id;
  grant.given_at = heard.given_at;
  grant.expires_at = heard.expires_at;
  grant.opened_at = heard.heard_at;
  grant.opens = heard.opens;
  grant.redeems = heard.redeems;
  grant.offline_opens = heard.offline_opens;
  grant.outcome = heard.outcome;
  switch (heard.outcome) {
    case domain::ReviewOutcome::kNone:
      shown.state = domain::GrantState::kExpired;
      break;
    case domain::ReviewOutcome::kSubmitted:
      shown.state = domain::GrantState::kSubmitted;
      break;
    default:
      shown.state = domain::GrantState::kEnded;
  }
  return shown;
}

// Rows of one kind and subject.
absl::Status ScanOf(const Core& core, char kind, base::SubjectHandle subject, const store::Visitor& visit) {
  const std::string prefix = ReviewRowsOf(kind, core.SubjectKey(subject));
  const absl::Status scanned = core.store.Scan(
      core.PartitionOf(subject), store::Table::kReview, prefix, "", SIZE_MAX,
      [&](std::string_view key, std::string_view value) { return key.starts_with(prefix) && visit(key, value); });
  return scanned.ok() ? scanned : StoreUnreadable();
}

}  // namespace

absl::Status ListReviews::ScanPartition(store::Partition partition, uint64_t position, domain::GrantState state,
                                        size_t limit, size_t* looked_at, GrantPage* page) const {
  const std::string begin = std::string(1, kGrants) + SubjectKeyFrom(position);
  std::vector<GrantRow> rows;
  std::string last;
  bool damaged = false;
  const absl::Status scanned = core_.store.Scan(
      partition, store::Table::kReview, begin, EndOfKind(std::string(1, kGrants)), SIZE_MAX,
      [&](std::string_view key, std::string_view value) {
        const std::string_view of = key.substr(1, kDiskKeyBytes);
        const bool is_full = page->grants.size() + rows.size() >= limit || *looked_at >= kMaxRowsPerPage;
        if (is_full && of != last) {
          page->next = PageToken{partition, SubjectPosition(of)};
          return false;
        }
        last = of;
        ++*looked_at;
        damaged = !DecodeGrantRow(value, &rows.emplace_back());
        return !damaged;
      });
  if (!scanned.ok()) return StoreUnreadable();
  if (damaged) return DamagedRow("a review grant");
  for (GrantRow& row : rows) {
    const absl::StatusOr<domain::ReviewNumbers> numbers = ReadNumbers(core_, row);
    if (!numbers.ok()) return numbers.status();
    const domain::GrantState is = StateOf(row.grant, *numbers, core_.time.IsOver(row.grant.until));
    if (state == domain::GrantState::kNone || state == is) page->grants.push_back({std::move(row), is});
  }
  return absl::OkStatus();
}

absl::StatusOr<GrantPage> ListReviews::Grants(domain::GrantState state, size_t limit, const PageToken& from) const {
  if (!core_.ready.load(std::memory_order_acquire)) return Starting();
  GrantPage page;
  size_t looked_at = 0;
  for (store::Partition partition = from.partition; partition.number < core_.store.partition_count();
       ++partition.number) {
    const uint64_t position = partition == from.partition ? from.position : 0;
    if (absl::Status s = ScanPartition(partition, position, state, limit, &looked_at, &page); !s.ok()) return s;
    if (page.next.has_value()) break;
  }
  return page;
}

absl::Status ListReviews::AddNamed(const base::GrantId& id, std::vector<GrantShown>* shown) const {
  const store::Partition partition{id.partition()};
  const absl::StatusOr<std::string> key = FindGrant(core_, id);
  if (!key.ok()) return IsNoGrant(key.status()) ? absl::OkStatus() : key.status();
  absl::StatusOr<StoredRow<GrantRow>> stored = LoadGrant(core_, partition, *key);
  if (!stored.ok()) return stored.status();
  if (stored->row.grant.id == id) {
    const absl::StatusOr<domain::ReviewNumbers> numbers = ReadNumbers(core_, stored->row);
    if (!numbers.ok()) return numbers.status();
    const domain::GrantState is = StateOf(stored->row.grant, *numbers, core_.time.IsOver(stored->row.grant.until));
    shown->push_back({std::move(stored->row), is});
    return absl::OkStatus();
  }
  bool damaged = false;
  const std::string prefix = ReviewRowsOf(kHeard, std::string_view(*key).substr(1, kDiskKeyBytes));
  const absl::Status scanned = core_.store.Scan(partition, store::Table::kReview, prefix, "", SIZE_MAX,
                                                [&](std::string_view heard_key, std::string_view value) {
                                                  if (!heard_key.starts_with(prefix)) return false;
                                                  HeardRow heard;
                                                  damaged = !DecodeHeardRow(value, &heard);
                                                  if (damaged || heard.id != id) return !damaged;
                                                  shown->push_back(FormerGrant(heard));
                                                  return false;
                                                });
  if (!scanned.ok()) return StoreUnreadable();
  return damaged ? DamagedRow("a row of what was heard") : absl::OkStatus();
}

absl::StatusOr<std::vector<GrantShown>> ListReviews::Named(const std::vector<base::GrantId>& ids) const {
  if (!core_.ready.load(std::memory_order_acquire)) return Starting();
  std::vector<GrantShown> shown;
  for (const base::GrantId& id : ids) {
    if (absl::Status s = AddNamed(id, &shown); !s.ok()) return s;
  }
  return shown;
}

absl::Status ListReviews::AddHeard(base::SubjectHandle subject, std::vector<HeardRow>* heard) const {
  bool damaged = false;
  absl::Status scanned = ScanOf(core_, kGrants, subject, [&](std::string_view, std::string_view value) {
    GrantRow row;
    damaged = !DecodeGrantRow(value, &row);
    if (!damaged && row.grant.opened_at.IsSet()) heard->push_back(HeardOf(row));
    return !damaged;
  });
  if (!scanned.ok()) return scanned;
  scanned = ScanOf(core_, kHeard, subject, [&](std::string_view, std::string_view value) {
    damaged = damaged || !DecodeHeardRow(value, &heard->emplace_back());
    return !damaged;
  });
  if (!scanned.ok()) return scanned;
  return damaged ? DamagedRow("a row of what was heard") : absl::OkStatus();
}

absl::StatusOr<HeardList> ListReviews::Heard(base::SubjectHandle subject) const {
  if (!core_.ready.load(std::memory_order_acquire)) return Starting();
  HeardList list;
  absl::StatusOr<std::vector<base::SubjectHandle>> accounts = GroupOf(core_, subject);
  if (!accounts.ok()) return accounts.status();
  accounts->push_back(subject);
  for (const base::SubjectHandle account : *accounts) {
    if (absl::Status s = AddHeard(account, &list.heard); !s.ok()) return s;
  }
  std::stable_sort(list.heard.begin(), list.heard.end(),
                   [](const HeardRow& a, const HeardRow& b) { return a.heard_at > b.heard_at; });
  list.is_cut = list.heard.size() > kMaxHeardShown;
  if (list.is_cut) list.heard.resize(kMaxHeardShown);
  return list;
}

}  // namespace consent::service
