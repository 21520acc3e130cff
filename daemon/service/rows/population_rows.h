// How many utterances callers reported, and how many recordings were heard, by country and month. Rows of
// store::Table::kReview; layouts: store/FORMAT.md. Pure, but for what says that it reads; thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "daemon/base/month.h"
#include "daemon/domain/types.h"
#include "daemon/service/state/core.h"
#include "daemon/store/store.h"

namespace consent::service {

// By the first byte of their keys, beside those of review_rows.h and cap_rows.h.
inline constexpr char kPopulations = 'p';  // ‖ month (7) ‖ country (BE 4) ‖ hash of the caller (16)
inline constexpr char kHeardCounts = 'n';  // ‖ month (7) ‖ country (BE 4) ‖ purpose (1)
// For so many months before the one that is counted now; then a month's rows go.
inline constexpr int kMonthsOfCounts = 24;

// What one caller reported of a country and month: by hours since 1970, at most 744.
using HourCounts = std::map<uint32_t, uint64_t>;

// All of one country lie in one partition.
store::Partition PopulationPartition(domain::Region country, uint16_t partitions);
struct PopulationOf {
  domain::Region country;
  base::Month month;
};
std::string PopulationKey(const PopulationOf& of, std::string_view caller);
bool ReadPopulationKey(std::string_view key, PopulationOf* of);
std::string EncodePopulation(const HourCounts& hours);
uint64_t SumOf(const HourCounts& hours);
// False on anything that EncodePopulation does not write. Total, as all decoders here.
bool DecodePopulation(std::string_view bytes, HourCounts* hours);

// How many recordings of the partition's accounts were heard.
struct HeardCount {
  domain::Region country;
  base::Month month;
  domain::Purpose purpose = domain::Purpose::kNone;
};
std::string HeardCountKey(const HeardCount& of);
bool ReadHeardCountKey(std::string_view key, HeardCount* of);
std::string EncodeHeardCount(uint64_t heard);
bool DecodeHeardCount(std::string_view bytes, uint64_t* heard);

// Of all callers. Reads, and may block. STORE_UNREADABLE; INTERNAL: damaged.
absl::StatusOr<uint64_t> LoadPopulation(const Core& core, const PopulationOf& of);
// Deletes a few of the partition's rows of that kind that are too old when `now` is counted. Reads likewise.
absl::StatusOr<std::vector<store::Write>> DropOldCounts(const Core& core, store::Partition partition, char kind,
                                                        base::Month now);

}  // namespace consent::service
