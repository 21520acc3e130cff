// A batch's results as bytes are those that protobuf writes.
#include "daemon/wire/batch_reply.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "daemon/wire/eligibility.h"
#include "tests/support/model/seeds.h"

namespace consent::wire::batch_reply_test {
namespace {

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  uint64_t Below(uint64_t n) { return random_() % n; }

  // Any numbers that a decision can have, also those that the rule never puts together.
  domain::Decision Decision() {
    domain::Decision decision;
    decision.eligibility = static_cast<domain::Eligibility>(Below(3));
    decision.disposition = static_cast<domain::Disposition>(Below(4));
    for (uint64_t left = Below(4); left > 0; --left) {
      decision.reasons.Add(static_cast<domain::Reason>(1 + Below(domain::kReasons - 1)));
    }
    if (Below(4) == 0) decision.disposed = decision.reasons;
    decision.good_until.micros = Time();
    return decision;
  }

  // As an answer that is written as a message: view FULL, and errors.
  void Fill(v1::BatchCheckResult* result) {
    if (Below(2) == 0) {
      result->mutable_error()->set_reason(std::string(Below(20), 'R'));
      result->mutable_error()->set_message(std::string(Below(300), 'm'));
    } else {
      WriteDecision(Decision(), true, result->mutable_decision());
      result->mutable_decision()->set_revision(std::string(Below(200), 'r'));
    }
  }

 private:
  int64_t Time() {
    switch (Below(6)) {
      case 0:
        return 0;
      case 1:
        return INT64_MAX;
      case 2:
        return -1;
      case 3:
        return static_cast<int64_t>(random_() >> Below(64));
      default:
        return 1'790'000'000'000'000 + static_cast<int64_t>(Below(3));
    }
  }

  std::mt19937_64 random_;
};

TEST(BatchReply, IsByteForByteWhatProtobufWrites) {
  const model::SeedRange seeds = model::SeedsOfChunk(0, 1, 3'000);
  for (uint64_t seed = seeds.first; seed < seeds.last; ++seed) {
    Generator generate(seed);
    v1::BatchCheckResponse whole, rest;
    BatchReply reply;
    const uint64_t items = generate.Below(20) == 0 ? 1'000 : generate.Below(40);
    reply.Reserve(generate.Below(2) * items);
    domain::Decision decision;
    for (uint64_t i = 0; i < items; ++i) {
      if (generate.Below(10) == 0) {
        generate.Fill(whole.add_results());
        reply.Add(whole.results().Get(whole.results_size() - 1));
        continue;
      }
      // Often the same one again.
      if (generate.Below(2) == 0) decision = generate.Decision();
      WriteDecision(decision, false, whole.add_results()->mutable_decision());
      reply.AddBasic(decision);
    }
    for (v1::BatchCheckResponse* each : {&whole, &rest}) {
      each->set_policy_version("2026-11");
      each->set_policy_hash(std::string(32, '\xff'));
      each->mutable_checked_at()->set_seconds(1'790'000'000);
    }
    ASSERT_EQ(std::string(reply.bytes()) + rest.SerializeAsString(), whole.SerializeAsString())
        << "CONSENT_TEST_SEED=" << seed;
  }
}

TEST(BatchReply, NothingDecidedIsADecisionAllTheSame) {
  BatchReply reply;
  reply.AddBasic({});
  v1::BatchCheckResponse whole;
  whole.add_results()->mutable_decision();
  EXPECT_EQ(reply.bytes(), whole.SerializeAsString());
}

TEST(BatchReply, WholeResultsGoWhereTheyArePut) {
  domain::Decision decision;
  decision.eligibility = domain::Eligibility::kEligible;
  BatchReply first, both;
  first.AddBasic(decision);
  both.AddBasic(decision);
  both.AddWritten(first.bytes());
  EXPECT_EQ(both.bytes(), std::string(first.bytes()) + std::string(first.bytes()));
}

}  // namespace
}  // namespace consent::wire::batch_reply_test
