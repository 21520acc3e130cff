// What each field of each request is told when it is wrong: one problem once, with its path, what is permitted, and
// never the value. The whole list is a golden file, to be read as one text.
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include "daemon/wire/errors.h"
#include "tests/unit/wire/fields_of.h"
#include "tests/unit/wire/requests.h"

namespace consent::testing {
namespace {

constexpr char kGolden[] = CONSENT_GOLDEN_DIR "/errors/fields.txt";
constexpr size_t kTooLong = 2'000'000;  // for any text of a request
constexpr int kTooMany = 2'100;         // for any list

// Sets the value at `spot` to one that no field of its kind takes. Empty: there is none; else what it was.
std::string Spoil(const Spot& spot, Message* parent) {
  const google::protobuf::Reflection& reflection = *parent->GetReflection();
  switch (spot.field()->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      SetText(parent, spot, std::string(kTooLong, 'a'));
      return "a text of 2,000,000 bytes";
    case FieldDescriptor::CPPTYPE_ENUM:
      SetEnum(parent, spot, 77);
      return "77";
    case FieldDescriptor::CPPTYPE_INT32:
      reflection.SetInt32(parent, spot.field(), INT32_MIN);
      return "the least number";
    case FieldDescriptor::CPPTYPE_INT64:
      reflection.SetInt64(parent, spot.field(), INT64_MIN);
      return "the least number";
    case FieldDescriptor::CPPTYPE_BOOL:
      if (spot.field()->containing_oneof() == nullptr) return "";
      reflection.SetBool(parent, spot.field(), false);
      return "false";
    default:
      return "";
  }
}

// "INVALID_FIELD scope.profile_id: must be 1 to 128 bytes".
std::string Told(const absl::Status& status) {
  const wire::ErrorDetail detail = wire::DetailOf(status);
  std::string text = wire::ReasonName(detail.reason);
  for (const auto& [field, description] : detail.violations) text += " | " + field + ": " + description;
  return detail.violations.empty() ? text + " | " + std::string(status.message()) : text;
}

// One line for each field: where, what it was set to, what is told. Of a list its items' fields, and their number.
class Errors {
 public:
  void Look(const RequestKind& kind, const Message& sample, const Spot& spot) {
    if (spot.index() > 0) return;
    const std::string request = kind.prototype->GetDescriptor()->name();
    if (spot.index() == 0 && seen_.insert(request + "." + spot.ListPath()).second) {
      Note(
          request, spot.ListPath(), std::to_string(kTooMany) + " items",
          [&](Message* root) { Resize(spot.Parent(root), *spot.field(), kTooMany); }, kind, sample, spot.ListPath());
    }
    if (!seen_.insert(request + "." + spot.Path()).second) return;
    std::unique_ptr<Message> copy(sample.New());
    copy->CopyFrom(sample);
    const std::string value = Spoil(spot, spot.Parent(copy.get()));
    if (value.empty()) return;
    Note(
        request, spot.Path(), value, [&](Message* root) { Spoil(spot, spot.Parent(root)); }, kind, sample, spot.Path());
  }
  // What a request without anything lacks.
  void LookAtNothing(const RequestKind& kind) {
    const std::unique_ptr<Message> nothing(kind.prototype->New());
    const absl::Status status = kind.read(*nothing);
    std::set<std::string> paths;
    for (const auto& [field, description] : wire::DetailOf(status).violations) {
      EXPECT_TRUE(paths.insert(field).second) << field << " is told twice: " << Told(status);
    }
    lines_[kind.prototype->GetDescriptor()->name() + " without anything"] = status.ok() ? "taken" : Told(status);
  }
  std::string Text() const {
    std::string text;
    for (const auto& [where, told] : lines_) text += where + " -> " + told + "\n";
    return text;
  }

 private:
  template <typename Change>
  void Note(const std::string& request, const std::string& path, const std::string& value, const Change& change,
            const RequestKind& kind, const Message& sample, const std::string& expected) {
    std::unique_ptr<Message> copy(sample.New());
    copy->CopyFrom(sample);
    change(copy.get());
    const absl::Status status = kind.read(*copy);
    EXPECT_FALSE(status.ok()) << request << "." << path << " = " << value;
    const auto violations = wire::DetailOf(status).violations;
    EXPECT_LE(violations.size(), 1U) << request << "." << path << ": one problem is told once: " << Told(status);
    EXPECT_EQ(Told(status).find(" more)"), std::string::npos) << request << "." << path << ": " << Told(status);
    if (wire::DetailOf(status).reason == v1::ERROR_REASON_INVALID_FIELD) {
      EXPECT_TRUE(Names(status, expected) || expected == "retention") << request << "." << path << ": " << Told(status);
    }
    lines_[request + "." + path + " = " + value] = Told(status);
  }

  std::set<std::string> seen_;
  std::map<std::string, std::string> lines_;
};

TEST(ErrorTexts, EachFieldThatIsWrongIsToldOnceWithItsPathAndWhatIsPermitted) {
  Errors errors;
  for (const RequestKind& kind : AllRequests()) {
    errors.LookAtNothing(kind);
    for (const std::string& sample : kind.samples) {
      const auto message = Parse(kind, sample);
      for (const Spot& spot : SpotsOf(*message)) errors.Look(kind, *message, spot);
    }
  }
  const std::string told = errors.Text();
  if (std::getenv("CONSENT_WRITE_GOLDEN") != nullptr) std::ofstream(kGolden) << told;
  std::ifstream file(kGolden);
  std::stringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(told, golden.str()) << "after a look at what differs: CONSENT_WRITE_GOLDEN=1 writes " << kGolden;
}

}  // namespace
}  // namespace consent::testing
