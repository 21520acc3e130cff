#include "daemon/wire/split_batch.h"

#include <string>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include "daemon/wire/fields.h"

namespace consent::wire {

using google::protobuf::internal::WireFormatLite;

bool Split(std::string_view bytes, SplitBatch* out) {
  constexpr uint32_t kRecording =
      WireFormatLite::MakeTag(v1::BatchCheckRequest::kRecordingsFieldNumber, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()),
                                            static_cast<int>(bytes.size()));
  out->recordings.clear();
  out->recordings.reserve(kMaxBatch + 1);
  std::string rest;  // fields in a row are a message
  for (;;) {
    const auto from = static_cast<size_t>(in.CurrentPosition());
    const uint32_t tag = in.ReadTag();
    if (tag == 0) break;
    if (tag != kRecording) {
      if (!WireFormatLite::SkipField(&in, tag)) return false;
      rest.append(bytes.substr(from, static_cast<size_t>(in.CurrentPosition()) - from));
      continue;
    }
    int size = 0;
    if (!in.ReadVarintSizeAsInt(&size)) return false;
    const auto at = static_cast<size_t>(in.CurrentPosition());
    if (!in.Skip(size)) return false;
    if (out->recordings.size() <= kMaxBatch) out->recordings.push_back(bytes.substr(at, static_cast<size_t>(size)));
  }
  return in.ConsumedEntireMessage() && out->rest.ParseFromString(rest);
}

}  // namespace consent::wire
