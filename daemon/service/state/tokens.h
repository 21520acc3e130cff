// Opaque tokens: revisions (also etags), ids and page tokens. A token names a partition and a sequence and carries a
// tag under a key of this store over what it is for, so that tokens of another store, of another kind, of another
// listing or of nobody are told apart from stale ones.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/base/keys.h"
#include "daemon/store/store.h"

namespace consent::service {

struct Revision {
  store::Partition partition;
  store::Sequence sequence = 0;
};

enum class TokenUse : uint8_t { kRevision = 0, kDeletion, kDeletionEtag, kHold, kHoldEtag, kTask, kPage };

// Thread-safe; immutable. Tokens are URL-safe text of at most 32 bytes.
class Tokens {
 public:
  Tokens(const base::Keys& keys, const base::Bytes16& store_id);
  // `of`: what else it belongs to: of a task its system, of a page its listing and filter.
  std::string Encode(Revision revision, TokenUse use = TokenUse::kRevision, std::string_view of = {}) const;
  // False unless Encode of this store made it for the same.
  bool Decode(std::string_view token, Revision* revision, TokenUse use = TokenUse::kRevision,
              std::string_view of = {}) const;

 private:
  uint32_t Tag(std::string_view body, TokenUse use, std::string_view of) const;
  base::Keys keys_;
  base::Bytes16 store_id_;
};

}  // namespace consent::service
