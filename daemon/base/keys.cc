#include "daemon/base/keys.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "daemon/base/hash.h"
#include "daemon/base/key_wrap.h"
#include "daemon/base/secret_text.h"

namespace consent::base {
namespace {

constexpr std::string_view kWrapLabel("wrap\0", 5);
constexpr std::string_view kRenewLabel("renew\0", 6);
constexpr std::string_view kCheckOfMaster("master check");
constexpr size_t kSecretBytes = 16;  // of a payload key

absl::Status DamagedShare() { return absl::DataLossError("a payload key's share cannot be opened: it is damaged"); }

absl::Status UnknownMaster(uint16_t number) {
  return absl::DataLossError("a payload key's share lies under master key " + std::to_string(number) +
                             ", which the key file does not have: put back a key file that has it");
}

template <typename Out>
Out KeyedHash(const Digest& key, std::string_view a, std::string_view b) {
  Out out{};
  crypto_generichash_state state;
  crypto_generichash_init(&state, key.data(), key.size(), out.size());
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(a.data()), a.size());
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(b.data()), b.size());
  crypto_generichash_final(&state, out.data(), out.size());
  return out;
}

}  // namespace

Keys::~Keys() {
  for (Bytes16& key : lookup_keys_) sodium_memzero(key.data(), key.size());
  sodium_memzero(disk_key_.data(), disk_key_.size());
  for (MasterKey& master : master_keys_) sodium_memzero(master.key.data(), master.key.size());
  sodium_memzero(token_key_.data(), token_key_.size());
}

Keys Keys::Generate(Random& random) {
  PrepareLibrary();
  Keys keys;
  keys.Draw(random);
  return keys;
}

void Keys::Draw(Random& random) {
  Bytes16& lookup = lookup_keys_.emplace_back();
  random.Fill(lookup.data(), lookup.size());
  random.Fill(disk_key_.data(), disk_key_.size());
  master_keys_.push_back({1, {}});
  random.Fill(master_keys_.front().key.data(), master_keys_.front().key.size());
  random.Fill(token_key_.data(), token_key_.size());
}

absl::StatusOr<Keys> Keys::Renewed(Random& random) const {
  if (lookup_keys_.size() >= kMaxLookupKeys) {
    return absl::ResourceExhaustedError("a key file holds at most " + std::to_string(kMaxLookupKeys) +
                                        " lookup keys, and each copy under new keys adds one: begin with an empty "
                                        "store, and import the subjects");
  }
  Keys keys;
  keys.lookup_keys_.reserve(lookup_keys_.size() + 1);  // grown in place, so that no freed copy keeps keys
  keys.lookup_keys_ = lookup_keys_;
  keys.Draw(random);
  return keys;
}

absl::StatusOr<HandleLayer> Keys::LayerOver(const Keys& before) const {
  const bool is_over = lookup_keys_.size() == before.lookup_keys_.size() + 1 &&
                       std::equal(before.lookup_keys_.begin(), before.lookup_keys_.end(), lookup_keys_.begin());
  if (!is_over) return absl::FailedPreconditionError("the new key file was not made out of the old one");
  return HandleLayer(lookup_keys_.back());
}

IdHasher Keys::Hasher() const {
  std::vector<HandleLayer> layers;
  for (size_t i = 1; i < lookup_keys_.size(); ++i) layers.emplace_back(lookup_keys_[i]);
  return IdHasher(lookup_keys_.front(), layers);
}

DiskKey Keys::DiskKeyFor(SubjectHandle subject) const {
  return DiskKey{KeyedHash<Bytes16>(disk_key_, View(subject.bytes), {})};
}

Bytes16 Keys::DiskHash(std::string_view label, std::string_view bytes) const {
  std::string labelled(label);
  labelled.push_back('\0');
  return KeyedHash<Bytes16>(disk_key_, labelled, bytes);
}

const Keys::MasterKey* Keys::FindMasterKey(uint16_t number) const {
  const auto at = std::find_if(master_keys_.begin(), master_keys_.end(),
                               [number](const MasterKey& master) { return master.number == number; });
  return at == master_keys_.end() ? nullptr : &*at;
}

std::string Keys::WrapShare(SubjectHandle subject, std::string_view secret, const MasterKey& under) {
  std::string share;
  Encoder out(&share);
  out.BigEndian(under.number, 2);
  out.Raw(WrapKey(KeyedHash<Digest>(under.key, kWrapLabel, View(subject.bytes)), secret));
  return share;
}

absl::StatusOr<std::string> Keys::UnwrapShare(SubjectHandle subject, std::string_view share) const {
  if (share.size() != kShareBytes) return DamagedShare();
  const uint16_t number = MasterNumberOf(share);
  const MasterKey* under = FindMasterKey(number);
  if (under == nullptr) return UnknownMaster(number);
  std::optional<std::string> secret =
      UnwrapKey(KeyedHash<Digest>(under->key, kWrapLabel, View(subject.bytes)), share.substr(2));
  if (!secret.has_value()) return DamagedShare();
  return *std::move(secret);
}

