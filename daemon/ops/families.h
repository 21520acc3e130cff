// Short ways to write metric families, and the words that labels are made of. Pure.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "daemon/domain/decision.h"
#include "daemon/domain/transitions.h"
#include "daemon/domain/types.h"
#include "daemon/service/rows/change_row.h"
#include "prometheus/metric_family.h"

namespace consent::ops {

using LabelList = std::initializer_list<std::pair<const char*, std::string>>;

prometheus::MetricFamily Family(std::string name, std::string help, prometheus::MetricType type);
// A counter or gauge, by the family's type.
void AddValue(prometheus::MetricFamily* family, LabelList labels, double value);

// The names of consent.v1 without prefix, in lower case; "none" for zero, "unknown" for what is no value. Never null.
const char* Label(domain::Purpose purpose);
const char* Label(domain::Choice choice);
const char* Label(domain::Eligibility eligibility);
const char* Label(domain::Disposition disposition);
const char* Label(domain::Channel channel);
const char* Label(service::ChangeKind kind);
const char* Label(absl::StatusCode code);  // "ok", "invalid_argument" ...
// domain::ReasonName in lower case.
std::string Label(domain::Reason reason);

}  // namespace consent::ops
