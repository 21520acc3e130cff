#include "daemon/rpc/unreached.h"

#include <vector>

#include "daemon/domain/unreached.h"
#include "daemon/wire/settings.h"

namespace consent::rpc {

std::shared_ptr<const domain::Command> ConsentsOf(const domain::Command& command) {
  if (!domain::AsksForConsent(command)) return nullptr;
  return std::make_shared<const domain::Command>(command);
}

void WriteUnreached(const service::Core& core, const service::ReadSubject& reads, const std::string& account_id,
                    const domain::Command* command, const service::ChangeReply& reply,
                    google::protobuf::RepeatedPtrField<v1::Unreached>* out) {
  if (command == nullptr || reply.after == nullptr) return;
  const auto rules = core.policies.rules();
  const base::Now now = core.Present();
  const std::vector<domain::Unreached> unreached =
      domain::UnreachedBy(*reply.after, domain::ConsentedBy(*command, reply.parts, *rules), now, *rules);
  if (unreached.empty()) return;
  const auto view = reads.Get(core.hasher.Subject(account_id));
  wire::WriteUnreached(unreached, view.ok() ? view->names : std::vector<wire::ScopeName>(), *rules, now, out);
}

}  // namespace consent::rpc
