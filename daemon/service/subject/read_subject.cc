#include "daemon/service/subject/read_subject.h"

#include <algorithm>
#include <set>
#include <utility>

#include "daemon/domain/effective.h"
#include "daemon/domain/facts_codec.h"
#include "daemon/service/rows/load_subject.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

absl::Status NotServing() {
  return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting or stopping");
}

absl::Status NotFound() { return wire::MakeError(v1::ERROR_REASON_SUBJECT_NOT_FOUND, "no such subject"); }

absl::Status Damaged() { return wire::MakeError(v1::ERROR_REASON_INTERNAL, "a history row is damaged"); }

// The change row at `sequence`, which must be the subject's. NotFound where it was truncated away.
absl::Status ReadRow(const Core& core, base::SubjectHandle subject, store::Sequence sequence, store::FeedRow* feed,
                     ChangeRow* row) {
  auto read = core.store.FeedAt(core.PartitionOf(subject), sequence);
  if (absl::IsOutOfRange(read.status())) return absl::NotFoundError("truncated");
  if (!read.ok()) return StoreUnreadable();
  *feed = *std::move(read);
  if (feed->erased) return absl::NotFoundError("erased");
  if (feed->event.subject != base::View(subject.bytes) || !DecodeChangeRow(feed->event.body, row)) return Damaged();
  return absl::OkStatus();
}

// Who has come of age by time alone keeps the guardian's name until the next change, and nobody is told it.
void HideGuardiansOfAdults(const Core& core, domain::SubjectFacts* facts) {
  const domain::AgeOfConsent& at_home = core.policies.rules()->AgeOfConsentIn(facts->region);
  for (domain::ScopeFacts& scope : facts->scopes) {
    if (scope.guardian.IsSet() && domain::AdultFrom(scope.age, at_home) <= core.Now()) {
      scope.guardian = base::GuardianHandle{};
    }
  }
}

template <typename NamesT, typename RefT>
bool IsNamed(const NamesT& names, const RefT& ref) {
  return std::any_of(names.begin(), names.end(), [&](const auto& name) { return name.first == ref; });
}

// A scope or a guardian of `view` has no name there.
bool NamesAreMissing(const SubjectView& view) {
  return std::any_of(view.facts.scopes.begin(), view.facts.scopes.end(), [&](const domain::ScopeFacts& scope) {
    const bool nameless = scope.kind == domain::ScopeKind::kAccount || scope.IsFold() || scope.IsNothingButRemoved();
    if (!nameless && !IsNamed(view.names, domain::ScopeRef{scope.kind, scope.handle})) return true;
    return scope.guardian.IsSet() && !IsNamed(view.guardians, scope.guardian);
  });
}

}  // namespace

ReadSubject::ReadSubject(Core& core) : core_(core) {}

absl::StatusOr<SubjectView> ReadSubject::Get(base::SubjectHandle subject) const {
  absl::StatusOr<SubjectView> view = GetOrNobody(subject);
  if (view.ok() && view->revision.sequence == 0) return NotFound();
  return view;
}

absl::StatusOr<SubjectView> ReadSubject::GetOrNobody(base::SubjectHandle subject) const {
  const absl::StatusOr<base::SubjectHandle> resolved = ResolveAlias(core_, subject);
  return resolved.ok() ? GetOwn(*resolved) : resolved.status();
}

absl::StatusOr<SubjectView> ReadSubject::GetOwn(base::SubjectHandle subject) const {
  if (!core_.ready.load(std::memory_order_acquire)) return NotServing();
  absl::StatusOr<StoredFacts> stored = LoadFacts(core_, subject);
  if (!stored.ok()) return stored.status();
  SubjectView view;
  view.facts = std::move(stored->facts);
  view.revision = Revision{core_.PartitionOf(subject), view.facts.revision};
  HideGuardiansOfAdults(core_, &view.facts);
  if (view.facts.scopes.size() == 1) return view;
  absl::StatusOr<Payload> names = LoadNames(core_, subject);
  if (!names.ok()) return names.status();
  for (auto& name : names->names) {
    if (name.first.kind == domain::ScopeKind::kAccount) {
      view.account_id = std::move(name.second);
    } else {
      view.names.push_back(std::move(name));
    }
  }
  view.guardians = std::move(names->guardians);
  return view;
}

absl::StatusOr<HistoryPage> ReadSubject::History(base::SubjectHandle subject, int page_size,
                                                 store::Sequence from) const {
  if (!core_.ready.load(std::memory_order_acquire)) return NotServing();
  absl::StatusOr<StoredFacts> stored = LoadFacts(core_, subject);
  if (!stored.ok()) return stored.status();
  if (!stored->found) return NotFound();
  if (domain::IsForgotten(stored->facts)) return HistoryPage{};
  const store::Partition partition = core_.PartitionOf(subject);
  if (from > stored->facts.revision) return wire::FieldError("page_token", "not a token that this listing gave");
  store::Sequence next = from != 0 ? from : stored->facts.revision;
  const auto key = PayloadKeyOf(core_, subject);
  if (!key.ok()) return key.status();
  HistoryPage page;
  std::set<domain::ShownText> texts;
  while (next != 0 && page.items.size() < static_cast<size_t>(page_size) && texts.size() < kMaxTextsPerPage) {
    store::FeedRow feed;
    HistoryItem item;
    const absl::Status read = ReadRow(core_, subject, next, &feed, &item.row);
    if (absl::IsNotFound(read)) return page;  // older rows are gone
    if (!read.ok()) return read;
    absl::StatusOr<Payload> payload = OpenPayload(*key, item.row.sealed, subject);
    if (!payload.ok()) return payload.status();
    item.payload = *std::move(payload);
    texts.insert(item.payload.shown.begin(), item.payload.shown.end());
    item.revision = Revision{partition, next};
    item.time = feed.stamp.time;
    next = item.row.previous;
    item.row.facts.clear();
    item.row.sealed.clear();
    page.items.push_back(std::move(item));
  }
  page.next = next;
  return page;
}

