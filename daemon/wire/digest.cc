#include "daemon/wire/digest.h"

#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>

#include "daemon/base/bytes.h"

namespace consent::wire {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void AppendFields(const Message& message, bool top_level, base::Encoder* out);

// `index` -1: the field is not repeated.
void AppendValue(const Message& message, const FieldDescriptor& field, int index, base::Encoder* out) {
  const Reflection& from = *message.GetReflection();
  const bool one = index < 0;
  std::string scratch;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return out->String(one ? from.GetStringReference(message, &field, &scratch)
                             : from.GetRepeatedStringReference(message, &field, index, &scratch));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return AppendFields(one ? from.GetMessage(message, &field) : from.GetRepeatedMessage(message, &field, index),
                          false, out);
    case FieldDescriptor::CPPTYPE_ENUM:
      return out->Varint(static_cast<uint64_t>(static_cast<int64_t>(
          one ? from.GetEnumValue(message, &field) : from.GetRepeatedEnumValue(message, &field, index))));
    case FieldDescriptor::CPPTYPE_BOOL:
      return out->Varint(one ? from.GetBool(message, &field) : from.GetRepeatedBool(message, &field, index));
    case FieldDescriptor::CPPTYPE_INT32:
      return out->Varint(static_cast<uint64_t>(
          static_cast<int64_t>(one ? from.GetInt32(message, &field) : from.GetRepeatedInt32(message, &field, index))));
    case FieldDescriptor::CPPTYPE_INT64:
      return out->Varint(
          static_cast<uint64_t>(one ? from.GetInt64(message, &field) : from.GetRepeatedInt64(message, &field, index)));
    case FieldDescriptor::CPPTYPE_UINT32:
      return out->Varint(one ? from.GetUInt32(message, &field) : from.GetRepeatedUInt32(message, &field, index));
    case FieldDescriptor::CPPTYPE_UINT64:
      return out->Varint(one ? from.GetUInt64(message, &field) : from.GetRepeatedUInt64(message, &field, index));
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return;
  }
}

void AppendFields(const Message& message, bool top_level, base::Encoder* out) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);  // in ascending order of number
  for (const FieldDescriptor* field : fields) {
    if (top_level && field->name() == "request_id") continue;
    const int count = field->is_repeated() ? message.GetReflection()->FieldSize(message, field) : 1;
    out->Varint(static_cast<uint64_t>(field->number()));
    out->Varint(static_cast<uint64_t>(count));
    for (int i = 0; i < count; ++i) AppendValue(message, *field, field->is_repeated() ? i : -1, out);
  }
  out->Varint(0);
}

}  // namespace

base::Digest RequestDigest(const Message& request) {
  std::string bytes;
  base::Encoder out(&bytes);
  out.String(request.GetDescriptor()->full_name());
  AppendFields(request, true, &out);
  return base::Blake2b(bytes);
}

}  // namespace consent::wire
