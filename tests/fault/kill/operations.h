// What the campaign's writers ask for, and what became of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "consent/v1/eligibility_service.grpc.pb.h"
#include "consent/v1/recording_service.grpc.pb.h"
#include "consent/v1/settings_service.grpc.pb.h"
#include "consent/v1/subject_service.grpc.pb.h"

namespace consent::test {

// Each is applied whole or refused whole.
enum class Kind : uint8_t {
  kRegister = 0,   // UpsertSubject with a region
  kAddDevice = 1,  // UpsertSubject with a device; needs an etag
  kOptOut = 2,     // OptOut of one purpose
  kOptIn = 3,      // UpdateSettings, one purpose on; needs an etag
  kReport = 4,     // ReportRecording
};

struct Operation {
  Kind kind = Kind::kRegister;
  std::string account;
  std::string request_id;  // also the evidence's reference, by which history names it
  std::string etag;
  v1::Purpose purpose = v1::PURPOSE_UNSPECIFIED;
  std::string device;
  std::string recording;
};

enum class Ending : uint8_t {
  kUnknown = 0,       // no answer, or one that says so: it may have been done
  kAcknowledged = 1,  // done
  kRefused = 2,       // nothing was written
};

struct Attempt {
  Operation operation;
  int64_t began = 0;          // nanoseconds of the steady clock
  int64_t ended = INT64_MAX;  // when the acknowledgement was there
  Ending ending = Ending::kUnknown;
  std::string revision;  // of kAcknowledged
};

// The daemon's API for the campaign, over one connection. Thread-safe; every call waits at most ten seconds.
class Api {
 public:
  explicit Api(const std::string& address);

  // `revision`: of an acknowledgement.
  Ending Send(const Operation& operation, std::string* revision) const;
  // Oldest first; empty for an unknown subject.
  absl::StatusOr<std::vector<v1::HistoryEntry>> History(const std::string& account) const;
  // NotFound: unknown.
  absl::StatusOr<v1::GetSettingsResponse> Settings(const std::string& account) const;
  absl::StatusOr<v1::GetSubjectResponse> Subject(const std::string& account) const;
  // For each recording whether it is known to hold critical data.
  absl::StatusOr<std::vector<bool>> AreFlagged(const std::string& account,
                                               const std::vector<std::string>& recordings) const;

 private:
  std::unique_ptr<v1::SubjectService::Stub> subjects_;
  std::unique_ptr<v1::SettingsService::Stub> settings_;
  std::unique_ptr<v1::RecordingService::Stub> recordings_;
  std::unique_ptr<v1::EligibilityService::Stub> eligibility_;
};

}  // namespace consent::test
