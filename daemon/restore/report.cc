#include "daemon/restore/report.h"

namespace consent::restore {

std::vector<std::pair<std::string, uint64_t>> Counts(const Report& report) {
  return {{"entries", report.entries},
          {"changes_without_text", report.changes_without_text},
          {"subjects", report.subjects},
          {"loosened", report.loosened},
          {"erased", report.erased},
          {"unknown", report.unknown},
          {"requests", report.requests},
          {"requests_needing_ids", report.requests_needing_ids},
          {"holds", report.holds},
          {"holds_needing_ids", report.holds_needing_ids},
          {"policies", report.policies},
          {"systems", report.systems},
          {"decision_keys_lost", report.decision_keys_lost},
          {"rows_erased", report.rows_erased}};
}

}  // namespace consent::restore
