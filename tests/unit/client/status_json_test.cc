// Each figure of GetStatus arrives in `consentctl status --json` under its own name.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/timestamp.pb.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "client/cli/render/render.h"
#include "client/cli/render/render_status.h"
#include "consent/v1/status_service.pb.h"
#include "tests/unit/client/fake_daemon.h"

namespace consent::testing {
namespace {

using cli::Json;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Fills every field of a message, and of the messages in it, each number and time with another one.
class Filler {
 public:
  void Fill(Message* message) {
    const Reflection& reflection = *message->GetReflection();
    for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor* const field = message->GetDescriptor()->field(i);
      ++next_;
      switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_MESSAGE:
          FillMessage(reflection, field, message);
          break;
        case FieldDescriptor::CPPTYPE_INT64:
          reflection.SetInt64(message, field, next_);
          break;
        case FieldDescriptor::CPPTYPE_INT32:
          reflection.SetInt32(message, field, static_cast<int32_t>(next_));
          break;
        case FieldDescriptor::CPPTYPE_BOOL:
          reflection.SetBool(message, field, true);
          break;
        case FieldDescriptor::CPPTYPE_ENUM:
          reflection.SetEnumValue(message, field, 2);
          break;
        default:
          reflection.SetString(message, field, field->name() + std::to_string(next_));
      }
    }
  }

 private:
  void FillMessage(const Reflection& reflection, const FieldDescriptor* field, Message* message) {
    Message* const part =
        field->is_repeated() ? reflection.AddMessage(message, field) : reflection.MutableMessage(message, field);
    if (auto* const time = dynamic_cast<google::protobuf::Timestamp*>(part); time != nullptr) {
      time->set_seconds(1'700'000'000 + next_);
    } else {
      Fill(part);
    }
  }

  int64_t next_ = 0;
};

class Comparison {
 public:
  // Fields that are compared.
  int compared() const { return compared_; }

  void Compare(const Message& message, const Json& json, const std::string& path) {
    const Reflection& reflection = *message.GetReflection();
    for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor* const field = message.GetDescriptor()->field(i);
      const std::string at = path + "." + field->name();
      // What a suspension says beside what is stopped and since when is `policy show`'s.
      const bool is_shown = json.contains(field->name());
      if (message.GetDescriptor()->name() == "Suspension" && !is_shown) continue;
      ASSERT_TRUE(is_shown) << at;
      const Json& shown = json[field->name()];
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        const Message& part = field->is_repeated() ? reflection.GetRepeatedMessage(message, field, 0)
                                                   : reflection.GetMessage(message, field);
        ComparePart(part, field->is_repeated() ? shown.at(0) : shown, at);
      } else {
        CompareValue(message, field, shown, at);
      }
    }
  }

 private:
  void ComparePart(const Message& part, const Json& shown, const std::string& at) {
    const auto* const time = dynamic_cast<const google::protobuf::Timestamp*>(&part);
    if (time == nullptr) return Compare(part, shown, at);
    ++compared_;
    EXPECT_EQ(shown, cli::TimeText(Time{std::chrono::seconds(time->seconds())})) << at;
  }

  void CompareValue(const Message& message, const FieldDescriptor* field, const Json& shown, const std::string& at) {
    const Reflection& reflection = *message.GetReflection();
    ++compared_;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT64:
        EXPECT_EQ(shown, reflection.GetInt64(message, field)) << at;
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        EXPECT_EQ(shown, true) << at;
        break;
      case FieldDescriptor::CPPTYPE_ENUM: {
        const std::string name = reflection.GetEnum(message, field)->name();
        const std::string text = shown.get<std::string>();
        EXPECT_EQ(name.substr(name.size() - text.size()), text) << at;
        EXPECT_FALSE(text.empty()) << at;
        break;
      }
      default: {
        const std::string text = reflection.GetString(message, field);
        EXPECT_EQ(shown, field->type() == FieldDescriptor::TYPE_BYTES ? cli::HexText(text) : text) << at;
      }
    }
  }

  int compared_ = 0;
};

class StatusJsonTest : public ::testing::Test {
 protected:
  Json Shown(const v1::GetStatusResponse& response) {
    daemon_.on_status = [&response](grpc::ServerContext&, const v1::GetStatusRequest&, v1::GetStatusResponse* out) {
      *out = response;
      return grpc::Status::OK;
    };
    const auto status = daemon_.Connect(std::make_shared<FakeClock>())->GetStatus();
    EXPECT_TRUE(status.ok()) << status.status();
    return cli::StatusJson(*status);
  }

  FakeDaemon daemon_;
};

TEST_F(StatusJsonTest, EachFieldArrivesUnderItsName) {
  v1::GetStatusResponse response;
  Filler().Fill(&response);
  Comparison comparison;
  comparison.Compare(response, Shown(response), "");
  EXPECT_GT(comparison.compared(), 70);
}

TEST_F(StatusJsonTest, WhatThereIsNoneOfIsNull) {
  const Json json = Shown({});
  for (const char* part : {"read_at", "started_at", "verification", "certificates", "callers", "safety"}) {
    EXPECT_TRUE(json.at(part).is_null()) << part;
  }
  EXPECT_TRUE(json["policy"]["waiting"].is_null());
  EXPECT_TRUE(json["holds"]["past_review"].is_null());
  EXPECT_EQ(json["systems"], Json::array());
  // What is not said is no good news.
  EXPECT_EQ(json["decision_log"]["on"], false);
  EXPECT_EQ(json["index"]["complete"], false);
}

}  // namespace
}  // namespace consent::testing
