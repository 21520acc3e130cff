// The handles of the decision log: those of the index, encrypted under a key of the month. A line names nobody to
// whoever lacks the daemon's keys, and the daemon finds whom a line is about.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/bytes.h"
#include "daemon/base/keys.h"
#include "daemon/base/mutex.h"
#include "daemon/base/time.h"

namespace consent::decisions {

// A calendar month of UTC.
class Month {
 public:
  Month() = default;
  // Of a set instant.
  static Month Of(base::Instant t);
  // "2026-11", of the years 1970 to 9999. Nothing of any other text.
  static std::optional<Month> Parse(std::string_view text);
  std::string ToText() const;
  bool operator==(const Month&) const = default;

 private:
  int year_ = 1970;
  int number_ = 1;  // 1..12
};

// AES-128 of single blocks under one key, of OpenSSL. Not thread-safe.
class HandleCipher {
 public:
  HandleCipher(const base::Bytes16& key, Month month);
  ~HandleCipher();
  HandleCipher(const HandleCipher&) = delete;
  HandleCipher& operator=(const HandleCipher&) = delete;
  base::Bytes16 Encrypt(const base::Bytes16& handle);
  // `count` handles one behind the other, in place: each by itself, and all in little more than the time of one.
  void EncryptAll(base::Bytes16* handles, size_t count);
  base::Bytes16 Decrypt(const base::Bytes16& handle);
  Month month() const { return month_; }

 private:
  struct Contexts;
  const Month month_;
  const std::unique_ptr<Contexts> contexts_;
};

// The key of a month is DiskHash("decision log", its text): it comes from the daemon's keys and is stored nowhere.
// Thread-safe.
class HandleKeys {
 public:
  explicit HandleKeys(const base::Keys& keys) : keys_(keys) {}

  // A cipher is made once and lent again: making one costs as much as a check.
  std::unique_ptr<HandleCipher> Borrow(Month month) EXCLUDES(mutex_);
  void GiveBack(std::unique_ptr<HandleCipher> cipher) EXCLUDES(mutex_);

 private:
  static constexpr size_t kMostSpare = 64;
  const base::Keys keys_;
  base::Mutex mutex_;
  // Of several months where an old one's records are verified; those that came back last stand behind.
  std::vector<std::unique_ptr<HandleCipher>> spare_ GUARDED_BY(mutex_);
};

}  // namespace consent::decisions
