// Opaque texts that callers hand back: how far a subject has come, what of a request or a hold was looked at, where a
// listing goes on. Each carries a tag under a key of this store over what it is and what it belongs to, so that one of
// another store, of another kind, of another thing or of nobody is told apart from one that is stale. Layouts:
// daemon/store/FORMAT.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/keys.h"
#include "daemon/base/random_id.h"
#include "daemon/store/store.h"

namespace consent::service {

// How far a subject has come: the commit that changed it last. It is the etag of its settings, too.
struct Revision {
  store::Partition partition;
  store::Sequence sequence = 0;
  bool operator==(const Revision&) const = default;
};

// What of a deletion request or a hold was looked at: the commit of its last step.
template <typename IdT>
struct Etag {
  IdT of;
  store::Sequence changed = 0;
  bool operator==(const Etag&) const = default;
};
using DeletionEtag = Etag<base::DeletionId>;
using HoldEtag = Etag<base::HoldId>;

// Where a listing goes on: the first row of the next page.
struct PageToken {
  store::Partition partition;
  uint64_t position = 0;
  bool operator==(const PageToken&) const = default;
};

// Thread-safe; immutable. Texts are URL-safe and of at most 32 bytes. Each decodes to nothing unless Encode of this
// store made it for the same.
class Tokens {
 public:
  Tokens(const base::Keys& keys, const base::Bytes16& store_id);

  std::string Encode(const Revision& revision) const;
  std::optional<Revision> DecodeRevision(std::string_view text) const;

  std::string Encode(const DeletionEtag& etag) const;
  std::optional<DeletionEtag> DecodeEtag(std::string_view text, const base::DeletionId& of) const;
  std::string Encode(const HoldEtag& etag) const;
  std::optional<HoldEtag> DecodeEtag(std::string_view text, const base::HoldId& of) const;

  // A grant's id as review tools see it, and the id again of what they say: its last two bytes, the partition, are
  // covered under the store's key. Two grants of one account lie in one partition, and nobody is to tell them by that.
  base::GrantId Cover(const base::GrantId& id) const;

  // `listing`: its method, filter and subject.
  std::string Encode(const PageToken& page, std::string_view listing) const;
  std::optional<PageToken> DecodePage(std::string_view text, std::string_view listing) const;

 private:
  enum class Kind : uint8_t { kRevision = 1, kDeletionEtag = 2, kHoldEtag = 3, kPage = 4, kGrant = 5 };
  // A place in a store, which all kinds are made of.
  struct Position {
    store::Partition partition;
    uint64_t number = 0;
  };
  std::string EncodePosition(Kind kind, const Position& position, std::string_view of) const;
  std::optional<Position> DecodePosition(Kind kind, std::string_view text, std::string_view of) const;
  uint32_t Tag(Kind kind, std::string_view body, std::string_view of) const;

  base::Keys keys_;
  base::Bytes16 store_id_;
};

}  // namespace consent::service
