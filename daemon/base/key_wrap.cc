#include "daemon/base/key_wrap.h"

#include <openssl/evp.h>

#include <cstdlib>
#include <memory>

namespace consent::base {
namespace {

constexpr size_t kStep = 8;  // and what wrapping adds
constexpr size_t kMinBytes = 16;
constexpr size_t kMaxBytes = 64;

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

bool IsWrappable(size_t bytes) { return bytes >= kMinBytes && bytes <= kMaxBytes && bytes % kStep == 0; }

// Nothing: the check of integrity failed, or the library did.
std::optional<std::string> Run(const Digest& key, std::string_view in, bool wraps) {
  const Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  if (context == nullptr) std::abort();  // no memory
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  std::string out(in.size() + 2 * kStep, '\0');
  int bytes = 0;
  if (EVP_CipherInit_ex(context.get(), EVP_aes_256_wrap(), nullptr, key.data(), nullptr, wraps ? 1 : 0) != 1 ||
      EVP_CipherUpdate(context.get(), reinterpret_cast<unsigned char*>(out.data()), &bytes,
                       reinterpret_cast<const unsigned char*>(in.data()), static_cast<int>(in.size())) != 1) {
    return std::nullopt;
  }
  out.resize(static_cast<size_t>(bytes));
  return out;
}

}  // namespace

std::string WrapKey(const Digest& under, std::string_view plain) {
  std::optional<std::string> wrapped;
  if (IsWrappable(plain.size())) wrapped = Run(under, plain, true);
  if (!wrapped.has_value()) std::abort();  // a caller's defect, or a library without AES: there is nothing safe to do
  return *std::move(wrapped);
}

std::optional<std::string> UnwrapKey(const Digest& under, std::string_view wrapped) {
  if (wrapped.size() < kStep || !IsWrappable(wrapped.size() - kStep)) return std::nullopt;
  return Run(under, wrapped, false);
}

}  // namespace consent::base
