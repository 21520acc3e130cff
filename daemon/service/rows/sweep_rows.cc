#include "daemon/service/rows/sweep_rows.h"

#include <algorithm>
#include <utility>

#include "daemon/base/bounds.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/row_codec.h"

namespace consent::service {
namespace {

using base::Decoder;
using base::Encoder;

constexpr uint8_t kSweepFormat = 1;

void PutCounts(Encoder& out, const SweepCounts& counts) {
  for (const uint64_t count :
       {counts.kept, counts.held, counts.purged, counts.not_found, counts.failed, counts.unanswered}) {
    out.Varint(count);
  }
}

SweepCounts GetCounts(Decoder& in) {
  SweepCounts counts;
  for (uint64_t* count :
       {&counts.kept, &counts.held, &counts.purged, &counts.not_found, &counts.failed, &counts.unanswered}) {
    *count = in.Varint();
    if (*count > static_cast<uint64_t>(base::kMaxErasedCount)) in.Fail();
  }
  counts.asked = counts.kept + counts.held + counts.purged + counts.not_found + counts.failed;
  return counts;
}

SystemRetention GetRetention(Decoder& in) {
  SystemRetention retention;
  const uint8_t kind = in.Byte();
  if (kind > static_cast<uint8_t>(SystemRetentionKind::kSwept)) in.Fail();
  retention.kind = static_cast<SystemRetentionKind>(kind);
  if (retention.kind == SystemRetentionKind::kAttested) {
    retention.attested_by = in.String(base::kMaxAttestedByBytes);
    retention.attested_until = GetTime(in);
    if (retention.attested_by.empty() || !retention.attested_until.IsSet()) in.Fail();
  } else if (retention.kind == SystemRetentionKind::kSwept) {
    retention.sweep_days = in.Byte();
    if (retention.sweep_days < 1 || retention.sweep_days > base::kMaxSweepDays) in.Fail();
  }
  return retention;
}

}  // namespace

std::string EncodeSweepRow(const SweepRow& row) {
  std::string bytes;
  Encoder out(&bytes);
  out.Byte(kSweepFormat);
  out.Byte(static_cast<uint8_t>(row.retention.kind));
  if (row.retention.kind == SystemRetentionKind::kAttested) {
    out.String(row.retention.attested_by);
    PutTime(out, row.retention.attested_until);
  } else if (row.retention.kind == SystemRetentionKind::kSwept) {
    out.Byte(static_cast<uint8_t>(row.retention.sweep_days));
  }
  for (const base::Instant time : {row.retention_set_at, row.swept_since, row.last_whole_at, row.last.started_at}) {
    PutTime(out, time);
  }
  if (!row.last.started_at.IsSet()) return bytes;
  PutTime(out, row.last.ended_at);
  PutTime(out, row.last.reported_at);
  PutCounts(out, row.last.counts);
  return bytes;
}

bool DecodeSweepRow(std::string_view bytes, SweepRow* row) {
  *row = SweepRow{};
  Decoder in(bytes);
  if (in.Byte() != kSweepFormat) return false;
  row->retention = GetRetention(in);
  for (base::Instant* time : {&row->retention_set_at, &row->swept_since, &row->last_whole_at, &row->last.started_at}) {
    *time = GetTime(in);
  }
  if (row->last.started_at.IsSet()) {
    row->last.ended_at = GetTime(in);
    row->last.reported_at = GetTime(in);
    row->last.counts = GetCounts(in);
  }
  return in.Done();
}

absl::StatusOr<SweepRow> LoadSweepRow(const Core& core, domain::SystemNumber system,
                                      std::optional<std::string>* bytes) {
  absl::StatusOr<std::string> stored = core.store.Get(kSweepPartition, store::Table::kSweep, SystemKey(system));
  bytes->reset();
  if (absl::IsNotFound(stored.status())) return SweepRow{};
  if (!stored.ok()) return StoreUnreadable();
  SweepRow row;
  if (!DecodeSweepRow(*stored, &row)) return DamagedRow("the row of a data system's retention");
  *bytes = *std::move(stored);
  return row;
}

base::Instant RetentionDue(const SystemRow& system, const SweepRow& row) {
  if (!system.IsActive()) return {};
  switch (row.retention.kind) {
    case SystemRetentionKind::kAttested:
      return row.retention.attested_until;
    case SystemRetentionKind::kSwept:
      return std::max(row.swept_since, row.last_whole_at) + base::Days(row.retention.sweep_days);
    case SystemRetentionKind::kNone:
      break;
  }
  return {};
}

RetentionState RetentionStateOf(const SystemRow& system, const SweepRow& row, base::Instant now) {
  if (!system.IsActive()) return RetentionState::kRetired;
  if (row.retention.kind == SystemRetentionKind::kNone) return RetentionState::kMissing;
  if (now < RetentionDue(system, row)) return RetentionState::kKept;
  return row.retention.kind == SystemRetentionKind::kSwept ? RetentionState::kSweepOverdue
                                                           : RetentionState::kAttestationExpired;
}

SweepRow WithRetention(SweepRow row, SystemRetention retention, base::Instant now) {
  const bool was_swept = row.retention.kind == SystemRetentionKind::kSwept;
  if (retention.kind == SystemRetentionKind::kSwept && !was_swept) row.swept_since = now;
  row.retention = std::move(retention);
  row.retention_set_at = now;
  return row;
}

SweepRow WithSweep(SweepRow row, Sweep sweep, base::Instant now) {
  if (now < sweep.ended_at) {
    sweep.started_at = sweep.started_at - (sweep.ended_at - now);
    sweep.ended_at = now;
  }
  sweep.reported_at = now;
  if (sweep.IsWhole()) row.last_whole_at = std::max(row.last_whole_at, sweep.started_at);
  if (row.last.started_at <= sweep.started_at) row.last = sweep;
  return row;
}

}  // namespace consent::service
