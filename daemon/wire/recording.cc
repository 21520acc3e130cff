#include "daemon/wire/recording.h"

#include "daemon/wire/digest.h"
#include "daemon/wire/fields.h"
#include "daemon/wire/flags.h"

namespace consent::wire {

absl::StatusOr<ChangeInput> ReadReportRecording(const v1::ReportRecordingRequest& request,
                                                const base::IdHasher& hasher) {
  Violations fatal;
  Violations others;
  const Path root;
  ChangeInput input;
  ChangeReader reader(hasher, &others, &input.names);
  RefuseMistyped(request, root, &fatal);
  CheckId(request.account_id(), Path(root, "account_id"), &fatal);
  CheckId(request.recording_id(), Path(root, "recording_id"), &fatal);
  input.request_id = ReadRequestId(request.request_id(), 0, Path(root, "request_id"), &others);
  // A flag that can be read counts beside one that cannot.
  input.flags = ReadFlags(request.flags(), 1, kFlags, root, &others);
  reader.ProofOf(request, root, &input.command.proof, &input.evidence);
  if (!fatal.empty() || input.flags == 0) {
    fatal.Append(others);
    return fatal.ToStatus();
  }
  input.unusable = others.Why();
  input.subject = hasher.Subject(request.account_id());
  input.recording = hasher.Recording(request.recording_id());
  input.digest = RequestDigest(request);
  return input;
}

void WriteFlags(uint8_t flags, google::protobuf::RepeatedField<int>* out) {
  for (int flag = v1::FLAG_CRITICAL_DATA; flag <= v1::FLAG_CHILD_PRESENT; ++flag) {
    if ((flags & FlagBit(flag)) != 0) out->Add(flag);
  }
}

}  // namespace consent::wire