// A scope that was removed since is named by the change that removed it; a guardian who left by the one that named him.
absl::Status ReadSubject::NamePast(base::SubjectHandle subject, store::Sequence from, SubjectView* view) const {
  if (!NamesAreMissing(*view)) return absl::OkStatus();
  const auto key = PayloadKeyOf(core_, subject);
  if (!key.ok()) return key.status();
  while (from != 0 && NamesAreMissing(*view)) {
    store::FeedRow feed;
    ChangeRow row;
    absl::Status read = ReadRow(core_, subject, from, &feed, &row);
    if (absl::IsNotFound(read)) break;
    if (!read.ok()) return read;
    absl::StatusOr<Payload> payload = OpenPayload(*key, row.sealed, subject);
    if (!payload.ok()) return payload.status();
    for (auto& name : payload->names) {
      if (!IsNamed(view->names, name.first)) view->names.push_back(std::move(name));
    }
    for (auto& name : payload->guardians) {
      if (!IsNamed(view->guardians, name.first)) view->guardians.push_back(std::move(name));
    }
    from = row.previous;
  }
  return absl::OkStatus();
}

absl::Status ReadSubject::FindShown(base::SubjectHandle subject, store::Sequence from, SettingsAt* settings) const {
  std::vector<ShownConsent> wanted;
  for (const domain::ScopeFacts& scope : settings->view.facts.scopes) {
    for (const domain::Purpose purpose : domain::kAllPurposes) {
      const bool given =
          domain::EffectiveChoice(scope, purpose, *settings->rules).choice == domain::Choice::kGiven && !scope.IsFold();
      if (given) wanted.push_back({{scope.kind, scope.handle}, purpose, "", "", {}});
    }
  }
  if (wanted.empty()) return absl::OkStatus();
  const auto key = PayloadKeyOf(core_, subject);
  if (!key.ok()) return key.status();
  for (size_t seen = 0; from != 0 && !wanted.empty() && seen < kMaxChangesForTexts; ++seen) {
    store::FeedRow feed;
    ChangeRow row;
    absl::Status read = ReadRow(core_, subject, from, &feed, &row);
    if (absl::IsNotFound(read)) break;
    if (!read.ok()) return read;
    // The newest change that gave it is the one in which it was last given.
    const auto gives = [&row](const ShownConsent& consent) {
      return std::any_of(row.changes.begin(), row.changes.end(), [&consent](const domain::FactChange& change) {
        return change.what == domain::ChangedWhat::kPurpose && change.to == domain::Choice::kGiven &&
               change.purpose == consent.purpose && change.scope == consent.scope;
      });
    };
    const auto given_here = std::stable_partition(wanted.begin(), wanted.end(),
                                                  [&gives](const ShownConsent& consent) { return !gives(consent); });
    if (given_here != wanted.end()) {
      const absl::StatusOr<Payload> payload = OpenPayload(*key, row.sealed, subject);
      if (!payload.ok()) return payload.status();
      for (auto consent = given_here; consent != wanted.end(); ++consent) {
        settings->shown.push_back(
            {consent->scope, consent->purpose, payload->caller, row.policy_version, payload->shown});
      }
      wanted.erase(given_here, wanted.end());
    }
    from = row.previous;
  }
  return absl::OkStatus();
}

absl::StatusOr<SettingsAt> ReadSubject::At(base::SubjectHandle subject, base::Instant at) const {
  absl::StatusOr<SubjectView> now = GetOwn(subject);
  if (!now.ok()) return now.status();
  if (now->revision.sequence == 0) return NotFound();
  store::Sequence next = domain::IsForgotten(now->facts) ? 0 : now->facts.revision;
  while (next != 0) {
    store::FeedRow feed;
    ChangeRow row;
    const absl::Status read = ReadRow(core_, subject, next, &feed, &row);
    if (absl::IsNotFound(read)) break;
    if (!read.ok()) return read;
    if (feed.stamp.time > at) {
      next = row.previous;
      continue;
    }
    SettingsAt settings;
    settings.view.names = std::move(now->names);
    settings.view.guardians = std::move(now->guardians);
    settings.view.revision = Revision{core_.PartitionOf(subject), next};
    if (!domain::DecodeFacts(row.facts, &settings.view.facts)) return Damaged();
    // By then it was another name already.
    if (settings.view.facts.join == domain::JoinState::kAlias) return At(settings.view.facts.joined_into, at);
    const auto policy = core_.policies.At(at);
    settings.rules = core_.policies.RulesAt(at);
    if (policy == nullptr || settings.rules == nullptr) break;
    settings.policy = std::make_shared<const policy::Document>(policy->document);
    if (absl::Status s = NamePast(subject, now->facts.revision, &settings.view); !s.ok()) return s;
    if (absl::Status s = FindShown(subject, next, &settings); !s.ok()) return s;
    return settings;
  }
  return wire::MakeError(v1::ERROR_REASON_NO_SETTINGS_AT_TIME,
                         "the subject had no settings at that time, or they are no longer kept");
}

}  // namespace consent::service
