#include "daemon/domain/media_token.h"

#include "daemon/base/base64.h"

namespace consent::domain {
namespace {

constexpr uint8_t kTokenFormat = 1;
constexpr uint8_t kOfflineFormat = 2;
constexpr size_t kSignatureBytes = sizeof(base::Signature);
// consent.v1 counts the source, too.
constexpr uint8_t kSourceNumber = 1;
constexpr uint8_t kLastArtefact = static_cast<uint8_t>(Artefact::kDatasetItem);

uint8_t NumberOf(Artefact artefact) {
  return artefact == Artefact::kSource ? kSourceNumber : static_cast<uint8_t>(artefact);
}

}  // namespace

std::string SealMediaIds(const MediaIds& ids, const base::BoxPublicKey& key, base::Random& random) {
  std::string plain;
  base::Encoder out(&plain);
  out.String(ids.account_id);
  out.String(ids.recording_id);
  out.Byte(NumberOf(ids.artefact));
  plain.resize(kMediaIdsBytes);
  return key.Seal(plain, random);
}

std::optional<MediaIds> OpenMediaIds(std::string_view sealed, const base::BoxSecretKey& key) {
  const std::optional<std::string> plain = key.Open(sealed);
  if (!plain.has_value() || plain->size() != kMediaIdsBytes) return std::nullopt;
  const std::string_view used = std::string_view(*plain).substr(0, plain->find_last_not_of('\0') + 1);
  base::Decoder in(used);
  MediaIds ids;
  ids.account_id = in.String(base::kMaxIdBytes);
  ids.recording_id = in.String(base::kMaxIdBytes);
  const uint8_t artefact = in.Byte();
  if (!in.Done() || ids.account_id.empty() || ids.recording_id.empty()) return std::nullopt;
  if (artefact < kSourceNumber || artefact > kLastArtefact) return std::nullopt;
  ids.artefact = artefact == kSourceNumber ? Artefact::kSource : static_cast<Artefact>(artefact);
  return ids;
}

std::string SignMediaToken(const MediaToken& token, const base::SigningKey& key) {
  std::string bytes;
  base::Encoder out(&bytes);
  out.Byte(token.IsOffline() ? kOfflineFormat : kTokenFormat);
  out.Raw(base::View(token.grant.bytes));
  out.Varint(token.fence);
  out.Raw(base::View(token.media));
  out.Raw(base::View(token.nonce));
  out.Varint(static_cast<uint64_t>(token.not_after.micros));
  out.String(token.site);
  out.String(token.audience);
  out.Raw(token.sealed);
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
  const bool is_offline = format == kOfflineFormat;
  if (is_offline) read.token.sealed = in.Raw(kSealedMediaIdsBytes);
  if (!in.Done() || (format != kTokenFormat && !is_offline) || not_after > static_cast<uint64_t>(INT64_MAX))
    return std::nullopt;
  const auto signature = base::Decoder(std::string_view(*bytes).substr(body.size())).Array<kSignatureBytes>();
  read.is_signed = base::Verify(key, body, signature);
  return read;
}

}  // namespace consent::domain
