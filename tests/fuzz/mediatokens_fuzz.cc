// The text of a media token. What reads as a token and is signed by the key was written by the key: it is the very text
// that signing it again makes.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "daemon/domain/media_token.h"

namespace {

using namespace consent;

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const base::SigningKey key(base::Digest{1});
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = domain::ReadMediaToken(text, key.public_key());
  if (!read.has_value()) return 0;
  const std::string signed_by_us = SignMediaToken(read->token, key);
  Require(!read->is_signed || signed_by_us == text);
  // All but the signature is written in one way.
  Require(signed_by_us.size() == text.size());
  const auto again = domain::ReadMediaToken(signed_by_us, key.public_key());
  Require(again.has_value() && again->is_signed && again->token == read->token);
  return 0;
}
