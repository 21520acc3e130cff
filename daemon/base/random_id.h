// Names that are drawn at random: of deletion requests, holds, proposals and review grants. No store makes another's
// again, and a copy of a store knows its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/bytes.h"
#include "daemon/base/random.h"

namespace consent::base {

// 14 random bytes, the first below 128, ‖ partition (2), big-endian. So the text begins with a letter: '-' at its front
// would be an option to a command line. The Tag keeps what is named apart at compile time.
template <typename Tag>
struct RandomId {
  Bytes16 bytes{};

  auto operator<=>(const RandomId&) const = default;
  static RandomId Draw(Random& random, uint16_t partition) {
    RandomId id;
    random.Fill(id.bytes.data(), id.bytes.size() - 2);
    id.bytes[0] &= 0x7f;
    id.bytes[14] = static_cast<uint8_t>(partition >> 8);
    id.bytes[15] = static_cast<uint8_t>(partition);
    return id;
  }
  uint16_t partition() const { return static_cast<uint16_t>(bytes[14] << 8 | bytes[15]); }
};

using DeletionId = RandomId<struct DeletionIdTag>;
using HoldId = RandomId<struct HoldIdTag>;
using ProposalId = RandomId<struct ProposalIdTag>;
using GrantId = RandomId<struct GrantIdTag>;

// The text by which callers name one: base64url, 22 characters. A text says nothing of what it names.
std::string IdText(const Bytes16& bytes);
template <typename Tag>
std::string IdText(const RandomId<Tag>& id) {
  return IdText(id.bytes);
}
// Nothing where it is no such text.
std::optional<Bytes16> ParseIdText(std::string_view text);
template <typename IdT>
std::optional<IdT> ParseId(std::string_view text) {
  const std::optional<Bytes16> bytes = ParseIdText(text);
  return bytes.has_value() ? std::optional<IdT>(IdT{*bytes}) : std::nullopt;
}

}  // namespace consent::base
