#include "daemon/service/deletion/holds.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "daemon/base/bounds.h"
#include "daemon/service/commit/change_hook.h"
#include "daemon/service/commit/refusals.h"
#include "daemon/service/deletion/group_holds.h"
#include "daemon/service/rows/erasure_rows.h"
#include "daemon/service/rows/id_rows.h"
#include "daemon/service/rows/key_share_rows.h"
#include "daemon/service/rows/policy_rows.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

using MarkedRecordings = std::vector<std::pair<base::RecordingHandle, domain::RecordingState>>;

domain::Hold InRecord(const domain::HeldPart& held) {
  return domain::Hold{held.scope.kind, held.scope.handle, held.captured};
}

absl::Status TooManyHolds() {
  return wire::MakeError(
      v1::ERROR_REASON_SUBJECT_FULL,
      "the subject has as many holds, or its holds name as many recordings, as there may be: one that encloses others "
      "takes their place",
      {{"holds", std::to_string(domain::kMaxHolds)}, {"recordings", std::to_string(domain::kMaxSelectedRecordings)}});
}

absl::StatusOr<MarkedRecordings> LoadMarked(const Core& core, base::SubjectHandle subject,
                                            const domain::HeldPart& held) {
  MarkedRecordings recordings;
  for (const base::RecordingHandle recording : held.recordings) {
    const auto marks = LoadMarks(core, subject, recording);
    if (!marks.ok()) return marks.status();
    recordings.emplace_back(recording, *marks);
  }
  return recordings;
}

void WriteMarked(const Core& core, base::SubjectHandle subject, const MarkedRecordings& recordings,
                 std::vector<store::Write>& writes) {
  for (const auto& [recording, marks] : recordings) {
    writes.push_back(
        {store::Table::kRecording, core.RecordingKey(subject, recording), EncodeMarksRow(subject, recording, marks)});
  }
}

class PlaceHoldHook final : public ChangeHook {
 public:
  PlaceHoldHook(base::SubjectHandle subject, NewHold hold) : subject_(subject), hold_(std::move(hold)) {}

  absl::StatusOr<Prepared> Prepare(const Core& core, const HookInput& input) override {
    const auto holds = LoadHoldsInForce(core, subject_, input.before.facts);
    if (!holds.ok()) return holds.status();
    size_t recordings = hold_.held.recordings.size();
    for (const HoldInForce& hold : *holds) recordings += hold.row.held.recordings.size();
    if (holds->size() >= domain::kMaxHolds || recordings > domain::kMaxSelectedRecordings) return TooManyHolds();
    absl::StatusOr<MarkedRecordings> marked = LoadMarked(core, subject_, hold_.held);
    if (!marked.ok()) return marked.status();
    recordings_ = *std::move(marked);
    for (auto& [recording, marks] : recordings_) marks.on_hold = true;
    id_ = base::HoldId::Draw(core.random, core.PartitionOf(subject_).number);
    base::PayloadKey key = core.shares.NewPayloadKey(subject_, core.random);
    share_ = std::move(key.share);
    base::Digest unused{};
    sealed_ = SealDeletion(key.key, hold_.payload, subject_, core.random, &unused);
    return Prepared::kGoOn;
  }

  void AddPreconditions(std::vector<store::Precondition>& preconditions) const override {
    preconditions.push_back(IdIsFree(id_));
  }

  void Build(const Core& core, const store::Stamp& stamp, HookOutput& out) override {
    HoldRow row;
    row.id = id_;
    row.subject = subject_;
    row.held = hold_.held;
    row.placed = hold_.basis;
    row.placed_at = stamp.time;
    row.review_at = hold_.review_at.IsSet() ? hold_.review_at : stamp.time + base::Days(base::kDefaultHoldReviewDays);
    row.changed = stamp.sequence;
    row.sealed = sealed_;
    domain::SubjectFacts& after = out.transition.after;
    after.holds_changed = stamp.sequence;
    if (hold_.held.recordings.empty()) {
      after.holds.push_back(InRecord(hold_.held));
    } else {
      after.has_recording_marks = true;
      WriteMarked(core, subject_, recordings_, out.writes);
    }
    const HoldPlace place{core.PartitionOf(subject_), stamp.sequence};
    out.writes.push_back({store::Table::kHold, HoldKey(stamp.sequence), EncodeHoldRow(row)});
    out.writes.push_back(PutId(id_, stamp.sequence));
    out.writes.push_back({store::Table::kHold, HoldOfKey(core, subject_, stamp.sequence), std::string()});
    out.writes.push_back(PutShare(core, subject_, HoldShareKey(core, place), share_));
  }

