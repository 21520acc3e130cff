// What a client shows of itself, and whom it believes: three PEM files.
#pragma once

#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "consent/client.h"
#include "consent/types.h"

namespace consent {

struct CredentialFiles {
  std::string ca;           // whose certificates the daemon may show
  std::string certificate;  // the client's own, and what leads from it to its CA
  std::string key;          // of the certificate

  // TLS is spoken exactly where they are given.
  bool given() const { return !ca.empty(); }
};

// Those of `options`. InvalidArgument: some are given and others are not.
absl::StatusOr<CredentialFiles> FilesOf(const ClientOptions& options);

// Whether the three can be used at `now`. A handshake that fails looks alike to a client whatever the cause, so this is
// asked before the daemon is blamed. InvalidArgument: one cannot be read or is no PEM of its kind (256 KiB at most; a
// key with a passphrase is none), or the key is another certificate's. FailedPrecondition: own certificate or all of
// the CA's are over, or not valid yet. The message names the file and the time, and nothing that a file holds.
absl::Status CheckCredentials(const CredentialFiles& files, Time now);

// What it means that no connection came about, by what gRPC `said` of it, where that says little. Empty: it says
// enough.
std::string WhyNoConnection(const std::string& said, const CredentialFiles& files);

// Reads the files again within a second after they change, for connections that are made from then on.
std::shared_ptr<grpc::ChannelCredentials> WatchedCredentials(const CredentialFiles& files);

}  // namespace consent
