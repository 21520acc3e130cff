// What of a commit is journaled: the one place that says it. Pure; thread-safe.
#pragma once

#include <vector>

#include "daemon/journal/entry.h"
#include "daemon/store/store.h"

namespace consent::journal {

// How much of a commit of one kind. Every commit has an entry; README.md has the table with the reasons.
enum class Carried : uint8_t {
  kThatItHappened = 0,  // the bare entry, and that something was loosened
  kButTheTasks = 1,     // all rows but those of tasks: who has one, and how often it failed, means nothing elsewhere
  kButTheRecord = 2,    // all rows but the subject's record
  kUnlessLoosened = 3,  // all rows; the subject's record is left out where nothing but loosenings changed it
  kWhole = 4,           // all rows
};
Carried CarriedOf(service::ChangeKind kind);

// What of a table's rows.
enum class Rows : uint8_t {
  kNothing = 0,    // nobody decides by them, and nothing is owed
  kDeletions = 1,  // that a row was deleted; never a value
  kAll = 2,
};
Rows RowsOf(store::Table table);

// The tables of RowsOf that are not kNothing: what a snapshot has.
std::vector<store::Table> SnapshotTables();

// The entry of a commit, without payloads.
Entry EntryOf(const store::Committed& committed);
// The entry of a commit of which only the feed tells: no rows.
Entry BareEntry(store::Partition partition, const store::FeedRow& row);

}  // namespace consent::journal
