// What a subject costs in the index, by what is known of it. The figures are printed: README's come from here.
#include <cstdio>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/domain/facts_codec.h"
#include "daemon/service/state/facts_index.h"
#include "tests/support/service/world.h"

namespace consent::test {
namespace {

constexpr uint64_t kSubjects = 200'000;

// Bytes of the index for each of so many subjects of whom the same is known.
double BytesASubject(const domain::SubjectFacts& known) {
  domain::SubjectFacts facts = known;
  facts.revision = 200'000'000;  // of a store that has run for years
  std::string bytes;
  domain::EncodeFacts(facts, &bytes);
  service::FactsIndex index(kSubjects);
  std::mt19937_64 random(1);
  for (uint64_t i = 0; i < kSubjects; ++i) {
    base::SubjectHandle subject;
    const uint64_t halves[] = {random(), random()};
    std::memcpy(subject.bytes.data(), halves, sizeof halves);
    index.Put(subject, bytes);
  }
  return static_cast<double>(index.memory_bytes()) / static_cast<double>(kSubjects);
}

struct Kind {
  const char* name;
  double most;  // bytes
  std::function<void(World&)> make;
};

TEST(FactsIndex, BytesASubjectByKind) {
  const auto improve = [](World& world) { ASSERT_TRUE(world.OptIn("a", Account(), Control("help_improve")).ok()); };
  const std::vector<Kind> kinds = {
      {"one control", 64, improve},
      {"one control, renewed", 64,
       [&](World& world) {
         improve(world);
         improve(world);
         ASSERT_TRUE(world.Facts("a").account().ChoiceFor(domain::Purpose::kHumanReview).renewed.IsSet());
       }},
      {"one control on, off, on", 110,
       [&](World& world) {
         improve(world);
         ASSERT_TRUE(world.OptOut("a", Account(), Control("help_improve")).ok());
         improve(world);
       }},
      {"two controls", 120,
       [&](World& world) {
         improve(world);
         ASSERT_TRUE(world.OptIn("a", Account(), Control("messages_improve")).ok());
       }},
      {"household of two, one device", 220, improve},
  };
  for (const Kind& kind : kinds) {
    World world;
    const bool household = kind.most > 200;
    ASSERT_TRUE(world
                    .Register("a", "DE",
                              household ? std::vector<Person>{Adult("ann"), Adult("bob")} : std::vector<Person>{},
                              household ? std::vector<std::string>{"kitchen"} : std::vector<std::string>{})
                    .ok());
    kind.make(world);
    if (household) {
      ASSERT_TRUE(world.OptIn("a", Profile("bob"), Control("help_improve"), Under("own")).ok());
    }
    const double bytes = BytesASubject(world.Facts("a"));
    std::printf("%-30s %6.1f bytes a subject, at most %.0f\n", kind.name, bytes, kind.most);
    EXPECT_LE(bytes, kind.most) << kind.name;
  }
}

}  // namespace
}  // namespace consent::test
