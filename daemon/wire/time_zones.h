// Names of time zones.
#pragma once

#include <string>
#include <string_view>

namespace consent::wire {

// Whether the time zone database names a zone so, links of former names among them: by `tzdata.zi` in $TZDIR or /usr/share/zoneinfo, which
// lists every name of its release. Not by the files beside it, where `posixrules`, `localtime`, `posix/UTC` and `right/UTC` lie, too; and
// not `Factory`, which is no zone but a machine's whose zone was never set. False where the list cannot be read. Reads the list each time.
bool IsTimeZoneName(std::string_view name);

}  // namespace consent::wire
