// Whether a row's bytes are what its table holds: the one place that knows the decoder of each table. Needs no keys.
// Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/store/store.h"

namespace consent::service {

enum class RowFault : uint8_t {
  kUnknownTable = 0,  // no table of this build has the number
  kKey = 1,           // the key is none of its table
  kValue = 2,         // the value cannot be decoded, or is not that of the key
  kNone = 3,
};

// What store/FORMAT.md calls it, "deletion-by-subject"; "table-<number>" of one that this build does not know.
std::string TableName(store::Table table);

// Total. What is sealed is looked at for its size alone.
RowFault CheckRow(store::Table table, std::string_view key, std::string_view value);

// Whether the body of an event can be decoded, the facts in it included.
bool IsChangeBody(std::string_view body);

}  // namespace consent::service
