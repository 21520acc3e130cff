#include "daemon/service/commit/change_reply.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "daemon/domain/facts_codec.h"
#include "daemon/domain/unreached.h"
#include "daemon/service/commit/refusals.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/wire/errors.h"

namespace consent::service {

bool NothingApplied(const std::vector<domain::PartOutcome>& parts) {
  return !parts.empty() && std::all_of(parts.begin(), parts.end(),
                                       [](const auto& part) { return part.refusal != domain::Refusal::kNone; });
}

absl::Status FirstRefusal(const std::vector<domain::PartOutcome>& parts, const ChangeRequest& request) {
  return RefusalStatus(parts.front(), request.path_of == nullptr ? PartPath{} : request.path_of(0));
}

bool IsClosedFor(const domain::SubjectFacts& facts) { return facts.closed_at.IsSet() && !facts.reopened_at.IsSet(); }

void TellOfFacts(const domain::SubjectFacts& after, const domain::Command& command, bool is_first, ChangeReply& reply) {
  reply.account_closed = IsClosedFor(after);
  reply.unusable = command.unusable;
  // An account that is started anew was known before.
  reply.subject_is_new = is_first && !after.reopened_at.IsSet();
  if (command.choices.empty()) return;
  const domain::ScopeRef& scope = command.choices.front().scope;
  const domain::ScopeFacts* found = after.Find(scope.kind, scope.handle);
  reply.refuses_future = found != nullptr && found->refused_all_since.IsSet();
}

void KeepFacts(domain::SubjectFacts after, const ChangeRequest& request, ChangeReply& reply) {
  if (!domain::AsksForConsent(request.command)) return;
  reply.after = std::make_shared<const domain::SubjectFacts>(std::move(after));
}

absl::StatusOr<ChangeReply> ReplyFromRow(store::Partition partition, const store::FeedRow& feed,
                                         const ChangeRequest& request) {
  ChangeRow row;
  if (feed.erased || !DecodeChangeRow(feed.event.body, &row)) {
    return wire::MakeError(v1::ERROR_REASON_INTERNAL, "the first answer to this request_id can no longer be read");
  }
  if (NothingApplied(row.parts)) return FirstRefusal(row.parts, request);
  ChangeReply reply;
  reply.revision = Revision{partition, feed.stamp.sequence};
  reply.registered_now = row.registered_now;
  domain::SubjectFacts after;
  if (domain::DecodeFacts(row.facts, &after)) {
    TellOfFacts(after, request.command, row.previous == 0, reply);
    KeepFacts(std::move(after), request, reply);
  }
  reply.parts = std::move(row.parts);
  reply.changes = std::move(row.changes);
  reply.flags = row.flags;
  return reply;
}

}  // namespace consent::service
