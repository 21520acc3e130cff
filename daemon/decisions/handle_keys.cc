#include "daemon/decisions/handle_keys.h"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <iterator>
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

bool ReadNumber(std::string_view text, int* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Month Month::Of(base::Instant t) {
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(t.micros)};
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(time)};
  Month month;
  month.year_ = static_cast<int>(date.year());
  month.number_ = static_cast<int>(static_cast<unsigned>(date.month()));
  return month;
}

std::optional<Month> Month::Parse(std::string_view text) {
  constexpr size_t kSize = 7;
  constexpr size_t kYear = 4;
  Month month;
  if (text.size() != kSize || text[kYear] != '-' || !ReadNumber(text.substr(0, kYear), &month.year_) ||
      !ReadNumber(text.substr(kYear + 1), &month.number_)) {
    return std::nullopt;
  }
  if (month.year_ < 1970 || month.number_ < 1 || month.number_ > 12) return std::nullopt;
  return month;
}

std::string Month::ToText() const {
  std::string text = std::to_string(year_);
  text.append(number_ < 10 ? "-0" : "-").append(std::to_string(number_));
  return text;
}

struct HandleCipher::Contexts {
  Context encrypting;
  Context decrypting;
};

HandleCipher::HandleCipher(const base::Bytes16& key, Month month)
    : month_(month), contexts_(new Contexts{MakeContext(key, true), MakeContext(key, false)}) {}

HandleCipher::~HandleCipher() = default;

base::Bytes16 HandleCipher::Encrypt(const base::Bytes16& handle) { return Run(contexts_->encrypting.get(), handle); }

void HandleCipher::EncryptAll(base::Bytes16* handles, size_t count) {
  const int size = static_cast<int>(count * sizeof(base::Bytes16));
  auto* const bytes = reinterpret_cast<unsigned char*>(handles);
  int written = 0;
  Require(EVP_CipherUpdate(contexts_->encrypting.get(), bytes, &written, bytes, size) == 1 && written == size);
}

base::Bytes16 HandleCipher::Decrypt(const base::Bytes16& handle) { return Run(contexts_->decrypting.get(), handle); }

std::unique_ptr<HandleCipher> HandleKeys::Borrow(Month month) {
  {
    base::MutexLock lock(mutex_);
    const auto last =
        std::find_if(spare_.rbegin(), spare_.rend(), [month](const auto& spare) { return spare->month() == month; });
    if (last != spare_.rend()) {
      std::unique_ptr<HandleCipher> cipher = std::move(*last);
      spare_.erase(std::next(last).base());
      return cipher;
    }
  }
  return std::make_unique<HandleCipher>(keys_.DiskHash("decision log", month.ToText()), month);
}

void HandleKeys::GiveBack(std::unique_ptr<HandleCipher> cipher) {
  base::MutexLock lock(mutex_);
  if (spare_.size() == kMostSpare) spare_.erase(spare_.begin());
  spare_.push_back(std::move(cipher));
}

}  // namespace consent::decisions
