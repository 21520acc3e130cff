#include "daemon/base/random_id.h"

#include "daemon/base/base64.h"

namespace consent::base {

std::string IdText(const Bytes16& bytes) { return EncodeBase64Url(View(bytes)); }

std::optional<Bytes16> ParseIdText(std::string_view text) {
  Bytes16 bytes{};
  const std::optional<std::string> decoded = DecodeBase64Url(text, bytes.size());
  if (!decoded.has_value()) return std::nullopt;
  std::memcpy(bytes.data(), decoded->data(), bytes.size());
  return bytes;
}

}  // namespace consent::base
