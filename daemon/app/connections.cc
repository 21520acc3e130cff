#include "daemon/app/connections.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string_view>
#include <utility>

#include "daemon/app/peer_name.h"
#include "daemon/app/reads.h"

namespace consent::app {
namespace {

// How long a peer that was cut is paced, how many of its turns may be given ahead, and how many such peers are kept in
// mind.
constexpr std::chrono::seconds kPaced{1};
constexpr int kMostTurns = 32;
constexpr size_t kMostPaces = 1024;

// Whether bytes wait that gRPC has not come to read yet.
bool HasUnread(int fd) {
  int bytes = 0;
  return ioctl(fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

}  // namespace

const char* CloseReasonName(CloseReason reason) {
  switch (reason) {
    case CloseReason::kEnded:
      return "ended";
    case CloseReason::kEvicted:
      return "evicted";
    case CloseReason::kTurnedAway:
      return "turned_away";
    case CloseReason::kDrained:
      return "drained";
    case CloseReason::kOverLimit:
      return "over_limit";
  }
  return FrameFaultName(static_cast<FrameFault>(reason));
}

uint64_t ConnectionCounts::cut() const {
  uint64_t sum = 0;
  for (size_t fault = 1; fault < kFrameFaults; ++fault) sum += closed[fault];
  return sum;
}

class Connections::Connection final : public Follower {
 public:
  Connection(Connections& owner, const FrameLimits& limits) : owner_(owner), bound_(limits) {}

  bool MayPass(const uint8_t* bytes, size_t size, int64_t now) override;
  bool MayPassDeciphered(uint64_t life, const uint8_t* bytes, size_t size, int64_t now) override;
  void Closed() override;

  uint64_t frames() {
    base::MutexLock lock(mutex_);
    return bound_.frames();
  }
  void Begin(const FrameLimits& limits, Spoken spoken, uint64_t life);
  // gRPC has not closed it, and whatever it still reads is none of ours.
  void Abandon();

  // Under Connections::mutex_.
  int fd = -1;
  bool own = false;  // AdmitOwn
  uint64_t order = 0;
  std::string peer;
  std::string name;  // as gRPC names the peer; of a TLS connection
  std::chrono::steady_clock::time_point since{};
  Stage stage = Stage::kFree;
  // Without a lock.
  std::atomic<bool> out{false};    // turned out: nothing more may pass
  std::atomic<bool> heard{false};  // read from since the drain began
  std::atomic<uint64_t> open_body_bytes{0};

 private:
  bool MayFeed(const uint8_t* bytes, size_t size, int64_t now);
  // Of a TLS connection, what comes before anything is deciphered. False: it is none, or shows another one's random.
  bool TakeHello(const uint8_t* bytes, size_t size) REQUIRES(mutex_);

  Connections& owner_;
  // gRPC reads a connection from one thread at a time; the lock says so to whoever looks for races.
  base::Mutex mutex_;
  FrameBound bound_ GUARDED_BY(mutex_);
  bool greeted_ GUARDED_BY(mutex_) = false;
  bool called_ GUARDED_BY(mutex_) = false;
  Spoken spoken_ GUARDED_BY(mutex_) = Spoken::kHttp2;
  uint64_t life_ GUARDED_BY(mutex_) = 0;  // the order while it is used, else 0
  std::string hello_ GUARDED_BY(mutex_);  // of a TLS connection: how it began, until there is the random
  std::optional<HelloRandom> random_ GUARDED_BY(mutex_);
  bool deciphered_ GUARDED_BY(mutex_) = false;
};

bool Connections::Connection::MayPass(const uint8_t* bytes, size_t size, int64_t now) {
  if (out.load()) return false;
  heard.store(true, std::memory_order_relaxed);
  bool is_tls = false;
  bool good = true;
  bool greets = false;
  {
    base::MutexLock lock(mutex_);
    is_tls = spoken_ == Spoken::kTls;
    if (is_tls && !random_) {
      good = TakeHello(bytes, size);
      greets = !greeted_;
      greeted_ = true;
    }
  }
  if (!is_tls) return MayFeed(bytes, size, now);
  if (greets) owner_.MoveOn(this, /*called=*/false);
  if (!good) owner_.Cut(this, FrameFault::kPreface);
  return good && !out.load();
}

bool Connections::Connection::TakeHello(const uint8_t* bytes, size_t size) {
  hello_.append(reinterpret_cast<const char*>(bytes), std::min(size, kHelloBytes - hello_.size()));
  if (hello_.size() < kHelloBytes) return true;
  HelloRandom random{};
  if (!ReadHelloRandom(hello_, &random) || !FollowDeciphered(random, this, life_)) return false;
  random_ = random;
  return true;
}

bool Connections::Connection::MayPassDeciphered(uint64_t life, const uint8_t* bytes, size_t size, int64_t now) {
  {
    base::MutexLock lock(mutex_);
    if (life != life_) return false;
    deciphered_ = true;
  }
  return !out.load() && MayFeed(bytes, size, now);
}

void Connections::Connection::Closed() {
  bool handshake_failed = false;
  {
    base::MutexLock lock(mutex_);
    if (random_) UnfollowDeciphered(*random_);
    handshake_failed = spoken_ == Spoken::kTls && !deciphered_;
    life_ = 0;
  }
  owner_.Forget(this, handshake_failed);
}

void Connections::Connection::Abandon() {
  Unfollow(fd);
  base::MutexLock lock(mutex_);
  if (random_) UnfollowDeciphered(*random_);
  life_ = 0;
}

bool Connections::Connection::MayFeed(const uint8_t* bytes, size_t size, int64_t now) {
  FrameFault fault = FrameFault::kNone;
  bool moves_on = false;
  bool called = false;
  uint64_t body_bytes = 0;
  {
    base::MutexLock lock(mutex_);
    fault = bound_.Feed(bytes, size, now);
    called = bound_.called();
    moves_on = !greeted_ || called != called_;
    greeted_ = true;
    called_ = called;
    body_bytes = bound_.open_body_bytes();
  }
  if (fault != FrameFault::kNone) {
    owner_.Cut(this, fault);
    return false;
  }
  if (moves_on) owner_.MoveOn(this, called);
  const uint64_t before = open_body_bytes.exchange(body_bytes);
  if (before != body_bytes) owner_.CountOpenBodies(static_cast<int64_t>(body_bytes) - static_cast<int64_t>(before));
  return !out.load();
}

void Connections::Connection::Begin(const FrameLimits& limits, Spoken spoken, uint64_t life) {
  out.store(false);
  heard.store(false);
  base::MutexLock lock(mutex_);
  bound_ = FrameBound(limits);
  greeted_ = false;
  called_ = false;
  spoken_ = spoken;
  life_ = life;
  hello_.clear();
  random_.reset();
  deciphered_ = false;
}

Connections::Connections(const ConnectionLimits& limits, callers::CallerConnections* callers)
    : limits_(limits), callers_(callers) {}

Connections::~Connections() {
  constexpr std::chrono::seconds kPatience{5};
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  base::MutexLock lock(mutex_);
  while (!used_.empty() && std::chrono::steady_clock::now() < deadline) {
    forgotten_.WaitFor(mutex_, std::chrono::milliseconds(100));
  }
  for (const auto& [order, connection] : used_) {
    if (connection->stage != Stage::kLeaving) Uncount(connection);
    connection->Abandon();
  }
}

bool Connections::Crowded() const {
  base::MutexLock lock(mutex_);
  return used_.size() - open_ >= limits_.leaving;
}

Admission Connections::Admit(int fd, const std::string& peer, Spoken spoken) {
  base::MutexLock lock(mutex_);
  const auto at = peers_.find(peer);
  const bool too_many_of_peer = at != peers_.end() && at->second >= limits_.per_peer;
  const auto now = std::chrono::steady_clock::now();
  if (too_many_of_peer || open_ >= limits_.connections) {
    Connection* leaves = Choose(too_many_of_peer ? &peer : nullptr);
    if (leaves == nullptr) {
      ++closed_[static_cast<size_t>(CloseReason::kTurnedAway)];
      return Admission::kTurnedAway;
    }
    if (leaves->stage == Stage::kSilent && now - leaves->since < limits_.least_stay) {
      // Others have room and do not wait for one peer; its own connections wait for each other only where they have
      // something to say.
      if (open_ >= limits_.connections || HasUnread(fd)) return Admission::kLater;
      ++closed_[static_cast<size_t>(CloseReason::kTurnedAway)];
      return Admission::kTurnedAway;
    }
    TurnOut(leaves, CloseReason::kEvicted);
  }
  if (fd >= kMostDescriptors) {
    ++closed_[static_cast<size_t>(CloseReason::kTurnedAway)];
    return Admission::kTurnedAway;
  }
  Connection* const connection = NewConnection();
  connection->peer = peer;
  Use(connection, fd, /*own=*/false, spoken);
  ++peers_[peer];
  ++open_;
  return Admission::kAdmitted;
}

bool Connections::AdmitOwn(int fd) {
  base::MutexLock lock(mutex_);
  if (fd >= kMostDescriptors) return false;
  Use(NewConnection(), fd, /*own=*/true, Spoken::kHttp2);
  return true;
}

Connections::Connection* Connections::NewConnection() {
  if (free_.empty()) free_.push_back(all_.emplace_back(std::make_unique<Connection>(*this, limits_.frames)).get());
  return free_.back();
}

void Connections::Use(Connection* connection, int fd, bool own, Spoken spoken) {
  free_.pop_back();
  connection->fd = fd;
  connection->own = own;
  connection->order = ++admitted_;
  connection->since = std::chrono::steady_clock::now();
  connection->stage = Stage::kSilent;
  connection->Begin(limits_.frames, spoken, connection->order);
  used_.emplace(connection->order, connection);
  connection->name = spoken == Spoken::kTls ? PeerName(fd) : std::string();
  if (callers_ != nullptr && !connection->name.empty()) callers_->Opened(connection->name);
  (void)Follow(fd, connection);
}

std::optional<std::chrono::steady_clock::time_point> Connections::MayComeAt(const std::string& peer) {
  const auto now = std::chrono::steady_clock::now();
  base::MutexLock lock(mutex_);
  const auto pace = paces_.find(peer);
  if (pace == paces_.end()) return now;
  if (now - pace->second.cut > kPaced) {
    paces_.erase(pace);
    return now;
  }
  const auto turn = std::max(now, pace->second.next);
  if (turn - now > limits_.after_cut * kMostTurns) return std::nullopt;
  pace->second.next = turn + limits_.after_cut;
  return turn;
}

bool Connections::HasRoomFor(size_t waiting) const {
  base::MutexLock lock(mutex_);
  return open_ + waiting < limits_.connections;
}

void Connections::CountTurnedAway() {
  base::MutexLock lock(mutex_);
  ++closed_[static_cast<size_t>(CloseReason::kTurnedAway)];
}

Connections::Connection* Connections::Choose(const std::string* peer) const {
  // A flood of new connections must not push out one whose first bytes are on their way; a look at each would cost too
  // much.
  constexpr int kLooks = 8;
  int looks = 0;
  Connection* silent = nullptr;
  Connection* greeted = nullptr;
  for (const auto& [order, connection] : used_) {
    if (connection->own || (peer != nullptr && connection->peer != *peer)) continue;
    if (connection->stage == Stage::kGreeted && greeted == nullptr) greeted = connection;
    if (connection->stage != Stage::kSilent) continue;
    if (silent == nullptr) silent = connection;
    if (++looks > kLooks) break;
    if (!HasUnread(connection->fd)) return connection;
  }
  return silent != nullptr && greeted == nullptr ? silent : greeted;
}

void Connections::TurnOut(Connection* connection, CloseReason reason) {
  Uncount(connection);
  connection->stage = Stage::kLeaving;
  connection->out.store(true);
  if (!connection->own) ++closed_[static_cast<size_t>(reason)];
  shutdown(connection->fd, SHUT_RDWR);  // gRPC hears of it and closes
}

void Connections::Uncount(Connection* connection) {
  if (!connection->own) {
    --open_;
    const auto peer = peers_.find(connection->peer);
    if (--peer->second == 0) peers_.erase(peer);
  }
  if (callers_ != nullptr && !connection->name.empty()) callers_->Ended(connection->name);
  open_body_bytes_.fetch_sub(static_cast<int64_t>(connection->open_body_bytes.exchange(0)));
}

size_t Connections::EndNamed(const std::vector<std::string>& names, CloseReason reason) {
  const std::set<std::string_view> ending(names.begin(), names.end());
  size_t ended = 0;
  base::MutexLock lock(mutex_);
  for (const auto& [order, connection] : used_) {
    if (connection->stage == Stage::kLeaving || ending.count(connection->name) == 0) continue;
    BeginPace(connection->peer);
    TurnOut(connection, reason);
    ++ended;
  }
  return ended;
}

uint64_t Connections::FramesSeen(int fd) const {
  base::MutexLock lock(mutex_);
  for (const auto& [order, connection] : used_) {
    if (connection->fd == fd) return connection->frames();
  }
  return 0;
}

void Connections::EndCallless() {
  base::MutexLock lock(mutex_);
  for (const auto& [order, connection] : used_) {
    connection->heard.store(false);
    if (connection->stage == Stage::kSilent || connection->stage == Stage::kGreeted) {
      TurnOut(connection, CloseReason::kDrained);
    }
  }
}

void Connections::EndSilent() {
  base::MutexLock lock(mutex_);
  for (const auto& [order, connection] : used_) {
    if (connection->stage != Stage::kLeaving && !connection->heard.load()) TurnOut(connection, CloseReason::kDrained);
  }
}

void Connections::Cut(Connection* connection, FrameFault fault) {
  base::MutexLock lock(mutex_);
  if (connection->stage == Stage::kLeaving) return;
  BeginPace(connection->peer);
  TurnOut(connection, static_cast<CloseReason>(fault));
}

void Connections::BeginPace(const std::string& peer) {
  const auto now = std::chrono::steady_clock::now();
  if (paces_.size() >= kMostPaces) {
    std::erase_if(paces_, [&](const auto& pace) { return now - pace.second.cut > kPaced; });
  }
  if (paces_.size() < kMostPaces || paces_.count(peer) != 0) paces_[peer].cut = now;
}

void Connections::MoveOn(Connection* connection, bool called) {
  base::MutexLock lock(mutex_);
  if (connection->stage != Stage::kLeaving) connection->stage = called ? Stage::kCalled : Stage::kGreeted;
}

void Connections::CountOpenBodies(int64_t more) {
  const auto most = static_cast<int64_t>(limits_.open_body_bytes);
  if (open_body_bytes_.fetch_add(more) + more <= most || more < 0) return;
  base::MutexLock lock(mutex_);
  if (open_body_bytes_.load() <= most) return;  // somebody else was faster
  Connection* largest = nullptr;
  for (const auto& [order, connection] : used_) {
    if (connection->own || connection->stage == Stage::kLeaving) continue;
    if (largest == nullptr || connection->open_body_bytes.load() > largest->open_body_bytes.load()) {
      largest = connection;
    }
  }
  if (largest != nullptr) TurnOut(largest, static_cast<CloseReason>(FrameFault::kOpenBodies));
}

void Connections::Forget(Connection* connection, bool handshake_failed) {
  base::MutexLock lock(mutex_);
  if (handshake_failed) ++handshakes_failed_;
  if (connection->stage != Stage::kLeaving) {
    if (!connection->own) ++closed_[static_cast<size_t>(CloseReason::kEnded)];
    Uncount(connection);
  }
  // A read that was under way when it was turned out may have added to it.
  open_body_bytes_.fetch_sub(static_cast<int64_t>(connection->open_body_bytes.exchange(0)));
  used_.erase(connection->order);
  connection->fd = -1;
  connection->stage = Stage::kFree;
  free_.push_back(connection);
  forgotten_.NotifyAll();
}

ConnectionCounts Connections::Counts() const {
  base::MutexLock lock(mutex_);
  return {open_, closed_, handshakes_failed_};
}

}  // namespace consent::app
