// Finds every place in a message where a value stands, and changes one of them.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "daemon/wire/errors.h"

namespace consent::testing {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The way from a message to one value in it.
struct Spot {
  struct Step {
    const FieldDescriptor* field;
    int index;  // -1: not repeated
  };
  std::vector<Step> steps;

  const FieldDescriptor* field() const { return steps.back().field; }
  int index() const { return steps.back().index; }
  // As violations name it, for example `recordings[3].account_id`.
  std::string Path() const {
    std::string text;
    for (const Step& step : steps) {
      if (!text.empty()) text += '.';
      text += step.field->name();
      if (step.index >= 0) text += '[' + std::to_string(step.index) + ']';
    }
    return text;
  }
  // Without the last index: the repeated field as a whole.
  std::string ListPath() const { return Path().substr(0, Path().rfind('[')); }
  // The message in which the value stands.
  Message* Parent(Message* root) const {
    for (size_t i = 0; i + 1 < steps.size(); ++i) {
      const google::protobuf::Reflection* reflection = root->GetReflection();
      root = steps[i].index < 0 ? reflection->MutableMessage(root, steps[i].field)
                                : reflection->MutableRepeatedMessage(root, steps[i].field, steps[i].index);
    }
    return root;
  }
};

// Every value that is set, messages included.
inline std::vector<Spot> SpotsOf(const Message& message, const Spot& prefix = {}) {
  std::vector<Spot> spots;
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? message.GetReflection()->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      Spot spot = prefix;
      spot.steps.push_back({field, field->is_repeated() ? i : -1});
      spots.push_back(spot);
      if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
      const Message& child = field->is_repeated() ? message.GetReflection()->GetRepeatedMessage(message, field, i)
                                                  : message.GetReflection()->GetMessage(message, field);
      const std::vector<Spot> inner = SpotsOf(child, spot);
      spots.insert(spots.end(), inner.begin(), inner.end());
    }
  }
  return spots;
}

inline void SetText(Message* parent, const Spot& spot, std::string value) {
  const auto* reflection = parent->GetReflection();
  if (spot.index() < 0) {
    reflection->SetString(parent, spot.field(), std::move(value));
  } else {
    reflection->SetRepeatedString(parent, spot.field(), spot.index(), std::move(value));
  }
}

inline void SetEnum(Message* parent, const Spot& spot, int value) {
  const auto* reflection = parent->GetReflection();
  if (spot.index() < 0) {
    reflection->SetEnumValue(parent, spot.field(), value);
  } else {
    reflection->SetRepeatedEnumValue(parent, spot.field(), spot.index(), value);
  }
}

// True where a violation names exactly this path.
inline bool Names(const absl::Status& status, const std::string& path) {
  for (const auto& [field, description] : wire::DetailOf(status).violations) {
    if (field == path) return true;
  }
  return false;
}

// Every field of the message and of the messages in it.
inline void FieldsBelow(const google::protobuf::Descriptor& type, std::set<const FieldDescriptor*>* out) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    if (!out->insert(field).second) continue;
    if (field->message_type() != nullptr) FieldsBelow(*field->message_type(), out);
  }
}

// Lengthens or shortens a list by copies of its first element.
inline void Resize(Message* parent, const FieldDescriptor& field, int count) {
  const auto* reflection = parent->GetReflection();
  while (reflection->FieldSize(*parent, &field) > count) reflection->RemoveLast(parent, &field);
  while (reflection->FieldSize(*parent, &field) < count) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Message* added = reflection->AddMessage(parent, &field);
      added->CopyFrom(reflection->GetRepeatedMessage(*parent, &field, 0));
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      reflection->AddString(parent, &field, "x" + std::to_string(reflection->FieldSize(*parent, &field)));
    } else {
      reflection->AddEnumValue(parent, &field, reflection->GetRepeatedEnumValue(*parent, &field, 0));
    }
  }
}

}  // namespace consent::testing
