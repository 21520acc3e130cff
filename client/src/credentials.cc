#include "client/src/credentials.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "absl/strings/str_cat.h"
#include "daemon/base/file.h"
#include "daemon/base/time.h"

namespace consent {
namespace {

constexpr size_t kMaxFileBytes = 256 << 10;
constexpr unsigned int kRereadSeconds = 1;

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

std::string OrFromEnvironment(const std::string& given, const char* variable) {
  const char* const text = given.empty() ? std::getenv(variable) : nullptr;
  return text == nullptr ? given : std::string(text);
}

absl::Status Wrong(const std::string& name, const std::string& path, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat("the ", name, " ", path, " ", what));
}

absl::StatusOr<std::string> Read(const std::string& name, const std::string& path) {
  absl::StatusOr<base::FileDescriptor> file = base::OpenRegular(name, path, base::Links::kFollow);
  absl::StatusOr<std::string> bytes =
      file.ok() ? base::ReadBounded(file->fd(), name, path, kMaxFileBytes) : absl::StatusOr<std::string>(file.status());
  if (!bytes.ok()) return absl::InvalidArgumentError(bytes.status().message());
  return bytes;
}

Bio Memory(const std::string& bytes) { return Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size()))); }

// All certificates of the text, in their order.
std::vector<Certificate> Certificates(const std::string& pem) {
  std::vector<Certificate> certificates;
  const Bio bio = Memory(pem);
  while (Certificate next{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    certificates.push_back(std::move(next));
  }
  ERR_clear_error();  // the end is told as an error
  return certificates;
}

// Nobody is asked for a passphrase.
int NoPassphrase(char*, int, int, void*) { return -1; }

PrivateKey Key(const std::string& pem) {
  const Bio bio = Memory(pem);
  PrivateKey key{PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr)};
  ERR_clear_error();
  return key;
}

std::string TimeText(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "a time that cannot be read";
  return base::FormatRfc3339(base::Instant{static_cast<int64_t>(timegm(&parts)) * 1'000'000});
}

// Empty: `certificate` is valid at `now`.
std::string OutOfDate(const X509* certificate, Time now) {
  const std::time_t at =
      std::chrono::system_clock::to_time_t(std::chrono::time_point_cast<std::chrono::system_clock::duration>(now));
  const ASN1_TIME* const begin = X509_get0_notBefore(certificate);
  const ASN1_TIME* const end = X509_get0_notAfter(certificate);
  if (ASN1_TIME_cmp_time_t(end, at) < 0) return absl::StrCat("expired at ", TimeText(end));
  if (ASN1_TIME_cmp_time_t(begin, at) > 0) return absl::StrCat("is not valid before ", TimeText(begin));
  return "";
}

}  // namespace

absl::StatusOr<CredentialFiles> FilesOf(const ClientOptions& options) {
  CredentialFiles files{OrFromEnvironment(options.ca_file, "CONSENT_CA"),
                        OrFromEnvironment(options.certificate_file, "CONSENT_CERT"),
                        OrFromEnvironment(options.key_file, "CONSENT_KEY")};
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
  const std::vector<Certificate> believed = Certificates(*ca);
  if (believed.empty()) return Wrong("CA file", files.ca, kNoCertificate);
  const std::vector<Certificate> shown = Certificates(*own);
  if (shown.empty()) return Wrong("certificate", files.certificate, kNoCertificate);
  const PrivateKey key = Key(*secret);
  if (key == nullptr) return Wrong("key file", files.key, "holds no private key in PEM form without a passphrase");
  const bool fits = X509_check_private_key(shown.front().get(), key.get()) == 1;
  ERR_clear_error();
  if (!fits) {
    return Wrong("key file", files.key, absl::StrCat("holds the key of another certificate than ", files.certificate));
  }
  if (const std::string why = OutOfDate(shown.front().get(), now); !why.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the client's certificate ", files.certificate, " ", why, ": put a valid one in its place"));
  }
  std::string why;
  for (const Certificate& certificate : believed) {
    why = OutOfDate(certificate.get(), now);
    if (why.empty()) return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("no certificate of the CA file ", files.ca, " is valid now: the last one ", why));
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
