// Deletion requests, data systems and tasks as JSON objects and tables.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "client/cli/output.h"
#include "consent/deletion.h"
#include "consent/purge.h"

namespace consent::cli {

// "everything", "time_range", "spoken_day", "recordings", "profile", "device", "purpose_copies", "voice_id",
// "account_closure"; empty where it is not known.
std::string SelectorKind(const DeletionSelector& selector);
// An object with "kind" and what belongs to it; null where it is not known.
Json SelectorJson(const DeletionSelector& selector);
// {"from", "to"}, null for an end that is open; null where there is none.
Json RangeJson(const std::optional<TimeRange>& range);
// "90d", "12h", "15min", "30s": the largest unit that needs no fraction.
std::string DurationText(std::chrono::seconds duration);

Json DeletionJson(const DeletionRequest& request);
// All about one request.
std::vector<Table> DeletionTables(const DeletionRequest& request);
// One line for each.
Table DeletionsTable(const std::vector<DeletionRequest>& requests);

Json DataSystemJson(const DataSystem& system);
Table DataSystemsTable(const std::vector<DataSystem>& systems);

// All of them, and "asked".
Json SweepCountsJson(const SweepCounts& counts);

Json TaskJson(const TaskStatus& task);
Table TasksTable(const std::vector<TaskStatus>& tasks);
Json TaskRetryJson(const TaskRetry& task);
Table TaskRetriesTable(const std::vector<TaskRetry>& tasks);

// Where a listing goes on: one row, or none at its end.
Table NextPageTable(const std::string& token);

}  // namespace consent::cli
