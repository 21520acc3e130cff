#include "daemon/wire/recording.h"

#include "daemon/wire/digest.h"
#include "daemon/wire/fields.h"
#include "daemon/wire/flags.h"

namespace consent::wire {

absl::StatusOr<ChangeInput> ReadReportRecording(const v1::ReportRecordingRequest& request, const base::IdHasher& hasher) {
  Violations faults;
  const Path root;
  ChangeInput input;
  ChangeReader reader(hasher, &faults, &input.names);
  RefuseMistyped(request, root, &faults);
  CheckId(request.account_id(), Path(root, "account_id"), &faults);
  CheckId(request.recording_id(), Path(root, "recording_id"), &faults);
  CheckText(request.request_id(), 0, kMaxRequestIdBytes, Path(root, "request_id"), &faults);
  input.flags = ReadFlags(request.flags(), 1, kFlags, true, root, &faults);
  if (request.has_evidence()) {
    input.command.proof = reader.Evidence(request.evidence(), Path(root, "evidence"));
    input.evidence = request.evidence().SerializeAsString();
  }
  if (!faults.empty()) return faults.ToStatus();
  input.subject = hasher.Subject(request.account_id());
  input.recording = hasher.Recording(request.recording_id());
  input.request_id = request.request_id();
  input.digest = RequestDigest(request);
  return input;
}

void WriteFlags(uint8_t flags, google::protobuf::RepeatedField<int>* out) {
  for (int flag = v1::FLAG_CRITICAL_DATA; flag <= v1::FLAG_CHILD_PRESENT; ++flag) {
    if ((flags & FlagBit(flag)) != 0) out->Add(flag);
  }
}

}  // namespace consent::wire
