// RecordingService: requests to the domain's words, answers back.
#pragma once

#include "absl/status/statusor.h"
#include "consent/v1/recording_service.pb.h"
#include "daemon/base/ids.h"
#include "daemon/wire/change_input.h"

namespace consent::wire {

// INVALID_FIELD or MALFORMED_MESSAGE with up to 16 violations. Thread-safe.
absl::StatusOr<ChangeInput> ReadReportRecording(const v1::ReportRecordingRequest& request,
                                                const base::IdHasher& hasher);

// `flags` are bits of domain::Flags.
void WriteFlags(uint8_t flags, google::protobuf::RepeatedField<int>* out);

}  // namespace consent::wire
