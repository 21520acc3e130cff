// The client's readers against the daemon's own: every field of a line, at its bound, beyond it, in the wrong case, in
// bytes that are no UTF-8 and empty. What the client takes the daemon takes, and the other way round.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "client/cli/lines/import_lines.h"
#include "consent/recording_lines.h"
#include "consent/v1/eligibility_service.pb.h"
#include "daemon/base/bounds.h"
#include "daemon/base/time.h"
#include "daemon/base/utf8.h"
#include "daemon/wire/eligibility.h"

namespace consent {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using nlohmann::json;

// Numbers that no enum has stand for names that none has.
int EnumNumber(const FieldDescriptor& field, const std::string& name) {
  for (int i = 0; i < field.enum_type()->value_count(); ++i) {
    const auto* value = field.enum_type()->value(i);
    const std::string& full = value->name();
    const bool same = full == name || (full.size() > name.size() &&
                                       full.compare(full.size() - name.size() - 1, std::string::npos, "_" + name) == 0);
    if (same && value->number() != 0) return value->number();
  }
  return 9'999;
}

void Set(const json& value, const FieldDescriptor& field, Message* message) {
  const auto& reflection = *message->GetReflection();
  if (field.is_repeated()) {
    for (const json& item : value) {
      if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
        reflection.AddString(message, &field, item.get<std::string>());
      }
      if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
        reflection.AddEnumValue(message, &field, EnumNumber(field, item.get<std::string>()));
      }
    }
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    reflection.SetString(message, &field, value.get<std::string>());
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    reflection.SetEnumValue(message, &field, EnumNumber(field, value.get<std::string>()));
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    auto* time = static_cast<google::protobuf::Timestamp*>(reflection.MutableMessage(message, &field));
    int64_t micros = 0;
    time->set_seconds(base::ParseTimestamp(value.get<std::string>(), &micros) ? micros / 1'000'000 : -1);
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
    reflection.SetInt32(message, &field, value.get<int32_t>());
  } else {
    reflection.SetInt64(message, &field, value.get<int64_t>());
  }
}

bool DaemonTakes(const std::string& key, const json& value) {
  v1::CheckRequest request;
  v1::Recording& recording = *request.mutable_recording();
  recording.set_recording_id("r");
  recording.set_account_id("a");
  if (key == "made_for") recording.set_artefact(v1::ARTEFACT_TRANSCRIPT);
  const FieldDescriptor* field = recording.GetDescriptor()->FindFieldByName(key);
  Message* message = &recording;
  if (field == nullptr) {
    message = request.mutable_place();
    field = message->GetDescriptor()->FindFieldByName(key == "reviewer" ? "reviewer_class" : key);
  }
  if (field == nullptr) {
    ADD_FAILURE() << "the daemon knows no " << key;
    return false;
  }
  Set(value, *field, message);
  v1::CheckRequest received;
  if (!received.ParseFromString(request.SerializePartialAsString())) return false;
  wire::CheckQuery query;
  wire::Violations faults;
  base::SubjectHandle subject;
  std::string id;
  domain::RecordingFacts facts;
  return wire::ReadCheck(received, &query).ok() &&
         wire::ReadRecording(received.recording(), base::IdHasher(base::Bytes16{}), wire::Path(), &faults, &subject,
                             &id, &facts);
}

// Written by hand, so that bytes that are no UTF-8 reach the reader.
std::string Quoted(const json& value) {
  if (value.is_string()) return "\"" + value.get<std::string>() + "\"";
  if (!value.is_array()) return value.dump();
  std::string list;
  for (const json& item : value) list += (list.empty() ? "" : ",") + Quoted(item);
  return "[" + list + "]";
}

bool ClientTakes(const std::string& key, const json& value) {
  std::string line;
  const auto add = [&](const std::string& name, const std::string& text) {
    line += (line.empty() ? "{\"" : ",\"") + name + "\":" + text;
  };
  if (key != "recording_id") add("recording_id", "\"r\"");
  if (key != "account_id") add("account_id", "\"a\"");
  if (key == "made_for") add("artefact", "\"TRANSCRIPT\"");
  add(key, Quoted(value));
  return ParseRecordingLine(line + "}", {}).ok();
}

