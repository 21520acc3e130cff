// Short ways to write metric families, and the words that labels are made of. Pure.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "consent/v1/eligibility_service.pb.h"
#include "consent/v1/settings_service.pb.h"
#include "consent/v1/types.pb.h"
#include "daemon/domain/decision.h"
#include "daemon/domain/transitions.h"
#include "daemon/domain/types.h"
#include "daemon/service/rows/change_row.h"
#include "prometheus/metric_family.h"
#include "proto/enum_names.h"

namespace consent::ops {

using LabelList = std::initializer_list<std::pair<const char*, std::string>>;

prometheus::MetricFamily Family(std::string name, std::string help, prometheus::MetricType type);
// A counter or gauge, by the family's type.
void AddValue(prometheus::MetricFamily* family, LabelList labels, double value);

// Labels are in lower case.
std::string LowerCase(std::string_view name);
// `name`, that of `number` in an enum of the protos, in lower case; "none" for zero, "unknown" for what has no name.
std::string LabelOf(int number, std::string_view name);
template <typename Enum>
std::string Label(int number) {
  return LabelOf(number, proto::EnumName<Enum>(number));
}
inline std::string Label(domain::Purpose purpose) { return Label<v1::Purpose>(static_cast<int>(purpose)); }
inline std::string Label(domain::Eligibility answer) { return Label<v1::Eligibility>(static_cast<int>(answer)); }
inline std::string Label(domain::Disposition answer) { return Label<v1::Disposition>(static_cast<int>(answer)); }
inline std::string Label(domain::MissingFact fact) { return Label<v1::MissingFact>(static_cast<int>(fact)); }
inline std::string Label(domain::Channel channel) { return Label<v1::Channel>(static_cast<int>(channel)); }
inline std::string Label(domain::Reason reason) { return Label<v1::Reason>(static_cast<int>(reason)); }
// Those of a subject's history.
inline std::string Label(service::ChangeKind kind) { return Label<v1::ChangeKind>(static_cast<int>(kind)); }
// Here "unset" is zero, which the protos keep for "not said".
inline std::string Label(domain::Choice choice) { return Label<v1::Choice>(static_cast<int>(choice) + 1); }
// As grpc-ecosystem's servers label it: "OK", "Canceled", "InvalidArgument" ... "Unknown" for what is no code.
const char* GrpcCode(absl::StatusCode code);

}  // namespace consent::ops
