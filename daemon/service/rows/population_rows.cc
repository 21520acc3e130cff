#include "daemon/service/rows/population_rows.h"

#include "daemon/base/bytes.h"
#include "daemon/base/hash.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/row_codec.h"

namespace consent::service {
namespace {

using base::Decoder;
using base::Encoder;

constexpr uint8_t kPopulationFormat = 1;
constexpr size_t kMaxHours = 31 * 24;
constexpr size_t kPopulationBytes = 16;
constexpr size_t kCountryBytes = 4;
constexpr size_t kMonthBytes = 7;

// Of all rows of a country and month begin.
std::string Begin(char kind, domain::Region country, base::Month month) {
  std::string key = std::string(1, kind) + month.ToText();
  Encoder(&key).BigEndian(country.packed(), kCountryBytes);
  return key;
}

// What Begin wrote; `rest`: so many bytes follow.
bool ReadBegin(std::string_view key, char kind, size_t rest, domain::Region* country, base::Month* month) {
  if (key.size() != 1 + kMonthBytes + kCountryBytes + rest || key[0] != kind) return false;
  const auto read = base::Month::Parse(key.substr(1, kMonthBytes));
  if (!read.has_value()) return false;
  *month = *read;
  *country =
      domain::Region::FromPacked(static_cast<uint32_t>(Decoder(key.substr(1 + kMonthBytes)).BigEndian(kCountryBytes)));
  return true;
}

}  // namespace

store::Partition PopulationPartition(domain::Region country, uint16_t partitions) {
  return {static_cast<uint16_t>(country.packed() % partitions)};
}

std::string PopulationKey(const PopulationOf& of, std::string_view caller) {
  const base::Digest digest = base::Blake2b(caller);
  return Begin(kPopulations, of.country, of.month).append(base::View(digest).substr(0, kPopulationBytes));
}

bool ReadPopulationKey(std::string_view key, PopulationOf* of) {
  return ReadBegin(key, kPopulations, kPopulationBytes, &of->country, &of->month);
}

uint64_t SumOf(const HourCounts& hours) {
  uint64_t utterances = 0;
  for (const auto& [hour, count] : hours) utterances += count;
  return utterances;
}

std::string EncodePopulation(const HourCounts& hours) {
  std::string bytes;
  Encoder out(&bytes);
  out.Byte(kPopulationFormat);
  out.Varint(hours.size());
  for (const auto& [hour, utterances] : hours) {
    out.Varint(hour);
    out.Varint(utterances);
  }
  return bytes;
}

bool DecodePopulation(std::string_view bytes, HourCounts* hours) {
  hours->clear();
  Decoder in(bytes);
  if (in.Byte() != kPopulationFormat) return false;
  const uint64_t count = in.Varint();
  if (count == 0 || count > kMaxHours) return false;
  for (uint64_t i = 0; in.ok() && i < count; ++i) {
    const uint64_t hour = in.Varint();
    const bool is_next = hour <= UINT32_MAX && (hours->empty() || hour > hours->rbegin()->first);
    if (!is_next) return false;
    hours->emplace_hint(hours->end(), static_cast<uint32_t>(hour), in.Varint());
  }
  return in.Done();
}

std::string HeardCountKey(const HeardCount& of) {
  std::string key = Begin(kHeardCounts, of.country, of.month);
  key.push_back(static_cast<char>(of.purpose));
  return key;
}

bool ReadHeardCountKey(std::string_view key, HeardCount* of) {
  if (!ReadBegin(key, kHeardCounts, 1, &of->country, &of->month)) return false;
  of->purpose = static_cast<domain::Purpose>(key.back());
  return domain::IsPurpose(of->purpose);
}

std::string EncodeHeardCount(uint64_t heard) {
  std::string bytes;
  Encoder out(&bytes);
  out.Byte(kPopulationFormat);
  out.Varint(heard);
  return bytes;
}

bool DecodeHeardCount(std::string_view bytes, uint64_t* heard) {
  Decoder in(bytes);
  const uint8_t format = in.Byte();
  *heard = in.Varint();
  return in.Done() && format == kPopulationFormat && *heard > 0;
}

absl::StatusOr<uint64_t> LoadPopulation(const Core& core, const PopulationOf& of) {
  const std::string begin = Begin(kPopulations, of.country, of.month);
  uint64_t utterances = 0;
  bool is_whole = true;
  const absl::Status scanned = core.store.Scan(
      PopulationPartition(of.country, core.store.partition_count()), store::Table::kReview, begin,
      begin + std::string(kPopulationBytes + 1, '\xff'), SIZE_MAX, [&](std::string_view, std::string_view value) {
        HourCounts hours;
        is_whole = DecodePopulation(value, &hours);
        utterances += SumOf(hours);
        return is_whole;
      });
  if (!scanned.ok()) return StoreUnreadable();
  if (!is_whole) return DamagedRow("a report of a population");
  return utterances;
}

absl::StatusOr<std::vector<store::Write>> DropOldCounts(const Core& core, store::Partition partition, char kind,
                                                        base::Month now) {
  constexpr size_t kAFew = 100;
  std::vector<store::Write> drops;
  const absl::Status scanned = core.store.Scan(
      partition, store::Table::kReview, std::string(1, kind),
      std::string(1, kind) + now.Plus(-kMonthsOfCounts).ToText(), kAFew, [&](std::string_view key, std::string_view) {
        drops.push_back({store::Table::kReview, std::string(key), std::nullopt});
        return true;
      });
  if (!scanned.ok()) return StoreUnreadable();
  return drops;
}

}  // namespace consent::service
