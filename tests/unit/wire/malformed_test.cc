// Bytes that are not the declared message: what is said of them, and that nothing is said wrongly of good ones.
#include <string>

#include <gmock/gmock.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include "consent/v1/eligibility_service.pb.h"
#include "consent/v1/settings_service.pb.h"
#include "daemon/base/utf8.h"
#include "daemon/wire/diagnose.h"
#include "tests/unit/wire/fields_of.h"
#include "tests/unit/wire/requests.h"

namespace consent::testing {
namespace {

using ::testing::HasSubstr;
using wire::DetailOf;
using wire::Diagnose;
using wire::FindMalformation;

// protobuf's parser complains of text that is not UTF-8 on standard error.
class Malformed : public ::testing::Test {
  google::protobuf::LogSilencer silencer_;
};

const google::protobuf::Descriptor& OptOut() { return *v1::OptOutRequest::descriptor(); }
const google::protobuf::Descriptor& Batch() { return *v1::BatchCheckRequest::descriptor(); }

void ExpectViolation(const absl::Status& status, const std::string& field, const std::string& text) {
  const auto detail = DetailOf(status);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(detail.reason, v1::ERROR_REASON_MALFORMED_MESSAGE);
  ASSERT_EQ(detail.violations.size(), 1U);
  EXPECT_EQ(detail.violations[0].first, field);
  EXPECT_THAT(detail.violations[0].second, HasSubstr(text));
}

TEST_F(Malformed, TextThatIsNotUtf8IsNamedInEveryFieldOfEveryRequest) {
  for (const RequestKind& kind : AllRequests()) {
    for (const std::string& sample : kind.samples) {
      const auto message = Parse(kind, sample);
      for (const Spot& spot : SpotsOf(*message)) {
        if (spot.field()->type() != FieldDescriptor::TYPE_STRING) continue;
        std::unique_ptr<Message> changed(message->New());
        changed->CopyFrom(*message);
        SetText(spot.Parent(changed.get()), spot, "a\xff");
        const std::string bytes = changed->SerializePartialAsString();
        EXPECT_FALSE(changed->ParseFromString(bytes)) << spot.Path();
        ExpectViolation(Diagnose(bytes, *kind.prototype->GetDescriptor()), spot.Path(), "UTF-8");
      }
    }
  }
}

TEST_F(Malformed, EveryTruncationIsFoundAndGoodBytesAreNot) {
  for (const RequestKind& kind : AllRequests()) {
    for (const std::string& sample : kind.samples) {
      const auto message = Parse(kind, sample);
      const std::string bytes = message->SerializeAsString();
      EXPECT_TRUE(FindMalformation(bytes, *message->GetDescriptor()).ok());
      for (size_t length = 0; length < bytes.size(); ++length) {
        const std::string cut = bytes.substr(0, length);
        const bool parsed = message->ParseFromString(cut);
        EXPECT_EQ(FindMalformation(cut, *message->GetDescriptor()).ok(), parsed)
            << message->GetTypeName() << " cut at " << length;
        if (parsed) (void)kind.read(*message);
      }
    }
  }
}

TEST_F(Malformed, TheDeepestFieldIsNamed) {
  v1::BatchCheckRequest batch;
  for (int i = 0; i < 4; ++i) batch.add_recordings()->set_account_id("a");
  batch.mutable_recordings(3)->mutable_captured_at()->set_seconds(1);
  std::string bytes = batch.SerializeAsString();
  bytes.back() = '\x80';  // the number of seconds goes on, but the bytes do not
  ExpectViolation(Diagnose(bytes, Batch()), "recordings[3].captured_at.seconds", "truncated");
  batch.mutable_recordings(3)->set_account_id("\xed\xa0\x80");
  ExpectViolation(Diagnose(batch.SerializePartialAsString(), Batch()), "recordings[3].account_id", "UTF-8");
}

TEST_F(Malformed, WireTypesAndTags) {
  ExpectViolation(Diagnose(std::string("\x08\x01", 2), OptOut()), "account_id", "wire type");
  ExpectViolation(Diagnose(std::string("\x0d\x01\x02\x03\x04", 5), OptOut()), "account_id", "wire type");
  ExpectViolation(Diagnose(std::string("\x0a\x05"
                                       "ab",
                                       4),
                           OptOut()),
                  "account_id", "truncated");
  ExpectViolation(Diagnose(std::string("\x0a\xff\xff\xff\xff\x07", 6), OptOut()), "account_id", "truncated");
  ExpectViolation(Diagnose(std::string("\x0a\xff\xff\xff\xff\xff\x01", 7), OptOut()), "account_id", "length");
  ExpectViolation(Diagnose(std::string("\x00\x00", 2), OptOut()), "", "field number");
  ExpectViolation(Diagnose(std::string("\xff", 1), OptOut()), "", "truncated");
  ExpectViolation(Diagnose(std::string("\x0f", 1), OptOut()), "", "wire type that does not exist");
  ExpectViolation(Diagnose(std::string("\x0c", 1), OptOut()), "", "group");
  // Where the walk finds nothing the answer is still an error.
  ExpectViolation(Diagnose("", OptOut()), "", "consent.v1.OptOutRequest");
}

TEST_F(Malformed, GroupsOfUnknownFieldsAreWalkedWithinTheParsersDepth) {
  const auto nested = [](size_t depth) { return std::string(depth, '\x7b') + std::string(depth, '\x7c'); };
  v1::OptOutRequest request;
  EXPECT_TRUE(request.ParseFromString(nested(wire::kMaxDepth)));
  EXPECT_TRUE(FindMalformation(nested(wire::kMaxDepth), OptOut()).ok());
  EXPECT_FALSE(request.ParseFromString(nested(wire::kMaxDepth + 1)));
  ExpectViolation(Diagnose(nested(wire::kMaxDepth + 1), OptOut()), "", "too deep");
  ExpectViolation(Diagnose(nested(2'000'000), OptOut()), "", "too deep");
  ExpectViolation(Diagnose(std::string("\x7b\x74", 2), OptOut()), "", "group");
  ExpectViolation(Diagnose(std::string("\x7b\x7a\x09", 3), OptOut()), "", "truncated");
}

// The parser keeps a field of the wrong wire type as an unknown one: what it said would be lost without a word.
TEST_F(Malformed, AFieldOfAnotherWireTypeIsRefusedInEveryMessageOfEveryRequest) {
  for (const RequestKind& kind : AllRequests()) {
    for (const std::string& sample : kind.samples) {
      const auto message = Parse(kind, sample);
      for (const Spot& spot : SpotsOf(*message)) {
        std::unique_ptr<Message> changed(message->New());
        changed->CopyFrom(*message);
        Message* parent = spot.Parent(changed.get());
        parent->GetReflection()->MutableUnknownFields(parent)->AddFixed64(spot.field()->number(), 1);
        Spot place = spot;
        place.steps.back().index = -1;
        const auto detail = DetailOf(kind.read(*changed));
        EXPECT_EQ(detail.reason, v1::ERROR_REASON_MALFORMED_MESSAGE) << spot.Path();
        EXPECT_TRUE(Names(kind.read(*changed), place.Path())) << place.Path();
      }
    }
  }
}

TEST_F(Malformed, AFieldThatThisVersionDoesNotDeclareIsLeftAlone) {
  for (const RequestKind& kind : AllRequests()) {
    for (const std::string& sample : kind.samples) {
      const auto message = Parse(kind, sample);
      message->GetReflection()->MutableUnknownFields(message.get())->AddLengthDelimited(1'000, "of a newer client");
      EXPECT_TRUE(kind.read(*message).ok()) << kind.read(*message);
    }
  }
}

TEST_F(Malformed, Utf8) {
  for (const char* good : {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(base::IsUtf8(good)) << good;
  }
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "\xe2\x28\xa1", "\xf0\x90\x80", "a\xc2z"}) {
    EXPECT_FALSE(base::IsUtf8(bad)) << bad;
  }
  EXPECT_TRUE(base::IsUtf8(std::string_view("\0a", 2)));
}

}  // namespace
}  // namespace consent::testing