PayloadKey Keys::NewPayloadKey(SubjectHandle subject, Random& random) const {
  SecretText secret{std::string(kSecretBytes, '\0')};
  random.Fill(secret.text.data(), secret.text.size());
  return PayloadKey{Blake2b(secret.text), WrapShare(subject, secret.text, master_keys_.back())};
}

absl::StatusOr<Digest> Keys::OpenShare(SubjectHandle subject, std::string_view share) const {
  absl::StatusOr<std::string> unwrapped = UnwrapShare(subject, share);
  if (!unwrapped.ok()) return unwrapped.status();
  const SecretText secret{*std::move(unwrapped)};
  return Blake2b(secret.text);
}

absl::StatusOr<std::string> Keys::Rewrap(SubjectHandle subject, std::string_view share) const {
  absl::StatusOr<std::string> unwrapped = UnwrapShare(subject, share);
  if (!unwrapped.ok()) return unwrapped.status();
  const SecretText secret{*std::move(unwrapped)};
  return WrapShare(subject, secret.text, master_keys_.back());
}

absl::StatusOr<PayloadKey> Keys::Renew(SubjectHandle subject, std::string_view share, const Digest& renewal,
                                       const Keys& other, SubjectHandle there) const {
  absl::StatusOr<std::string> unwrapped = UnwrapShare(subject, share);
  if (!unwrapped.ok()) return unwrapped.status();
  const SecretText secret{*std::move(unwrapped)};
  const Bytes16 renewed = KeyedHash<Bytes16>(renewal, kRenewLabel, secret.text);
  static_assert(sizeof renewed == kSecretBytes);
  return PayloadKey{Blake2b(View(renewed)), WrapShare(there, View(renewed), other.master_keys_.back())};
}

absl::StatusOr<Keys> Keys::WithNewMasterKey(Random& random) const {
  const uint16_t newest = master_keys_.back().number;
  if (master_keys_.size() >= kMaxMasterKeys || newest == UINT16_MAX) {
    return absl::ResourceExhaustedError("a key file holds at most " + std::to_string(kMaxMasterKeys) + " master keys");
  }
  Keys keys = *this;
  keys.master_keys_.push_back({static_cast<uint16_t>(newest + 1), {}});
  random.Fill(keys.master_keys_.back().key.data(), keys.master_keys_.back().key.size());
  return keys;
}

absl::StatusOr<Keys> Keys::WithoutMasterKey(uint16_t number) const {
  if (FindMasterKey(number) == nullptr) {
    return absl::NotFoundError("the key file has no master key " + std::to_string(number));
  }
  if (number == newest_master()) {
    return absl::FailedPreconditionError("master key " + std::to_string(number) +
                                         " is the newest, under which new keys are wrapped: add another one first");
  }
  Keys keys = *this;
  std::erase_if(keys.master_keys_, [number](const MasterKey& master) { return master.number == number; });
  return keys;
}

std::vector<uint16_t> Keys::master_numbers() const {
  std::vector<uint16_t> numbers;
  numbers.reserve(master_keys_.size());
  for (const MasterKey& master : master_keys_) numbers.push_back(master.number);
  return numbers;
}

absl::StatusOr<MasterCheck> Keys::MasterCheckOf(uint16_t number) const {
  const MasterKey* const master = FindMasterKey(number);
  if (master == nullptr) return absl::NotFoundError("the key file has no master key " + std::to_string(number));
  const Digest hash = KeyedHash<Digest>(master->key, kCheckOfMaster, {});
  MasterCheck check{};
  std::copy_n(hash.begin(), check.size(), check.begin());
  return check;
}

uint16_t MasterNumberOf(std::string_view share) {
  return share.size() == kShareBytes ? static_cast<uint16_t>(Decoder(share).BigEndian(2)) : uint16_t{0};
}

uint32_t Keys::TokenTag(std::string_view bytes) const {
  const Digest hash = KeyedHash<Digest>(token_key_, bytes, {});
  return static_cast<uint32_t>(Decoder(View(hash)).BigEndian(4));
}

Bytes16 Keys::Fingerprint() const {
  SecretText all;
  all.text.reserve(512);
  Encoder encoder(&all.text);
  encoder.Raw("consentd key fingerprint 2");
  for (const Bytes16& lookup : lookup_keys_) encoder.Raw(View(lookup));
  encoder.Raw(View(disk_key_));
  encoder.Raw(View(token_key_));
  const Digest hash = Blake2b(all.text);
  Bytes16 fingerprint{};
  std::memcpy(fingerprint.data(), hash.data(), fingerprint.size());
  return fingerprint;
}

}  // namespace consent::base
