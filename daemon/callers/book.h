// Who is meant by the names in a certificate, by the callers' file that is in force.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "consent/v1/callers.pb.h"
#include "daemon/base/mutex.h"
#include "daemon/base/time.h"
#include "daemon/callers/meter.h"
#include "daemon/callers/role_set.h"

namespace consent::callers {

// One entry of the file. Immutable, but for what its meter counts.
struct Caller {
  std::string name;
  RoleSet roles;
  std::vector<std::string> systems;
  base::Span longest_life;       // of its certificates
  std::shared_ptr<Meter> meter;  // of all its connections; the same as long as its name stays in the file
};

// The names in one certificate.
struct CertificateNames {
  std::vector<std::string> uris;
  std::vector<std::string> dns;
};

// The file in force. Empty until the first Put: nobody may call. Thread-safe.
class Book {
 public:
  Book();
  ~Book();
  Book(const Book&) = delete;
  Book& operator=(const Book&) = delete;

  // Puts a valid file (ParseFile) in force: whoever it does not name has no access from the next call on. What its
  // callers owe of their limits stays.
  void Put(const v1::CallersFile& file);

  // Grows with each Put. Whoever keeps what Find answered reads it before Find, and asks again once it is another one.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }
  // URIs go first: DNS names, in any case of letters, count only where there is no URI. nullptr: no entry has any of
  // the names, or they mean two callers, or there are more than kMostNames.
  std::shared_ptr<const Caller> Find(const CertificateNames& names) const;

  // The entries, in the order of their names.
  std::vector<std::shared_ptr<const Caller>> All() const;
  size_t size() const;

  static constexpr size_t kMostNames = 16;

 private:
  struct Content;
  mutable base::Mutex mutex_;
  std::shared_ptr<const Content> content_ GUARDED_BY(mutex_);  // never null
  std::atomic<uint64_t> version_{0};
};

}  // namespace consent::callers
