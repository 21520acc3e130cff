#include "daemon/callers/book.h"

#include <unordered_map>
#include <utility>

#include "absl/strings/ascii.h"
#include "daemon/callers/file.h"

namespace consent::callers {
namespace {

using CallerPtr = std::shared_ptr<const Caller>;

int32_t OrDefault(int32_t value, int32_t otherwise) { return value == 0 ? otherwise : value; }

Limits LimitsOf(const v1::CallerLimits& limits) {
  const Limits defaults;
  return {OrDefault(limits.calls_per_second(), defaults.calls_per_second),
          OrDefault(limits.items_per_second(), defaults.items_per_second),
          OrDefault(limits.calls_in_flight(), defaults.calls_in_flight),
          OrDefault(limits.connections(), defaults.connections)};
}

}  // namespace

struct Book::Content {
  std::map<std::string, CallerPtr> by_name;
  std::unordered_map<std::string, CallerPtr> by_identity;  // a pattern by its whole text

  CallerPtr FindOne(const std::string& identity) const {
    const auto at = by_identity.find(identity);
    return at == by_identity.end() ? nullptr : at->second;
  }
  CallerPtr FindUri(const std::string& uri) const {
    // A URI is never taken for a DNS name's entry, nor for a pattern itself.
    if (uri.size() > kMaxIdentityBytes || uri.find("://") == std::string::npos) return nullptr;
    if (uri.find('*') != std::string::npos) return nullptr;
    if (CallerPtr exact = FindOne(uri); exact != nullptr) return exact;
    const std::string_view stem = StemOf(uri);
    return stem.empty() ? nullptr : FindOne(std::string(stem) + "/*");
  }
};

Book::Book() : content_(std::make_shared<const Content>()) {}
Book::~Book() = default;

void Book::Put(const v1::CallersFile& file) {
  auto next = std::make_shared<Content>();
  base::MutexLock lock(mutex_);
  for (const v1::Caller& entry : file.callers()) {
    auto caller = std::make_shared<Caller>();
    caller->name = entry.name();
    for (const int role : entry.roles()) caller->roles.Add(role);
    caller->systems.assign(entry.systems().begin(), entry.systems().end());
    caller->longest_life = base::Hours(entry.max_certificate_hours());
    const Limits limits = LimitsOf(entry.limits());
    if (const auto before = content_->by_name.find(caller->name); before != content_->by_name.end()) {
      caller->meter = before->second->meter;
      caller->meter->SetLimits(limits);
    } else {
      caller->meter = std::make_shared<Meter>(limits, caller->name);
    }
    for (const std::string& identity : entry.identities()) next->by_identity.emplace(identity, caller);
    next->by_name.emplace(caller->name, std::move(caller));
  }
  content_ = std::move(next);
  version_.fetch_add(1, std::memory_order_release);
}

CallerPtr Book::Find(const CertificateNames& names) const {
  if (names.uris.size() > kMostNames || names.dns.size() > kMostNames) return nullptr;
  std::shared_ptr<const Content> content;
  {
    base::MutexLock lock(mutex_);
    content = content_;
  }
  CallerPtr meant;
  const auto take = [&meant](CallerPtr found) {
    if (found == nullptr) return true;
    if (meant != nullptr && meant != found) return false;
    meant = std::move(found);
    return true;
  };
  for (const std::string& uri : names.uris) {
    if (!take(content->FindUri(uri))) return nullptr;
  }
  if (!names.uris.empty()) return meant;
  for (const std::string& name : names.dns) {
    const std::string lower = absl::AsciiStrToLower(name);
    const bool is_uri = lower.find("://") != std::string::npos;
    if (!is_uri && !take(content->FindOne(lower))) return nullptr;
  }
  return meant;
}

std::vector<CallerPtr> Book::All() const {
  std::vector<CallerPtr> all;
  base::MutexLock lock(mutex_);
  all.reserve(content_->by_name.size());
  for (const auto& [name, caller] : content_->by_name) all.push_back(caller);
  return all;
}

size_t Book::size() const {
  base::MutexLock lock(mutex_);
  return content_->by_name.size();
}

}  // namespace consent::callers
