#include "daemon/service/state/tokens.h"

#include <sodium.h>

#include <array>

#include "daemon/base/bytes.h"

namespace consent::service {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kBodyBytes = 1 + 2 + 8;
constexpr size_t kTokenBytes = kBodyBytes + 4;

}  // namespace

Tokens::Tokens(const base::Keys& keys, const base::Bytes16& store_id) : keys_(keys), store_id_(store_id) {}

uint32_t Tokens::Tag(std::string_view body, TokenUse use, std::string_view of) const {
  std::string tagged(body);
  tagged.append(base::View(store_id_));
  if (use != TokenUse::kRevision) tagged.append(1, static_cast<char>(use)).append(of);
  return keys_.TokenTag(tagged);
}

std::string Tokens::Encode(Revision revision, TokenUse use, std::string_view of) const {
  std::string body;
  base::Encoder out(&body);
  out.Byte(kVersion);
  out.BigEndian(revision.partition.number, 2);
  out.BigEndian(revision.sequence, 8);
  out.BigEndian(Tag(body, use, of), 4);
  std::array<char, sodium_base64_ENCODED_LEN(kTokenBytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING)> text{};
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(body.data()), body.size(),
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  return text.data();
}

bool Tokens::Decode(std::string_view token, Revision* revision, TokenUse use, std::string_view of) const {
  std::array<unsigned char, kTokenBytes> bytes{};
  size_t size = 0;
  const char* end = nullptr;
  if (sodium_base642bin(bytes.data(), bytes.size(), token.data(), token.size(), nullptr, &size, &end,
                        sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
      size != kTokenBytes || end != token.data() + token.size()) {
    return false;
  }
  const std::string_view raw(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  base::Decoder in(raw);
  const uint8_t version = in.Byte();
  revision->partition.number = static_cast<uint16_t>(in.BigEndian(2));
  revision->sequence = in.BigEndian(8);
  const auto tag = static_cast<uint32_t>(in.BigEndian(4));
  return version == kVersion && in.Done() && tag == Tag(raw.substr(0, kBodyBytes), use, of);
}

}  // namespace consent::service
