// What tests print of a reason.
#pragma once

#include <string>

#include "consent/v1/types.pb.h"
#include "daemon/domain/decision.h"
#include "proto/enum_names.h"

namespace consent::test {

// "LEGAL_HOLD"; "NONE" for kNone.
inline std::string ReasonName(domain::Reason reason) {
  const int number = static_cast<int>(reason);
  return number == 0 ? "NONE" : std::string(proto::EnumName<v1::Reason>(number));
}

}  // namespace consent::test
