// UTF-8 as RFC 3629 has it.
#pragma once

#include <string_view>

namespace consent::base {

// No over-long forms, no surrogates, nothing above U+10FFFF; linear time. Pure; thread-safe.
bool IsUtf8(std::string_view text);

}  // namespace consent::base
