#include "daemon/service/state/tokens.h"

#include "daemon/base/base64.h"
#include "daemon/base/bytes.h"

namespace consent::service {
namespace {

constexpr uint8_t kTokenVersion = 1;
constexpr size_t kBodyBytes = 1 + 2 + 8;
constexpr size_t kTokenBytes = kBodyBytes + 4;

}  // namespace

Tokens::Tokens(const base::Keys& keys, const base::Bytes16& store_id) : keys_(keys), store_id_(store_id) {}

uint32_t Tokens::Tag(Kind kind, std::string_view body, std::string_view of) const {
  std::string tagged(1, static_cast<char>(kind));
  tagged.append(body).append(base::View(store_id_)).append(of);
  return keys_.TokenTag(tagged);
}

std::string Tokens::EncodePosition(Kind kind, const Position& position, std::string_view of) const {
  std::string bytes;
  base::Encoder out(&bytes);
  out.Byte(kTokenVersion);
  out.BigEndian(position.partition.number, 2);
  out.BigEndian(position.number, 8);
  out.BigEndian(Tag(kind, bytes, of), 4);
  return base::EncodeBase64Url(bytes);
}

std::optional<Tokens::Position> Tokens::DecodePosition(Kind kind, std::string_view text, std::string_view of) const {
  const std::optional<std::string> bytes = base::DecodeBase64Url(text, kTokenBytes);
  if (!bytes.has_value()) return std::nullopt;
  base::Decoder in(*bytes);
  const uint8_t version = in.Byte();
  Position position;
  position.partition.number = static_cast<uint16_t>(in.BigEndian(2));
  position.number = in.BigEndian(8);
  const auto tag = static_cast<uint32_t>(in.BigEndian(4));
  const bool ours =
      version == kTokenVersion && in.Done() && tag == Tag(kind, std::string_view(*bytes).substr(0, kBodyBytes), of);
  return ours ? std::optional<Position>(position) : std::nullopt;
}

std::string Tokens::Encode(const Revision& revision) const {
  return EncodePosition(Kind::kRevision, {revision.partition, revision.sequence}, {});
}

std::optional<Revision> Tokens::DecodeRevision(std::string_view text) const {
  const std::optional<Position> position = DecodePosition(Kind::kRevision, text, {});
  if (!position.has_value()) return std::nullopt;
  return Revision{position->partition, position->number};
}

std::string Tokens::Encode(const DeletionEtag& etag) const {
  return EncodePosition(Kind::kDeletionEtag, {{etag.of.partition()}, etag.changed}, base::View(etag.of.bytes));
}

std::optional<DeletionEtag> Tokens::DecodeEtag(std::string_view text, const base::DeletionId& of) const {
  const std::optional<Position> position = DecodePosition(Kind::kDeletionEtag, text, base::View(of.bytes));
  if (!position.has_value()) return std::nullopt;
  return DeletionEtag{of, position->number};
}

std::string Tokens::Encode(const HoldEtag& etag) const {
  return EncodePosition(Kind::kHoldEtag, {{etag.of.partition()}, etag.changed}, base::View(etag.of.bytes));
}

std::optional<HoldEtag> Tokens::DecodeEtag(std::string_view text, const base::HoldId& of) const {
  const std::optional<Position> position = DecodePosition(Kind::kHoldEtag, text, base::View(of.bytes));
  if (!position.has_value()) return std::nullopt;
  return HoldEtag{of, position->number};
}

base::GrantId Tokens::Cover(const base::GrantId& id) const {
  constexpr size_t kDrawn = 14;
  const uint32_t cover = Tag(Kind::kGrant, base::View(id.bytes).substr(0, kDrawn), {});
  base::GrantId covered = id;
  covered.bytes[kDrawn] = static_cast<uint8_t>(covered.bytes[kDrawn] ^ cover >> 8);
  covered.bytes[kDrawn + 1] = static_cast<uint8_t>(covered.bytes[kDrawn + 1] ^ cover);
  return covered;
}

std::string Tokens::Encode(const PageToken& page, std::string_view listing) const {
  return EncodePosition(Kind::kPage, {page.partition, page.position}, listing);
}

std::optional<PageToken> Tokens::DecodePage(std::string_view text, std::string_view listing) const {
  const std::optional<Position> position = DecodePosition(Kind::kPage, text, listing);
  if (!position.has_value()) return std::nullopt;
  return PageToken{position->partition, position->number};
}

}  // namespace consent::service
