#include "daemon/rpc/read_log.h"

#include <chrono>
#include <utility>

#include "consent/v1/deletion_service.pb.h"
#include "daemon/wire/deletion.h"
#include "daemon/wire/errors.h"

namespace consent::rpc {
namespace {

constexpr std::string_view kPackage = "consent.v1.";

}  // namespace

absl::StatusOr<base::SubjectHandle> DecisionReadLog::SubjectOfDeletion(const std::string& deletion_id) const {
  v1::GetDeletionRequestRequest named;
  named.set_deletion_id(deletion_id);
  const auto id = wire::ReadGetDeletion(named);
  if (!id.ok()) return id.status();
  const absl::StatusOr<service::DeletionPlace> place = deletions_.Find(*id);
  if (!place.ok()) return place.status();
  const absl::StatusOr<service::DeletionView> view = deletions_.Get(*place);
  if (!view.ok()) return view.status();
  return view->request.subject;
}

void DecisionReadLog::Put(std::string_view caller, std::string_view method,
                          const std::optional<base::SubjectHandle>& subject, decisions::Log::Done done) const {
  if (method.starts_with(kPackage)) method.remove_prefix(kPackage.size());
  recorder_.PutRead(caller, method, subject, core_.Present(), std::move(done));
}

absl::Status NotRecordedError() {
  // As long as the log takes to try again.
  constexpr std::chrono::milliseconds kPause{100};
  return wire::MakeRetryError(
      v1::ERROR_REASON_NOT_RECORDED,
      "what people read about a person has to be on record first, and the decision log takes no "
      "records: repeat later; the operator finds out why in the daemon's log",
      {}, kPause);
}

}  // namespace consent::rpc
