// What a write request says, checked and in the domain's words, and the pieces that write requests share.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "consent/v1/settings_service.pb.h"
#include "consent/v1/types.pb.h"
#include "daemon/base/bytes.h"
#include "daemon/base/ids.h"
#include "daemon/domain/transitions.h"
#include "daemon/wire/violations.h"

namespace consent::wire {

// Raw ids beside the handles that stand for them everywhere else: they go nowhere but under the subject's seal and back
// to the caller.
using ScopeName = std::pair<domain::ScopeRef, std::string>;
using GuardianName = std::pair<base::GuardianHandle, std::string>;
struct Names {
  std::vector<ScopeName> scopes;
  std::vector<GuardianName> guardians;
};

// A write request after its checks. The etag is still a token: only the service can tell whose it is, so
// `command.expected_revision` is not set.
struct ChangeInput {
  base::SubjectHandle subject;
  std::string account_id;  // whose handle it is
  domain::Command command;
  std::string etag;        // empty: none
  std::string request_id;  // empty: not idempotent
  base::Digest digest{};   // digest.h
  std::string evidence;    // as it was sent, serialised; empty: none
  Names names;             // each scope and guardian that the request names, once
  // Of ReportRecording and HandleSafetyFlag; flags of the former only.
  base::RecordingHandle recording;
  uint8_t flags = 0;  // domain::Flags
  // Of ReportRecording and HandleSafetyFlag: whose handle it is; of the latter what was done.
  std::string recording_id;
  std::string note;
  // Of UpsertSubject only.
  bool create_new = false;
  // Of UpsertSubject and UpdateSettings only.
  bool validate_only = false;
  // Of restrictions without parts: what of the request was left out because it cannot be used, in words; empty:
  // nothing.
  std::string unusable;
};

// Reads the shared pieces of one write request. Adds what is wrong to the Violations and goes on; what it returns is
// meaningful only if nothing was added, but for choices and retention, which each say whether they could be read. Not
// thread-safe; lives for one request.
class ChangeReader {
 public:
  // `hasher`, `faults` and `names` outlive it.
  ChangeReader(const base::IdHasher& hasher, Violations* violations, Names* names);

  // An empty scope is the account.
  domain::ScopeRef Scope(const v1::Scope& scope, const Path& at);
  domain::ScopeRef Profile(const std::string& profile_id, const Path& at);
  domain::ScopeRef Device(const std::string& device_id, const Path& at);
  base::GuardianHandle Guardian(const std::string& guardian_id, const Path& at);
  domain::Target Target(const v1::SettingTarget& target, const Path& at);
  domain::Retention Retention(const v1::Retention& retention, const Path& at);
  // Target and turn must be set. How many there are is the caller's to check.
  std::vector<domain::ChoiceCommand> Choices(const google::protobuf::RepeatedPtrField<v1::SettingChange>& changes,
                                             const Path& parent, const char* field);
  std::vector<domain::RetentionCommand> Retentions(
      const google::protobuf::RepeatedPtrField<v1::RetentionChange>& changes, const Path& parent);
  // What a change needs of it is the transitions' matter; here only its form.
  domain::Proof Evidence(const v1::Evidence& evidence, const Path& at);
  // Of a request that may carry some: what is proven, and its bytes for the history. Without evidence both stay as they
  // are. Of evidence that cannot be used only its channel and actor are kept.
  template <typename Request>
  void ProofOf(const Request& request, const Path& root, domain::Proof* proof, std::string* bytes) {
    if (!request.has_evidence()) return;
    domain::Proof read;
    if (Apart([&](Violations*) { read = Evidence(request.evidence(), Path(root, "evidence")); }).empty()) {
      *proof = std::move(read);
      *bytes = request.evidence().SerializeAsString();
    } else {
      if (v1::Channel_IsValid(request.evidence().channel())) proof->channel = read.channel;
      if (v1::Actor_IsValid(request.evidence().actor())) proof->actor = read.actor;
    }
  }
  // Calls `read`, which reads a piece, with Violations of its own. Adds them to all others and says them in words;
  // empty: there were none. The ids that a piece with faults named are forgotten.
  std::string Apart(const std::function<void(Violations*)>& read);

 private:
  void Name(const domain::ScopeRef& scope, const std::string& id);
  const base::IdHasher& hasher_;
  Violations* violations_;
  Names* names_;
};

// What becomes of a request that is read so far. OK where nothing is wrong with it, and where what is wrong leaves it a
// restriction that can be read: a no counts whatever else is unusable, and the command says why it does nothing else.
// `fatal`: the faults of what must be there for anything to count; `others`: all others.
absl::Status Settle(const Violations& fatal, const Violations& others, domain::Command* command);

// The account, or the scope's id from `names`; an id that is not known there is left empty.
void WriteScope(const domain::ScopeRef& scope, const std::vector<ScopeName>& names, v1::Scope* out);
void WriteRetention(const domain::Retention& retention, v1::Retention* out);

}  // namespace consent::wire
