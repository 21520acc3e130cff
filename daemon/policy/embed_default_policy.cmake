# Writes OUTPUT, a C++ source that returns the bytes of INPUT, as numbers: no delimiter or length limit of string literals
# can bite. Usage: cmake -DINPUT=... -DOUTPUT=... -P embed_default_policy.cmake
file(READ ${INPUT} hex HEX)
if(hex STREQUAL "")
  message(FATAL_ERROR "${INPUT} is empty")
endif()
string(REPEAT "[0-9a-f]" 48 row)
string(REGEX REPLACE "(${row})" "\\1\n    " bytes "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
file(WRITE ${OUTPUT}.new "// Generated from deploy/policy.json.
#include \"daemon/policy/default_policy.h\"

namespace consent::policy {
namespace {

constexpr char kJson[] = {
    ${bytes}
};

}  // namespace

std::string_view DefaultPolicyJson() { return {kJson, sizeof kJson}; }

}  // namespace consent::policy
")
file(RENAME ${OUTPUT}.new ${OUTPUT})
