#include "daemon/ops/http.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <exception>
#include <list>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "daemon/ops/http_answer.h"
#include "daemon/ops/http_request.h"

namespace consent::ops {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Steady = std::chrono::steady_clock;
using Text = Collector::Text;

constexpr int kBacklog = 1024;                     // newcomers that wait for their turn in a flood
constexpr int kAcceptsAtOnce = 16;                 // then the others' turn comes
constexpr size_t kMostHeardOut = size_t{1} << 20;  // of what a refused peer still sends

// Without a query; of http://host/path its path.
std::string_view PathOf(std::string_view target) {
  constexpr std::string_view kScheme = "http://";
  if (target.substr(0, kScheme.size()) == kScheme) {
    target.remove_prefix(kScheme.size());
    target.remove_prefix(std::min(target.size(), target.find('/')));
  }
  return target.substr(0, target.find('?'));
}

HttpAsked Route(std::string_view path) {
  if (path == "/metrics") return HttpAsked::kMetrics;
  if (path == "/livez") return HttpAsked::kAlive;
  if (path == "/readyz") return HttpAsked::kReady;
  return HttpAsked::kElsewhere;
}

// Whether no head begins like this, whatever follows: TLS and other protocols are told apart at once, and so are lines
// without a CR.
bool Hopeless(std::string_view bytes) {
  if (bytes.empty()) return false;
  if (std::isalpha(static_cast<unsigned char>(bytes[0])) == 0) return true;
  const size_t line = bytes.find('\n');
  return line != std::string_view::npos && bytes[line - 1] != '\r';
}

}  // namespace

HttpRequest ReadHttpRequest(std::string_view bytes, size_t most) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  HttpRequest request;
  if (Hopeless(bytes)) return request;
  const size_t end = bytes.substr(0, most).find(kEnd);
  if (end == std::string_view::npos) {
    request.asked = bytes.size() < most ? HttpAsked::kNotYet : HttpAsked::kTooLong;
    return request;
  }
  const std::string_view head = bytes.substr(0, end + kEnd.size());
  http::request_parser<http::empty_body> parser;
  parser.header_limit(static_cast<uint32_t>(head.size()));
  parser.body_limit(boost::none);
  error_code error;
  parser.put(asio::buffer(head.data(), head.size()), error);
  if (error || !parser.is_header_done()) return request;
  const auto& message = parser.get();
  const bool body = message.count(http::field::transfer_encoding) != 0 || parser.content_length().value_or(0) != 0;
  request.bytes = head.size();
  request.head_only = message.method() == http::verb::head;
  request.keep_alive = !body && message.keep_alive();
  if (message.method() != http::verb::get && !request.head_only) {
    request.asked = HttpAsked::kWrongMethod;
  } else if (body) {
    request.asked = HttpAsked::kBody;
  } else {
    request.asked = Route(PathOf({message.target().data(), message.target().size()}));
  }
  return request;
}

// The event loop; all but construction, Run and Stop on its thread.
class HttpServer::Loop {
 public:
  Loop(ListeningSocket socket, Collect collect, const Health& health, const HttpLimits& limits);
  ~Loop();

 private:
  class Connection;
  using Connections = std::list<std::shared_ptr<Connection>>;

  void WaitForNewcomers();
  void TakeNewcomers();
  std::shared_ptr<Connection> WhoLeaves() const;  // there is one: not all wait for the metrics
  void TakeNewcomersAfter(std::chrono::nanoseconds pause);
  size_t count() const { return awaited_.size() + scraping_.size(); }
  // Answers of the collector's.
  void Collected(uint64_t number, const Text& text);

  const HttpLimits limits_;
  const Health& health_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_};
  asio::steady_timer next_accept_{io_};
  // Connections whose peer must send or take something, the one that waits longest in front; and those that wait for
  // the metrics.
  Connections awaited_;
  Connections scraping_;
  Text last_text_;
  Steady::time_point last_collected_;
  std::unique_ptr<Collector> collector_;
  std::thread thread_;
};

