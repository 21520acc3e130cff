// The facts index against a map, with facts of all sizes.
#include "daemon/service/state/facts_index.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <map>
#include <random>
#include <thread>

#include "daemon/domain/facts_codec.h"

namespace consent::service {
namespace {

base::SubjectHandle HandleOf(uint64_t number) {
  // Scattered like the keyed hash that it stands for.
  std::mt19937_64 random(number);
  base::SubjectHandle handle;
  for (auto& byte : handle.bytes) byte = static_cast<uint8_t>(random());
  return handle;
}

std::string FactsOf(std::mt19937_64& random, size_t size) {
  std::string facts(size, '\0');
  for (char& c : facts) c = static_cast<char>(random());
  return facts;
}

size_t SomeSize(std::mt19937_64& random) {
  switch (random() % 5) {
    case 0:
      return 1 + random() % 30;
    case 1:
      return 31;
    case 2:
      return 32;
    case 3:
      return 28;
    default:
      return 33 + random() % 300;
  }
}

void ExpectSame(const FactsIndex& index, const std::map<base::SubjectHandle, std::string>& model) {
  ASSERT_EQ(index.size(), model.size());
  std::string found;
  for (const auto& [subject, facts] : model) {
    ASSERT_EQ(index.FindBytes(subject, &found), Found::kFound);
    ASSERT_EQ(found, facts);
  }
}

TEST(FactsIndex, AgreesWithAMap) {
  for (const uint64_t subjects : {1, 10, 1'000, 60'000}) {
    std::mt19937_64 random(subjects);
    FactsIndex index(1'000'000);
    std::map<base::SubjectHandle, std::string> model;
    std::string found;
    for (uint64_t step = 0; step < subjects * 2; ++step) {
      const base::SubjectHandle subject = HandleOf(random() % subjects);
      if (random() % 4 == 0) {
        const auto at = model.find(subject);
        ASSERT_EQ(index.FindBytes(subject, &found), at == model.end() ? Found::kUnknown : Found::kFound)
            << subjects << " " << step;
        if (at != model.end()) {
          ASSERT_EQ(found, at->second);
        }
        continue;
      }
      std::string facts = FactsOf(random, SomeSize(random));
      index.Put(subject, facts);
      model[subject] = std::move(facts);
    }
    ExpectSame(index, model);
    EXPECT_TRUE(index.complete());
    for (uint64_t stranger = 0; stranger < 1'000; ++stranger) {
      ASSERT_EQ(index.FindBytes(HandleOf(subjects + 1 + stranger), &found), Found::kUnknown);
    }
  }
}

// A walk sees everybody once, in steps of any size, while the tables grow.
TEST(FactsIndex, AWalkSeesEverybodyOnce) {
  for (const size_t step : {1, 7, 256, 100'000}) {
    std::mt19937_64 random(step);
    FactsIndex index(1'000'000);
    std::map<base::SubjectHandle, std::string> model;
    for (uint64_t number = 0; number < 5'000; ++number) {
      model[HandleOf(number)] = FactsOf(random, SomeSize(random));
      index.Put(HandleOf(number), model[HandleOf(number)]);
    }
    FactsIndex::Cursor cursor;
    std::vector<FactsIndex::Copy> copies;
    std::map<base::SubjectHandle, std::string> seen;
    uint64_t later = 1'000'000;
    while (index.CopyNext(&cursor, step, &copies)) {
      for (const FactsIndex::Copy& copy : copies) {
        EXPECT_TRUE(seen.emplace(copy.subject, copy.facts).second) << "twice";
      }
      copies.clear();
      if (later < 1'003'000) index.Put(HandleOf(later++), "later");
    }
    for (const auto& [subject, facts] : model) ASSERT_EQ(seen[subject], facts) << step;
    EXPECT_FALSE(index.CopyNext(&cursor, step, &copies));
  }
}

// Those that share a place come together, however small the step.
TEST(FactsIndex, AWalkOverCrowdedPlaces) {
  FactsIndex index(100'000);
  for (uint8_t number = 0; number < 200; ++number) {
    base::SubjectHandle subject;
    subject.bytes[2] = number;  // the second half, which is the place, is the same
    index.Put(subject, "x");
  }
  FactsIndex::Cursor cursor;
  std::vector<FactsIndex::Copy> copies;
  while (index.CopyNext(&cursor, 1, &copies)) {
  }
  EXPECT_EQ(copies.size(), 200U);
}

TEST(FactsIndex, LongAndShortFactsReplaceEachOther) {
  std::mt19937_64 random(5);
  FactsIndex index(10);
  const base::SubjectHandle subject = HandleOf(1);
  const uint64_t empty = index.memory_bytes();
  std::string found;
  for (const size_t size : {10, 400, 31, 32, 33, 100'000, 1, 5'000, 4'999}) {
    const std::string facts = FactsOf(random, size);
    index.Put(subject, facts);
    ASSERT_EQ(index.FindBytes(subject, &found), Found::kFound);
    ASSERT_EQ(found, facts);
    const uint64_t outside = size > 31 ? size + 4 : 0;
    EXPECT_LE(index.memory_bytes(), empty + outside + 48 * 64) << size;
    EXPECT_GE(index.memory_bytes(), empty + outside) << size;
  }
  EXPECT_EQ(index.size(), 1U);
}

// Handles whose second halves are equal share their place in the table; those whose places lie at its end need the
// spare ones.
TEST(FactsIndex, CrowdedPlaces) {
  for (const uint8_t fill : {0, 128, 255}) {
    FactsIndex index(100'000);
    std::map<base::SubjectHandle, std::string> model;
    for (uint64_t i = 0; i < 2'000; ++i) {
      base::SubjectHandle subject;
      subject.bytes.fill(fill);
      subject.bytes[2] = static_cast<uint8_t>(i);
      subject.bytes[3] = static_cast<uint8_t>(i >> 8);
      const std::string facts = "facts " + std::to_string(i);
      index.Put(subject, facts);
      model[subject] = facts;
    }
    ExpectSame(index, model);
  }
}

TEST(FactsIndex, BoundedIndexSaysThatItDoesNotKnow) {
  FactsIndex index(10);
  std::string found;
  for (uint64_t i = 0; i < 10; ++i) index.Put(HandleOf(i), "short");
  EXPECT_TRUE(index.complete());
  EXPECT_EQ(index.FindBytes(HandleOf(99), &found), Found::kUnknown);
  index.Put(HandleOf(10), "one too many");
  EXPECT_FALSE(index.complete());
  EXPECT_EQ(index.size(), 10U);
  EXPECT_EQ(index.FindBytes(HandleOf(10), &found), Found::kNotInIndex);
  EXPECT_EQ(index.FindBytes(HandleOf(99), &found), Found::kNotInIndex)
      << "unknown, or not in the index: nobody can say";
  index.Put(HandleOf(3), "replaced although it is full");
  EXPECT_EQ(index.FindBytes(HandleOf(3), &found), Found::kFound);
  EXPECT_EQ(found, "replaced although it is full");
}

TEST(FactsIndex, DecodesWhatItHoldsAndRefusesWhatItCannot) {
  FactsIndex index(10);
  domain::SubjectFacts facts;
  facts.registered = true;
  facts.revision = 77;
  std::string bytes;
  domain::EncodeFacts(facts, &bytes);
  index.Put(HandleOf(1), bytes);
  domain::SubjectFacts found;
  EXPECT_EQ(index.Find(HandleOf(1), &found), Found::kFound);
  EXPECT_EQ(found, facts);
  index.Put(HandleOf(2), "no facts");
  EXPECT_EQ(index.Find(HandleOf(2), &found), Found::kNotInIndex);
  EXPECT_EQ(index.Find(HandleOf(3), &found), Found::kUnknown);
}

void ExpectLean(uint64_t subjects) {
  FactsIndex index(subjects);
  const std::string facts(31, 'f');
  for (uint64_t i = 0; i < subjects; ++i) {
    std::mt19937_64 random(i);
    base::SubjectHandle subject;
    const uint64_t halves[] = {random(), random()};
    std::memcpy(subject.bytes.data(), halves, sizeof halves);
    index.Put(subject, facts);
    // Also on the way there, once the table is no longer small.
    if (i + 1 == subjects / 2) {
      EXPECT_LE(static_cast<double>(index.memory_bytes()) / static_cast<double>(i + 1), 68.0);
    }
  }
  EXPECT_EQ(index.size(), subjects);
  EXPECT_LE(static_cast<double>(index.memory_bytes()) / static_cast<double>(subjects), 64.0);
}

TEST(FactsIndex, AtMost64BytesASubjectAtAHundredThousand) { ExpectLean(100'000); }
TEST(FactsIndex, AtMost64BytesASubjectAtAMillion) { ExpectLean(1'000'000); }

TEST(FactsIndex, ReadersBesideAWriterSeeWholeFacts) {
  constexpr uint64_t kSubjects = 300;
  FactsIndex index(kSubjects);
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> seen{0};
  std::vector<std::thread> readers;
  for (uint64_t r = 0; r < 3; ++r) {
    readers.emplace_back([&, r] {
      std::mt19937_64 random(r);
      std::string found;
      while (!stop.load()) {
        const base::SubjectHandle subject = HandleOf(random() % kSubjects);
        index.Prefetch(subject);
        if (index.FindBytes(subject, &found) != Found::kFound) continue;
        ++seen;
        // Every value is one letter, repeated.
        ASSERT_EQ(found.find_first_not_of(found[0]), std::string::npos);
      }
    });
  }
  std::mt19937_64 random(42);
  for (int i = 0; i < 40'000 || seen.load() < 1'000; ++i) {
    index.Put(HandleOf(random() % kSubjects), std::string(1 + random() % 80, static_cast<char>('a' + random() % 26)));
  }
  stop.store(true);
  for (std::thread& reader : readers) reader.join();
}

TEST(FactsIndex, Marks) {
  FactsIndex index(2);
  base::RecordingHandle recording;
  recording.bytes[0] = 1;
  base::RecordingHandle other;
  other.bytes[0] = 2;
  domain::RecordingState marks;
  domain::RecordingState found;
  EXPECT_EQ(index.FindMarks(HandleOf(1), recording, &found), Found::kUnknown);
  marks.flags = domain::Flags::kSafety;
  index.PutMarks(HandleOf(1), recording, marks);
  EXPECT_EQ(index.FindMarks(HandleOf(1), recording, &found), Found::kFound);
  EXPECT_EQ(found, marks);
  EXPECT_EQ(index.FindMarks(HandleOf(2), recording, &found), Found::kUnknown)
      << "another subject's recording of that name";
  EXPECT_EQ(found, domain::RecordingState());
  index.PutMarks(HandleOf(2), recording, marks);
  index.PutMarks(HandleOf(1), other, marks);  // one too many
  EXPECT_FALSE(index.complete());
  EXPECT_EQ(index.FindMarks(HandleOf(1), other, &found), Found::kNotInIndex);
  marks.flags = domain::Flags::kAccidental;
  index.PutMarks(HandleOf(1), recording, marks);
  EXPECT_EQ(index.FindMarks(HandleOf(1), recording, &found), Found::kFound);
  EXPECT_EQ(found, marks);
  std::string facts;
  EXPECT_EQ(index.FindBytes(HandleOf(9), &facts), Found::kUnknown)
      << "marks that do not fit say nothing about subjects";
}

}  // namespace
}  // namespace consent::service
