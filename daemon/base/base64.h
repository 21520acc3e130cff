// Base64url without padding (RFC 4648, section 5): the text of tokens and ids. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace consent::base {

std::string EncodeBase64Url(std::string_view bytes);
// Exactly `size` bytes. Nothing where EncodeBase64Url makes another text of them, so that one value has one text.
std::optional<std::string> DecodeBase64Url(std::string_view text, size_t size);

}  // namespace consent::base
