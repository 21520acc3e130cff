// What the writing RPCs share: from checked input to the service's request, and from its answer to the reply and the
// metrics.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/repeated_field.h>

#include "consent/v1/types.pb.h"
#include "daemon/rpc/call.h"
#include "daemon/rpc/observer.h"
#include "daemon/service/commit/change_subject.h"
#include "daemon/service/state/core.h"
#include "daemon/wire/change_input.h"

namespace consent::rpc {

// The etag becomes the expected revision. One that this store did not make, or made for another partition, counts as
// stale: it can never match, and restrictions beside it apply all the same.
service::ChangeRequest ToChangeRequest(const service::Core& core, const service::Caller& caller,
                                       service::ChangeKind kind, wire::ChangeInput input);

// The same for a call: what can restrict is awaited as long as the call is.
template <typename CallPtrT>
service::ChangeRequest ToChangeRequest(const service::Core& core, const CallPtrT& call, service::ChangeKind kind,
                                       wire::ChangeInput input) {
  service::ChangeRequest request = ToChangeRequest(core, call->caller(), kind, std::move(input));
  if (call->may_restrict()) request.is_awaited = AwaitedBy(call);
  return request;
}

// What the parts of a request are called. `name(i)` is part i, such as `changes[0]`, never an id; `target` the field in
// it that says what it is about, empty where it is that itself.
struct PartNames {
  std::function<std::string(size_t)> name;
  const char* target = "target";

  service::PartPath Of(size_t part) const;
};
// One PartResult for each outcome; what is wrong with one is told by the path within it.
void WriteParts(const std::vector<domain::PartOutcome>& parts, const PartNames& names,
                google::protobuf::RepeatedPtrField<v1::PartResult>* out);

// Tells of an acknowledged write that has no parts and no choices: a deletion request's steps, a hold's.
void ReportChange(service::ChangeKind kind, domain::Channel channel, RpcObserver& observer);

// What the observer will want to know of a request, kept while the request itself is with the service.
class ChangeNote {
 public:
  explicit ChangeNote(const service::ChangeRequest& request);
  void Report(const service::ChangeReply& reply, RpcObserver& observer) const;

 private:
  service::ChangeKind kind_;
  domain::Channel channel_;
  uint8_t flags_;
  size_t parts_after_choices_;
  std::vector<domain::ChoiceCommand> choices_;
};

}  // namespace consent::rpc
