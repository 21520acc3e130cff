#include "daemon/wire/diagnose.h"

#include <cstdint>
#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>

#include "absl/container/inlined_vector.h"
#include "daemon/base/utf8.h"
#include "daemon/wire/errors.h"
#include "daemon/wire/violations.h"

namespace consent::wire {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLength = 2, kStartGroup = 3, kEndGroup = 4, kFixed32 = 5 };

WireType WireTypeOf(FieldDescriptor::Type type) {
  switch (type) {
    case FieldDescriptor::TYPE_DOUBLE:
    case FieldDescriptor::TYPE_FIXED64:
    case FieldDescriptor::TYPE_SFIXED64:
      return kFixed64;
    case FieldDescriptor::TYPE_FLOAT:
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_SFIXED32:
      return kFixed32;
    case FieldDescriptor::TYPE_STRING:
    case FieldDescriptor::TYPE_BYTES:
    case FieldDescriptor::TYPE_MESSAGE:
      return kLength;
    case FieldDescriptor::TYPE_GROUP:
      return kStartGroup;
    default:
      return kVarint;
  }
}

// Reads one message from front to back; the first fault ends it.
class Walker {
 public:
  explicit Walker(Violations* violations) : violations_(violations) {}

  // False where a fault was found.
  bool Message(std::string_view bytes, const Descriptor& type, const Path& at, int depth) {
    absl::InlinedVector<int, 16> counts(static_cast<size_t>(type.field_count()), 0);
    while (!bytes.empty()) {
      uint32_t tag = 0;
      if (!Tag(&bytes, at, &tag)) return false;
      if ((tag & 7) == kEndGroup) return Fault(at, "ends a group that was not begun");
      const FieldDescriptor* field = type.FindFieldByNumber(static_cast<int>(tag >> 3));
      if (field == nullptr) {
        if (!Skip(&bytes, tag, at, depth)) return false;
        continue;
      }
      int& count = counts[static_cast<size_t>(field->index())];
      const Path here(at, field->name().c_str(), field->is_repeated() ? count++ : -1);
      if (!Field(&bytes, tag, *field, here, depth)) return false;
    }
    return true;
  }

 private:
  bool Fault(const Path& at, const char* what) {
    violations_->AddMalformed(at, what);
    return false;
  }

  bool Tag(std::string_view* bytes, const Path& at, uint32_t* tag) {
    uint64_t value = 0;
    if (!Varint(bytes, 5, &value)) return Fault(at, "is truncated, or a field's tag in it is too long");
    if (value > UINT32_MAX || (value >> 3) == 0) return Fault(at, "holds a field number that no field can have");
    if ((value & 7) > kFixed32) return Fault(at, "holds a wire type that does not exist");
    *tag = static_cast<uint32_t>(value);
    return true;
  }

  bool Field(std::string_view* bytes, uint32_t tag, const FieldDescriptor& field, const Path& at, int depth) {
    const uint32_t wire_type = tag & 7;
    const bool packed = field.is_packable() && wire_type == kLength;
    if (!packed && wire_type != WireTypeOf(field.type())) {
      return Fault(at, "has another wire type than the field declares");
    }
    if (wire_type != kLength) return Skip(bytes, tag, at, depth);
    std::string_view content;
    if (!Content(bytes, at, &content)) return false;
    if (packed) return Packed(content, WireTypeOf(field.type()), at);
    if (field.type() == FieldDescriptor::TYPE_STRING && !base::IsUtf8(content)) return Fault(at, "is not valid UTF-8");
    if (field.type() != FieldDescriptor::TYPE_MESSAGE) return true;
    if (depth == 0) return Fault(at, "is nested too deep");
    return Message(content, *field.message_type(), at, depth - 1);
  }

  bool Packed(std::string_view content, WireType type, const Path& at) {
    while (!content.empty()) {
      if (!Scalar(&content, type)) return Fault(at, "is truncated, or holds a number that is too long");
    }
    return true;
  }

  // A field whose content does not matter; groups by a stack of their own, because their depth is the sender's choice.
  bool Skip(std::string_view* bytes, uint32_t tag, const Path& at, int depth) {
    std::vector<uint32_t> open;
    for (;;) {
      const uint32_t wire_type = tag & 7;
      if (wire_type == kStartGroup) {
        if (open.size() == static_cast<size_t>(depth)) return Fault(at, "is nested too deep");
        open.push_back(tag >> 3);
      } else if (wire_type == kEndGroup) {
        if (open.empty() || open.back() != tag >> 3) return Fault(at, "ends a group that was not begun");
        open.pop_back();
      } else if (wire_type == kLength) {
        std::string_view content;
        if (!Content(bytes, at, &content)) return false;
      } else if (!Scalar(bytes, static_cast<WireType>(wire_type))) {
        return Fault(at, "is truncated, or holds a number that is too long");
      }
      if (open.empty()) return true;
      if (!Tag(bytes, at, &tag)) return false;
    }
  }

  bool Content(std::string_view* bytes, const Path& at, std::string_view* content) {
    uint64_t size = 0;
    if (!Varint(bytes, 5, &size)) return Fault(at, "is truncated, or its length is too long a number");
    if (size > bytes->size()) return Fault(at, "is truncated: it is announced longer than the bytes that are there");
    *content = bytes->substr(0, static_cast<size_t>(size));
    bytes->remove_prefix(static_cast<size_t>(size));
    return true;
  }

  static bool Scalar(std::string_view* bytes, WireType type) {
    uint64_t ignored = 0;
    if (type == kVarint) return Varint(bytes, 10, &ignored);
    const size_t size = type == kFixed64 ? 8 : 4;
    if (bytes->size() < size) return false;
    bytes->remove_prefix(size);
    return true;
  }

  static bool Varint(std::string_view* bytes, size_t limit, uint64_t* value) {
    for (size_t i = 0; i < limit && i < bytes->size(); ++i) {
      const auto byte = static_cast<uint8_t>((*bytes)[i]);
      *value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
      if (byte < 0x80) {
        bytes->remove_prefix(i + 1);
        return true;
      }
    }
    return false;
  }

  Violations* violations_;
};

}  // namespace

absl::Status FindMalformation(std::string_view bytes, const Descriptor& type) {
  Violations violations;
  Walker(&violations).Message(bytes, type, Path(), kMaxDepth);
  return violations.ToStatus();
}

absl::Status Diagnose(std::string_view bytes, const Descriptor& type) {
  absl::Status status = FindMalformation(bytes, type);
  return status.ok() ? MalformedError({{"", "the bytes are not a " + type.full_name()}}) : status;
}

}  // namespace consent::wire
