// RecordingService: requests to the domain's words, answers back.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "consent/v1/recording_service.pb.h"
#include "daemon/base/ids.h"
#include "daemon/wire/change_input.h"

namespace consent::wire {

// INVALID_FIELD or MALFORMED_MESSAGE with up to 16 violations. Thread-safe.
absl::StatusOr<ChangeInput> ReadReportRecording(const v1::ReportRecordingRequest& request,
                                                const base::IdHasher& hasher);

// A fault refuses all of it: nothing of it restricts.
absl::StatusOr<ChangeInput> ReadAcknowledgeSafetyFlag(const v1::AcknowledgeSafetyFlagRequest& request,
                                                      const base::IdHasher& hasher);
absl::StatusOr<ChangeInput> ReadHandleSafetyFlag(const v1::HandleSafetyFlagRequest& request,
                                                 const base::IdHasher& hasher);

struct SafetyFlagsQuery {
  base::SubjectHandle subject;  // unset: of all
  int page_size = 0;
  std::string page_token;
  bool overdue = false;  // only those
};
absl::StatusOr<SafetyFlagsQuery> ReadListSafetyFlags(const v1::ListSafetyFlagsRequest& request,
                                                     const base::IdHasher& hasher);

// `flags` are bits of domain::Flags.
void WriteFlags(uint8_t flags, google::protobuf::RepeatedField<int>* out);

}  // namespace consent::wire
