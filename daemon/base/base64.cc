#include "daemon/base/base64.h"

#include <sodium.h>

#include <utility>

#include "daemon/base/bytes.h"

namespace consent::base {

std::string EncodeBase64Url(std::string_view bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING), '\0');
  sodium_bin2base64(text.data(), text.size(), Unsigned(bytes), bytes.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  text.pop_back();  // the NUL
  return text;
}

std::optional<std::string> DecodeBase64Url(std::string_view text, size_t size) {
  std::string bytes(size, '\0');
  size_t decoded = 0;
  const char* end = nullptr;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(), text.size(), nullptr,
                        &decoded, &end, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
      decoded != size || end != text.data() + text.size()) {
    return std::nullopt;
  }
  // libsodium takes '-' and '_' with the highest bit set for themselves.
  return EncodeBase64Url(bytes) == text ? std::optional<std::string>(std::move(bytes)) : std::nullopt;
}

}  // namespace consent::base
