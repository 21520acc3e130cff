// What protobuf's JSON parser (3.21) lets pass and a file of ours must not contain: keys that occur twice, a scalar
// where a list belongs, null, "yes" for true, unquoted keys, comments.
#pragma once

#include <string>
#include <string_view>

#include <google/protobuf/descriptor.h>

#include "absl/status/status.h"

namespace consent::json {

// OK if `json` is exactly one JSON object by RFC 8259 (UTF-8, no byte order mark, no NUL byte, nothing after it) in
// which every key is a field of `message`, once, and every value has the JSON type of its field: a list for a repeated
// field, an object for a message or map, true or false for bool, a number for int32, a number or a string of digits for
// int64, one of its names or a number for an enum, a string for string and Timestamp, never null. Keys are compared as
// protobuf reads them: escapes decoded, `a_b` and `aB` the same. Ranges and times are left to protobuf and to whoever
// validates. Else InvalidArgument with `what`, which names the file for people, the path, what is permitted where that
// is a list, and line and column. Stops at the first problem, so that no file nests deeper than `message` does;
// `message` is not recursive. Memory in the order of the file's size. Thread-safe.
absl::Status Scan(std::string_view what, std::string_view json, const google::protobuf::Descriptor& message);

// At most `limit` bytes of `text` with everything but printable ASCII escaped, for messages.
std::string Printable(std::string_view text, size_t limit);

}  // namespace consent::json