// Reads a head, answers it, and so on: one request at a time, so that pipelined ones are answered in their order.
class HttpServer::Loop::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Loop& loop, tcp::socket socket)
      : loop_(loop),
        socket_(std::move(socket)),
        timer_(loop.io_),
        in_(loop.limits_.head_bytes, '\0'),
        place_(loop.awaited_.end()) {}

  // Puts the connection into the loop's list.
  void Open() {
    place_ = loop_.awaited_.insert(loop_.awaited_.end(), shared_from_this());
    AwaitHead();
  }
  // Closes it before its time. What the peer was not given whole is taken back, so that the system keeps nothing of it,
  // and a peer that takes nothing is told at once.
  void Evict() {
    if (Unsent()) Reset();
    Close();
  }
  // Takes it out of its list. Idempotent.
  void Close() {
    if (!socket_.is_open()) return;
    const auto self = shared_from_this();  // the list may hold the last other one
    ++turn_;
    (scraping_for_ != 0 ? loop_.scraping_ : loop_.awaited_).erase(place_);
    timer_.cancel();
    error_code ignored;
    socket_.close(ignored);
  }
  Steady::time_point since() const { return since_; }
  Steady::time_point opened() const { return opened_; }
  uint64_t scraping_for() const { return scraping_for_; }

  void Scraped(const Text& text) {
    loop_.awaited_.splice(loop_.awaited_.end(), loop_.scraping_, place_);
    scraping_for_ = 0;
    since_ = Steady::now();
    Send(MetricsAnswer(text));
  }

 private:
  // From now on the peer, or the collector, has `limit`.
  void Limit(std::chrono::milliseconds limit) {
    timer_.expires_after(limit);
    timer_.async_wait([self = shared_from_this(), turn = ++turn_](error_code error) {
      if (!error && turn == self->turn_) self->TimeIsUp();
    });
  }
  // The peer has done something: it is now the one that waits shortest.
  void Renew() {
    since_ = Steady::now();
    loop_.awaited_.splice(loop_.awaited_.end(), loop_.awaited_, place_);
  }
  bool Unsent() const { return sent_ < head_.size() + (body_ == nullptr ? 0 : body_->size()); }
  // Closing will be a reset.
  void Reset() {
    error_code ignored;
    socket_.set_option(tcp::socket::linger(true, 0), ignored);
  }
  void TimeIsUp() {
    if (scraping_for_ == 0) {
      int untaken = 0;
      if (Unsent() || (ioctl(socket_.native_handle(), SIOCOUTQ, &untaken) == 0 && untaken > 0)) Reset();
      return Close();
    }
    loop_.awaited_.splice(loop_.awaited_.end(), loop_.scraping_, place_);
    scraping_for_ = 0;
    since_ = Steady::now();
    request_.keep_alive = false;
    Limit(loop_.limits_.answer_time);
    Send(NoMetricsAnswer("The metrics are still being collected.\n"));
  }

  void AwaitHead() {
    Renew();
    Limit(loop_.limits_.head_time);
    ReadOrServe();
  }
  void ReadOrServe() {
    request_ = ReadHttpRequest({in_.data(), filled_}, in_.size());
    if (request_.asked != HttpAsked::kNotYet) return Serve();
    socket_.async_read_some(asio::buffer(&in_[filled_], in_.size() - filled_),
                            [self = shared_from_this()](error_code error, size_t bytes) {
                              self->filled_ += bytes;
                              if (!self->socket_.is_open()) return;
                              if (!error) return self->ReadOrServe();
                              if (error != asio::error::eof || self->filled_ == 0) return self->Close();
                              self->request_ = HttpRequest();  // a head that will never end
                              self->Serve();
                            });
  }
  void Serve() {
    std::memmove(in_.data(), in_.data() + request_.bytes, filled_ - request_.bytes);
    filled_ -= request_.bytes;
    Limit(loop_.limits_.answer_time);
    if (request_.asked != HttpAsked::kMetrics) return Send(AnswerTo(request_.asked, loop_.health_.state(), in_.size()));
    if (loop_.scraping_.size() < loop_.limits_.connections * 3 / 4) {
      scraping_for_ = loop_.collector_->Ask();
      loop_.scraping_.splice(loop_.scraping_.end(), loop_.awaited_, place_);
    } else if (loop_.last_text_ != nullptr && Steady::now() - loop_.last_collected_ <= loop_.limits_.shared_age) {
      Send(MetricsAnswer(loop_.last_text_));
    } else {
      Send(NoMetricsAnswer("Too many wait for the metrics.\n"));
    }
  }

  void Send(const HttpAnswer& answer) {
    head_ = HeadOf(answer, request_.keep_alive);
    body_ = request_.head_only ? nullptr : answer.body;
    sent_ = 0;
    SendMore();
  }
  void SendMore() {
    if (!Unsent()) return Sent();
    const size_t of_head = std::min(sent_, head_.size());
    const size_t of_body = sent_ - of_head;
    const std::array<asio::const_buffer, 2> rest = {
        asio::buffer(head_) + of_head, body_ == nullptr ? asio::const_buffer() : asio::buffer(*body_) + of_body};
    socket_.async_write_some(rest, [self = shared_from_this()](error_code error, size_t bytes) {
      if (error || !self->socket_.is_open()) return self->Close();
      self->sent_ += bytes;
      self->Renew();
      self->SendMore();
    });
  }
  void Sent() {
    head_.clear();
    body_ = nullptr;
    if (request_.keep_alive) return AwaitHead();
    // Closing while the peer still sends would take the answer away from it: it is told that nothing more comes, and
    // then heard out.
    error_code error;
    socket_.shutdown(tcp::socket::shutdown_send, error);
    if (error) return Close();
    Renew();
    Limit(loop_.limits_.head_time);
    filled_ = 0;
    HearOut();
  }
  void HearOut() {
    socket_.async_read_some(asio::buffer(in_), [self = shared_from_this()](error_code error, size_t bytes) {
      self->filled_ += bytes;
      if (error || !self->socket_.is_open() || self->filled_ > kMostHeardOut) return self->Close();
      self->HearOut();
    });
  }

  Loop& loop_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  uint64_t turn_ = 0;  // tells the present limit from an earlier one whose time came just now
  std::string in_;
  size_t filled_ = 0;  // bytes of in_; while a peer is heard out, all that came
  HttpRequest request_;
  std::string head_;
  Text body_;
  size_t sent_ = 0;  // of head_ and body_
  Connections::iterator place_;
  const Steady::time_point opened_ = Steady::now();
  Steady::time_point since_ = opened_;
  uint64_t scraping_for_ = 0;  // the collection that it waits for; 0: none, and it is in awaited_
};

