#include "client/src/credentials.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <chrono>
#include <vector>

#include "absl/strings/str_cat.h"
#include "daemon/base/file.h"
#include "daemon/base/time.h"
#include "daemon/base/x509.h"

namespace consent {
namespace {

constexpr unsigned int kRereadSeconds = 1;

absl::Status Wrong(const std::string& name, const std::string& path, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat("the ", name, " ", path, " ", what));
}

absl::StatusOr<std::string> Read(const std::string& name, const std::string& path) {
  absl::StatusOr<base::FileDescriptor> file = base::OpenRegular(name, path, base::Links::kFollow);
  absl::StatusOr<std::string> bytes = file.ok() ? base::ReadBounded(file->fd(), name, path, base::kMaxPemBytes)
                                                : absl::StatusOr<std::string>(file.status());
  if (!bytes.ok()) return absl::InvalidArgumentError(bytes.status().message());
  return bytes;
}

base::Instant InstantOf(Time time) {
  return base::Instant{std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count()};
}

}  // namespace

absl::StatusOr<CredentialFiles> FilesOf(const ClientOptions& options) {
  CredentialFiles files{options.ca_file, options.certificate_file, options.key_file};
  const int given = !files.ca.empty() + !files.certificate.empty() + !files.key.empty();
  if (given == 0 || given == 3) return files;
  return absl::InvalidArgumentError(
      "TLS takes three files, the CA's certificate, the client's certificate and its key, and some are missing: give "
      "--ca, --cert and --key (ClientOptions; CONSENT_CA, CONSENT_CERT, CONSENT_KEY), or none of them");
}

absl::Status CheckCredentials(const CredentialFiles& files, Time now) {
  constexpr char kNoCertificate[] = "holds no certificate in PEM form";
  const auto ca = Read("CA file", files.ca);
  if (!ca.ok()) return ca.status();
  const auto own = Read("certificate", files.certificate);
  if (!own.ok()) return own.status();
  const auto secret = Read("key file", files.key);
  if (!secret.ok()) return secret.status();
  const std::vector<base::OwnedCertificate> believed = base::CertificatesIn(*ca);
  if (believed.empty()) return Wrong("CA file", files.ca, kNoCertificate);
  const std::vector<base::OwnedCertificate> shown = base::CertificatesIn(*own);
  if (shown.empty()) return Wrong("certificate", files.certificate, kNoCertificate);
  const base::OwnedKey key = base::PrivateKeyIn(*secret);
  if (key == nullptr) return Wrong("key file", files.key, "holds no private key in PEM form without a passphrase");
  if (!base::BelongTogether(shown.front(), key)) {
    return Wrong("key file", files.key, absl::StrCat("holds the key of another certificate than ", files.certificate));
  }
  const base::Instant at = InstantOf(now);
  std::string why = base::WhyNotValid(base::ValidityOf(shown.front()), at);
  if (!why.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the client's certificate ", files.certificate, " ", why, ": put a valid one in its place"));
  }
  for (const base::OwnedCertificate& certificate : believed) {
    why = base::WhyNotValid(base::ValidityOf(certificate), at);
    if (why.empty()) return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("no certificate of the CA file ", files.ca, " is valid now: the last one ", why));
}

std::string WhyNoConnection(const std::string& said, const CredentialFiles& files) {
  // The words are those of gRPC and OpenSSL.
  const auto is = [&said](const char* words) { return said.find(words) != std::string::npos; };
  if (is("Hostname Verification Check failed")) {
    return "the daemon's certificate does not name the endpoint's host: write a name that it has, or have one made for "
           "this name";
  }
  if (is("certificate verify failed")) {
    return absl::StrCat("none of the CAs in ", files.ca, " signed the daemon's certificate, or that is not valid now");
  }
  if (is("Socket closed") || is("Connection reset")) {
    return "it ended the connection, as it does where its client CA did not sign the client's certificate";
  }
  return "";
}

std::shared_ptr<grpc::ChannelCredentials> WatchedCredentials(const CredentialFiles& files) {
  namespace tls = grpc::experimental;
  tls::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(
      std::make_shared<tls::FileWatcherCertificateProvider>(files.key, files.certificate, files.ca, kRereadSeconds));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  return tls::TlsCredentials(options);
}

}  // namespace consent
