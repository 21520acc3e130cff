#include "daemon/app/expected_labels.h"

#include <algorithm>
#include <string>

#include "consent/v1/roles.pb.h"
#include "daemon/base/names.h"
#include "daemon/rpc/authorize.h"
#include "proto/enum_names.h"

namespace consent::app {
namespace {

void AddCaller(const std::string& name, bool may_check, ops::ExpectedLabels* labels) {
  const auto known = std::find_if(labels->callers.begin(), labels->callers.end(),
                                  [&name](const auto& caller) { return caller.name == name; });
  if (known == labels->callers.end()) {
    labels->callers.push_back({name, may_check});
  } else {
    known->may_check = known->may_check || may_check;
  }
}

}  // namespace

callers::RoleSet RolesOf(const ops::ListenOption& option) {
  if (option.roles.empty()) return callers::RoleSet::All();
  callers::RoleSet roles;
  for (const std::string& role : option.roles) roles.Add(proto::EnumNumber<v1::Role>(role).value_or(0));
  return roles;
}

ops::ExpectedLabels LabelsToExpect(const ops::ServeOptions& options, const callers::Book& callers,
                                   const domain::Rules* rules) {
  static const callers::RoleSet kMayCheck = rpc::Method::Named("consent.v1.EligibilityService.Check").roles();
  ops::ExpectedLabels labels;
  const bool has_tls = !options.tls_certificate.empty();
  for (const ops::ListenOption& option : options.listeners) {
    // Who comes by TCP beside certificates has one.
    if (has_tls && !option.place.IsUnix()) continue;
    AddCaller(option.name, RolesOf(option).Meets(kMayCheck), &labels);
  }
  if (has_tls) AddCaller(base::kUnknownCaller, false, &labels);
  for (const auto& caller : callers.All()) AddCaller(caller->name, caller->roles.Meets(kMayCheck), &labels);
  if (rules == nullptr) return labels;
  for (const domain::Regime& regime : rules->regimes) labels.regimes.push_back(regime.name);
  for (const domain::Control& control : rules->controls) labels.controls.push_back(control.name);
  labels.purposes = rules->purposes;
  return labels;
}

}  // namespace consent::app