HttpServer::Loop::Loop(ListeningSocket socket, Collect collect, const Health& health, const HttpLimits& limits)
    : limits_(limits), health_(health) {
  acceptor_.assign(socket.address().kind() == Address::Kind::kIpv6 ? tcp::v6() : tcp::v4(), socket.fd());
  (void)socket.Release();
  collector_ = std::make_unique<Collector>(std::move(collect), [this](uint64_t number, Text text) {
    asio::post(io_, [this, number, text = std::move(text)] { Collected(number, text); });
  });
  WaitForNewcomers();
  thread_ = std::thread([this] { io_.run(); });
}

HttpServer::Loop::~Loop() {
  io_.stop();
  thread_.join();
  for (Connections* list : {&awaited_, &scraping_}) {
    while (!list->empty()) list->front()->Evict();
  }
  collector_.reset();  // last: it may be in the middle of its work, and what it posts needs the context
}

void HttpServer::Loop::WaitForNewcomers() {
  acceptor_.async_wait(tcp::acceptor::wait_read, [this](error_code error) {
    if (!error) TakeNewcomers();
  });
}

void HttpServer::Loop::TakeNewcomersAfter(std::chrono::nanoseconds pause) {
  next_accept_.expires_after(pause);
  next_accept_.async_wait([this](error_code error) {
    if (!error) TakeNewcomers();
  });
}

// The one for whose peer we have waited longest; where all are busy the one that has been here longest, or they would
// share the server for good.
std::shared_ptr<HttpServer::Loop::Connection> HttpServer::Loop::WhoLeaves() const {
  if (Steady::now() - awaited_.front()->since() >= limits_.least_stay) return awaited_.front();
  return *std::min_element(awaited_.begin(), awaited_.end(),
                           [](const auto& a, const auto& b) { return a->opened() < b->opened(); });
}

void HttpServer::Loop::TakeNewcomers() {
  for (int taken = 0; taken < kAcceptsAtOnce; ++taken) {
    std::shared_ptr<Connection> leaves;
    if (count() >= limits_.connections) {
      leaves = WhoLeaves();
      const auto stayed = Steady::now() - leaves->opened();
      if (stayed < limits_.least_stay) return TakeNewcomersAfter(limits_.least_stay - stayed);
    }
    const int fd = accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)) break;
    if (fd < 0) {  // no descriptors or memory: one of ours may help, and trying at once again would not
      if (!awaited_.empty()) awaited_.front()->Evict();
      return TakeNewcomersAfter(limits_.accept_pause);
    }
    if (leaves != nullptr) leaves->Evict();
    tcp::socket socket(io_);
    error_code error;
    socket.assign(tcp::v4(), fd, error);
    if (error) {
      close(fd);
      continue;
    }
    socket.set_option(tcp::no_delay(true), error);
    std::make_shared<Connection>(*this, std::move(socket))->Open();
  }
  WaitForNewcomers();
}

void HttpServer::Loop::Collected(uint64_t number, const Text& text) {
  last_text_ = text;
  last_collected_ = Steady::now();
  while (!scraping_.empty() && scraping_.front()->scraping_for() <= number) scraping_.front()->Scraped(text);
}

HttpServer::HttpServer(Address address, std::unique_ptr<Loop> loop)
    : address_(std::move(address)), loop_(std::move(loop)) {}

HttpServer::~HttpServer() = default;

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const Address& address, Collect collect,
                                                              const Health& health, const HttpLimits& limits) {
  absl::StatusOr<ListeningSocket> socket = ListeningSocket::Open(address, kBacklog);
  if (!socket.ok()) return socket.status();
  const Address bound = socket->address();
  try {
    auto loop = std::make_unique<Loop>(*std::move(socket), std::move(collect), health, limits);
    return std::unique_ptr<HttpServer>(new HttpServer(bound, std::move(loop)));
  } catch (const std::exception& error) {
    return absl::ResourceExhaustedError(absl::StrCat("serving HTTP on ", bound.ToText(),
                                                     " cannot start: ", error.what(),
                                                     "; raise the limits of threads, memory and open files"));
  }
}

}  // namespace consent::ops
