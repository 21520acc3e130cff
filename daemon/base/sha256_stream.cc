#include "daemon/base/sha256_stream.h"

#include <openssl/evp.h>

#include <cstdlib>

namespace consent::base {

// OpenSSL has the processor's instructions for SHA-256, where libsodium takes four times as long. Looking the algorithm
// up and making a context costs half as much as hashing a line of 700 bytes, so each thread keeps one.
class Sha256Stream::State {
 public:
  State() : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
    Require(algorithm_ != nullptr && context_ != nullptr);
  }
  void Begin() { Require(EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1); }
  void Update(std::string_view bytes) { Require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1); }
  Digest End() {
    Digest digest{};
    Require(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
    return digest;
  }

 private:
  struct Free {
    void operator()(EVP_MD* algorithm) const { EVP_MD_free(algorithm); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  // A library without SHA-256 or memory leaves nothing safe to do.
  static void Require(bool done) {
    if (!done) std::abort();
  }
  const std::unique_ptr<EVP_MD, Free> algorithm_;
  const std::unique_ptr<EVP_MD_CTX, Free> context_;
};

Sha256Stream::Sha256Stream() : state_(std::make_unique<State>()) { state_->Begin(); }
Sha256Stream::~Sha256Stream() = default;
void Sha256Stream::Update(std::string_view bytes) { state_->Update(bytes); }

Digest Sha256Stream::Finish() {
  const Digest digest = state_->End();
  state_->Begin();
  return digest;
}

}  // namespace consent::base
