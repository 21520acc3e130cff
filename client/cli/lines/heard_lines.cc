#include "client/cli/lines/heard_lines.h"

#include <optional>
#include <string>

#include "client/lines/json_fields.h"

namespace consent {

absl::StatusOr<HeardLine> ParseHeardLine(std::string_view line) {
  const absl::StatusOr<nlohmann::json> object = ParseObject(line);
  if (!object.ok()) return object.status();
  Fields fields(*object);
  HeardLine heard;
  std::optional<Time> at;
  // For people who look into the list; nothing is compared with them.
  std::string by;
  std::string tool;
  const bool is_of_grant = fields.Has("grant_id");
  fields.Require({is_of_grant ? "grant_id" : "recording_id", "heard_at"});
  if (is_of_grant) {
    fields.ReadText("grant_id", base::kMaxIdBytes, &heard.grant_id);
  } else {
    fields.ReadId("recording_id", &heard.recording_id);
  }
  fields.ReadTime("heard_at", &at);
  fields.ReadText("by", base::kMaxIdBytes, &by);
  fields.ReadText("tool", base::kMaxIdBytes, &tool);
  fields.AllowOnly({is_of_grant ? "grant_id" : "recording_id", "heard_at", "by", "tool"});
  if (!fields.status().ok()) return fields.status();
  heard.heard_at = *at;
  return heard;
}

}  // namespace consent
