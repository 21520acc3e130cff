// Names that people give and others use, held to one rule wherever they are written: in files, options and requests.
#pragma once

#include <string>
#include <string_view>

namespace consent::base {

// Of whoever reaches a listener that names nobody else.
inline constexpr char kLocalCaller[] = "local";
// Of nobody in particular, in logs and metrics.
inline constexpr char kUnknownCaller[] = "unknown";
// Of all callers in metrics for whom there is no label any more.
inline constexpr char kOtherCallers[] = "other";

// What to say after a name that no data system may have, with the bound. Empty: one may have it. Pure.
std::string WhyNoSystemName(std::string_view name);
// The same for callers. Those three are taken. Pure.
std::string WhyNoCallerName(std::string_view name);

}  // namespace consent::base
