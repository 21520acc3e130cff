// Bytes as what one connection sends: heads are read one after the other as the server does, and each answer is
// checked.
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "daemon/ops/http_request.h"

namespace {

using consent::ops::HttpAsked;
using consent::ops::HttpRequest;

// Small, so that the fuzzer finds the bound.
constexpr size_t kMost = 512;

void Require(bool condition) {
  if (!condition) std::abort();
}

bool Same(const HttpRequest& left, const HttpRequest& right) {
  return left.asked == right.asked && left.bytes == right.bytes && left.head_only == right.head_only &&
         left.keep_alive == right.keep_alive;
}

// What the head is does not depend on how its bytes come: each part of it is "not yet", until the answer stands and
// stays.
void RequireNoMatterTheParts(std::string_view bytes, const HttpRequest& whole) {
  bool decided = false;
  for (size_t size = 0; size <= std::min(bytes.size(), kMost); ++size) {
    const HttpRequest part = consent::ops::ReadHttpRequest(bytes.substr(0, size), kMost);
    if (part.asked == HttpAsked::kNotYet) {
      Require(!decided);
    } else {
      Require(Same(part, whole));
      decided = true;
    }
  }
  Require(decided == (whole.asked != HttpAsked::kNotYet));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (bool first = true;; first = false) {
    const HttpRequest request = consent::ops::ReadHttpRequest(bytes, kMost);
    if (first) RequireNoMatterTheParts(bytes, request);
    const bool read = request.asked > HttpAsked::kNotYet;
    Require(read == (request.bytes != 0) && request.bytes <= std::min(bytes.size(), kMost));
    Require(read || (!request.keep_alive && !request.head_only));
    Require(request.asked != HttpAsked::kBody || !request.keep_alive);
    Require(request.asked != HttpAsked::kTooLong || bytes.size() >= kMost);
    if (read) Require(bytes.substr(request.bytes - 4, 4) == "\r\n\r\n");
    if (!request.keep_alive) return 0;
    bytes.remove_prefix(request.bytes);
  }
}
