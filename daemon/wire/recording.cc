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
  input.account_id = request.account_id();
  input.recording = hasher.Recording(request.recording_id());
  input.recording_id = request.recording_id();
  input.digest = RequestDigest(request);
  return input;
}

namespace {

// A request about one SAFETY flag: of which recording, and what is said.
template <typename Request>
absl::StatusOr<ChangeInput> ReadAboutFlag(const Request& request, size_t least_note, const base::IdHasher& hasher) {
  Violations violations;
  const Path root;
  ChangeInput input;
  ChangeReader reader(hasher, &violations, &input.names);
  RefuseMistyped(request, root, &violations);
  CheckId(request.account_id(), Path(root, "account_id"), &violations);
  CheckId(request.recording_id(), Path(root, "recording_id"), &violations);
  CheckText(request.note(), least_note, base::kMaxNoteBytes, Path(root, "note"), &violations);
  CheckText(request.request_id(), 0, kMaxRequestIdBytes, Path(root, "request_id"), &violations);
  reader.ProofOf(request, root, &input.command.proof, &input.evidence);
  if (!violations.empty()) return violations.ToStatus();
  input.subject = hasher.Subject(request.account_id());
  input.account_id = request.account_id();
  input.recording = hasher.Recording(request.recording_id());
  input.recording_id = request.recording_id();
  input.note = request.note();
  input.request_id = request.request_id();
  input.digest = RequestDigest(request);
  return input;
}

}  // namespace

absl::StatusOr<ChangeInput> ReadAcknowledgeSafetyFlag(const v1::AcknowledgeSafetyFlagRequest& request,
                                                      const base::IdHasher& hasher) {
  return ReadAboutFlag(request, 0, hasher);
}

absl::StatusOr<ChangeInput> ReadHandleSafetyFlag(const v1::HandleSafetyFlagRequest& request,
                                                 const base::IdHasher& hasher) {
  return ReadAboutFlag(request, 1, hasher);
}

absl::StatusOr<SafetyFlagsQuery> ReadListSafetyFlags(const v1::ListSafetyFlagsRequest& request,
                                                     const base::IdHasher& hasher) {
  Violations violations;
  const Path root;
  RefuseMistyped(request, root, &violations);
  CheckText(request.account_id(), 0, base::kMaxIdBytes, Path(root, "account_id"), &violations);
  CheckRange(request.page_size(), 0, kMaxPageSize, Path(root, "page_size"), &violations);
  CheckText(request.page_token(), 0, kMaxTokenBytes, Path(root, "page_token"), &violations);
  if (!violations.empty()) return violations.ToStatus();
  SafetyFlagsQuery query;
  if (!request.account_id().empty()) query.subject = hasher.Subject(request.account_id());
  query.page_size = request.page_size() == 0 ? kDefaultPageSize : request.page_size();
  query.page_token = request.page_token();
  query.overdue = request.overdue();
  return query;
}

void WriteFlags(uint8_t flags, google::protobuf::RepeatedField<int>* out) {
  for (int flag = v1::FLAG_CRITICAL_DATA; flag <= v1::FLAG_CHILD_PRESENT; ++flag) {
    if ((flags & FlagBit(flag)) != 0) out->Add(flag);
  }
}

}  // namespace consent::wire
