#include "client/cli/lines/pseudonym.h"

#include <sodium.h>

#include "daemon/base/bytes.h"
#include "daemon/base/hash.h"

namespace consent {

Pseudonyms::Pseudonyms(Random& random) { random.Fill(key_.data(), key_.size()); }

Pseudonyms::~Pseudonyms() { sodium_memzero(key_.data(), key_.size()); }

std::string Pseudonyms::For(const AccountId& account, const RecordingId& recording) const {
  std::string input;
  base::Encoder encoder(&input);
  encoder.String(account.value());
  encoder.String(recording.value());
  base::Bytes16 hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const uint8_t*>(input.data()), input.size(),
                     key_.data(), key_.size());
  return base::Hex(base::View(hash));
}

}  // namespace consent
