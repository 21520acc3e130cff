// TLS of the daemon: what all its connections must speak, and the certificates of its listeners.
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/base/mutex.h"
#include "daemon/base/time.h"

namespace consent::app {

// TLS 1.3 alone (RFC 8446) and no session tickets, with which an expired certificate would live on. For the whole
// process, by OpenSSL's configuration; before the first use of gRPC, which offers no setting of its own. Internal:
// OpenSSL does not take it.
absl::Status RestrictTls();

// The operator's three files, PEM.
struct TlsFiles {
  std::string certificate;  // the server's, and behind it what leads to its CA
  std::string key;          // its key, without a passphrase
  std::string client_ca;    // whose certificates clients must show
  bool given() const { return !certificate.empty(); }
};

// What the files held, after they were found to belong together.
struct CertificateSet {
  std::string certificate;
  std::string key;
  std::string client_ca;
  base::Instant not_after;     // of the first one of the chain to end
  base::Instant ca_not_after;  // of the CA certificate that ends last
  friend bool operator==(const CertificateSet& a, const CertificateSet& b) {
    return a.certificate == b.certificate && a.key == b.key && a.client_ca == b.client_ca;
  }
};

// Reads the files and looks at them together, at `now`. FailedPrecondition: one cannot be read, is larger than 256 KiB
// or holds nothing of its kind, the key may be read by others or is another certificate's, a certificate of the chain
// is not signed by the next one, or one is not valid now. The text names file and cause, and nothing that a file holds.
absl::StatusOr<CertificateSet> ReadCertificates(const TlsFiles& files, base::Instant now);

// The certificates in use. gRPC reads them, within a second, from copies in a folder of the daemon's own, so that it
// never sees half of a change or what does not belong together. Thread-safe.
class Certificates {
 public:
  // Makes `folder` anew (mode 0700; the one above it is there) with copies of what the files hold. Errors of
  // ReadCertificates, or as base::FileError; FailedPrecondition as well: the folder holds something that no daemon put
  // there, and stays.
  static absl::StatusOr<std::unique_ptr<Certificates>> Open(const TlsFiles& files, const std::string& folder,
                                                            base::Instant now);
  // Takes the folder away, where it holds nothing else.
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  // For listeners that require a client's certificate.
  std::shared_ptr<grpc::ServerCredentials> Credentials() const;

  enum class Looked : uint8_t { kUnchanged = 0, kReplaced = 1, kRefused = 2, kStillRefused = 3 };
  // Puts what the files hold now in place where it is something else and belongs together; open connections stay.
  // kRefused: it does not, `*why` says what is wrong, and the old ones stay; kStillRefused: for the same reason as at
  // the last look.
  Looked Look(base::Instant now, std::string* why) EXCLUDES(mutex_);

  base::Instant not_after() const EXCLUDES(mutex_);
  base::Instant ca_not_after() const EXCLUDES(mutex_);
  // When those in use were put in place.
  base::Instant replaced_at() const EXCLUDES(mutex_);

 private:
  Certificates(TlsFiles files, std::string folder) : files_(std::move(files)), folder_(std::move(folder)) {}
  absl::Status PutInPlace(CertificateSet set) REQUIRES(mutex_);

  const TlsFiles files_;
  const std::string folder_;
  mutable base::Mutex mutex_;
  CertificateSet set_ GUARDED_BY(mutex_);
  base::Instant replaced_at_ GUARDED_BY(mutex_);
  uint64_t version_ GUARDED_BY(mutex_) = 0;
  std::string refused_ GUARDED_BY(mutex_);  // why, at the last look
};

}  // namespace consent::app
