#include "client/cli/render/render_unreached.h"

#include <algorithm>

#include "client/cli/render/render.h"

namespace consent::cli {
namespace {

bool IsAccount(const Scope& scope) { return scope.profile.empty() && scope.device.empty(); }

std::string Whose(const Scope& scope) {
  if (!scope.profile.empty()) return scope.profile.value() + "'s own voice";
  if (!scope.device.empty()) return "what device " + scope.device.value() + " records";
  return "the account";
}

std::string OtherNotice(const Unreached& one) {
  const std::string left_out = "notice " + one.uncovering_notice + " does not list it; ";
  if (one.notice_versions.empty()) return left_out + "the policy has no notice that does";
  return left_out + "show one that does (" + ListText(one.notice_versions) + ") and turn it on with that --notice";
}

// What a profile itself has to say, or its guardian.
std::string OwnYes(const std::string& profile) {
  return "the account said yes, and that speaks for nobody else; turn it on with --profile " + profile + ", or where " +
         profile + " is who says so, for the account and this voice at once with --self-profile=" + profile;
}

std::string WhatToDo(const Unreached& one) {
  if (!one.uncovering_notice.empty()) return OtherNotice(one);
  const std::string profile = one.scope.profile.value();
  switch (one.reason) {
    case Reason::kProfileWithoutConsent:
      return OwnYes(profile);
    case Reason::kNoConsent:
      return IsAccount(one.scope) ? "nobody said yes for the account; turn it on without --profile"
                                  : "nobody said yes for the account, and it takes both; turn it on without --profile "
                                    "too, or for both at once with --self-profile=" +
                                        profile;
    case Reason::kChildWithoutGuardian:
      return "a child, whose guardian consents to each purpose by its name; turn it on with --profile " + profile +
             " --on " + std::string(Name(one.purpose)) + " --actor guardian --guardian ID";
    case Reason::kRefused:
    case Reason::kWithdrawn:
      return "somebody said no, of this scope or of the account; only a later yes there changes that";
    case Reason::kSuspended:
      return "the purpose is suspended; a yes counts that is said once it is lifted (policy show)";
    case Reason::kConsentExpired:
      return "the consent expired; ask again and turn it on";
    case Reason::kNoticeSuperseded:
      return "the notice was superseded; show the present one and turn it on under it";
    case Reason::kNoticeSilentOnPeople:
      return "the notice does not say that people listen; show one that does and turn it on under it";
    default:
      return "see WHY in proto/consent/v1/types.proto";
  }
}

bool IsSame(const Unreached& a, const Unreached& b) {
  return a.scope == b.scope && a.purpose == b.purpose && a.reason == b.reason;
}

void AddEachOnce(const std::vector<Unreached>& more, std::vector<Unreached>* all) {
  for (const Unreached& one : more) {
    const bool known = std::any_of(all->begin(), all->end(), [&one](const Unreached& has) { return IsSame(has, one); });
    if (!known) all->push_back(one);
  }
}

}  // namespace

std::string UnreachedWhy(const Unreached& one) {
  return one.uncovering_notice.empty() ? std::string(Name(one.reason)) : "NOTICE_DOES_NOT_COVER";
}

std::string UnreachedSentence(const Unreached& one) {
  return Whose(one.scope) + " is not covered for " + std::string(Name(one.purpose)) + ": " + WhatToDo(one);
}

Json UnreachedJson(const std::vector<Unreached>& unreached) {
  Json list = Json::array();
  for (const Unreached& one : unreached) {
    list.push_back({{"scope", ScopeJson(one.scope)},
                    {"purpose", Name(one.purpose)},
                    {"why", UnreachedWhy(one)},
                    {"sentence", UnreachedSentence(one)},
                    {"uncovering_notice", one.uncovering_notice},
                    {"notice_versions", one.notice_versions}});
  }
  return list;
}

Table UnreachedTable(const std::vector<Unreached>& unreached) {
  Table table("unreached", {"SCOPE", "PURPOSE", "WHY", "NOT REACHED"});
  for (const Unreached& one : unreached) {
    table.Add({ScopeText(one.scope), std::string(Name(one.purpose)), UnreachedWhy(one), UnreachedSentence(one)});
  }
  return table;
}

std::vector<Unreached> UnreachedOf(const Settings& settings) {
  std::vector<Unreached> all;
  for (const ControlSetting& control : settings.controls) AddEachOnce(control.unreached, &all);
  for (const PurposeSummary& purpose : settings.purposes) {
    const bool has_control =
        std::any_of(settings.controls.begin(), settings.controls.end(), [&purpose](const ControlSetting& control) {
          return std::find(control.purposes.begin(), control.purposes.end(), purpose.purpose) != control.purposes.end();
        });
    if (!has_control) AddEachOnce(purpose.unreached, &all);
  }
  return all;
}

}  // namespace consent::cli
