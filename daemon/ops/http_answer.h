// What the HTTP server answers. Pure.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "daemon/ops/health.h"
#include "daemon/ops/http_request.h"

namespace consent::ops {

struct HttpAnswer {
  const char* status = "";                  // the code and its name
  const char* type = "";                    // of the body
  const char* more = "";                    // further fields, each with its line's end
  std::shared_ptr<const std::string> body;  // never null; shared by all that get the same
};

// To all but requests for metrics. `head_bytes`: the bound that kTooLong tells of.
HttpAnswer AnswerTo(HttpAsked asked, HealthState state, size_t head_bytes);
HttpAnswer MetricsAnswer(std::shared_ptr<const std::string> text);
// 503: try again in a second.
HttpAnswer NoMetricsAnswer(std::string why);

// The status line and all fields, the blank line included.
std::string HeadOf(const HttpAnswer& answer, bool keep_alive);

}  // namespace consent::ops
