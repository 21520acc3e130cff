#include "daemon/app/tls.h"

#include <fcntl.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "daemon/base/file.h"
#include "daemon/base/own_folder.h"
#include "daemon/base/x509.h"

namespace consent::app {
namespace {

using base::OwnedCertificate;
using Configuration = std::unique_ptr<CONF, base::OpenSslFree<NCONF_free>>;

constexpr unsigned int kRereadSeconds = 1;
// The folder of copies: one folder a version, named by its number, and links to the version in use and, for a moment,
// to the next one, so that all three files change in one step.
constexpr char kNow[] = "now";
constexpr char kNext[] = "next";
constexpr char kCertificateFile[] = "certificate.pem";
constexpr char kKeyFile[] = "key.pem";
constexpr char kCaFile[] = "client_ca.pem";
constexpr std::array<std::string_view, 3> kCopies = {kCertificateFile, kKeyFile, kCaFile};

constexpr char kRestrictions[] =
    "consentd = consentd_section\n"
    "[consentd_section]\n"
    "ssl_conf = ssl_section\n"
    "[ssl_section]\n"
    "system_default = every_connection\n"
    "[every_connection]\n"
    "Protocol = ALL,-TLSv1.2,-TLSv1.1,-TLSv1\n"
    "Options = -SessionTicket\n"
    "NumTickets = 0\n";

absl::Status Wrong(const std::string& name, const std::string& path, const std::string& what) {
  return absl::FailedPreconditionError(absl::StrCat("the ", name, " ", path, " ", what));
}

absl::StatusOr<std::string> Read(const std::string& name, const std::string& path, bool is_secret) {
  absl::StatusOr<base::FileDescriptor> file = base::OpenRegular(name, path, base::Links::kFollow);
  if (!file.ok()) return absl::FailedPreconditionError(file.status().message());
  absl::Status guarded =
      is_secret ? base::CheckBrought(file->fd(), name, path) : base::CheckNotOpenToAll(file->fd(), name, path);
  if (!guarded.ok()) return guarded;
  absl::StatusOr<std::string> bytes = base::ReadBounded(file->fd(), name, path, base::kMaxPemBytes);
  if (!bytes.ok()) return absl::FailedPreconditionError(bytes.status().message());
  return bytes;
}

// OK: valid at `now`.
absl::Status CheckDates(const std::string& name, const std::string& path, const base::Validity& validity,
                        base::Instant now) {
  const std::string why = base::WhyNotValid(validity, now);
  return why.empty() ? absl::OkStatus() : Wrong(name, path, why + ": put one there that is valid");
}

// Key and chain fit together, each certificate signed by the one behind it.
absl::Status CheckChain(const TlsFiles& files, const std::vector<OwnedCertificate>& chain, const base::OwnedKey& key,
                        base::Instant now, base::Instant* not_after) {
  if (!base::BelongTogether(chain.front(), key)) {
    return Wrong("key file", files.key, absl::StrCat("holds the key of another certificate than ", files.certificate));
  }
  for (size_t i = 0; i < chain.size(); ++i) {
    const base::Validity validity = base::ValidityOf(chain[i]);
    absl::Status status = CheckDates("certificate", files.certificate, validity, now);
    if (!status.ok()) return status;
    if (!not_after->IsSet() || validity.not_after < *not_after) *not_after = validity.not_after;
    if (i + 1 == chain.size()) break;
    const bool is_signed = X509_verify(chain[i].get(), X509_get0_pubkey(chain[i + 1].get())) == 1;
    ERR_clear_error();
    if (!is_signed) {
      return Wrong("certificate", files.certificate,
                   absl::StrCat("holds a chain out of order: its certificate number ", i + 1,
                                " is not signed by the next one; the server's own comes first"));
    }
  }
  return absl::OkStatus();
}

// At least one is a CA's and valid now.
absl::Status CheckCa(const std::string& path, const std::vector<OwnedCertificate>& all, base::Instant now,
                     base::Instant* not_after) {
  absl::Status last = Wrong("client CA file", path, "holds no certificate of a CA");
  for (const OwnedCertificate& certificate : all) {
    if (X509_check_ca(certificate.get()) == 0) continue;
    const base::Validity validity = base::ValidityOf(certificate);
    absl::Status dates = CheckDates("client CA file", path, validity, now);
    if (!dates.ok()) {
      last = std::move(dates);
      continue;
    }
    if (!not_after->IsSet() || *not_after < validity.not_after) *not_after = validity.not_after;
  }
  return not_after->IsSet() ? absl::OkStatus() : last;
}

// Whether an entry of the folder of copies is what this daemon puts there.
bool IsOwnCopy(const std::filesystem::path& relative, std::filesystem::file_type type) {
  const std::string name = relative.filename().string();
  const std::string version = relative.begin()->string();
  if (name == kNow || name == kNext) return relative == name && type == std::filesystem::file_type::symlink;
  if (version.find_first_not_of("0123456789") != std::string::npos) return false;
  if (relative == version) return type == std::filesystem::file_type::directory;
  return relative == std::filesystem::path(version) / name && type == std::filesystem::file_type::regular &&
         std::find(kCopies.begin(), kCopies.end(), name) != kCopies.end();
}

// Takes the copies of an earlier start away.
absl::Status RemoveCopies(const std::string& folder) {
  return base::RemoveOwnFolder("copies of its certificates", folder, IsOwnCopy);
}

absl::Status WriteNew(const std::string& path, const std::string& bytes) {
  const base::FileDescriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  const bool written = file.ok() && write(file.fd(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  return written ? absl::OkStatus() : base::FileError(absl::StrCat("the copy ", path, " cannot be written"), errno);
}

}  // namespace

absl::Status RestrictTls() {
  const base::OwnedBio text(BIO_new_mem_buf(kRestrictions, -1));
  const Configuration configuration(NCONF_new(nullptr));
  long line = 0;
  const bool taken = OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) == 1 && text != nullptr &&
                     configuration != nullptr && NCONF_load_bio(configuration.get(), text.get(), &line) == 1 &&
                     CONF_modules_load(configuration.get(), "consentd", 0) == 1;
  ERR_clear_error();
  if (taken) return absl::OkStatus();
  return absl::InternalError("OpenSSL does not take the setting of TLS 1.3 alone without session tickets");
}

absl::StatusOr<CertificateSet> ReadCertificates(const TlsFiles& files, base::Instant now) {
  CertificateSet set;
  for (const auto& [name, path, is_secret, bytes] :
       {std::tuple{"certificate", &files.certificate, false, &set.certificate},
        std::tuple{"key file", &files.key, true, &set.key},
        std::tuple{"client CA file", &files.client_ca, false, &set.client_ca}}) {
    absl::StatusOr<std::string> read = Read(name, *path, is_secret);
    if (!read.ok()) return read.status();
    *bytes = *std::move(read);
  }
  const std::vector<OwnedCertificate> chain = base::CertificatesIn(set.certificate);
  if (chain.empty()) return Wrong("certificate", files.certificate, "holds no certificate in PEM form");
  const base::OwnedKey key = base::PrivateKeyIn(set.key);
  if (key == nullptr) {
    return Wrong("key file", files.key, "holds no private key in PEM form without a passphrase");
  }
  absl::Status status = CheckChain(files, chain, key, now, &set.not_after);
  if (status.ok()) status = CheckCa(files.client_ca, base::CertificatesIn(set.client_ca), now, &set.ca_not_after);
  if (!status.ok()) return status;
  return set;
}

absl::StatusOr<std::unique_ptr<Certificates>> Certificates::Open(const TlsFiles& files, const std::string& folder,
                                                                 base::Instant now) {
  absl::StatusOr<CertificateSet> set = ReadCertificates(files, now);
  if (!set.ok()) return set.status();
  if (absl::Status status = RemoveCopies(folder); !status.ok()) return status;  // what a crash left
  if (mkdir(folder.c_str(), 0700) != 0) {
    return base::FileError(absl::StrCat("the folder ", folder, " for copies of the certificates cannot be made"),
                           errno);
  }
  std::unique_ptr<Certificates> made(new Certificates(files, folder));
  base::MutexLock lock(made->mutex_);
  if (absl::Status status = made->PutInPlace(*std::move(set)); !status.ok()) return status;
  made->replaced_at_ = now;
  return made;
}

// What is left is taken away by the next start, or refused there.
Certificates::~Certificates() { RemoveCopies(folder_).IgnoreError(); }

absl::Status Certificates::PutInPlace(CertificateSet set) {
  const std::string version = std::to_string(++version_);
  const std::string fresh = absl::StrCat(folder_, "/", version);
  if (mkdir(fresh.c_str(), 0700) != 0) return base::FileError(absl::StrCat(fresh, " cannot be made"), errno);
  absl::Status status = WriteNew(absl::StrCat(fresh, "/", kCertificateFile), set.certificate);
  if (status.ok()) status = WriteNew(absl::StrCat(fresh, "/", kKeyFile), set.key);
  if (status.ok()) status = WriteNew(absl::StrCat(fresh, "/", kCaFile), set.client_ca);
  const std::string link = absl::StrCat(folder_, "/", kNext);
  if (status.ok() && (symlink(version.c_str(), link.c_str()) != 0 ||
                      rename(link.c_str(), absl::StrCat(folder_, "/", kNow).c_str()) != 0)) {
    status = base::FileError("the copies of the certificates cannot be put in place", errno);
  }
  std::error_code error;
  if (!status.ok()) {
    std::filesystem::remove_all(fresh, error);
    unlink(link.c_str());
    return status;
  }
  std::filesystem::remove_all(absl::StrCat(folder_, "/", version_ - 1), error);
  set_ = std::move(set);
  return absl::OkStatus();
}

std::shared_ptr<grpc::ServerCredentials> Certificates::Credentials() const {
  namespace tls = grpc::experimental;
  const std::string now = absl::StrCat(folder_, "/", kNow, "/");
  auto provider = std::make_shared<tls::FileWatcherCertificateProvider>(now + kKeyFile, now + kCertificateFile,
                                                                        now + kCaFile, kRereadSeconds);
  tls::TlsServerCredentialsOptions options(std::move(provider));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return tls::TlsServerCredentials(options);
}

Certificates::Looked Certificates::Look(base::Instant now, std::string* why) {
  absl::StatusOr<CertificateSet> read = ReadCertificates(files_, now);
  base::MutexLock lock(mutex_);
  if (read.ok() && *read == set_) {
    refused_.clear();
    return Looked::kUnchanged;
  }
  absl::Status status = read.status();
  if (read.ok()) status = PutInPlace(*std::move(read));
  *why = std::string(status.message());
  const bool is_news = *why != refused_;
  refused_ = *why;
  if (status.ok()) {
    replaced_at_ = now;
    return Looked::kReplaced;
  }
  return is_news ? Looked::kRefused : Looked::kStillRefused;
}

base::Instant Certificates::not_after() const {
  base::MutexLock lock(mutex_);
  return set_.not_after;
}

base::Instant Certificates::replaced_at() const {
  base::MutexLock lock(mutex_);
  return replaced_at_;
}

base::Instant Certificates::ca_not_after() const {
  base::MutexLock lock(mutex_);
  return set_.ca_not_after;
}

}  // namespace consent::app
