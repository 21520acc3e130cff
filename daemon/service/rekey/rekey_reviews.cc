// Review grants under new keys. All are over in the copy: what they sealed is not carried, and tools ask for others.
// What was heard, by whom lately, and what was revoked stays.
#include <utility>

#include "daemon/domain/other_handles.h"
#include "daemon/service/rekey/rekey.h"
#include "daemon/service/rows/cap_rows.h"
#include "daemon/service/rows/population_rows.h"
#include "daemon/service/rows/review_rows.h"
#include "daemon/service/state/core.h"

namespace consent::service {
namespace {

using store::Table;

constexpr size_t kSubjectKeyBytes = sizeof(base::DiskKey);

absl::Status DamagedReview() {
  return absl::DataLossError("a row of review cannot be read: consentd store verify says more");
}

}  // namespace

Rekey::Row Rekey::ReviewRowOf(store::Partition partition, std::string_view key, std::string_view value) const {
  const auto one = [](std::string at, std::string row) {
    std::vector<store::Write> rows;
    rows.push_back({Table::kReview, std::move(at), std::move(row)});
    return rows;
  };
  // Of a grant: where its row lies under the new keys.
  const auto moved = [this](GrantRow* row) {
    row->subject = layer_.Over(row->subject);
    row->recording = layer_.Over(row->recording);
    return GrantKey(RecordingKey(after_, row->subject, row->recording), row->facts.artefact);
  };
  GrantRow row;
  switch (key.empty() ? '\0' : key[0]) {
    case kMediaKey:
      return std::vector<store::Write>();
    case kRevocations:
    case kCapCounters:
    case kPopulations:
    case kHeardCounts:
      return one(std::string(key), std::string(value));
    case kGrants: {
      if (!DecodeGrantRow(value, &row)) return DamagedReview();
      std::string at = moved(&row);
      domain::PutOver(layer_, &row.facts);
      row.sealed.clear();
      row.grant.numbers.accounts = 0;  // which no live grant has
      return one(std::move(at), EncodeGrantRow(row));
    }
    case kGrantsById: {
      const absl::StatusOr<std::string> grant = from_.Get(partition, Table::kReview, value);
      if (absl::IsNotFound(grant.status())) return std::vector<store::Write>();
      if (!grant.ok()) return grant.status();
      if (!DecodeGrantRow(*grant, &row)) return DamagedReview();
      return one(std::string(key), moved(&row));
    }
    default: {
      if (key.size() < 1 + kSubjectKeyBytes) return DamagedReview();
      const absl::StatusOr<base::SubjectHandle> subject = SubjectAt(partition, key.substr(1, kSubjectKeyBytes));
      if (!subject.ok()) return absl::IsNotFound(subject.status()) ? DamagedReview() : subject.status();
      std::string at = ReviewRowsOf(key[0], SubjectKey(after_, layer_.Over(*subject)));
      return one(at.append(key.substr(1 + kSubjectKeyBytes)), std::string(value));
    }
  }
}

}  // namespace consent::service
