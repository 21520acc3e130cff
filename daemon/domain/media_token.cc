#include "daemon/domain/media_token.h"

#include "daemon/base/base64.h"
#include "daemon/base/bounds.h"

namespace consent::domain {
namespace {

constexpr uint8_t kTokenFormat = 1;
constexpr size_t kSignatureBytes = sizeof(base::Signature);

}  // namespace

std::string SignMediaToken(const MediaToken& token, const base::SigningKey& key) {
  std::string bytes;
  base::Encoder out(&bytes);
  out.Byte(kTokenFormat);
  out.Raw(base::View(token.grant.bytes));
  out.Varint(token.fence);
  out.Raw(base::View(token.media));
  out.Raw(base::View(token.nonce));
  out.Varint(static_cast<uint64_t>(token.not_after.micros));
  out.String(token.site);
  out.String(token.audience);
  bytes.append(base::View(key.Sign(bytes)));
  return base::EncodeBase64Url(bytes);
}

std::optional<SignedMediaToken> ReadMediaToken(std::string_view text, const base::PublicKey& key) {
  if (text.size() > kMaxMediaTokenBytes) return std::nullopt;
  const std::optional<std::string> bytes = base::DecodeBase64Url(text, text.size() * 3 / 4);
  if (!bytes.has_value() || bytes->size() <= kSignatureBytes) return std::nullopt;
  const std::string_view body = std::string_view(*bytes).substr(0, bytes->size() - kSignatureBytes);
  base::Decoder in(body);
  SignedMediaToken read;
  const uint8_t format = in.Byte();
  read.token.grant.bytes = in.Array<16>();
  read.token.fence = in.Varint();
  read.token.media = in.Array<16>();
  read.token.nonce = in.Array<16>();
  const uint64_t not_after = in.Varint();
  read.token.not_after.micros = static_cast<int64_t>(not_after);
  read.token.site = in.String(base::kMaxNameBytes);
  read.token.audience = in.String(base::kMaxNameBytes);
  if (!in.Done() || format != kTokenFormat || not_after > static_cast<uint64_t>(INT64_MAX)) return std::nullopt;
  const auto signature = base::Decoder(std::string_view(*bytes).substr(body.size())).Array<kSignatureBytes>();
  read.is_signed = base::Verify(key, body, signature);
  return read;
}

}  // namespace consent::domain
