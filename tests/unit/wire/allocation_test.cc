// The hot path allocates nothing: a binary of its own, because it counts every `new` of the process.
#include <atomic>
#include <cstdlib>
#include <new>
#include <string>

#include <gtest/gtest.h>

#include "daemon/wire/batch_reply.h"
#include "daemon/wire/eligibility.h"
#include "daemon/wire/plain_recording.h"

namespace {
std::atomic<size_t> allocations{0};
}  // namespace

void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace consent::testing {
namespace {

TEST(Allocations, NoneForARecordingAndNoneForADecision) {
  v1::Recording recording;
  recording.set_recording_id(std::string(127, 'r'));
  recording.set_account_id(std::string(127, 'a'));
  recording.mutable_captured_at()->set_seconds(1'790'000'000);
  recording.mutable_ingested_at()->set_seconds(1'790'000'000);
  recording.set_captured_uncertainty_ms(5);
  recording.add_profile_ids(std::string(127, 'p'));
  recording.add_profile_ids(std::string(127, 'q'));
  recording.set_device_id(std::string(127, 'd'));
  recording.set_region("US-CA");
  recording.add_flags(v1::FLAG_SAFETY);
  const base::IdHasher hasher(base::Bytes16{1});
  wire::Violations faults;
  base::SubjectHandle subject;
  std::string id;
  domain::RecordingFacts facts;
  domain::Decision decision;
  decision.reasons.Add(domain::Reason::kRefused);
  v1::Decision out;
  const std::string bytes = recording.SerializeAsString();
  wire::PlainRecordingReader reader;
  wire::RecordingIds ids;
  wire::BatchReply reply;
  reply.Reserve(200);
  // Once before: static data and the message's own memory.
  ASSERT_TRUE(wire::ReadRecording(recording, hasher, wire::Path(), &faults, &subject, &id, &facts));
  wire::WriteDecision(decision, false, &out);
  out.Clear();

  const size_t before = allocations.load();
  bool valid = true;
  for (int i = 0; i < 100; ++i) {
    const wire::Path root;
    valid &= wire::ReadRecording(recording, hasher, wire::Path(root, "recordings", i), &faults, &subject, &id, &facts);
    wire::WriteDecision(decision, false, &out);
    out.Clear();
    valid &= reader.Read(bytes, &ids, &facts);
    wire::HashIds(ids, hasher, &subject, &facts);
    reply.AddBasic(decision);
    decision.good_until.micros += i;
  }
  const size_t after = allocations.load();
  EXPECT_TRUE(valid);
  EXPECT_EQ(after - before, 0U);
  EXPECT_GT(before, 0U) << "the counter counts";
}

}  // namespace
}  // namespace consent::testing
