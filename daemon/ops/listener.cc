#include "daemon/ops/listener.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <memory>
#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "consent/v1/roles.pb.h"
#include "daemon/base/names.h"
#include "proto/enum_names.h"

namespace consent::ops {
namespace {

constexpr size_t kMaxHostBytes = 253;  // RFC 1035, 2.3.4
constexpr size_t kMaxGroupBytes = 64;
constexpr size_t kMaxListed = 64;
constexpr size_t kMostListeners = 16;
constexpr std::string_view kAnyHost = "*";
constexpr std::string_view kUnix = "unix:";

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

absl::Status Wrong(std::string_view text, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("'", absl::Utf8SafeCHexEscape(View(text)), "' ", View(what)));
}

std::string WhyNoGroup(std::string_view text) {
  const bool is_one =
      !text.empty() && text.size() <= kMaxGroupBytes && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
      });
  return is_one ? "" : absl::StrCat("is not 1 to ", kMaxGroupBytes, " bytes of [A-Za-z0-9._-]");
}

bool IsHostName(std::string_view text) {
  const bool plain = !text.empty() && text.size() <= kMaxHostBytes && text.front() != '.' && text.front() != '-' &&
                     text.find("..") == std::string_view::npos &&
                     std::all_of(text.begin(), text.end(),
                                 [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '-'; });
  // Digits and dots that are no address are no name either.
  return plain && text.find_first_not_of("0123456789.") != std::string_view::npos;
}

std::vector<std::string> SplitAtPlus(std::string_view text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == '+') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// EDGE is reserved.
bool IsGiven(int role) { return role != v1::ROLE_UNSPECIFIED && role != v1::ROLE_EDGE; }

absl::Status ReadRoles(std::string_view text, ListenOption* out) {
  out->roles = SplitAtPlus(text);
  for (const std::string& role : out->roles) {
    const std::optional<int> number = proto::EnumNumber<v1::Role>(role);
    if (number.has_value() && IsGiven(*number)) continue;
    std::string known;
    for (int i = 1; i < v1::Role_ARRAYSIZE; ++i) {
      const std::string_view name = proto::EnumName<v1::Role>(static_cast<v1::Role>(i));
      if (!name.empty() && IsGiven(i)) absl::StrAppend(&known, known.empty() ? "" : ", ", View(name));
    }
    return Wrong(role, absl::StrCat("is no role; roles= takes some of ", known, ", with + between them"));
  }
  return out->roles.size() <= kMaxListed ? absl::OkStatus() : Wrong(text, "names more than 64 roles");
}

absl::Status ReadSystems(std::string_view text, ListenOption* out) {
  out->systems = SplitAtPlus(text);
  if (out->systems.size() > kMaxListed) return Wrong("systems", "takes at most 64 names");
  for (const std::string& system : out->systems) {
    if (const std::string why = base::WhyNoSystemName(system); !why.empty()) return Wrong(system, "of systems= " + why);
  }
  return absl::OkStatus();
}

absl::Status ReadAttribute(std::string_view text, ListenOption* out) {
  const size_t equals = text.find('=');
  const std::string_view key = text.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? std::string_view() : text.substr(equals + 1);
  if (key == "roles") return ReadRoles(value, out);
  if (key == "systems") return ReadSystems(value, out);
  if (key != "group" && key != "name") {
    return Wrong(text,
                 "is none of group=, roles=, name= and systems=, which may follow a place, with commas before them");
  }
  const std::string why = key == "group" ? WhyNoGroup(value) : base::WhyNoCallerName(value);
  if (!why.empty()) return Wrong(value, absl::StrCat("of ", View(key), "= ", why));
  (key == "group" ? out->group : out->name) = value;
  return absl::OkStatus();
}

// As the callers' file has it: nobody sees all data systems by leaving something out.
absl::Status CheckSystems(std::string_view text, const ListenOption& option) {
  if (option.roles.empty()) return absl::OkStatus();
  const bool needs = std::any_of(option.roles.begin(), option.roles.end(), [](const std::string& role) {
    const int number = proto::EnumNumber<v1::Role>(role).value_or(v1::ROLE_UNSPECIFIED);
    return number == v1::ROLE_PURGER || number == v1::ROLE_STORE;
  });
  if (needs == !option.systems.empty()) return absl::OkStatus();
  return needs ? Wrong(text, "gives ROLE_PURGER or ROLE_STORE: name their data systems by systems=")
               : Wrong(text, "has systems=, which are of ROLE_PURGER and ROLE_STORE alone");
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

absl::StatusOr<std::vector<Address>> LookUp(const std::string& name, uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(name.c_str(), nullptr, &hints, &found);
  const std::unique_ptr<addrinfo, FreeAddresses> owned(found);
  const std::string what = absl::StrCat("the name ", name, " to listen on: ");
  if (error == EAI_NONAME)
    return absl::NotFoundError(absl::StrCat(what, "it has no address; write one, such as [::]:port"));
  if (error != 0) return absl::UnavailableError(absl::StrCat(what, gai_strerror(error)));
  std::vector<Address> addresses;
  for (const addrinfo* at = owned.get(); at != nullptr; at = at->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(at->ai_addr, at->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0) continue;
    const std::string host = at->ai_family == AF_INET6 ? absl::StrCat("[", text.data(), "]") : std::string(text.data());
    const absl::StatusOr<Address> address = Address::Parse(absl::StrCat(host, ":", port));
    if (address.ok() && std::find(addresses.begin(), addresses.end(), *address) == addresses.end()) {
      addresses.push_back(*address);
    }
  }
  if (addresses.empty()) return absl::NotFoundError(absl::StrCat(what, "it has no address that can be listened on"));
  return addresses;
}

// Those of the addresses that this machine has. The error of the first one: it has none.
absl::StatusOr<std::vector<Address>> OwnOf(const std::vector<Address>& addresses) {
  std::vector<Address> own;
  absl::Status first;
  for (const Address& address : addresses) {
    const absl::StatusOr<ListeningSocket> tried = ListeningSocket::Open(address.WithPort(0), 1);
    if (absl::IsResourceExhausted(tried.status())) return tried.status();
    if (tried.ok()) own.push_back(address);
    if (first.ok()) first = tried.status();
  }
  if (own.empty()) return first;
  return own;
}

}  // namespace

