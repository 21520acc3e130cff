// Ids of people, recordings and what is asked about them. Opaque UTF-8, 1 to 128 bytes, compared byte by byte, never
// normalised.
#pragma once

#include <compare>
#include <string>
#include <utility>

namespace consent {

// A string that cannot be passed where another kind of id is meant. Empty: none. Not validated here: the daemon does
// that.
template <typename Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string value) : value_(std::move(value)) {}
  const std::string& value() const { return value_; }
  bool empty() const { return value_.empty(); }
  auto operator<=>(const Id&) const = default;

 private:
  std::string value_;
};

using AccountId = Id<struct AccountTag>;
using ProfileId = Id<struct ProfileTag>;
using DeviceId = Id<struct DeviceTag>;
using GuardianId = Id<struct GuardianTag>;
using RecordingId = Id<struct RecordingTag>;
// An opaque position in a subject's history, as replies carry it; also what a loosening has to show.
using Etag = Id<struct EtagTag>;
// Names one write for the daemon: repeated within 72 hours it is answered and not made again.
using RequestId = Id<struct RequestTag>;
// A request to delete, as the daemon named it; never an id of a person.
using DeletionId = Id<struct DeletionTag>;
// One data system's part of such a request.
using TaskId = Id<struct TaskTag>;
// A legal hold, as the daemon named it; never an id of a person.
using HoldId = Id<struct HoldTag>;
using ProposalId = Id<struct ProposalTag>;

}  // namespace consent
