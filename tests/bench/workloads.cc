#include "tests/bench/workloads.h"

#include <algorithm>

namespace consent::bench {

CheckWorkload::CheckWorkload(const Asked& asked, size_t requests) : requests_(requests) {
  for (size_t i = 0; i < requests; ++i) {
    FillRecording(Scatter(i, asked.subjects), i, asked.captured_at_seconds, requests_[i].mutable_recording());
    requests_[i].set_purpose(kPurpose);
    FillPlace(requests_[i].mutable_place());
  }
}

BatchWorkload::BatchWorkload(const Asked& asked, size_t requests) : requests_(requests) {
  uint64_t item = 0;
  for (Request& request : requests_) {
    for (int i = 0; i < kItems; ++i, ++item) {
      FillRecording(Scatter(item, asked.subjects), item, asked.captured_at_seconds, request.add_recordings());
    }
    request.set_purpose(kPurpose);
    FillPlace(request.mutable_place());
  }
}

bool BatchWorkload::Accept(size_t, const Response& response) const {
  return response.results_size() == kItems &&
         std::all_of(response.results().begin(), response.results().end(),
                     [](const auto& result) { return result.decision().eligibility() == v1::ELIGIBILITY_ELIGIBLE; });
}

Mix::Mix(const Asked& asked, size_t count) : requests(count), answers(count) {
  uint64_t item = 0;
  for (size_t i = 0; i < count; ++i) {
    v1::BatchCheckRequest& request = requests[i];
    for (int k = 0; k < MixWorkload::kItems; ++k, ++item) {
      answers[i].push_back(FillMixedRecording(Scatter(item, asked.subjects), item, asked.subjects,
                                              asked.captured_at_seconds, request.add_recordings()));
    }
    request.set_purpose(kPurpose);
    FillPlace(request.mutable_place());
  }
}

bool MixWorkload::Accept(size_t slot, const Response& response) const {
  if (response.results_size() != kItems) return false;
  if (!decides_) return true;
  const std::vector<Answer>& expected = mix_.answers[asked_[slot]];
  for (int i = 0; i < kItems; ++i) {
    if (!expected[static_cast<size_t>(i)].Is(response.results(i).decision())) return false;
  }
  return true;
}

const UpdateWorkload::Request& UpdateWorkload::Next(size_t slot) {
  State& state = slots_[slot];
  Request& request = state.request;
  if (!state.is_off) {
    request.Clear();
    request.set_account_id(AccountId(Scatter(next_subject_.fetch_add(1, std::memory_order_relaxed), subjects_)));
    FillEvidence(request.mutable_evidence());
    request.add_changes()->mutable_target()->set_control(kControl);
  }
  request.mutable_changes(0)->set_turn(state.is_off ? v1::SWITCH_ON : v1::SWITCH_OFF);
  request.set_etag(state.is_off ? state.etag : std::string());
  request.set_request_id(RequestId(run_, next_request_.fetch_add(1, std::memory_order_relaxed)));
  return request;
}

bool UpdateWorkload::Accept(size_t slot, const Response& response) {
  State& state = slots_[slot];
  state.is_off = !state.is_off;
  state.etag = response.revision();
  return response.results_size() == 1 && response.results(0).applied() && response.results(0).changed();
}

}  // namespace consent::bench
