#include "daemon/callers/file.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "daemon/base/names.h"
#include "daemon/json/document.h"
#include "daemon/json/problems.h"

namespace consent::callers {
namespace {

using json::Problems;
using json::Quoted;

constexpr char kWhat[] = "callers";
constexpr std::string_view kAuthority = "://";
constexpr std::string_view kSpiffe = "spiffe";
constexpr size_t kMaxDnsBytes = 253;
constexpr size_t kMaxLabelBytes = 63;

bool IsLower(char c) { return absl::ascii_islower(static_cast<unsigned char>(c)); }
bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }
// As the SPIFFE specification has them (SPIFFE-ID, 2.2); other URIs need no more either.
bool IsSegmentCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
}
bool IsAuthorityCharacter(char c) { return IsLower(c) || IsDigit(c) || c == '.' || c == '_' || c == '-' || c == ':'; }

template <typename Allowed>
bool All(std::string_view text, Allowed allowed) {
  return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

bool IsSegment(std::string_view text) { return All(text, IsSegmentCharacter) && text != "." && text != ".."; }

// Empty: a DNS name that an identity may be.
std::string WhyNoDnsName(std::string_view name) {
  constexpr char kWhy[] = "is neither a URI nor a DNS name in lower case without `*`";
  if (name.size() > kMaxDnsBytes) return kWhy;
  while (!name.empty()) {
    const size_t dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    const auto allowed = [](char c) { return IsLower(c) || IsDigit(c) || c == '-'; };
    if (label.size() > kMaxLabelBytes || !All(label, allowed) || label.front() == '-' || label.back() == '-')
      return kWhy;
    if (dot == std::string_view::npos) return "";
    name.remove_prefix(dot + 1);
  }
  return kWhy;
}

// Empty: a URI that an identity may be, also with a last segment `*`.
std::string WhyNoUri(std::string_view uri) {
  const size_t end = uri.find(kAuthority);
  const std::string_view scheme = uri.substr(0, end);
  const auto allowed = [](char c) { return IsLower(c) || IsDigit(c) || c == '+' || c == '.' || c == '-'; };
  if (!All(scheme, allowed) || !IsLower(scheme.front())) return "has a scheme that is not of lower-case letters";
  std::string_view rest = uri.substr(end + kAuthority.size());
  const size_t slash = rest.find('/');
  const std::string_view authority = rest.substr(0, slash);
  if (!All(authority, IsAuthorityCharacter)) return "has an authority that is not of [a-z0-9._:-]";
  if (scheme == kSpiffe && authority.find(':') != std::string_view::npos) return "is no SPIFFE ID: it names a port";
  if (slash == std::string_view::npos) return scheme == kSpiffe ? "is no SPIFFE ID of a workload: it has no path" : "";
  rest.remove_prefix(slash + 1);
  for (;;) {
    const size_t next = rest.find('/');
    const std::string_view segment = rest.substr(0, next);
    const bool last = next == std::string_view::npos;
    if (!IsSegment(segment) && !(last && segment == "*")) {
      return "has a path that is not of segments of [A-Za-z0-9._-], or a `*` that is not the whole last one";
    }
    if (last) return "";
    rest.remove_prefix(next + 1);
  }
}

bool IsPattern(std::string_view identity) {
  return identity.size() > 2 && identity.substr(identity.size() - 2) == "/*";
}

class Validator : private Problems {
 public:
  explicit Validator(const v1::CallersFile& file) : file_(file) {}

  std::vector<json::Problem> Run() {
    if (Count("callers", file_.callers_size(), 1, kMaxCallers)) {
      int identities = 0;
      for (int i = 0; i < file_.callers_size(); ++i) {
        CheckCaller(file_.callers(i), absl::StrCat("callers[", i, "]"));
        identities += file_.callers(i).identities_size();
      }
      if (identities > kMaxAllIdentities) {
        Add("callers", absl::StrCat(identities, " identities are more than ", kMaxAllIdentities));
      }
      CheckCovered();
    }
    return Take();
  }

 private:
  void CheckCaller(const v1::Caller& caller, const std::string& path) {
    CheckName(caller.name(), path + ".name");
    if (Count(path + ".identities", caller.identities_size(), 1, kMaxIdentities)) {
      for (int i = 0; i < caller.identities_size(); ++i) {
        CheckIdentity(caller.identities(i), absl::StrCat(path, ".identities[", i, "]"));
      }
    }
    CheckRoles(caller, path + ".roles");
    CheckSystems(caller, path + ".systems");
    const v1::CallerLimits& limits = caller.limits();
    Range(path + ".limits.calls_per_second", limits.calls_per_second(), 0, 1'000'000);
    Range(path + ".limits.items_per_second", limits.items_per_second(), 0, 100'000'000);
    Range(path + ".limits.calls_in_flight", limits.calls_in_flight(), 0, 65'536);
    Range(path + ".limits.connections", limits.connections(), 0, kMostConnections);
    Range(path + ".max_certificate_hours", caller.max_certificate_hours(), 1, kMaxCertificateHours);
  }

  void CheckName(const std::string& name, const std::string& path) {
    const std::string why = base::WhyNoCallerName(name);
    if (!why.empty()) Add(path, Quoted(name) + " " + why);
    Unique(&names_, name, Quoted(name), path);
  }

  void CheckIdentity(const std::string& identity, const std::string& path) {
    if (identity.empty() || identity.size() > kMaxIdentityBytes) {
      return Add(path, absl::StrCat("is not 1 to ", kMaxIdentityBytes, " bytes"));
    }
    const bool is_uri = identity.find(kAuthority) != std::string::npos;
    const std::string why = is_uri ? WhyNoUri(identity) : WhyNoDnsName(identity);
    if (!why.empty()) return Add(path, absl::StrCat(Quoted(identity), " ", why));
    Unique(&identities_, identity, Quoted(identity), path);
  }

  void CheckRoles(const v1::Caller& caller, const std::string& path) {
    if (!Count(path, caller.roles_size(), 1, v1::Role_MAX - 1)) return;
    std::set<int> seen;
    for (int i = 0; i < caller.roles_size(); ++i) {
      const std::string at = absl::StrCat(path, "[", i, "]");
      const int role = caller.roles(i);
      if (!v1::Role_IsValid(role) || role == v1::ROLE_UNSPECIFIED) {
        Add(at, absl::StrCat(role, " is no role"));
      } else if (role == v1::ROLE_EDGE) {
        Add(at, "ROLE_EDGE is reserved");
      } else if (!seen.insert(role).second) {
        Add(at, v1::Role_Name(caller.roles(i)) + " is there twice");
      }
    }
  }

  void CheckSystems(const v1::Caller& caller, const std::string& path) {
    const bool needs = std::any_of(caller.roles().begin(), caller.roles().end(),
                                   [](int role) { return role == v1::ROLE_PURGER || role == v1::ROLE_STORE; });
    if (!needs && caller.systems_size() != 0) return Add(path, "are of ROLE_PURGER and ROLE_STORE alone");
    if (!needs || !Count(path, caller.systems_size(), 1, kMaxSystems)) return;
    std::map<std::string, std::string> seen;
    for (int i = 0; i < caller.systems_size(); ++i) {
      const std::string at = absl::StrCat(path, "[", i, "]");
      const std::string why = base::WhyNoSystemName(caller.systems(i));
      if (!why.empty()) Add(at, Quoted(caller.systems(i)) + " " + why);
      Unique(&seen, caller.systems(i), Quoted(caller.systems(i)), at);
    }
  }

  // An identity that a `/*` covers too would keep its access when its own entry is taken out.
  void CheckCovered() {
    for (const auto& [identity, path] : identities_) {
      const std::string_view stem = StemOf(identity);
      if (IsPattern(identity) || stem.empty()) continue;
      const auto pattern = identities_.find(absl::StrCat(std::string(stem), "/*"));
      if (pattern != identities_.end()) Add(path, Quoted(identity) + " is covered by the `/*` at " + pattern->second);
    }
  }

  const v1::CallersFile& file_;
  std::map<std::string, std::string> names_;
  std::map<std::string, std::string> identities_;
};

}  // namespace

std::string_view StemOf(std::string_view uri) {
  const size_t authority = uri.find(kAuthority);
  const size_t slash = uri.rfind('/');
  if (authority == std::string_view::npos || slash < authority + kAuthority.size()) return {};
  const std::string_view last = uri.substr(slash + 1);
  return IsSegment(last) || last == "*" ? uri.substr(0, slash) : std::string_view();
}

absl::StatusOr<v1::CallersFile> ParseFile(const std::string& json) {
  v1::CallersFile file;
  if (absl::Status status = json::Parse(kWhat, json, kMaxFileBytes, &file); !status.ok()) return status;
  const std::vector<json::Problem> problems = Validator(file).Run();
  if (!problems.empty()) return json::ToStatus(kWhat, problems);
  return file;
}

}  // namespace consent::callers
