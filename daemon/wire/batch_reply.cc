#include "daemon/wire/batch_reply.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

namespace consent::wire {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedOutputStream;

// One byte for the field numbers 1 to 15.
constexpr uint8_t NumberTag(int field) {
  return static_cast<uint8_t>(WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_VARINT));
}
constexpr uint8_t BytesTag(int field) {
  return static_cast<uint8_t>(WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
}

constexpr uint8_t kResult = BytesTag(v1::BatchCheckResponse::kResultsFieldNumber);
constexpr uint8_t kDecision = BytesTag(v1::BatchCheckResult::kDecisionFieldNumber);
constexpr size_t kHead = 4;  // tag and length of the result, and of the decision in it
// All four fields with their tags, the reason behind the length of its list, and the longest varint.
static_assert(kHead + 2 + 2 + 3 + 11 <= 24);
static_assert(domain::kReasons < 0x80);

}  // namespace

void BatchReply::Encode(const Basic& basic) {
  auto* const begin = reinterpret_cast<uint8_t*>(last_bytes_.data());
  uint8_t* at = begin + kHead;
  // proto3 writes no zeros.
  if (basic.eligibility != domain::Eligibility::kNotAnswered) {
    *at++ = NumberTag(v1::Decision::kEligibilityFieldNumber);
    *at++ = static_cast<uint8_t>(basic.eligibility);
  }
  if (basic.disposition != domain::Disposition::kNotAnswered) {
    *at++ = NumberTag(v1::Decision::kDispositionFieldNumber);
    *at++ = static_cast<uint8_t>(basic.disposition);
  }
  if (basic.reason != domain::Reason::kNone) {
    *at++ = BytesTag(v1::Decision::kReasonsFieldNumber);
    *at++ = 1;
    *at++ = static_cast<uint8_t>(basic.reason);
  }
  if (basic.good_until_us != 0) {
    *at++ = NumberTag(v1::Decision::kGoodUntilUsFieldNumber);
    at = CodedOutputStream::WriteVarint64ToArray(static_cast<uint64_t>(basic.good_until_us), at);
  }
  const auto size = static_cast<uint8_t>(at - begin - static_cast<ptrdiff_t>(kHead));
  begin[0] = kResult;
  begin[1] = static_cast<uint8_t>(size + 2);
  begin[2] = kDecision;
  begin[3] = size;
  last_ = basic;
  last_size_ = kHead + size;
}

void BatchReply::AddBasic(const domain::Decision& decision) {
  const Basic basic{decision.eligibility, decision.disposition, decision.FirstReason(), decision.good_until.micros};
  if (last_size_ == 0 || basic != last_) Encode(basic);
  bytes_.append(last_bytes_.data(), last_size_);
}

void BatchReply::Add(const v1::BatchCheckResult& result) {
  const size_t size = result.ByteSizeLong();
  std::array<uint8_t, 1 + 10> head{kResult};
  const uint8_t* const end = CodedOutputStream::WriteVarint64ToArray(size, head.data() + 1);
  bytes_.append(reinterpret_cast<const char*>(head.data()), static_cast<size_t>(end - head.data()));
  result.AppendToString(&bytes_);
}

}  // namespace consent::wire