 private:
  const base::SubjectHandle subject_;
  const NewHold hold_;
  base::HoldId id_;
  MarkedRecordings recordings_;
  std::string share_;
  std::string sealed_;
};

class ReleaseHoldHook final : public ChangeHook {
 public:
  ReleaseHoldHook(base::SubjectHandle subject, HoldPlace place, HoldRelease release, domain::Proof proof)
      : subject_(subject), place_(place), release_(std::move(release)), proof_(std::move(proof)) {}

  absl::StatusOr<Prepared> Prepare(const Core& core, const HookInput& input) override {
    absl::StatusOr<HoldRow> row = LoadHold(core, place_, &bytes_);
    if (!row.ok()) return row.status();
    row_ = *std::move(row);
    if (!row_.InForce()) return AlreadyReleased();
    if (absl::Status s = MayRelease(core); !s.ok()) return s;
    const PolicyBook::InForce policy = core.policies.in_force();
    if (!release_.approval.IsSet() && !policy.rules->approvals.one_releases) return ApprovalRequired();
    policy_ = {policy.activated_at, false};
    absl::StatusOr<std::vector<HoldInForce>> holds = LoadHoldsInForce(core, subject_, input.before.facts);
    if (!holds.ok()) return holds.status();
    others_ = *std::move(holds);
    others_.erase(
        std::remove_if(others_.begin(), others_.end(), [&](const HoldInForce& hold) { return hold.place == place_; }),
        others_.end());
    absl::StatusOr<MarkedRecordings> marked = LoadMarked(core, subject_, row_.held);
    if (!marked.ok()) return marked.status();
    recordings_ = *std::move(marked);
    for (auto& [recording, marks] : recordings_) marks.on_hold = HeldByOthers(recording);
    return Prepared::kGoOn;
  }

  void AddPreconditions(std::vector<store::Precondition>& preconditions) const override {
    preconditions.push_back({store::Table::kHold, HoldKey(place_.sequence), bytes_});
    // The very policy that lets one person do it.
    if (release_.approval.IsSet()) return;
    preconditions.push_back({store::Table::kPolicy, std::string(kCurrentPolicyKey), EncodeCurrentPolicy(policy_)});
  }

  void Build(const Core& core, const store::Stamp& stamp, HookOutput& out) override {
    HoldRow next = row_;
    next.released_at = stamp.time;
    next.released = release_.basis;
    next.release_proposal = release_.approval.proposal;
    next.changed = stamp.sequence;
    next.sealed.clear();
    domain::SubjectFacts& after = out.transition.after;
    after.holds_changed = stamp.sequence;
    after.holds.clear();
    for (const HoldInForce& hold : others_) {
      if (hold.row.held.recordings.empty()) after.holds.push_back(InRecord(hold.row.held));
    }
    WriteMarked(core, subject_, recordings_, out.writes);
    out.writes.push_back({store::Table::kHold, HoldKey(place_.sequence), EncodeHoldRow(next)});
    out.writes.push_back({store::Table::kKeyShare, HoldShareKey(core, place_), std::nullopt});
    store::EraseTargets targets;
    targets.rows = {{store::Table::kKeyShare, HoldShareKey(core, place_)},
                    {store::Table::kHold, HoldKey(place_.sequence)}};
    BeginErasure(NumberOf(stamp.sequence), targets, stamp, out.writes);
  }

