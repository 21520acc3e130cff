// UTF-8 as RFC 3629 has it: no over-long forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <string_view>

namespace consent {

bool IsUtf8(std::string_view text);

}  // namespace consent
