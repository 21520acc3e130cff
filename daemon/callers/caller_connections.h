// Which open connections carry calls of which caller: how many it may use, and which end when it stays over its limits.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/base/mutex.h"
#include "daemon/callers/meter.h"

namespace consent::callers {

// Connections are known by their peer's address and port, as gRPC names it: "ipv4:192.0.2.1:50000". As many are kept as
// are open. Thread-safe; what a call costs: a look-up under a lock that few connections share.
class CallerConnections {
 public:
  using Share = Meter::Share;

  CallerConnections() = default;
  // Of those that are open, none counts any more.
  ~CallerConnections();
  CallerConnections(const CallerConnections&) = delete;
  CallerConnections& operator=(const CallerConnections&) = delete;

  // A connection is open until Ended, which follows once. Two to different addresses of ours may have the same name:
  // they count as one.
  void Opened(const std::string& name);
  void Ended(const std::string& name);
  // A call of the meter's caller came by the connection. The excess: it carries none of the caller's calls of this
  // share yet, and as many as may do; or it is not open. One that was refused may be taken later.
  std::optional<Excess> Use(std::string_view name, Share share, const std::shared_ptr<Meter>& meter, Meter::Time now);

  // A caller that stayed over its limits (Meter::TakeOverstay), and the connections that calls of that share came by,
  // also such as were refused for their number.
  struct Overstay {
    std::string caller;
    std::vector<std::string> connections;
  };
  // Those that did since the last time. Once a second or so.
  std::vector<Overstay> TakeOverstays(Meter::Time now);

 private:
  // Of one share: whose calls the connection brought last, and whether it counts among the caller's.
  struct Carried {
    std::shared_ptr<Meter> meter;
    bool counts = false;
  };
  struct Entry {
    int open = 0;
    std::array<Carried, 2> carried;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  struct alignas(64) Shard {
    base::Mutex mutex;
    std::unordered_map<std::string, Entry, Hash, std::equal_to<>> open GUARDED_BY(mutex);
  };
  Shard& ShardOf(std::string_view name) { return shards_[Hash()(name) % shards_.size()]; }
  static void Release(Entry& entry);

  std::array<Shard, 16> shards_;
};

}  // namespace consent::callers
