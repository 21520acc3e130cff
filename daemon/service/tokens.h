// Opaque tokens: revisions (also etags) and page tokens. A token names a partition and a sequence and carries a tag under a key of
// this store, so that tokens of another store, of another subject's page or of nobody are told apart from stale ones.
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

// Thread-safe; immutable. Tokens are URL-safe text of at most 32 bytes.
class Tokens {
 public:
  Tokens(const base::Keys& keys, const base::Bytes16& store_id);
  std::string Encode(Revision revision) const;
  // False unless Encode of this store made it.
  bool Decode(std::string_view token, Revision* revision) const;

 private:
  base::Keys keys_;
  base::Bytes16 store_id_;
};

}  // namespace consent::service
