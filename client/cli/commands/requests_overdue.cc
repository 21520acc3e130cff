// consentctl requests overdue.
#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "client/cli/commands/requests.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"
#include "client/cli/render/render_deletion.h"

namespace consent::cli {
namespace {

constexpr int kMostOverdue = 100'000;

bool IsDueBefore(const DeletionRequest& a, const DeletionRequest& b) {
  return std::pair(a.due_at, a.deletion_id) < std::pair(b.due_at, b.deletion_id);
}

// Keeps the `most` that are due first.
class Earliest {
 public:
  explicit Earliest(size_t most) : most_(most) {}
  void Add(const DeletionRequest& request) {
    ++seen_;
    kept_.push_back(request);
    std::push_heap(kept_.begin(), kept_.end(), IsDueBefore);
    if (kept_.size() <= most_) return;
    std::pop_heap(kept_.begin(), kept_.end(), IsDueBefore);
    kept_.pop_back();
  }
  uint64_t seen() const { return seen_; }
  // In the order in which they were due.
  std::vector<DeletionRequest> Take() {
    std::sort_heap(kept_.begin(), kept_.end(), IsDueBefore);
    return std::move(kept_);
  }

 private:
  const size_t most_;
  uint64_t seen_ = 0;
  std::vector<DeletionRequest> kept_;
};

int RunOverdue(const Cli& cli, int limit) {
  return cli.WithClient([&](Client& client) {
    // Whether it is overdue is by the daemon's clock, so all open ones are looked at.
    DeletionQuery query;
    query.due_before = kAfterEveryDueTime;
    Earliest earliest(static_cast<size_t>(limit));
    const absl::Status status = ReadRequestPages(client, query, [&earliest](const DeletionRequest& request) {
      if (request.overdue) earliest.Add(request);
    });
    if (!status.ok()) return PrintError(status, cli.json);
    const uint64_t seen = earliest.seen();
    const std::vector<DeletionRequest> listed = earliest.Take();
    const bool complete = seen == listed.size();
    Report report;
    report.json = {{"complete", complete}, {"overdue", seen}, {"limit", limit}, {"requests", Json::array()}};
    for (const DeletionRequest& request : listed) report.json["requests"].push_back(DeletionJson(request));
    Table head("overdue", {"OVERDUE", "LISTED", "COMPLETE"});
    head.Add({std::to_string(seen), std::to_string(listed.size()), YesNo(complete)});
    report.tables = {head, DeletionsTable(listed)};
    return Print(report, cli, kDone);
  });
}

}  // namespace

void AddRequestsOverdue(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand("overdue",
                                         "All requests that somebody asked for, of all accounts, that are open past "
                                         "their due time, those due first at the "
                                         "top; says whether the list is complete");
  auto limit = std::make_shared<int>(10'000);
  AddNumber(app, "--limit", limit.get(), 1, kMostOverdue, "List at most so many, 1 to 100000 (default 10000)");
  app->callback([&cli, limit] { cli.action = [&cli, limit] { return RunOverdue(cli, *limit); }; });
}

}  // namespace consent::cli
