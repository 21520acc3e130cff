// The handles of the decision log: those of the index, encrypted under a key of the month. A line names nobody to
// whoever lacks that key, and the daemon finds whom a line is about.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "daemon/base/bytes.h"
#include "daemon/base/month.h"
#include "daemon/base/mutex.h"

namespace consent::decisions {

// AES-128 of single blocks under one key, of OpenSSL. Not thread-safe.
class HandleCipher {
 public:
  HandleCipher(const base::Bytes16& key, const base::MonthKeyName& name);
  ~HandleCipher();
  HandleCipher(const HandleCipher&) = delete;
  HandleCipher& operator=(const HandleCipher&) = delete;
  base::Bytes16 Encrypt(const base::Bytes16& handle);
  // `count` handles one behind the other, in place: each by itself, and all in little more than the time of one.
  void EncryptAll(base::Bytes16* handles, size_t count);
  base::Bytes16 Decrypt(const base::Bytes16& handle);
  // The key's.
  const base::MonthKeyName& name() const { return name_; }

 private:
  struct Contexts;
  const base::MonthKeyName name_;
  const std::unique_ptr<Contexts> contexts_;
};

// The keys under which lines are written now: of the running month, and of those beside it. Where they come from is the
// owner's. Thread-safe.
class HandleKeys {
 public:
  HandleKeys() = default;
  ~HandleKeys();
  HandleKeys(const HandleKeys&) = delete;
  HandleKeys& operator=(const HandleKeys&) = delete;

  // From here on lines of the name's month are written under the key, in place of one that was put for the month
  // before. It is durable already: what is written under it is opened with it. Of more than kMostMonths the one that
  // was put first is forgotten.
  void Put(const base::MonthKeyName& name, const base::Bytes16& key) EXCLUDES(mutex_);
  // It was destroyed: it and its ciphers that are not lent are wiped.
  void Drop(const base::MonthKeyName& name) EXCLUDES(mutex_);
  bool Has(base::Month month) const EXCLUDES(mutex_);

  // Under the month's key; nullptr: there is none, so no line of the month can be written. A cipher is made once and
  // lent again: making one costs as much as a check.
  std::unique_ptr<HandleCipher> Borrow(base::Month month) EXCLUDES(mutex_);
  void GiveBack(std::unique_ptr<HandleCipher> cipher) EXCLUDES(mutex_);

 private:
  static constexpr size_t kMostMonths = 4;
  static constexpr size_t kMostSpare = 64;  // of each
  struct Held {
    base::MonthKeyName name;
    base::Bytes16 key{};
    std::vector<std::unique_ptr<HandleCipher>> spare;
  };
  void Forget(std::vector<Held>::iterator held) REQUIRES(mutex_);

  mutable base::Mutex mutex_;
  std::vector<Held> held_ GUARDED_BY(mutex_);  // each of another month, in the order in which they were put
};

}  // namespace consent::decisions
