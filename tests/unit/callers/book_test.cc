// Who is meant by a certificate's names.
#include "daemon/callers/book.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <thread>

namespace consent::callers {
namespace {

constexpr char kSampler[] = R"(
    callers { name: "sampler" identities: "spiffe://td/sampler" identities: "sampler.example" roles: ROLE_SAMPLER
              max_certificate_hours: 2 limits { calls_per_second: 1 } })";
constexpr char kWorkers[] = R"(
    callers { name: "worker" identities: "spiffe://td/workers/*" roles: ROLE_PURGER roles: ROLE_STORE systems: "audio"
              max_certificate_hours: 1 })";

v1::CallersFile File(const std::string& text) {
  v1::CallersFile file;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &file));
  return file;
}

class BookTest : public ::testing::Test {
 protected:
  BookTest() { book_.Put(File(std::string(kSampler) + kWorkers)); }
  std::string Name(const CertificateNames& names) const {
    const auto caller = book_.Find(names);
    return caller == nullptr ? "" : caller->name;
  }
  std::string OfUri(const std::string& uri) const { return Name({{uri}, {}}); }

  Book book_;
};

TEST(EmptyBook, KnowsNobody) {
  const Book book;
  EXPECT_EQ(book.Find({{"spiffe://td/sampler"}, {}}), nullptr);
  EXPECT_EQ(book.Find({}), nullptr);
  EXPECT_EQ(book.size(), 0U);
}

TEST_F(BookTest, AnEntryIsWhatTheFileSays) {
  const auto worker = book_.Find({{"spiffe://td/workers/one"}, {}});
  ASSERT_NE(worker, nullptr);
  EXPECT_TRUE(worker->roles.Has(v1::ROLE_PURGER) && worker->roles.Has(v1::ROLE_STORE));
  EXPECT_FALSE(worker->roles.Has(v1::ROLE_SAMPLER));
  EXPECT_EQ(worker->systems, std::vector<std::string>{"audio"});
  EXPECT_EQ(worker->longest_life, base::Hours(1));
  EXPECT_EQ(book_.size(), 2U);
}

TEST_F(BookTest, UrisAreTakenByteByByte) {
  EXPECT_EQ(OfUri("spiffe://td/sampler"), "sampler");
  for (const char* other :
       {"spiffe://td/Sampler", "spiffe://TD/sampler", "spiffe://td/sampler/", "spiffe://td/sampler/x",
        "spiffe://td/sample", "https://td/sampler", "sampler.example", "", "*"}) {
    EXPECT_EQ(OfUri(other), "") << other;
  }
}

TEST_F(BookTest, APatternStandsForOneSegmentMore) {
  EXPECT_EQ(OfUri("spiffe://td/workers/one"), "worker");
  for (const char* other :
       {"spiffe://td/workers", "spiffe://td/workers/", "spiffe://td/workers/*", "spiffe://td/workers/..",
        "spiffe://td/workers/.", "spiffe://td/workers/one/two", "spiffe://td/workers//one", "spiffe://td/workers/a?b",
        "spiffe://td/workers/a%2fb", "spiffe://td/workersx/one", "spiffe://td/x/workers/one"}) {
    EXPECT_EQ(OfUri(other), "") << other;
  }
  EXPECT_EQ(OfUri("spiffe://td/workers/" + std::string(600, 'a')), "");
}

TEST_F(BookTest, DnsNamesCountOnlyWithoutAUri) {
  EXPECT_EQ(Name({{}, {"sampler.example"}}), "sampler");
  EXPECT_EQ(Name({{}, {"Sampler.EXAMPLE"}}), "sampler");
  EXPECT_EQ(Name({{}, {"host7.example", "sampler.example"}}), "sampler");
  EXPECT_EQ(Name({{"spiffe://td/nobody"}, {"sampler.example"}}), "");
  EXPECT_EQ(Name({{"spiffe://td/workers/one"}, {"sampler.example"}}), "worker");
  EXPECT_EQ(Name({{}, {"spiffe://td/sampler"}}), "") << "a DNS name is no URI";
  EXPECT_EQ(Name({{}, {"spiffe://td/workers/*"}}), "");
  EXPECT_EQ(Name({}), "");
}

TEST_F(BookTest, NamesThatMeanTwoAreNobodys) {
  EXPECT_EQ(Name({{"spiffe://td/sampler", "spiffe://td/workers/one"}, {}}), "");
  EXPECT_EQ(Name({{"spiffe://td/sampler", "spiffe://td/other"}, {}}), "sampler");
  EXPECT_EQ(Name({{"spiffe://td/workers/one", "spiffe://td/workers/two"}, {}}), "worker");
  EXPECT_EQ(Name({std::vector<std::string>(Book::kMostNames, "spiffe://td/sampler"), {}}), "sampler");
  EXPECT_EQ(Name({std::vector<std::string>(Book::kMostNames + 1, "spiffe://td/sampler"), {}}), "");
}

TEST_F(BookTest, WhoIsTakenOutIsUnknownFromThenOnAndMetersStay) {
  const auto before = book_.Find({{"spiffe://td/workers/one"}, {}});
  const uint64_t version = book_.version();
  const Meter::Time now{std::chrono::seconds(100)};
  book_.Find({{"spiffe://td/sampler"}, {}})->meter->Begin(Meter::Share::kOrdinary, now);
  book_.Put(File(kSampler));
  EXPECT_GT(book_.version(), version);
  EXPECT_EQ(OfUri("spiffe://td/workers/one"), "");
  EXPECT_EQ(before->name, "worker") << "who holds it may read it";
  const auto sampler = book_.Find({{"spiffe://td/sampler"}, {}});
  EXPECT_EQ(sampler->meter->in_flight(Meter::Share::kOrdinary), 1);
  EXPECT_TRUE(sampler->meter->Begin(Meter::Share::kOrdinary, now).has_value()) << "a reload forgives nothing";
}

TEST_F(BookTest, ReadersSeeOneFileOrTheOther) {
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop) {
      const auto caller = book_.Find({{"spiffe://td/workers/one"}, {}});
      ASSERT_TRUE(caller == nullptr || caller->systems.size() == 1);
    }
  });
  for (int i = 0; i < 200; ++i) book_.Put(File(i % 2 == 0 ? std::string(kSampler) : std::string(kSampler) + kWorkers));
  stop = true;
  reader.join();
}

}  // namespace
}  // namespace consent::callers