void ExpectOneVerdict(const std::string& key, const json& value) {
  EXPECT_EQ(ClientTakes(key, value), DaemonTakes(key, value))
      << key << " " << value.dump(-1, ' ', true, json::error_handler_t::replace).substr(0, 80);
}

const std::string kBadUtf8 = "a\xff";

json Ids(int count, size_t bytes) {
  json list = json::array();
  for (int i = 0; i < count; ++i) list.push_back(std::to_string(i) + std::string(bytes - 1, 'x'));
  return list;
}

TEST(BoundsTest, IdsTextsAndLists) {
  for (const char* key : {"recording_id", "account_id", "device_id"}) {
    for (const std::string& text : {std::string("x"), std::string(base::kMaxIdBytes, 'x'),
                                    std::string(base::kMaxIdBytes + 1, 'x'), kBadUtf8, std::string("\xe2\x80\xae")}) {
      ExpectOneVerdict(key, text);
    }
  }
  ExpectOneVerdict("recording_id", "");
  ExpectOneVerdict("account_id", "");
  for (const std::string& text :
       {std::string(base::kMaxNameBytes, 's'), std::string(base::kMaxNameBytes + 1, 's'), kBadUtf8}) {
    ExpectOneVerdict("site", text);
  }
  for (const int count : {0, 1, base::kMaxNamedProfiles, base::kMaxNamedProfiles + 1}) {
    for (const size_t bytes : {base::kMaxIdBytes, base::kMaxIdBytes + 1}) {
      ExpectOneVerdict("profile_ids", Ids(count, bytes));
    }
  }
  ExpectOneVerdict("profile_ids", json::array({"p", "p"}));
  ExpectOneVerdict("profile_ids", json::array({""}));
  ExpectOneVerdict("profile_ids", json::array({kBadUtf8}));
  for (const int count : {1, base::kMaxNamedFlags, base::kMaxNamedFlags + 1}) {
    ExpectOneVerdict("flags", json(std::vector<std::string>(static_cast<size_t>(count), "SAFETY")));
  }
  ExpectOneVerdict("flags", json::array({"safety"}));
}

TEST(BoundsTest, PlacesAndRegions) {
  for (const char* text : {"DE", "de", "De", "D", "DEU", "D1", "12", "US-CA", "us-ca", "US-ca", "US_CA", "US-",
                           "US-CALI", "US-1", "US-ABC", " DE", "DE ", "\xc3\x84\xc3\x96", "D\xff"}) {
    ExpectOneVerdict("country", text);
    ExpectOneVerdict("region", text);
  }
}

TEST(BoundsTest, NamesTimesAndNumbers) {
  for (const char* key : {"wake", "kind", "speakers", "identity", "age", "artefact", "made_for", "reviewer"}) {
    for (const char* text : {"BUTTON", "button", "COMMAND", "SEVERAL", "NOT_RUN", "CHILD_PRESENT", "REVIEW_COPY",
                             "ADVERTISING", "EMPLOYEE", "employee", "UNSPECIFIED_", "X", "a\xff"}) {
      ExpectOneVerdict(key, text);
    }
  }
  for (const char* key : {"captured_at", "ingested_at"}) {
    for (const char* text :
         {"1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "2024-02-30T00:00:00Z",
          "2024-05-01T12:00:00z", "2024-05-01", "2024-05-01T12:00:00+01:00", "a\xff"}) {
      ExpectOneVerdict(key, text);
    }
  }
  for (const int64_t number : {int64_t{-1}, int64_t{0}, base::kMaxUncertaintyMs, base::kMaxUncertaintyMs + 1}) {
    ExpectOneVerdict("captured_uncertainty_ms", number);
  }
}

}  // namespace
}  // namespace consent
