// What a person reads about people is on record in the decision log before it is answered. Which methods answer about
// people they say by the option `reads_people` (proto/consent/v1/roles.proto); Handle (call.h) asks here before it
// hands such a call to its handler.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/ids.h"
#include "daemon/decisions/recorder.h"
#include "daemon/service/deletion/deletions.h"
#include "daemon/service/state/core.h"

namespace consent::rpc {

// Thread-safe; outlives the server.
class ReadLog {
 public:
  virtual ~ReadLog() = default;
  // False: the operator switched the decision log off, and nothing is recorded.
  virtual bool on() const = 0;
  virtual base::SubjectHandle SubjectOf(std::string_view account_id) const = 0;
  // Whom a deletion request is of; blocks. INVALID_FIELD, DELETION_NOT_FOUND, STORE_UNREADABLE.
  virtual absl::StatusOr<base::SubjectHandle> SubjectOfDeletion(const std::string& deletion_id) const = 0;
  // Puts a read on record: of `method`, "consent.v1.SettingsService/GetSettings", and of all accounts where there is no
  // subject. See decisions::Log::Done.
  virtual void Put(std::string_view caller, std::string_view method, const std::optional<base::SubjectHandle>& subject,
                   decisions::Log::Done done) const = 0;
};

// By the daemon's decision log. The references outlive it.
class DecisionReadLog final : public ReadLog {
 public:
  DecisionReadLog(const service::Core& core, const service::Deletions& deletions, decisions::Recorder& recorder)
      : core_(core), deletions_(deletions), recorder_(recorder) {}
  bool on() const override { return recorder_.on(); }
  base::SubjectHandle SubjectOf(std::string_view account_id) const override { return core_.hasher.Subject(account_id); }
  absl::StatusOr<base::SubjectHandle> SubjectOfDeletion(const std::string& deletion_id) const override;
  void Put(std::string_view caller, std::string_view method, const std::optional<base::SubjectHandle>& subject,
           decisions::Log::Done done) const override;

 private:
  const service::Core& core_;
  const service::Deletions& deletions_;
  decisions::Recorder& recorder_;
};

// NOT_RECORDED, and when to send the same again.
absl::Status NotRecordedError();

}  // namespace consent::rpc
