// A decision log that is off: nothing that people read goes on record.
#pragma once

#include "daemon/rpc/read_log.h"

namespace consent::test {

class NoReadLog final : public rpc::ReadLog {
 public:
  bool on() const override { return false; }
  base::SubjectHandle SubjectOf(std::string_view) const override { return {}; }
  absl::StatusOr<base::SubjectHandle> SubjectOfDeletion(const std::string&) const override {
    return absl::InternalError("nobody asks a log that is off");
  }
  void Put(std::string_view, std::string_view, const std::optional<base::SubjectHandle>&,
           decisions::Log::Done done) const override {
    done(false);
  }
};

}  // namespace consent::test
