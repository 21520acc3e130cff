// What a restore did. Counts alone: no ids.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace consent::restore {

struct Report {
  uint64_t entries = 0;               // of the journal, later than the backup
  uint64_t changes_without_text = 0;  // of the feed: what they said is lost, that and in which order they were is kept
  uint64_t subjects = 0;              // of which a change was lost with the store, and whose record is there
  uint64_t loosened = 0;              // of these: RESTORED, because something that allowed more is lost
  uint64_t erased = 0;                // of these: closed and erased since the backup, and again now
  uint64_t unknown = 0;               // first known after the backup, and nothing forbids them anything: unknown again
  uint64_t requests = 0;              // deletion requests that were made or changed since
  uint64_t requests_needing_ids = 0;  // open ones of these, whose ids cannot be opened
  uint64_t holds = 0;                 // that were placed since
  uint64_t holds_needing_ids = 0;     // of these
  uint64_t policies = 0;              // versions that came into force since
  uint64_t systems = 0;               // data systems that were registered or changed since
  uint64_t decision_keys_lost = 0;    // of the decision log, made since: lines under them name nobody
  uint64_t rows_erased = 0;           // rows that left the files, those of the feed included
};

// Name and count of each, in the order above; for the log and the report's file.
std::vector<std::pair<std::string, uint64_t>> Counts(const Report& report);

}  // namespace consent::restore
