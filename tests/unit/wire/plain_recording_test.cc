// What is read in one pass is what protobuf and ReadRecording would have read.
#include "daemon/wire/plain_recording.h"

#include <functional>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include "daemon/wire/split_batch.h"
#include "tests/support/model/seeds.h"
#include "tests/unit/wire/both_readers.h"

namespace consent::wire::plain_recording_test {
namespace {

v1::Recording Full() {
  v1::Recording recording;
  recording.set_recording_id("8b3f0c52-0000-4000-8000-0123456789ab");
  recording.set_account_id("account-0123456789abcdef");
  recording.mutable_captured_at()->set_seconds(1'790'000'000);
  recording.mutable_captured_at()->set_nanos(123'000'000);
  recording.set_captured_uncertainty_ms(500);
  recording.mutable_ingested_at()->set_seconds(1'790'000'002);
  recording.add_profile_ids("profile-1");
  recording.add_profile_ids("profile-2");
  recording.set_device_id("device-1");
  recording.set_region("US-CA");
  recording.set_wake(v1::WAKE_INTENDED);
  recording.set_kind(v1::KIND_MESSAGE);
  recording.set_speakers(v1::SPEAKERS_ONE);
  recording.set_identity(v1::IDENTITY_MATCHED);
  recording.set_age(v1::SPEAKER_AGE_ADULT);
  recording.set_artefact(v1::ARTEFACT_TRANSCRIPT);
  recording.set_made_for(v1::PURPOSE_MODEL_TRAINING);
  recording.add_flags(v1::FLAG_SAFETY);
  recording.add_flags(v1::FLAG_CHILD_PRESENT);
  return recording;
}

// Recordings as callers send them, of every kind; each fact is there or not.
class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  bool OneIn(unsigned n) { return random_() % n == 0; }

  v1::Recording Valid() {
    v1::Recording recording;
    recording.set_recording_id(Id());
    recording.set_account_id(Id());
    if (!OneIn(4)) *recording.mutable_captured_at() = Time();
    if (!OneIn(4))
      recording.set_captured_uncertainty_ms(static_cast<int64_t>(random_() % (base::kMaxUncertaintyMs + 1)));
    if (!OneIn(4)) *recording.mutable_ingested_at() = Time();
    for (unsigned left = Below(base::kMaxNamedProfiles + 1); left > 0; --left) {
      recording.add_profile_ids(std::to_string(left) + Id().substr(0, 100));
    }
    if (OneIn(2)) recording.set_device_id(Id());
    if (!OneIn(4)) recording.set_region(Region());
    recording.set_wake(static_cast<v1::Wake>(Below(v1::Wake_ARRAYSIZE)));
    recording.set_kind(static_cast<v1::Kind>(Below(v1::Kind_ARRAYSIZE)));
    recording.set_speakers(static_cast<v1::Speakers>(Below(v1::Speakers_ARRAYSIZE)));
    recording.set_identity(static_cast<v1::Identity>(Below(v1::Identity_ARRAYSIZE)));
    recording.set_age(static_cast<v1::SpeakerAge>(Below(v1::SpeakerAge_ARRAYSIZE)));
    recording.set_artefact(static_cast<v1::Artefact>(Below(v1::Artefact_ARRAYSIZE)));
    if (recording.artefact() > v1::ARTEFACT_SOURCE) {
      recording.set_made_for(static_cast<v1::Purpose>(Below(v1::Purpose_ARRAYSIZE)));
    }
    if (OneIn(3)) {
      for (unsigned left = Below(base::kMaxNamedFlags + 1); left > 0; --left) {
        recording.add_flags(static_cast<v1::Flag>(1 + Below(v1::Flag_ARRAYSIZE - 1)));
      }
    }
    return recording;
  }

  // Something that is unusual, at a bound or beyond it.
  void Strain(v1::Recording* recording) {
    switch (Below(16)) {
      case 0:
        return recording->set_recording_id(Odd());
      case 1:
        return recording->set_account_id(Odd());
      case 2:
        return recording->set_device_id(Odd());
      case 3:
        return recording->add_profile_ids(Odd());
      case 4:
        if (recording->profile_ids_size() != 0) recording->add_profile_ids(recording->profile_ids(0));
        return;
      case 5:
        return recording->set_region(OneIn(2) ? Odd() : Region().substr(1));
      case 6:
        return recording->mutable_captured_at()->set_seconds(OddNumber());
      case 7:
        return recording->mutable_ingested_at()->set_nanos(static_cast<int32_t>(OddNumber()));
      case 8:
        return recording->set_captured_uncertainty_ms(OddNumber());
      case 9:
        return recording->set_wake(static_cast<v1::Wake>(OddNumber()));
      case 10:
        return recording->set_kind(static_cast<v1::Kind>(OddNumber()));
      case 11:
        return recording->set_speakers(static_cast<v1::Speakers>(OddNumber()));
      case 12:
        return recording->set_age(static_cast<v1::SpeakerAge>(OddNumber()));
      case 13:
        return recording->set_artefact(static_cast<v1::Artefact>(OddNumber()));
      case 14:
        return recording->set_made_for(static_cast<v1::Purpose>(OddNumber()));
      default:
        return recording->add_flags(static_cast<v1::Flag>(OddNumber()));
    }
  }

  // Some bytes changed, left out, put in from elsewhere, or cut off.
  void Damage(std::string* bytes) {
    const std::string whole = *bytes;
    for (unsigned changes = Below(4) + 1; changes > 0 && !bytes->empty(); --changes) {
      const size_t at = random_() % bytes->size();
      switch (Below(4)) {
        case 0:
          (*bytes)[at] = static_cast<char>(random_());
          break;
        case 1:
          bytes->erase(at, random_() % 8 + 1);
          break;
        case 2:
          bytes->insert(at, whole.substr(random_() % whole.size(), random_() % 16));
          break;
        default:
          bytes->resize(at);
      }
    }
  }

 private:
  unsigned Below(size_t n) { return static_cast<unsigned>(random_() % n); }
  std::string Id() {
    std::string id(OneIn(8) ? 1 + Below(127) : 24, ' ');
    for (char& c : id) c = static_cast<char>(OneIn(20) ? Below(128) : 'a' + Below(26));
    return id;
  }
  std::string Region() {
    std::string region(2, ' ');
    for (char& c : region) c = static_cast<char>('A' + Below(3));
    if (OneIn(2)) region += "-" + std::string(1 + Below(3), static_cast<char>('1' + Below(3)));
    return region;
  }
  google::protobuf::Timestamp Time() {
    google::protobuf::Timestamp time;
    time.set_seconds(static_cast<int64_t>(OneIn(4) ? random_() % (kLastSecond + 1) : 1'790'000'000 + random_() % 1000));
    time.set_nanos(static_cast<int32_t>(OneIn(4) ? 0 : random_() % (kLastNano + 1)));
    if (OneIn(50)) time.Clear();
    if (OneIn(50)) time.set_seconds(kLastSecond);
    return time;
  }
  std::string Odd() {
    static const std::string kOdd[] = {"",
                                       "\u00e9",
                                       std::string(127, 'x'),
                                       std::string(128, 'x'),
                                       std::string(129, 'x'),
                                       std::string(1, '\0'),
                                       "DE ",
                                       std::string("DE\0", 3),
                                       "US-",
                                       "US-CALI"};
    return kOdd[Below(std::size(kOdd))];
  }
  int64_t OddNumber() {
    static constexpr int64_t kOdd[] = {-1,
                                       0,
                                       1,
                                       7,
                                       8,
                                       127,
                                       128,
                                       255,
                                       256,
                                       257,
                                       999'999'999,
                                       1'000'000'000,
                                       INT32_MAX,
                                       INT32_MIN,
                                       base::kMaxUncertaintyMs,
                                       base::kMaxUncertaintyMs + 1,
                                       kLastSecond,
                                       kLastSecond + 1,
                                       INT64_MAX,
                                       INT64_MIN};
    return kOdd[Below(std::size(kOdd))];
  }

  std::mt19937_64 random_;
};

class PlainRecording : public ::testing::Test {
 protected:
  // The fast pass read them.
  bool Takes(const std::string& bytes) {
    const std::string difference = readers_.Difference(bytes);
    EXPECT_EQ(difference, "") << ::testing::PrintToString(bytes);
    return readers_.taken();
  }
  bool TakesFullBut(const std::function<void(v1::Recording&)>& change) {
    v1::Recording recording = Full();
    change(recording);
    return Takes(recording.SerializeAsString());
  }

  const google::protobuf::LogSilencer silence_;
  testing::BothReaders readers_;
};

TEST_F(PlainRecording, TakesAllKindsOfThem) {
  EXPECT_TRUE(Takes(Full().SerializeAsString()));
  v1::Recording least;
  least.set_recording_id("r");
  least.set_account_id("a");
  EXPECT_TRUE(Takes(least.SerializeAsString())) << "and nothing is left of the one before";
  EXPECT_TRUE(TakesFullBut([](v1::Recording& r) {
    while (r.profile_ids_size() < base::kMaxNamedProfiles) r.add_profile_ids(std::to_string(r.profile_ids_size()));
  }));
  EXPECT_TRUE(TakesFullBut([](v1::Recording& r) { r.set_account_id(std::string(127, 'a')); }));
  EXPECT_TRUE(TakesFullBut([](v1::Recording& r) { r.mutable_captured_at()->Clear(); }));
  EXPECT_TRUE(TakesFullBut([](v1::Recording& r) { r.clear_device_id(); }));
  EXPECT_TRUE(TakesFullBut([](v1::Recording& r) { r.clear_region(); }));
}

TEST_F(PlainRecording, LeavesWhatIsUnusualToProtobuf) {
  EXPECT_FALSE(TakesFullBut([](v1::Recording& r) { r.set_region("\u00e9"); }));
  EXPECT_FALSE(TakesFullBut([](v1::Recording& r) { r.set_account_id("\u00e9"); }));
  EXPECT_FALSE(TakesFullBut([](v1::Recording& r) { r.set_account_id(std::string(128, 'a')); }));
  EXPECT_FALSE(TakesFullBut([](v1::Recording& r) { r.set_wake(static_cast<v1::Wake>(1000)); }));
  const std::string whole = Full().SerializeAsString();
  const auto with = [&](const std::string& more) { return whole + more; };
  EXPECT_FALSE(Takes(with({"\x1a\x00", 2}))) << "captured_at a second time";
  EXPECT_FALSE(Takes(with({"\x3a\x01x", 3}))) << "device_id a second time: the last one counts";
  EXPECT_FALSE(
      Takes(with({"\x42\x02"
                  "DE",
                  4})))
      << "region a second time";
  EXPECT_FALSE(Takes(with({"\x82\x01\x01\x01", 4}))) << "flags in two lists: all count";
  EXPECT_FALSE(Takes(with({"\x80\x01\x01", 3}))) << "a flag that is not in a list";
  EXPECT_FALSE(Takes(with({"\xa2\x06\x00", 3}))) << "field 100";
  v1::Recording recording = Full();
  recording.clear_wake();
  EXPECT_FALSE(Takes(recording.SerializeAsString() + std::string("\x48\x81\x00", 3))) << "wake in two bytes";
  recording = Full();
  recording.clear_captured_at();
  const std::string rest = recording.SerializeAsString();
  EXPECT_TRUE(Takes(rest + std::string("\x1a\x04\x08\x05\x10\x06", 6)));
  EXPECT_FALSE(Takes(rest + std::string("\x1a\x04\x10\x06\x08\x05", 6))) << "nanos before seconds";
  EXPECT_FALSE(Takes(rest + std::string("\x1a\x04\x08\x05\x08\x06", 6))) << "seconds twice";
}

// ReadRecording finds the faults and has the words for them.
TEST_F(PlainRecording, LeavesWhatIsWrongToReadRecording) {
  const auto fault = [&](const std::function<void(v1::Recording&)>& change) {
    return !TakesFullBut(change) && !readers_.valid();
  };
  EXPECT_TRUE(fault([](v1::Recording& r) { r.clear_recording_id(); }));
  EXPECT_TRUE(fault([](v1::Recording& r) { r.clear_account_id(); }));
  EXPECT_TRUE(fault([](v1::Recording& r) { r.add_profile_ids(""); }));
  EXPECT_TRUE(fault([](v1::Recording& r) { r.add_profile_ids(r.profile_ids(0)); }));
  EXPECT_TRUE(fault([](v1::Recording& r) {
    for (int i = 0; i < 7; ++i) r.add_profile_ids(std::to_string(i));
  }));
  EXPECT_TRUE(fault([](v1::Recording& r) { r.set_region("de"); }));
  EXPECT_TRUE(fault([](v1::Recording& r) { r.set_region(std::string("US-CA\0", 6)); }));
  EXPECT_TRUE(fault([](v1::Recording& r) { r.set_wake(static_cast<v1::Wake>(4)); }));
  EXPECT_TRUE(fault([](v1::Recording& r) { r.set_wake(static_cast<v1::Wake>(-1)); }));
  EXPECT_TRUE(fault([](v1::Recording& r) { r.clear_artefact(); })) << "made_for without a copy";
  EXPECT_TRUE(fault([](v1::Recording& r) { r.set_artefact(v1::ARTEFACT_SOURCE); }));
  EXPECT_TRUE(fault([](v1::Recording& r) { r.add_flags(v1::FLAG_UNSPECIFIED); }));
  EXPECT_TRUE(fault([](v1::Recording& r) { r.mutable_flags()->Resize(9, v1::FLAG_SAFETY); }));
  EXPECT_TRUE(fault([](v1::Recording& r) { r.set_captured_uncertainty_ms(-1); }));
  EXPECT_TRUE(fault([](v1::Recording& r) { r.set_captured_uncertainty_ms(base::kMaxUncertaintyMs + 1); }));
  EXPECT_TRUE(fault([](v1::Recording& r) { r.mutable_captured_at()->set_nanos(-1); }));
  EXPECT_TRUE(fault([](v1::Recording& r) { r.mutable_captured_at()->set_nanos(1'000'000'000); }));
  EXPECT_TRUE(fault([](v1::Recording& r) { r.mutable_ingested_at()->set_seconds(kLastSecond + 1); }));
  const std::string whole = Full().SerializeAsString();
  EXPECT_FALSE(Takes(whole + std::string("\x08\x01", 2))) << "recording_id of another wire type";
  EXPECT_FALSE(readers_.valid());
}

// The region before is remembered, and a longer text with its beginning is not it.
TEST_F(PlainRecording, ARegionIsNotTheOneBefore) {
  for (const char* region : {"US", "US-CA", "US-C", "US", "DE", "US-CA"}) {
    EXPECT_TRUE(TakesFullBut([&](v1::Recording& r) { r.set_region(region); })) << region;
    EXPECT_FALSE(TakesFullBut([&](v1::Recording& r) { r.set_region(region + std::string(1, '\0')); })) << region;
  }
}

// The fast pass asks for the greatest number of an enum alone.
TEST_F(PlainRecording, EnumsHaveNoGaps) {
  const google::protobuf::EnumDescriptor* enums[] = {
      v1::Wake_descriptor(),       v1::Kind_descriptor(),     v1::Speakers_descriptor(), v1::Identity_descriptor(),
      v1::SpeakerAge_descriptor(), v1::Artefact_descriptor(), v1::Purpose_descriptor()};
  for (const auto* each : enums) {
    for (int i = 0; i < each->value_count(); ++i) EXPECT_EQ(each->value(i)->number(), i) << each->name();
  }
}

TEST_F(PlainRecording, RandomOnesAreTheSameToProtobuf) {
  const model::SeedRange seeds = model::SeedsOfChunk(0, 1, 20'000);
  uint64_t damaged_taken = 0, strained_valid = 0;
  for (uint64_t seed = seeds.first; seed < seeds.last; ++seed) {
    Generator generate(seed);
    v1::Recording recording = generate.Valid();
    std::string bytes = recording.SerializeAsString();
    ASSERT_TRUE(Takes(bytes)) << "CONSENT_TEST_SEED=" << seed << "\n" << recording.ShortDebugString();
    generate.Damage(&bytes);
    damaged_taken += Takes(bytes) ? 1 : 0;
    generate.Strain(&recording);
    Takes(recording.SerializePartialAsString());
    strained_valid += readers_.valid() ? 1 : 0;
    ASSERT_FALSE(HasFailure()) << "CONSENT_TEST_SEED=" << seed;
  }
  const uint64_t all = seeds.last - seeds.first;
  if (!seeds.whole) return;
  EXPECT_GT(damaged_taken, all / 50);
  EXPECT_GT(strained_valid, all / 20);
  EXPECT_LT(strained_valid, all - all / 20);
}

TEST(SplitBatch, RecordingsAsideTheRestIsTheMessage) {
  v1::BatchCheckRequest request;
  request.set_purpose(v1::PURPOSE_HUMAN_REVIEW);
  request.mutable_place()->set_country("DE");
  v1::BatchCheckRequest batch = request;
  *batch.add_recordings() = Full();
  batch.add_recordings();
  SplitBatch split;
  // Fields may come in any order, and in pieces: later ones win.
  v1::BatchCheckRequest more;
  more.set_at_least_revision("r");
  more.add_recordings()->set_account_id("a");
  const std::string bytes = batch.SerializeAsString() + more.SerializeAsString();
  ASSERT_TRUE(Split(bytes, &split));
  request.set_at_least_revision("r");
  EXPECT_EQ(split.rest.SerializeAsString(), request.SerializeAsString());
  EXPECT_THAT(split.recordings,
              ::testing::ElementsAre(Full().SerializeAsString(), "", more.recordings(0).SerializeAsString()));
}

TEST(SplitBatch, WhatProtobufRefusesIsRefused) {
  v1::BatchCheckRequest batch;
  *batch.add_recordings() = Full();
  batch.set_at_least_revision("r");
  const std::string whole = batch.SerializeAsString();
  std::mt19937 random(2);
  SplitBatch split;
  const google::protobuf::LogSilencer silence;
  for (int i = 0; i < 100'000; ++i) {
    std::string bytes = whole;
    for (unsigned changes = random() % 3 + 1; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    const bool parsed = v1::BatchCheckRequest().ParseFromString(bytes);
    bool taken = Split(bytes, &split);
    for (const std::string_view recording : split.recordings) {
      taken = taken && v1::Recording().ParseFromArray(recording.data(), static_cast<int>(recording.size()));
    }
    ASSERT_EQ(taken, parsed) << ::testing::PrintToString(bytes);
  }
}

}  // namespace
}  // namespace consent::wire::plain_recording_test
