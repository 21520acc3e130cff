#include "daemon/app/descriptors.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "daemon/app/reads.h"
#include "daemon/rpc/limits.h"

namespace consent::app {
namespace {

// The daemon's own: 64 of HTTP, logs, locks, keys, event descriptors and gRPC's pollers (about 40 with two cores), and
// what the store opens beside its tables (its log, MANIFEST, what it is writing).
constexpr uint64_t kOwn = 112;
// The store works with fewer open tables than it has, more slowly; below this it would open one for almost every read.
constexpr uint64_t kStoreLeast = 64;
constexpr size_t kMostConnections = 512;

}  // namespace

absl::StatusOr<DescriptorPlan> PlanDescriptors(uint64_t limit) {
  static_assert(kLeastDescriptors > kOwn + kStoreLeast);
  if (limit < kLeastDescriptors) {
    return absl::FailedPreconditionError(absl::StrCat("the process may open ", limit, " files and needs at least ",
                                                      kLeastDescriptors, ": ", kStoreLeast, " for the store's tables, ",
                                                      kOwn,
                                                      " of its own, the rest for connections; raise the limit "
                                                      "(`ulimit -n`, LimitNOFILE= of systemd), best to 4096 or more"));
  }
  DescriptorPlan plan;
  plan.limit = limit;
  // Two thirds of what is over go to peers until they have enough, a ninth of that for those on their way out.
  const uint64_t over = limit - kOwn - kStoreLeast;
  const uint64_t peers = std::min<uint64_t>(over * 2 / 3, kMostConnections + kMostConnections / 8);
  plan.connections = std::max<uint64_t>(peers * 8 / 9, 1);
  plan.leaving = std::max<uint64_t>(peers - plan.connections, 1);
  // One address or user has room beside others; where there is little in all, it has all.
  plan.per_peer = plan.connections >= 64 ? plan.connections / 2 : plan.connections;
  plan.store_files = static_cast<int>(limit - kOwn - plan.connections - plan.leaving);
  return plan;
}

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = std::min<rlim_t>(limit.rlim_max, kMostDescriptors);
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  setrlimit(RLIMIT_NOFILE, &limit);
}

absl::StatusOr<DescriptorPlan> PlanOfProcess() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return absl::InternalError(absl::StrCat("getrlimit: ", std::strerror(errno)));
  }
  return PlanDescriptors(std::min<rlim_t>(limit.rlim_cur, kMostDescriptors));
}

ConnectionLimits LimitsOf(const DescriptorPlan& plan) {
  ConnectionLimits limits;
  limits.connections = plan.connections;
  limits.per_peer = plan.per_peer;
  limits.leaving = plan.leaving;
  // gRPC refuses a message that is too long with an answer; a frame that no such message needs is cut.
  limits.frames.frame_bytes = 2 * rpc::kMaxReceiveBytes;
  return limits;
}

}  // namespace consent::app
