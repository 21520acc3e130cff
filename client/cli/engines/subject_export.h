// The work of `consentctl export-subject`, without its command line: all that consentd holds about one subject.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/engines/decision_find.h"
#include "client/cli/output.h"
#include "consent/client.h"
#include "consent/reviews.h"

namespace consent::cli {

struct SubjectExport {
  AccountId account_id;
  Subject subject;
  CurrentSettings settings;
  // Newest first.
  std::vector<HistoryEntry> history;
  // The very texts that were shown to whoever consented, each once.
  std::vector<ShownText> texts;
  // In the order of receipt, ended ones included.
  std::vector<DeletionRequest> requests;
  // In the order in which they were placed, released ones included.
  std::vector<Hold> holds;
  // What people were given to hear; those of all accounts that are joined with it.
  HeardList heard;
  // What the decision log's files have of the subject; absent where none were given.
  struct Decisions {
    FindCounts counts;
    std::vector<FoundDecision> found;
  };
  std::optional<Decisions> decisions;
};

// What the files have of the subject, `now` being the time of asking. NotFound: a file cannot be read.
// ResourceExhausted: there is more than 100,000 of it, since half of it would pass for all. Else the daemon's error.
absl::StatusOr<SubjectExport::Decisions> ReadSubjectDecisions(Client& client, const AccountId& account,
                                                              const std::vector<std::string>& files, Time now);

// Reads every page. What it returns was all true at one time: where the subject changed meanwhile it is read again.
// Unavailable: it changed each of five times. Otherwise the first call's error that failed; then nothing is returned,
// since half of it would pass for all.
absl::StatusOr<SubjectExport> ReadSubject(Client& client, const AccountId& account);

// One document.
Json ExportJson(const SubjectExport& subject, Time read_at);
// As tables under headings.
std::string ExportText(const SubjectExport& subject, Time read_at);

}  // namespace consent::cli
