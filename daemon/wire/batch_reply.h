// The results of a BatchCheckResponse, written as bytes one after another. A message for each of a thousand answers
// costs more than the answers' bytes.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "consent/v1/eligibility_service.pb.h"
#include "daemon/domain/decision.h"

namespace consent::wire {

// Field by field what protobuf writes for `results`. As that is the response's first field, these bytes and those of a
// response without results are together the bytes of the whole response. Not thread-safe.
class BatchReply {
 public:
  // Room for about so many.
  void Reserve(size_t results) { bytes_.reserve(results * kUsualSize); }
  // View BASIC: the same as WriteDecision (eligibility.h) into a message.
  void AddBasic(const domain::Decision& decision);
  void Add(const v1::BatchCheckResult& result);
  // Whole results that another BatchReply wrote.
  void AddWritten(std::string_view results) { bytes_.append(results); }
  std::string_view bytes() const { return bytes_; }

 private:
  static constexpr size_t kUsualSize = 24;
  // What view BASIC tells.
  struct Basic {
    domain::Eligibility eligibility;
    domain::Disposition disposition;
    domain::Reason reason;
    int64_t good_until_us;
    bool operator==(const Basic&) const = default;
  };
  void Encode(const Basic& basic);

  std::string bytes_;
  // The bytes of the answer before, which often is the next one too; none where `last_size_` is 0.
  Basic last_{};
  std::array<char, kUsualSize> last_bytes_{};
  size_t last_size_ = 0;
};

}  // namespace consent::wire
