// A subject and its history as JSON objects and tables.
#pragma once

#include <vector>

#include "client/cli/output.h"
#include "consent/settings.h"
#include "consent/subject.h"

namespace consent::cli {

Json SubjectJson(const Subject& subject);
std::vector<Table> SubjectTables(const Subject& subject);

Json HistoryEntryJson(const HistoryEntry& entry);
// One line for each.
Table HistoryTable(const std::vector<HistoryEntry>& entries);
// What proves each change that has evidence, in full.
Table EvidenceTable(const std::vector<HistoryEntry>& entries);

}  // namespace consent::cli
