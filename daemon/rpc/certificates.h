// Who calls by TLS: the caller that the callers' file has for the names in the certificate.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <grpcpp/security/auth_context.h>

#include "absl/container/inlined_vector.h"
#include "daemon/base/clock.h"
#include "daemon/base/mutex.h"
#include "daemon/base/x509.h"
#include "daemon/callers/book.h"
#include "daemon/rpc/authorize.h"

namespace consent::rpc {

// What the handshake of a connection proved. The views live as long as the context.
struct ProvenPeer {
  std::string_view transport;    // "tls": the peer has the key of the certificate, which a CA of ours signed
  std::string_view certificate;  // PEM
  absl::InlinedVector<std::string_view, 2> uris;
  absl::InlinedVector<std::string_view, 2> dns;
};
ProvenPeer ReadProperties(const grpc::AuthContext& context);

// The file is asked for each call, so access ends with the entry, on open connections too. So does it with the
// certificate, which gRPC looks at in the handshake alone. CALLER_UNKNOWN, CERTIFICATE_NOT_ACCEPTED: the peer's
// refusal. Thread-safe; the references outlive it. What is read of a certificate is kept for kMostKept of them.
class CertificateAuthenticator final : public Authenticator {
 public:
  CertificateAuthenticator(const callers::Book& book, const base::Clock& clock) : book_(book), clock_(clock) {}

  Peer PeerOf(const grpc::CallbackServerContext& context) const override;
  Peer PeerOf(const ProvenPeer& proven) const;
  service::Person PersonOf(const grpc::CallbackServerContext& context) const override;
  // By the caller's name, all names in the certificate and its key. Unknown where PeerOf refuses the peer.
  service::Person PersonOf(const ProvenPeer& proven) const;

  static constexpr size_t kMostKept = 1'024;

 private:
  // What is known of one certificate, and whom it means by one version of the book.
  struct Known {
    std::string pem;
    std::optional<base::Validity> validity;
    uint64_t version = 0;
    std::shared_ptr<const callers::Caller> caller;  // nullptr: nobody
  };
  struct alignas(64) Shelf {
    mutable base::Mutex mutex;
    mutable std::unordered_map<size_t, Known> known GUARDED_BY(mutex);  // by a part of the PEM
  };
  // Answers with whom the certificate means now, and when it is valid.
  std::shared_ptr<const callers::Caller> Look(const ProvenPeer& proven, std::optional<base::Validity>* validity) const;

  static constexpr size_t kShelves = 16;

  const callers::Book& book_;
  const base::Clock& clock_;
  std::array<Shelf, kShelves> shelves_;
};

}  // namespace consent::rpc
