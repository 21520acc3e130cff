#include "tests/fault/kill/account_check.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace consent::test {
namespace {

absl::Status Wrong(const std::string& account, const std::string& what) {
  return absl::InternalError(absl::StrCat(account, ": ", what));
}

v1::ChangeKind HistoryKind(Kind kind) {
  switch (kind) {
    case Kind::kRegister:
    case Kind::kAddDevice:
      return v1::CHANGE_KIND_UPSERT_SUBJECT;
    case Kind::kOptOut:
      return v1::CHANGE_KIND_OPT_OUT;
    case Kind::kOptIn:
      return v1::CHANGE_KIND_UPDATE_SETTINGS;
    case Kind::kReport:
      return v1::CHANGE_KIND_REPORT_RECORDING;
  }
  return v1::CHANGE_KIND_UNSPECIFIED;
}

bool SamePurposes(const v1::HistoryEntry& entry, const std::vector<v1::PurposeChange>& expected) {
  size_t at = 0;
  for (const v1::HistoryChange& change : entry.changes()) {
    if (!change.has_purpose()) continue;
    if (at == expected.size()) return false;
    const v1::PurposeChange& want = expected[at++];
    const v1::PurposeChange& is = change.purpose();
    if (is.purpose() != want.purpose() || is.from() != want.from() || is.to() != want.to()) return false;
  }
  return at == expected.size();
}

// The entry by itself and against the request that made it.
absl::Status CheckEntry(const std::string& account, const v1::HistoryEntry& entry, const Attempt& attempt) {
  const std::string which = "the entry of request " + attempt.operation.request_id;
  if (entry.kind() != HistoryKind(attempt.operation.kind)) return Wrong(account, which + " is of another kind");
  if (!entry.has_time() || entry.policy_version().empty() || entry.revision().empty()) {
    return Wrong(account, which + " is incomplete");
  }
  if (entry.evidence().channel() != v1::CHANNEL_APP || entry.evidence().actor() != v1::ACTOR_SELF) {
    return Wrong(account, which + " has lost its evidence");
  }
  if (attempt.ending == Ending::kRefused) return Wrong(account, which + " was refused, and is there");
  if (attempt.ending == Ending::kAcknowledged && attempt.revision != entry.revision()) {
    return Wrong(account, which + " has another revision than was acknowledged");
  }
  return absl::OkStatus();
}

bool Before(const google::protobuf::Timestamp& a, const google::protobuf::Timestamp& b) {
  return a.seconds() != b.seconds() ? a.seconds() < b.seconds() : a.nanos() < b.nanos();
}

int64_t Micros(const google::protobuf::Timestamp& t) { return t.seconds() * 1'000'000 + t.nanos() / 1'000; }

absl::Status CheckHistory(const std::string& account, const std::vector<v1::HistoryEntry>& history,
                          const std::map<std::string, const Attempt*>& by_request, AccountModel* model) {
  std::set<std::string> seen;
  int64_t latest_begin = 0;
  for (size_t i = 0; i < history.size(); ++i) {
    const v1::HistoryEntry& entry = history[i];
    const auto found = by_request.find(entry.evidence().reference());
    if (found == by_request.end()) return Wrong(account, absl::StrCat("history entry ", i, " was asked for by nobody"));
    const Attempt& attempt = *found->second;
    if (!seen.insert(attempt.operation.request_id).second) {
      return Wrong(account, "a request was done twice: " + attempt.operation.request_id);
    }
    if (absl::Status status = CheckEntry(account, entry, attempt); !status.ok()) return status;
    if (attempt.ended < latest_begin) return Wrong(account, "history is not in the order of the acknowledgements");
    latest_begin = std::max(latest_begin, attempt.began);
    if (i > 0 && !Before(history[i - 1].time(), entry.time())) {
      return Wrong(account, "time does not grow along the history");
    }
    if (!SamePurposes(entry, model->Apply(attempt.operation, Micros(entry.time())))) {
      return Wrong(account, "the entry of request " + attempt.operation.request_id +
                                " says other changes than its place in history makes");
    }
    model->etag = entry.revision();
  }
  model->entries = history.size();
  for (const auto& [request, attempt] : by_request) {
    if (attempt->ending == Ending::kAcknowledged && seen.count(request) == 0) {
      return Wrong(account, "LOST: acknowledged request " + request);
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<v1::PurposeChange> AccountModel::Apply(const Operation& operation, int64_t time) {
  std::vector<v1::PurposeChange> changes;
  const auto choose = [&](v1::Choice to) {
    v1::PurposeChange change;
    change.set_purpose(operation.purpose);
    change.set_from(choices.count(operation.purpose) != 0 ? choices[operation.purpose] : v1::CHOICE_UNSET);
    change.set_to(to);
    choices[operation.purpose] = to;
    changes.push_back(change);
  };
  const auto at = choices.find(operation.purpose);
  const v1::Choice now = at == choices.end() ? v1::CHOICE_UNSET : at->second;
  switch (operation.kind) {
    case Kind::kRegister:
      registered = true;
      break;
    case Kind::kAddDevice:
      registered = true;
      devices.insert(operation.device);
      break;
    case Kind::kOptOut:
      if (now == v1::CHOICE_GIVEN) choose(v1::CHOICE_WITHDRAWN);
      if (now == v1::CHOICE_UNSET) choose(v1::CHOICE_REFUSED);
      break;
    case Kind::kOptIn:
      if (now != v1::CHOICE_GIVEN) {
        choose(v1::CHOICE_GIVEN);
        given[operation.purpose] = time;
      } else if (const int64_t seconds = (time - given[operation.purpose]) / 1'000'000; seconds > 0) {
        choose(v1::CHOICE_GIVEN);
        given[operation.purpose] += seconds * 1'000'000;
      }
      break;
    case Kind::kReport:
      flagged.insert(operation.recording);
      break;
  }
  return changes;
}

absl::Status CheckState(const Api& api, const std::string& account, const AccountModel& model) {
  if (model.entries == 0) {
    const auto nobody = api.Subject(account);
    return absl::IsNotFound(nobody.status()) ? absl::OkStatus() : Wrong(account, "is known and has no history");
  }
  const auto settings = api.Settings(account);
  if (!settings.ok()) return Wrong(account, absl::StrCat("settings: ", settings.status().message()));
  if (settings->etag() != model.etag) return Wrong(account, "settings and history are of different revisions");
  for (const v1::PurposeSetting& detail : settings->settings().details()) {
    if (detail.scope().has_profile_id() || detail.scope().has_device_id()) continue;
    const auto chosen = model.choices.find(detail.purpose());
    const v1::Choice expected = chosen == model.choices.end() ? v1::CHOICE_UNSET : chosen->second;
    if (detail.choice() != expected) {
      return Wrong(account, "a choice is not what history says: " + v1::Purpose_Name(detail.purpose()));
    }
  }
  const auto subject = api.Subject(account);
  if (!subject.ok()) return Wrong(account, absl::StrCat("subject: ", subject.status().message()));
  const std::set<std::string> devices(subject->device_ids().begin(), subject->device_ids().end());
  if (subject->etag() != model.etag || subject->registered() != model.registered) {
    return Wrong(account, "record and history disagree");
  }
  if (devices != model.devices) return Wrong(account, "devices or their names are not what history says");
  const std::vector<std::string> recordings(model.flagged.begin(), model.flagged.end());
  const auto flagged = api.AreFlagged(account, recordings);
  if (!flagged.ok()) return Wrong(account, absl::StrCat("check: ", flagged.status().message()));
  if (std::count(flagged->begin(), flagged->end(), false) != 0) {
    return Wrong(account, "a recording that was reported is not flagged");
  }
  return absl::OkStatus();
}

absl::Status CheckAccount(const Api& api, const std::string& account, const std::vector<const Attempt*>& attempts,
                          AccountModel* model) {
  std::map<std::string, const Attempt*> by_request;
  for (const Attempt* attempt : attempts) by_request[attempt->operation.request_id] = attempt;
  const auto history = api.History(account);
  if (!history.ok()) return Wrong(account, absl::StrCat("history: ", history.status().message()));
  *model = AccountModel{};
  if (absl::Status status = CheckHistory(account, *history, by_request, model); !status.ok()) return status;
  return CheckState(api, account, *model);
}

}  // namespace consent::test
