#include "client/cli/render/render_hold.h"

#include "client/cli/render/render.h"
#include "client/cli/render/render_deletion.h"

namespace consent::cli {
namespace {

// Empty where it is not known.
std::string HeldText(const HoldSelector& selector) {
  struct Text {
    std::string operator()(std::monostate /*none*/) const { return ""; }
    std::string operator()(WholeAccount /*all*/) const { return "account"; }
    std::string operator()(const ProfileId& profile) const { return "profile:" + profile.value(); }
    std::string operator()(const DeviceId& device) const { return "device:" + device.value(); }
    std::string operator()(const std::vector<RecordingId>& recordings) const {
      return "recordings: " + std::to_string(recordings.size());
    }
  };
  return std::visit(Text(), selector.scope);
}

std::string LeasesText(const std::vector<LeaseOut>& leases) {
  std::string text;
  for (const LeaseOut& lease : leases) {
    text += (text.empty() ? "" : ", ") + lease.system + " until " + TimeText(lease.until);
  }
  return text;
}

}  // namespace

Json HoldSelectorJson(const HoldSelector& selector) {
  if (std::holds_alternative<std::monostate>(selector.scope)) return nullptr;
  Json json = Json::object();
  if (const auto* recordings = std::get_if<std::vector<RecordingId>>(&selector.scope)) {
    json["kind"] = "recordings";
    json["recording_ids"] = Json::array();
    for (const RecordingId& recording : *recordings) json["recording_ids"].push_back(recording.value());
  } else if (const auto* profile = std::get_if<ProfileId>(&selector.scope)) {
    json["kind"] = "profile";
    json["profile_id"] = profile->value();
  } else if (const auto* device = std::get_if<DeviceId>(&selector.scope)) {
    json["kind"] = "device";
    json["device_id"] = device->value();
  } else {
    json["kind"] = "account";
  }
  json.update(RangeJson(selector.captured));
  return json;
}

Json HoldJson(const Hold& hold) {
  Json leases_out = Json::array();
  for (const LeaseOut& lease : hold.leases_out) {
    leases_out.push_back({{"system", lease.system}, {"until", TimeText(lease.until)}});
  }
  return {{"hold_id", hold.hold_id.value()},
          {"account_id", hold.account_id.value()},
          {"selector", HoldSelectorJson(hold.selector)},
          {"authority", hold.authority},
          {"reason", hold.reason},
          {"placed_at", TimeText(hold.placed_at)},
          {"released_at", TimeText(hold.released_at)},
          {"release_authority", hold.release_authority},
          {"release_reason", hold.release_reason},
          {"etag", hold.etag.value()},
          {"review_at", TimeText(hold.review_at)},
          {"reviewed_at", TimeText(hold.reviewed_at)},
          {"review_reason", hold.review_reason},
          {"past_review", hold.past_review},
          {"leases_out", leases_out}};
}

Table HoldsTable(const std::vector<Hold>& holds) {
  Table table("hold", {"HOLD", "STATE", "ACCOUNT", "WHAT", "CAPTURED FROM", "TO", "AUTHORITY", "REASON", "PLACED",
                       "RELEASED", "RELEASED BY", "RELEASED BECAUSE", "ETAG", "STILL OUT", "REVIEW"});
  for (const Hold& hold : holds) {
    table.Add({hold.hold_id.value(), hold.released_at.has_value() ? "RELEASED" : "IN_FORCE", hold.account_id.value(),
               HeldText(hold.selector), TimeText(hold.selector.captured.from), TimeText(hold.selector.captured.to),
               hold.authority, hold.reason, TimeText(hold.placed_at), TimeText(hold.released_at),
               hold.release_authority, hold.release_reason, hold.etag.value(), LeasesText(hold.leases_out),
               TimeText(hold.review_at) + (hold.past_review ? " PAST" : "")});
  }
  return table;
}

}  // namespace consent::cli
