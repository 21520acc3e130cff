#include "daemon/decisions/handle_keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace consent::decisions {
namespace {

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

// A library without AES or memory leaves nothing safe to do.
void Require(bool done) {
  if (!done) std::abort();
}

Context MakeContext(const base::Bytes16& key, bool encrypts) {
  Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  Require(context != nullptr);
  Require(EVP_CipherInit_ex(context.get(), EVP_aes_128_ecb(), nullptr, key.data(), nullptr, encrypts ? 1 : 0) == 1);
  EVP_CIPHER_CTX_set_padding(context.get(), 0);
  return context;
}

base::Bytes16 Run(EVP_CIPHER_CTX* context, const base::Bytes16& in) {
  base::Bytes16 out{};
  int bytes = 0;
  Require(EVP_CipherUpdate(context, out.data(), &bytes, in.data(), static_cast<int>(in.size())) == 1 &&
          bytes == static_cast<int>(out.size()));
  return out;
}

}  // namespace

struct HandleCipher::Contexts {
  Context encrypting;
  Context decrypting;
};

HandleCipher::HandleCipher(const base::Bytes16& key, const base::MonthKeyName& name)
    : name_(name), contexts_(new Contexts{MakeContext(key, true), MakeContext(key, false)}) {}

HandleCipher::~HandleCipher() = default;

base::Bytes16 HandleCipher::Encrypt(const base::Bytes16& handle) { return Run(contexts_->encrypting.get(), handle); }

void HandleCipher::EncryptAll(base::Bytes16* handles, size_t count) {
  const int size = static_cast<int>(count * sizeof(base::Bytes16));
  auto* const bytes = reinterpret_cast<unsigned char*>(handles);
  int written = 0;
  Require(EVP_CipherUpdate(contexts_->encrypting.get(), bytes, &written, bytes, size) == 1 && written == size);
}

base::Bytes16 HandleCipher::Decrypt(const base::Bytes16& handle) { return Run(contexts_->decrypting.get(), handle); }

HandleKeys::~HandleKeys() {
  base::MutexLock lock(mutex_);
  while (!held_.empty()) Forget(held_.begin());
}

void HandleKeys::Forget(std::vector<Held>::iterator held) {
  OPENSSL_cleanse(held->key.data(), held->key.size());
  held_.erase(held);
}

void HandleKeys::Put(const base::MonthKeyName& name, const base::Bytes16& key) {
  base::MutexLock lock(mutex_);
  const auto former =
      std::find_if(held_.begin(), held_.end(), [&name](const Held& held) { return held.name.month == name.month; });
  if (former != held_.end()) {
    Forget(former);
  } else if (held_.size() == kMostMonths) {
    Forget(held_.begin());
  }
  held_.push_back({name, key, {}});
}

void HandleKeys::Drop(const base::MonthKeyName& name) {
  base::MutexLock lock(mutex_);
  const auto held = std::find_if(held_.begin(), held_.end(), [&name](const Held& one) { return one.name == name; });
  if (held != held_.end()) Forget(held);
}

bool HandleKeys::Has(base::Month month) const {
  base::MutexLock lock(mutex_);
  return std::any_of(held_.begin(), held_.end(), [month](const Held& held) { return held.name.month == month; });
}

std::unique_ptr<HandleCipher> HandleKeys::Borrow(base::Month month) {
  base::MutexLock lock(mutex_);
  const auto held =
      std::find_if(held_.begin(), held_.end(), [month](const Held& one) { return one.name.month == month; });
  if (held == held_.end()) return nullptr;
  if (held->spare.empty()) return std::make_unique<HandleCipher>(held->key, held->name);
  std::unique_ptr<HandleCipher> cipher = std::move(held->spare.back());
  held->spare.pop_back();
  return cipher;
}

void HandleKeys::GiveBack(std::unique_ptr<HandleCipher> cipher) {
  base::MutexLock lock(mutex_);
  const auto held =
      std::find_if(held_.begin(), held_.end(), [&cipher](const Held& one) { return one.name == cipher->name(); });
  if (held != held_.end() && held->spare.size() < kMostSpare) held->spare.push_back(std::move(cipher));
}

}  // namespace consent::decisions
