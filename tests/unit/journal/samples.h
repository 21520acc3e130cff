// Entries for tests.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "daemon/journal/entry.h"

namespace consent::test {

inline base::Digest ChainOf(uint64_t n) {
  base::Digest chain{};
  for (size_t i = 0; i < 8; ++i) chain[i] = static_cast<uint8_t>(n >> (8 * i));
  chain[31] = 1;
  return chain;
}

inline journal::Entry Commit(uint16_t partition, uint64_t sequence) {
  journal::Entry entry;
  entry.partition = {partition};
  entry.stamp = {sequence, base::Instant{static_cast<int64_t>(1'700'000'000'000'000 + sequence)}};
  entry.chain = ChainOf(1'000 * partition + sequence);
  entry.subject = std::string(16, static_cast<char>('a' + sequence % 26));
  entry.change = service::ChangeKind::kOptOut;
  entry.rows.push_back(
      {store::Table::kSubject, std::string(16, 'k'), journal::Content::kValue, "record " + std::to_string(sequence)});
  return entry;
}

inline journal::Entry Part(uint16_t partition, uint64_t sequence, bool is_first, bool is_last,
                           const std::string& value = "row") {
  journal::Entry entry;
  entry.kind = journal::EntryKind::kSnapshot;
  entry.partition = {partition};
  entry.stamp = {sequence, base::Instant{5}};
  entry.is_first = is_first;
  entry.is_last = is_last;
  entry.rows.push_back({store::Table::kDeletion, std::string(8, 'd'), journal::Content::kValue, value});
  return entry;
}

// Anything that an entry may say.
class EntryDice {
 public:
  explicit EntryDice(uint64_t seed) : dice_(seed) {}
  uint64_t Below(uint64_t n) { return dice_() % n; }
  std::string Bytes(size_t most) {
    std::string bytes(Below(most + 1), '\0');
    for (char& byte : bytes) byte = static_cast<char>(dice_());
    return bytes;
  }
  journal::Entry Any() {
    journal::Entry entry =
        Below(3) == 0 ? Part(3, Below(1'000), Below(2) == 0, Below(2) == 0) : Commit(7, Below(1'000));
    entry.rows.clear();
    if (entry.kind == journal::EntryKind::kCommit) {
      if (Below(2) == 0) entry.subject.clear();
      constexpr uint8_t kKinds[] = {1, 3, 9, 11, 19, 64, 70, 75};
      entry.change = static_cast<service::ChangeKind>(kKinds[Below(std::size(kKinds))]);
      if (Below(4) == 0) entry.change.reset();
      for (uint64_t i = Below(4); i > 0; --i) entry.loosened.push_back(AnyLoosened());
    }
    for (uint64_t i = Below(5); i > 0; --i) {
      journal::Row row{static_cast<store::Table>(1 + Below(store::kMaxTable)),
                       Bytes(20),
                       static_cast<journal::Content>(Below(3)),
                       {}};
      if (row.content == journal::Content::kValue) row.value = Bytes(60);
      entry.rows.push_back(row);
    }
    for (uint64_t i = Below(3); i > 0; --i) {
      entry.payloads.push_back({static_cast<journal::PayloadOf>(1 + Below(2)), Below(1 << 20), Bytes(80)});
    }
    return entry;
  }

 private:
  journal::Loosened AnyLoosened() {
    journal::Loosened loosened;
    loosened.what = static_cast<journal::LoosenedWhat>(1 + Below(3));
    if (loosened.what != journal::LoosenedWhat::kFact) return loosened;
    loosened.change = static_cast<domain::ChangedWhat>(1 + Below(13));
    loosened.scope.kind = static_cast<domain::ScopeKind>(Below(3));
    if (loosened.scope.kind != domain::ScopeKind::kAccount)
      loosened.scope.handle.fill(static_cast<uint8_t>(Below(256)));
    loosened.purpose = static_cast<domain::Purpose>(Below(domain::kPurposes + 1));
    return loosened;
  }

  std::mt19937_64 dice_;
};

}  // namespace consent::test