 private:
  // A loosening.
  absl::Status MayRelease(const Core& core) const {
    if (absl::Status s = TimeToLoosen(core.Present()); !s.ok()) return s;
    if (!release_.etag.has_value()) {
      return wire::MakeError(v1::ERROR_REASON_ETAG_REQUIRED,
                             "releasing needs the hold's current etag: ListHolds has it");
    }
    if (*release_.etag != row_.changed) {
      return wire::MakeError(v1::ERROR_REASON_ETAG_MISMATCH,
                             "the etag is not the hold's current one: list the holds again");
    }
    if (proof_.channel == domain::Channel::kMissing) {
      return RefusalStatus(domain::PartOutcome{domain::Refusal::kEvidenceRequired, false, "channel"});
    }
    if (proof_.actor == domain::Actor::kMissing) {
      return RefusalStatus(domain::PartOutcome{domain::Refusal::kEvidenceRequired, false, "actor"});
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Prepared> AlreadyReleased() const {
    if (!release_.approval.IsSet() || release_.approval.proposal == row_.release_proposal) return Prepared::kAnswered;
    return wire::MakeError(v1::ERROR_REASON_ETAG_MISMATCH, "the hold was released meanwhile, and not by this approval");
  }

  bool HeldByOthers(base::RecordingHandle recording) const {
    return std::any_of(others_.begin(), others_.end(), [&](const HoldInForce& hold) {
      const std::vector<base::RecordingHandle>& named = hold.row.held.recordings;
      return std::binary_search(named.begin(), named.end(), recording);
    });
  }

  const base::SubjectHandle subject_;
  const HoldPlace place_;
  const HoldRelease release_;
  const domain::Proof proof_;
  HoldRow row_;
  std::string bytes_;
  CurrentPolicy policy_;
  std::vector<HoldInForce> others_;
  MarkedRecordings recordings_;
};

// The record stays as it is: nothing is decided by a review.
class ReviewHoldHook final : public ChangeHook {
 public:
  ReviewHoldHook(HoldPlace place, HoldReview review) : place_(place), review_(std::move(review)) {}

  absl::StatusOr<Prepared> Prepare(const Core& core, const HookInput&) override {
    absl::StatusOr<HoldRow> row = LoadHold(core, place_, &bytes_);
    if (!row.ok()) return row.status();
    row_ = *std::move(row);
    return row_.InForce() ? Prepared::kGoOn : Prepared::kAnswered;
  }

  void AddPreconditions(std::vector<store::Precondition>& preconditions) const override {
    preconditions.push_back({store::Table::kHold, HoldKey(place_.sequence), bytes_});
  }

  void Build(const Core&, const store::Stamp& stamp, HookOutput& out) override {
    HoldRow next = row_;
    next.review_at = review_.review_at;
    next.reviewed_at = stamp.time;
    next.review_reason = review_.reason;
    next.changed = stamp.sequence;
    out.writes.push_back({store::Table::kHold, HoldKey(place_.sequence), EncodeHoldRow(next)});
  }

 private:
  const HoldPlace place_;
  const HoldReview review_;
  HoldRow row_;
  std::string bytes_;
};

}  // namespace

Holds::Holds(Core& core, ChangeSubject& changes) : core_(core), changes_(changes) {}

void Holds::Place(ChangeRequest change, NewHold hold, PlaceDone done) {
  const store::Partition partition = core_.PartitionOf(change.subject);
  change.kind = ChangeKind::kHoldPlaced;
  change.hook = std::make_shared<PlaceHoldHook>(change.subject, std::move(hold));
  ChangeRequest like = change;
  changes_.Submit(std::move(change), [this, partition, like = std::move(like),
                                      done = std::move(done)](absl::StatusOr<ChangeReply> reply) mutable {
    if (!reply.ok()) return done(std::move(reply).status());
    // The reply's revision is the commit that placed the hold, also where the reply is that of a repetition.
    const Placed placed{HoldPlace{partition, reply->revision.sequence}, reply->revision, reply->subject_is_new};
    TellGroupOfHolds(core_, changes_, like, [placed, done = std::move(done)](const absl::Status& told) {
      told.ok() ? done(placed) : done(told);
    });
  });
}

void Holds::Review(ChangeRequest change, HoldPlace place, HoldReview review, ReleaseDone done) {
  std::string unused;
  const absl::StatusOr<HoldRow> row = LoadHold(core_, place, &unused);
  if (!row.ok()) return done(row.status());
  change.subject = row->subject;
  change.kind = ChangeKind::kHoldReviewed;
  change.hook = std::make_shared<ReviewHoldHook>(place, std::move(review));
  changes_.Submit(std::move(change),
                  [done = std::move(done)](absl::StatusOr<ChangeReply> reply) { done(std::move(reply).status()); });
}

void Holds::Release(ChangeRequest change, HoldPlace place, HoldRelease release, ReleaseDone done) {
  std::string unused;
  const absl::StatusOr<HoldRow> row = LoadHold(core_, place, &unused);
  if (!row.ok()) return done(row.status());
  change.subject = row->subject;
  change.kind = ChangeKind::kHoldReleased;
  change.payload.proposed_by = release.approval.proposed_by;
  change.payload.approved_by = release.approval.approved_by;
  change.hook = std::make_shared<ReleaseHoldHook>(change.subject, place, std::move(release), change.command.proof);
  ChangeRequest like = change;
  changes_.Submit(std::move(change), [this, like = std::move(like),
                                      done = std::move(done)](const absl::StatusOr<ChangeReply>& reply) mutable {
    if (!reply.ok()) return done(reply.status());
    TellGroupOfHolds(core_, changes_, like, std::move(done));
  });
}

absl::StatusOr<HoldPlace> Holds::Find(const std::optional<base::HoldId>& id) const {
  return id.has_value() ? FindHold(core_, *id) : NoSuchHold();
}

absl::StatusOr<HoldView> Holds::Get(HoldPlace place) const {
  if (!core_.ready.load(std::memory_order_acquire)) {
    return wire::MakeError(v1::ERROR_REASON_NOT_SERVING, "the daemon is starting or stopping");
  }
  std::string unused;
  absl::StatusOr<HoldRow> row = LoadHold(core_, place, &unused);
  if (!row.ok()) return row.status();
  HoldView view;
  view.place = place;
  if (!row->sealed.empty()) {
    absl::StatusOr<DeletionPayload> payload =
        OpenSealed(core_, place.partition, HoldShareKey(core_, place), row->subject, row->sealed);
    // It may have been released, and its key gone, since the row was read.
    if (!payload.ok() && !absl::IsNotFound(payload.status())) return payload.status();
    if (payload.ok()) view.payload = *std::move(payload);
  }
  if (row->InForce()) {
    absl::StatusOr<std::vector<LeaseOut>> out = LeasesOut(core_, place.sequence, *row);
    if (!out.ok()) return out.status();
    view.leases_out = *std::move(out);
  }
  view.row = *std::move(row);
  return view;
}

// Where the holds of `members` lie in a partition, of all where there are none: from `begin` on, in their order.
absl::StatusOr<std::vector<HoldPlace>> Holds::PlacesIn(store::Partition partition,
                                                       const std::vector<base::SubjectHandle>& members,
                                                       store::Sequence begin) const {
  std::vector<HoldPlace> places;
  const auto scan = [&](const std::string& start, const std::string& end) {
    return core_.store.Scan(partition, store::Table::kHold, start, end, kMaxRowsPerPage + 1,
                            [&](std::string_view key, std::string_view) {
                              places.push_back({partition, SequenceOfHoldKey(key)});
                              return true;
                            });
  };
  absl::Status scanned = members.empty() ? scan(HoldKey(begin), HoldKey(UINT64_MAX)) : absl::OkStatus();
  for (const base::SubjectHandle member : members) {
    scanned.Update(scan(HoldOfKey(core_, member, begin), HoldOfKey(core_, member, UINT64_MAX)));
  }
  if (!scanned.ok()) return StoreUnreadable();
  std::sort(places.begin(), places.end(), [](HoldPlace a, HoldPlace b) { return a.sequence < b.sequence; });
  return places;
}

absl::StatusOr<HoldPage> Holds::List(const HoldsFilter& filter, size_t limit, HoldPlace from) const {
  std::map<store::Partition, std::vector<base::SubjectHandle>> members;
  if (filter.subject) {
    absl::StatusOr<std::vector<base::SubjectHandle>> group = GroupOf(core_, *filter.subject);
    if (!group.ok()) return group.status();
    group->push_back(*filter.subject);
    for (const base::SubjectHandle member : *group) members[core_.PartitionOf(member)].push_back(member);
  } else {
    for (uint16_t number = 0; number < core_.store.partition_count(); ++number) members[store::Partition{number}];
  }
  const base::Instant now = core_.Now();
  HoldPage page;
  size_t looked_at = 0;
  for (auto at = members.lower_bound(from.partition); at != members.end(); ++at) {
    const auto places = PlacesIn(at->first, at->second, at->first == from.partition ? from.sequence : 0);
    if (!places.ok()) return places.status();
    for (const HoldPlace place : *places) {
      page.next = place;
      if (looked_at++ >= kMaxRowsPerPage) return page;
      std::string unused;
      const absl::StatusOr<HoldRow> row = LoadHold(core_, place, &unused);
      if (!row.ok()) return row.status();
      // Before anything is unsealed.
      if (filter.past_review ? !row->IsPastReview(now) : !filter.include_released && !row->InForce()) continue;
      if (page.holds.size() >= limit) return page;
      absl::StatusOr<HoldView> view = Get(place);
      if (!view.ok()) return view.status();
      page.holds.push_back(*std::move(view));
    }
  }
  page.next.reset();
  return page;
}

}  // namespace consent::service