absl::StatusOr<Place> Place::Parse(std::string_view text) {
  Place place;
  const absl::StatusOr<Address> address = Address::Parse(text);
  if (address.ok()) {
    place.text_ = address->ToText();
    place.address_ = *address;
    place.port_ = address->port();
    return place;
  }
  const size_t colon = text.rfind(':');
  const std::string_view host = text.substr(0, colon);
  const bool is_unix = text.substr(0, kUnix.size()) == kUnix;
  if (is_unix || colon == std::string_view::npos || (host != kAnyHost && !IsHostName(host))) return address.status();
  // The port as an address has it.
  const absl::StatusOr<Address> any = Address::Parse(absl::StrCat("0.0.0.0", View(text.substr(colon))));
  if (!any.ok()) return Wrong(text, "does not end in a colon and a port, a plain number of 0 to 65535");
  place.port_ = any->port();
  place.text_ = absl::StrCat(View(host), ":", place.port_);
  if (host != kAnyHost) place.name_ = std::string(host);
  return place;
}

absl::StatusOr<std::vector<Address>> Place::Resolve() const {
  if (address_.kind() != Address::Kind::kUnset) return std::vector<Address>{address_};
  if (name_.empty()) {
    return OwnOf({Address::Parse("0.0.0.0:0")->WithPort(port_), Address::Parse("[::]:0")->WithPort(port_)});
  }
  const absl::StatusOr<std::vector<Address>> found = LookUp(name_, port_);
  return found.ok() ? OwnOf(*found) : found;
}

absl::StatusOr<ListenOption> ParseListen(std::string_view text) {
  ListenOption out;
  size_t comma = std::min(text.find(','), text.size());
  absl::StatusOr<Place> place = Place::Parse(text.substr(0, comma));
  if (!place.ok()) return place.status();
  out.place = *std::move(place);
  std::vector<std::string> seen;
  while (comma < text.size()) {
    const std::string_view rest = text.substr(comma + 1);
    const std::string_view attribute = rest.substr(0, rest.find(','));
    const std::string key(attribute.substr(0, attribute.find('=')));
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) return Wrong(key, "stands twice");
    seen.push_back(key);
    if (absl::Status status = ReadAttribute(attribute, &out); !status.ok()) return status;
    comma += 1 + attribute.size();
  }
  if (!out.group.empty() && !out.place.IsUnix()) {
    return Wrong(text, "has a group=, which is for a Unix socket: it says who may open it");
  }
  if (absl::Status status = CheckSystems(text, out); !status.ok()) return status;
  return out;
}

absl::StatusOr<std::vector<ListenOption>> ReadListeners(const std::vector<std::string>& texts, bool has_certificates) {
  if (texts.size() > kMostListeners) {
    return absl::InvalidArgumentError(absl::StrCat("--listen may be given ", kMostListeners, " times"));
  }
  std::vector<ListenOption> all;
  for (const std::string& text : texts) {
    absl::StatusOr<ListenOption> option = ParseListen(text);
    if (!option.ok()) return absl::InvalidArgumentError(absl::StrCat("--listen ", option.status().message()));
    const Place& place = option->place;
    if (!place.IsLocal() && !has_certificates) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--listen '", place.text(),
          "' is refused: without certificates callers are not authenticated, so only this machine's are served: write "
          "unix:/path, 127.0.0.1:port or [::1]:port, or give --tls-cert, --tls-key and --tls-client-ca"));
    }
    const bool says_who = !option->roles.empty() || !option->systems.empty() || option->name != ListenOption().name;
    if (has_certificates && !place.IsUnix() && says_who) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--listen '", text,
          "' says who comes there, which certificates say on TCP: leave roles=, name= and systems= to Unix "
          "sockets"));
    }
    const bool is_there = std::any_of(all.begin(), all.end(), [&place](const ListenOption& other) {
      return other.place.Collides(place) || (place.IsUnix() && other.place.text() == place.text());
    });
    if (is_there) return absl::InvalidArgumentError(absl::StrCat("--listen names ", place.text(), " twice"));
    all.push_back(*std::move(option));
  }
  return all;
}

absl::StatusOr<Place> ReadMetricsPlace(std::string_view text, const std::vector<ListenOption>& listeners) {
  absl::StatusOr<Place> metrics = Place::Parse(text);
  if (!metrics.ok()) return absl::InvalidArgumentError(absl::StrCat("--metrics-listen ", metrics.status().message()));
  if (metrics->IsUnix()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--metrics-listen '", metrics->text(), "' is a Unix socket; write 127.0.0.1:port or another HOST:port here"));
  }
  for (const ListenOption& listener : listeners) {
    if (!metrics->Collides(listener.place)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--listen and --metrics-listen are both ", metrics->text(), ": choose two ports"));
  }
  return metrics;
}

}  // namespace consent::ops
