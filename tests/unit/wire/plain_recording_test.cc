// What is read without protobuf is what protobuf would have read.
#include "daemon/wire/recording_view.h"

#include <random>
#include <string>

#include <gmock/gmock.h>
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include "daemon/wire/split_batch.h"

namespace consent::wire {
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
  recording.add_profile_ids("");
  recording.set_device_id("device-1");
  recording.set_region("US-CA");
  recording.set_wake(v1::WAKE_INTENDED);
  recording.set_kind(v1::KIND_MESSAGE);
  recording.set_speakers(v1::SPEAKERS_ONE);
  recording.set_identity(v1::IDENTITY_MATCHED);
  recording.set_age(v1::SPEAKER_AGE_ADULT);
  recording.set_artefact(v1::ARTEFACT_TRANSCRIPT);
  recording.set_made_for(v1::PURPOSE_MODEL_TRAINING);
  return recording;
}

// As the view has it, back in a message.
v1::Recording Message(const RecordingView& view) {
  v1::Recording out;
  out.set_recording_id(std::string(view.recording_id()));
  out.set_account_id(std::string(view.account_id()));
  if (view.has_captured_at()) *out.mutable_captured_at() = view.captured_at();
  if (view.has_captured_uncertainty_ms()) out.set_captured_uncertainty_ms(view.captured_uncertainty_ms());
  if (view.has_ingested_at()) *out.mutable_ingested_at() = view.ingested_at();
  for (int i = 0; i < view.profile_ids_size(); ++i) out.add_profile_ids(std::string(view.profile_ids(i)));
  out.set_device_id(std::string(view.device_id()));
  out.set_region(std::string(view.region()));
  out.set_wake(static_cast<v1::Wake>(view.wake()));
  out.set_kind(static_cast<v1::Kind>(view.kind()));
  out.set_speakers(static_cast<v1::Speakers>(view.speakers()));
  out.set_identity(static_cast<v1::Identity>(view.identity()));
  out.set_age(static_cast<v1::SpeakerAge>(view.age()));
  out.set_artefact(static_cast<v1::Artefact>(view.artefact()));
  out.set_made_for(static_cast<v1::Purpose>(view.made_for()));
  return out;
}

TEST(RecordingView, ReadsWhatProtobufReads) {
  RecordingView view;
  for (const v1::Recording& recording : {Full(), v1::Recording()}) {
    const std::string bytes = recording.SerializeAsString();
    ASSERT_TRUE(view.Parse(bytes));
    EXPECT_EQ(Message(view).SerializeAsString(), bytes) << "and nothing is left of the one before";
  }
}

TEST(RecordingView, LeavesWhatIsUnusualToProtobuf) {
  const auto taken = [](const auto& change) {
    v1::Recording recording = Full();
    change(recording);
    return RecordingView().Parse(recording.SerializeAsString());
  };
  EXPECT_TRUE(taken([](v1::Recording&) {}));
  EXPECT_FALSE(taken([](v1::Recording& r) { r.add_flags(v1::FLAG_SAFETY); })) << "a flag forbids: it must not get lost";
  EXPECT_FALSE(taken([](v1::Recording& r) { r.set_region("\xc3\xa9"); }));
  EXPECT_FALSE(taken([](v1::Recording& r) { r.set_account_id(std::string(128, 'a')); }));
  EXPECT_FALSE(taken([](v1::Recording& r) { r.set_wake(static_cast<v1::Wake>(1000)); }));
  EXPECT_FALSE(taken([](v1::Recording& r) { r.set_wake(static_cast<v1::Wake>(-1)); }));
  EXPECT_FALSE(taken([](v1::Recording& r) { r.set_captured_uncertainty_ms(-1); }));
  EXPECT_FALSE(taken([](v1::Recording& r) { r.mutable_captured_at()->set_nanos(-1); }));
  EXPECT_FALSE(taken([](v1::Recording& r) {
    for (int i = 0; i < 7; ++i) r.add_profile_ids("p");
  }));
  const std::string whole = Full().SerializeAsString();
  EXPECT_FALSE(RecordingView().Parse(whole + std::string("\x1a\x00", 2))) << "captured_at a second time";
  EXPECT_FALSE(RecordingView().Parse(whole + std::string("\x08\x01", 2))) << "recording_id of another wire type";
  EXPECT_FALSE(RecordingView().Parse(whole + std::string("\xa2\x06\x00", 3))) << "field 100";
}

TEST(RecordingView, AnyBytesThatItTakesAreTheSameToProtobuf) {
  const std::string whole = Full().SerializeAsString();
  std::mt19937 random(1);
  RecordingView view;
  int taken = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string bytes = whole;
    for (unsigned changes = random() % 4 + 1; changes > 0 && !bytes.empty(); --changes) {
      const size_t at = random() % bytes.size();
      switch (random() % 4) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, random() % 8 + 1);
          break;
        case 2:
          bytes.insert(at, whole.substr(random() % whole.size(), random() % 16));
          break;
        default:
          bytes.resize(at);
      }
    }
    if (!view.Parse(bytes)) continue;
    ++taken;
    v1::Recording recording;
    ASSERT_TRUE(recording.ParseFromString(bytes)) << testing::PrintToString(bytes);
    ASSERT_EQ(Message(view).SerializeAsString(), recording.SerializeAsString()) << testing::PrintToString(bytes);
  }
  EXPECT_GT(taken, 10'000);
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
              testing::ElementsAre(Full().SerializeAsString(), "", more.recordings(0).SerializeAsString()));
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
    ASSERT_EQ(taken, parsed) << testing::PrintToString(bytes);
  }
}

}  // namespace
}  // namespace consent::wire
