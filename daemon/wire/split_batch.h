// A BatchCheckRequest taken apart, so that its recordings are read one after another where their bytes lie.
#pragma once

#include <string_view>
#include <vector>

#include "consent/v1/eligibility_service.pb.h"

namespace consent::wire {

struct SplitBatch {
  // The bytes of each, pointing into the request's; no more than kMaxBatch + 1 are kept.
  std::vector<std::string_view> recordings;
  v1::BatchCheckRequest rest;  // all other fields
};

// False where protobuf's parser would refuse the bytes for anything outside the recordings; `*out` is then meaningless.
bool Split(std::string_view bytes, SplitBatch* out);

}  // namespace consent::wire
