// What a peer asks for over HTTP, read from its bytes. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace consent::ops {

enum class HttpAsked : uint8_t {
  kUnreadable = 0,   // no HTTP/1.0 or 1.1, whatever follows
  kTooLong = 1,      // the head does not end within its bound
  kNotYet = 2,       // the head may still become whole
  kWrongMethod = 3,  // neither GET nor HEAD
  kBody = 4,         // a body is announced
  kElsewhere = 5,    // no path of ours
  kMetrics = 6,
  kAlive = 7,
  kReady = 8,
};

struct HttpRequest {
  HttpAsked asked = HttpAsked::kUnreadable;
  size_t bytes = 0;         // of the head; 0 unless it was read whole
  bool head_only = false;   // HEAD
  bool keep_alive = false;  // another request may follow on the connection
};

// The first request in `bytes`, of whose head at most `most` bytes are taken. What one head is does not depend on the
// bytes behind it.
HttpRequest ReadHttpRequest(std::string_view bytes, size_t most);

}  // namespace consent::ops
