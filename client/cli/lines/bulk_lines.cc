#include "client/cli/lines/bulk_lines.h"

#include <algorithm>
#include <utility>

#include "client/lines/json_fields.h"
#include "daemon/base/bounds.h"
#include "daemon/base/bytes.h"
#include "daemon/base/hash.h"

namespace consent {
namespace {

absl::Status Bad(const std::string& why) { return absl::InvalidArgumentError(why); }

// Times that both must be there: an end that is left open would delete more than somebody who forgot it meant.
DeletionSelector ReadTimes(Fields* fields) {
  fields->AllowOnly({"kind", "from", "to"});
  fields->Require({"from", "to"});
  TimeRange range;
  fields->ReadTime("from", &range.from);
  fields->ReadTime("to", &range.to);
  return range;
}

DeletionSelector ReadDay(Fields* fields) {
  fields->AllowOnly({"kind", "spoken_at", "time_zone"});
  fields->Require({"spoken_at", "time_zone"});
  SpokenDay day;
  fields->ReadTime("spoken_at", &day.spoken_at);
  fields->ReadText("time_zone", base::kMaxNameBytes, &day.time_zone);
  return day;
}

DeletionSelector ReadRecordings(Fields* fields) {
  fields->AllowOnly({"kind", "recording_ids"});
  std::vector<RecordingId> recordings;
  fields->ReadIds("recording_ids", kMaxDeletedRecordings, &recordings);
  if (recordings.empty()) fields->Fail("recording_ids", "must name 1 to 1000");
  return recordings;
}

// A key alone, as a type of its own.
template <typename Wrapped, typename IdT>
DeletionSelector ReadOne(Fields* fields, const char* key) {
  fields->AllowOnly({"kind", key});
  fields->Require({key});
  IdT id;
  fields->ReadId(key, &id);
  return Wrapped{id};
}

DeletionSelector ReadCopies(Fields* fields) {
  fields->AllowOnly({"kind", "purposes", "profile_id", "device_id"});
  PurposeCopies copies;
  constexpr size_t kMostPurposes = 7;
  fields->ReadNames("purposes", kMostPurposes, &copies.purposes);
  if (copies.purposes.empty()) fields->Fail("purposes", "must name 1 to 7");
  fields->ReadId("profile_id", &copies.scope.profile);
  fields->ReadId("device_id", &copies.scope.device);
  if (!copies.scope.profile.empty() && !copies.scope.device.empty()) {
    fields->Fail("profile_id", "cannot be given beside device_id");
  }
  return copies;
}

// In the shape in which `requests show` prints it and workers get it. Every key has to be known: one that is misspelt
// might narrow it down.
absl::Status ReadSelector(const nlohmann::json& value, DeletionSelector* out) {
  if (const std::string why = WhyUnreadable(value); !why.empty()) return Bad("selector: " + why);
  if (!value.is_object()) return Bad("selector: must be an object with `kind`");
  Fields fields(value, "selector.");
  std::string kind;
  fields.Require({"kind"});
  fields.ReadText("kind", base::kMaxNameBytes, &kind);
  if (!fields.status().ok()) return fields.status();
  if (kind == "everything") {
    fields.AllowOnly({"kind"});
    *out = Everything{};
  } else if (kind == "time_range") {
    *out = ReadTimes(&fields);
  } else if (kind == "spoken_day") {
    *out = ReadDay(&fields);
  } else if (kind == "recordings") {
    *out = ReadRecordings(&fields);
  } else if (kind == "profile") {
    *out = ReadOne<ProfileId, ProfileId>(&fields, "profile_id");
  } else if (kind == "device") {
    *out = ReadOne<DeviceId, DeviceId>(&fields, "device_id");
  } else if (kind == "purpose_copies") {
    *out = ReadCopies(&fields);
  } else if (kind == "voice_id") {
    *out = ReadOne<VoiceIdOf, ProfileId>(&fields, "profile_id");
  } else if (kind == "account_closure") {
    fields.AllowOnly({"kind"});
    *out = AccountClosure{};
  } else {
    fields.Fail("kind",
                "must be everything, time_range, spoken_day, recordings, profile, device, purpose_copies, voice_id or "
                "account_closure");
  }
  return fields.status();
}

// What the line does not say itself.
Evidence Filled(const Evidence& own, const Evidence& defaults) {
  Evidence filled = own;
  if (filled.notice_version.empty()) filled.notice_version = defaults.notice_version;
  if (filled.notice_language.empty()) filled.notice_language = defaults.notice_language;
  if (filled.channel == Channel::kUnset) filled.channel = defaults.channel;
  if (filled.actor == Actor::kUnset) filled.actor = defaults.actor;
  if (filled.guardian.empty()) filled.guardian = defaults.guardian;
  if (filled.reference.empty()) filled.reference = defaults.reference;
  return filled;
}

// The line's noes in as few calls as their scopes and evidence allow.
void AddOptOuts(const ImportLine& line, const Evidence& defaults, BulkLine* out) {
  for (const ImportChoice& choice : line.choices) {
    if (choice.change.turn != Switch::kOff) continue;
    const Evidence evidence = Filled(choice.evidence, defaults);
    const auto same = [&](const BulkCall& call) {
      const auto& order = std::get<OptOutOrder>(call.order);
      return order.scope == choice.change.scope && order.evidence == evidence &&
             order.targets.size() < size_t{base::kMaxParts};
    };
    auto at = std::find_if(out->noes.begin(), out->noes.end(), same);
    if (at == out->noes.end()) {
      OptOutOrder order;
      order.account_id = line.account_id;
      order.scope = choice.change.scope;
      order.evidence = evidence;
      at = out->noes.insert(out->noes.end(), BulkCall{choice.part, std::move(order)});
    } else {
      at->part += "," + choice.part;
    }
    std::get<OptOutOrder>(at->order).targets.push_back(choice.change.target);
  }
}

// One call for each evidence; the noes of the line stand in each.
void AddYeses(const ImportLine& line, const Evidence& defaults, BulkLine* out) {
  std::vector<SettingChange> noes;
  for (const ImportChoice& choice : line.choices) {
    if (choice.change.turn == Switch::kOff) noes.push_back(choice.change);
  }
  for (const ImportChoice& choice : line.choices) {
    if (choice.change.turn != Switch::kOn) continue;
    const Evidence evidence = Filled(choice.evidence, defaults);
    const auto same = [&](const BulkCall& call) { return std::get<SettingsUpdate>(call.order).evidence == evidence; };
    auto at = std::find_if(out->yeses.begin(), out->yeses.end(), same);
    if (at == out->yeses.end()) {
      SettingsUpdate update;
      update.account_id = line.account_id;
      update.changes = noes;
      update.evidence = evidence;
      at = out->yeses.insert(out->yeses.end(), BulkCall{choice.part, std::move(update)});
    } else {
      at->part += "," + choice.part;
    }
    std::get<SettingsUpdate>(at->order).changes.push_back(choice.change);
  }
}

}  // namespace

absl::StatusOr<BulkLine> ReadDeletionLine(std::string_view line, const DeletionDefaults& defaults) {
  const absl::StatusOr<DamagedObject> read = ParseDamagedObject(line);
  if (!read.ok()) return read.status();
  const nlohmann::json& object = read->object;
  BulkLine out;
  NewDeletionRequest order;
  order.selector = defaults.selector;
  Fields whose(object);
  whose.Require({"account_id"});
  whose.ReadId("account_id", &order.account_id);
  if (!whose.status().ok()) return whose.status();
  const auto selector = object.find("selector");
  const bool has_own = selector != object.end() && !selector->is_null();
  if (has_own && !std::holds_alternative<std::monostate>(defaults.selector)) {
    return Bad("selector: the command line says already what is deleted; say it in one place");
  }
  if (has_own) {
    if (absl::Status status = ReadSelector(*selector, &order.selector); !status.ok()) return status;
  }
  if (std::holds_alternative<std::monostate>(order.selector))
    return Bad("selector: is missing: give it in each line, or say on the command line what is deleted");
  Fields rest(object);
  rest.AllowOnly({"account_id", "selector", "verified", "requester", "channel", "actor", "reference"});
  order.requester = defaults.requester;
  rest.ReadName("requester", &order.requester);
  Evidence own;
  rest.ReadName("channel", &own.channel);
  rest.ReadName("actor", &own.actor);
  rest.ReadText("reference", base::kMaxReferenceBytes, &own.reference);
  order.verification = defaults.verification;
  bool verified = false;
  rest.ReadBool("verified", &verified);
  if (rest.Has("verified")) order.verification = verified ? Verification::kVerified : Verification::kPending;
  const absl::Status fault = rest.status().ok() ? read->fault : rest.status();
  if (fault.ok()) {
    order.evidence = Filled(own, defaults.evidence);
  } else {
    out.faults.push_back(
        {"line", std::string(fault.message()) + "; received, not verified: nothing is erased by it", false});
    order.requester = defaults.requester;
    order.verification = Verification::kPending;
    order.evidence = defaults.evidence;
  }
  out.account_id = order.account_id;
  out.noes.push_back({"selector", std::move(order)});
  return out;
}

absl::StatusOr<BulkLine> ReadOptOutLine(std::string_view line, const OptOutDefaults& defaults) {
  absl::StatusOr<ImportLine> read = ParseChangeLine(line);
  if (!read.ok()) return read.status();
  BulkLine out;
  out.account_id = read->account_id;
  out.faults = std::move(read->faults);
  for (const ImportChoice& choice : read->choices) {
    if (choice.change.turn == Switch::kOn) {
      out.faults.push_back({choice.part, "an opt-out turns nothing on: use `settings set`", false});
    }
  }
  for (const LineFault& yes : read->overruled) {
    out.faults.push_back({yes.part, "an opt-out turns nothing on: use `settings set`", false});
  }
  for (const ImportRetention& entry : read->retention) {
    out.faults.push_back({entry.part, "an opt-out changes no retention: use `settings set`", false});
  }
  AddOptOuts(*read, defaults.evidence, &out);
  // Also where something of the line cannot be read: who is meant and what is refused can.
  const bool says_none = read->choices.empty() && read->overruled.empty();
  if (says_none && !defaults.targets.empty()) {
    OptOutOrder order;
    order.account_id = out.account_id;
    order.scope = defaults.scope;
    order.targets = defaults.targets;
    order.evidence = defaults.evidence;
    out.noes.push_back({"line", std::move(order)});
  }
  if (out.noes.empty() && out.faults.empty())
    return Bad("names nothing to refuse: give `choices` in the line, or say it on the command line");
  return out;
}

absl::StatusOr<BulkLine> ReadSettingsLine(std::string_view line, const Evidence& defaults) {
  absl::StatusOr<ImportLine> read = ParseChangeLine(line);
  if (!read.ok()) return read.status();
  BulkLine out;
  out.account_id = read->account_id;
  AddOptOuts(*read, defaults, &out);
  // Each in a call of its own, so that one that is refused takes no other with it.
  for (const ImportRetention& entry : read->retention) {
    SettingsUpdate shorter;
    shorter.account_id = out.account_id;
    shorter.retention = {entry.change};
    shorter.evidence = defaults;
    out.noes.push_back({entry.part, std::move(shorter)});
  }
  out.faults = std::move(read->faults);
  out.overruled = std::move(read->overruled);
  if (out.faults.empty()) AddYeses(*read, defaults, &out);
  const bool empty = out.noes.empty() && out.yeses.empty() && out.overruled.empty() && out.faults.empty();
  if (empty) return Bad("changes nothing: give `choices` or `retention`");
  return out;
}

RequestId BulkRequestId(std::string_view run, std::string_view input, uint64_t line, const std::string& part) {
  std::string bytes;
  base::Encoder encoder(&bytes);
  encoder.String("consentctl bulk 1");
  encoder.String(std::string(run));
  encoder.String(std::string(input));
  encoder.Varint(line);
  encoder.String(part);
  const base::Digest digest = base::Blake2b(bytes);
  const std::string hex = base::Hex(base::View(digest).substr(0, 16));
  return RequestId(hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
                   hex.substr(20));
}

}  // namespace consent
