#include "daemon/service/commit/answered_noes.h"

#include "daemon/base/bytes.h"
#include "daemon/base/time.h"
#include "daemon/service/rows/change_row.h"
#include "daemon/service/rows/read_errors.h"

namespace consent::service {
namespace {

// Nobody knows whether a no was said again, so none of them is the last.
void DoubtAll(domain::Command* command) {
  for (domain::ChoiceCommand& choice : command->choices) {
    if (choice.answers.IsSet()) choice.refused_again = base::kEndOfTime;
  }
}

}  // namespace

absl::Status ReadRefusedAgain(const Core& core, base::SubjectHandle subject, const domain::SubjectFacts& facts,
                              const domain::Rules& rules, domain::Command* command) {
  // Of an attempt before, which another change has overtaken.
  for (domain::ChoiceCommand& choice : command->choices) choice.refused_again = base::Instant{};
  const base::Instant first = domain::FirstAnswered(*command);
  if (!first.IsSet()) return absl::OkStatus();
  store::Sequence next = facts.revision;
  for (int looked_at = 0; next != 0; ++looked_at) {
    if (looked_at == kMostChangesSinceANo) {
      DoubtAll(command);
      return absl::OkStatus();
    }
    const auto feed = core.store.FeedAt(core.PartitionOf(subject), next);
    if (absl::IsOutOfRange(feed.status()) || (feed.ok() && feed->erased)) {
      DoubtAll(command);
      return absl::OkStatus();
    }
    ChangeRow row;
    const bool readable = feed.ok() && feed->event.subject == base::View(subject.bytes);
    if (!readable || !DecodeChangeRow(feed->event.body, &row)) return StoreUnreadable();
    for (const domain::FactChange& change : row.changes) {
      domain::NoteRefusedAgain(facts, change, feed->stamp.time, rules, command);
    }
    // What came before that no was not said since.
    if (feed->stamp.time <= first) return absl::OkStatus();
    next = row.previous;
  }
  return absl::OkStatus();
}

}  // namespace consent::service
