// Bytes as a recording of a batch: what the fast pass reads, protobuf and ReadRecording read the same; and what is
// plain the fast pass reads.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <google/protobuf/stubs/logging.h>

#include "tests/unit/wire/both_readers.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const google::protobuf::LogSilencer silencer;
  static consent::testing::BothReaders readers;
  const std::string difference = readers.Difference({reinterpret_cast<const char*>(data), size});
  if (difference.empty()) return 0;
  std::fprintf(stderr, "%s\n", difference.c_str());
  std::abort();
}
