// What the writing RPCs tell of the consents that they took: which scopes and purposes these do not reach.
#pragma once

#include <memory>
#include <string>

#include <google/protobuf/repeated_field.h>

#include "consent/v1/settings_service.pb.h"
#include "daemon/domain/transitions.h"
#include "daemon/service/commit/change.h"
#include "daemon/service/state/core.h"
#include "daemon/service/subject/read_subject.h"

namespace consent::rpc {

// The command, where it turns something on; else nothing.
std::shared_ptr<const domain::Command> ConsentsOf(const domain::Command& command);

// Of a write that is done, so whatever cannot be read here leaves an id out and never a scope. `command`: of
// ConsentsOf; nullptr writes nothing.
void WriteUnreached(const service::Core& core, const service::ReadSubject& reads, const std::string& account_id,
                    const domain::Command* command, const service::ChangeReply& reply,
                    google::protobuf::RepeatedPtrField<v1::Unreached>* out);

}  // namespace consent::rpc
