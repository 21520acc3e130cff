#include "daemon/service/review/end_review.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/service/commit/change_hook.h"
#include "daemon/service/commit/commit_now.h"
#include "daemon/service/commit/report_flags.h"
#include "daemon/service/commit/retry.h"
#include "daemon/service/review/grounds.h"
#include "daemon/service/rows/review_rows.h"
#include "daemon/service/rows/subject_rows.h"

namespace consent::service {
namespace {

// By its id. GRANT_NOT_FOUND.
absl::StatusOr<StoredRow<GrantRow>> LoadById(const Core& core, const base::GrantId& id, std::string* key) {
  absl::StatusOr<std::string> found = FindGrant(core, id);
  if (!found.ok()) return found.status();
  *key = *std::move(found);
  absl::StatusOr<StoredRow<GrantRow>> stored = LoadGrant(core, store::Partition{id.partition()}, *key);
  if (stored.ok() && !stored->bytes.has_value()) return NoSuchGrant();
  return stored;
}

}  // namespace

// A report of flags, and the end of the grant beside it.
class EndReview::EndHook final : public ChangeHook {
 public:
  EndHook(const domain::GrantName& name, const Found& found, base::SubjectHandle subject,
          base::RecordingHandle recording)
      : name_(name), outcome_(found.outcome), flags_(subject, recording, found.flags) {}

  absl::StatusOr<Prepared> Prepare(const Core& core, const HookInput& input) override {
    absl::StatusOr<StoredRow<GrantRow>> stored = LoadById(core, name_.id, &key_);
    if (!stored.ok()) return stored.status();
    stored_ = *std::move(stored);
    return flags_.Prepare(core, input);
  }

  void AddPreconditions(std::vector<store::Precondition>& preconditions) const override {
    preconditions.push_back({store::Table::kReview, key_, stored_.bytes});
  }

  void Build(const Core& core, const store::Stamp& stamp, HookOutput& out) override {
    flags_.Build(core, stamp, out);
    const bool is_other = Meant(stored_.row.grant, name_) != domain::GrantEnd::kNone;
    if (is_other || outcome_ == domain::ReviewOutcome::kNone) return;
    GrantRow ended = stored_.row;
    EndGrant(outcome_, &ended.grant);
    out.writes.push_back({store::Table::kReview, key_, EncodeGrantRow(ended)});
  }

 private:
  const domain::GrantName name_;
  const domain::ReviewOutcome outcome_;
  ReportFlags flags_;
  std::string key_;
  StoredRow<GrantRow> stored_;
};

absl::Status EndReview::EndWithoutFlags(const domain::GrantName& name, domain::ReviewOutcome outcome,
                                        const Caller& caller) {
  return RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    std::string key;
    absl::StatusOr<StoredRow<GrantRow>> stored = LoadById(core_, name.id, &key);
    if (!stored.ok()) return stored.status();
    domain::ReviewGrant& grant = stored->row.grant;
    if (const domain::GrantEnd other = Meant(grant, name); other != domain::GrantEnd::kNone) {
      return EndStatus(other, {});
    }
    if (grant.outcome != domain::ReviewOutcome::kNone) return store::Outcome::kCommitted;
    EndGrant(outcome, &grant);
    return CommitNow(core_, store::Partition{name.id.partition()}, {{store::Table::kReview, key, stored->bytes}},
                     [&](const store::Stamp&) {
                       return store::Change{{{store::Table::kReview, key, EncodeGrantRow(stored->row)}},
                                            PlainEvent(ChangeKind::kReviewChanged, "", {}, caller.identity)};
                     })
        .outcome;
  });
}

absl::StatusOr<ChangeRequest> EndReview::RequestOf(const domain::GrantName& name, const Found& found,
                                                   const Caller& caller) const {
  std::string key;
  const absl::StatusOr<StoredRow<GrantRow>> stored = LoadById(core_, name.id, &key);
  if (!stored.ok()) return stored.status();
  const GrantRow& row = stored->row;
  ChangeRequest request;
  request.caller = caller;
  request.subject = row.subject;
  request.kind = ChangeKind::kReportRecording;
  request.recording = row.recording;
  request.flags = found.flags;
  // Of a closed account whose key is gone nobody could be told whose it is; the flag counts all the same.
  if (const auto payload_key = PayloadKeyOf(core_, row.subject); payload_key.ok()) {
    absl::StatusOr<Payload> ids = OpenPayload(*payload_key, row.sealed, row.subject);
    if (ids.ok()) request.payload = *std::move(ids);
  }
  request.account_id = request.payload.account_id;
  request.payload.caller = caller.identity;
  request.hook = std::make_shared<EndHook>(name, found, row.subject, row.recording);
  return request;
}

void EndReview::Store(const domain::GrantName& name, const Found& found, const Caller& caller,
                      const Awaited& is_awaited, const Done& done) {
  absl::StatusOr<ChangeRequest> request = RequestOf(name, found, caller);
  if (!request.ok()) return done(request.status());
  request->is_awaited = is_awaited;
  report_(*std::move(request), [done](const absl::StatusOr<ChangeReply>& reply) { done(reply.status()); });
}

void EndReview::NoteFlags(const domain::GrantName& name, uint8_t flags, const Caller& caller, const Awaited& is_awaited,
                          const Done& done) {
  Store(name, {flags, domain::ReviewOutcome::kNone}, caller, is_awaited, done);
}

void EndReview::Run(const domain::GrantName& name, domain::ReviewOutcome outcome, const Caller& caller,
                    const Awaited& is_awaited, const Done& done) {
  if (domain::FlagsOf(outcome) == 0) return done(EndWithoutFlags(name, outcome, caller));
  Store(name, {domain::FlagsOf(outcome), outcome}, caller, is_awaited, done);
}

}  // namespace consent::service
