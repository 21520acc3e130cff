#include "daemon/ops/http_answer.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace consent::ops {
namespace {

constexpr char kOk[] = "200 OK";
constexpr char kUnavailable[] = "503 Service Unavailable";

HttpAnswer Say(const char* status, std::string text, const char* more = "") {
  return {.status = status,
          .type = "text/plain; charset=utf-8",
          .more = more,
          .body = std::make_shared<const std::string>(std::move(text))};
}

HttpAnswer SayState(bool good, HealthState state) {
  return Say(good ? kOk : kUnavailable, absl::StrCat(HealthStateName(state), "\n"));
}

}  // namespace

HttpAnswer AnswerTo(HttpAsked asked, HealthState state, size_t head_bytes) {
  switch (asked) {
    case HttpAsked::kAlive:
      return SayState(IsAlive(state), state);
    case HttpAsked::kReady:
      return SayState(IsReady(state), state);
    case HttpAsked::kElsewhere:
      return Say("404 Not Found", "There are /metrics, /livez and /readyz.\n");
    case HttpAsked::kWrongMethod:
      return Say("405 Method Not Allowed", "GET and HEAD are served.\n", "Allow: GET, HEAD\r\n");
    case HttpAsked::kBody:
      return Say("413 Content Too Large", "Requests with a body are not taken.\n");
    case HttpAsked::kTooLong:
      return Say("431 Request Header Fields Too Large",
                 absl::StrCat("A request's head is at most ", head_bytes, " bytes.\n"));
    default:
      return Say("400 Bad Request", "This is no request of HTTP/1.1 or HTTP/1.0.\n");
  }
}

HttpAnswer MetricsAnswer(std::shared_ptr<const std::string> text) {
  return {.status = kOk, .type = "text/plain; version=0.0.4; charset=utf-8", .body = std::move(text)};
}

HttpAnswer NoMetricsAnswer(std::string why) { return Say(kUnavailable, std::move(why), "Retry-After: 1\r\n"); }

std::string HeadOf(const HttpAnswer& answer, bool keep_alive) {
  return absl::StrCat("HTTP/1.1 ", answer.status, "\r\nContent-Type: ", answer.type,
                      "\r\nContent-Length: ", answer.body->size(), "\r\nCache-Control: no-store\r\n", answer.more,
                      "Connection: ", keep_alive ? "keep-alive" : "close", "\r\n\r\n");
}

}  // namespace consent::ops
