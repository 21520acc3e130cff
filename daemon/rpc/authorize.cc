#include "daemon/rpc/authorize.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "daemon/base/hash.h"
#include "daemon/wire/errors.h"

namespace consent::rpc {
namespace {

// As the protos name them, without ROLE_, in their order.
std::string NamesOf(callers::RoleSet roles) {
  std::vector<std::string> names;
  const google::protobuf::EnumDescriptor& all = *v1::Role_descriptor();
  for (int i = 0; i < all.value_count(); ++i) {
    if (roles.Has(all.value(i)->number())) names.emplace_back(absl::StripPrefix(all.value(i)->name(), "ROLE_"));
  }
  return absl::StrJoin(names, ", ");
}

}  // namespace

Method::Method(const google::protobuf::MethodDescriptor* descriptor) {
  if (descriptor == nullptr) return;
  name_ = descriptor->service()->full_name() + '/' + descriptor->name();
  const google::protobuf::MethodOptions& options = descriptor->options();
  for (int i = 0; i < options.ExtensionSize(v1::roles); ++i) roles_.Add(options.GetExtension(v1::roles, i));
  may_restrict_ = options.GetExtension(v1::may_restrict);
  reads_people_ = options.GetExtension(v1::reads_people);
}

Method Method::Named(const std::string& full_name) {
  return Method(google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(full_name));
}

bool Peer::SeesEvidenceOf(std::string_view author) const {
  return roles.Has(v1::ROLE_AUDITOR) || roles.Has(v1::ROLE_OFFICER) || caller.identity == author;
}

bool Peer::WorksFor(std::string_view system) const {
  return systems.empty() || std::find(systems.begin(), systems.end(), system) != systems.end();
}

bool Peer::IsPerson() const {
  return !roles.Has(v1::ROLE_BACKEND) &&
         (roles.Has(v1::ROLE_AUDITOR) || roles.Has(v1::ROLE_OFFICER) || roles.Has(v1::ROLE_OPERATOR));
}

service::Person UserAt(std::string_view peer, const std::string& listener) {
  service::Person person;
  person.name = listener;
  if (peer.substr(0, kUserPeer.size()) != kUserPeer) return person;
  peer.remove_prefix(kUserPeer.size());
  uint32_t user = 0;
  const auto [end, error] = std::from_chars(peer.data(), peer.data() + peer.size(), user);
  if (error != std::errc() || end != peer.data() + peer.size()) return person;
  person.kind = service::PersonKind::kUser;
  person.name = absl::StrCat(listener, " (user ", user, ")");
  person.marks = {base::Sha256(absl::StrCat("user:", user))};
  return person;
}

absl::Status Authorize(const Peer& peer, const Method& method) {
  if (!peer.refusal.ok()) return peer.refusal;
  if (peer.roles.Meets(method.roles())) return absl::OkStatus();
  const std::string needs = NamesOf(method.roles());
  if (needs.empty()) {
    return wire::MakeError(v1::ERROR_REASON_ROLE_REQUIRED, "the method names no role, so nobody may call it");
  }
  return wire::MakeError(v1::ERROR_REASON_ROLE_REQUIRED,
                         "the caller has none of the roles that the method asks for: " + needs, {{"needs", needs}});
}

absl::Status CheckSystem(const Peer& peer, std::string_view system) {
  if (peer.WorksFor(system)) return absl::OkStatus();
  return wire::MakeError(v1::ERROR_REASON_SYSTEM_NOT_YOURS,
                         "the caller does not work for this data system: name one of its own");
}

}  // namespace consent::rpc
