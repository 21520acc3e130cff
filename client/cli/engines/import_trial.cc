#include "client/cli/engines/import_trial.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "client/cli/exit_codes.h"
#include "client/lines/json_fields.h"
#include "client/lines/line_reader.h"
#include "daemon/base/hash.h"

namespace consent::cli {
namespace {

uint64_t TrialKeyOf(const AccountId& account) {
  const base::Digest digest = base::Blake2b("consentctl import --dry-run", account.value());
  uint64_t key = 0;
  std::memcpy(&key, digest.data(), sizeof key);
  return key;
}

bool IsNo(const ImportChoice& choice) { return choice.change.turn == Switch::kOff; }

bool WantsEtag(const absl::StatusOr<SubjectUpdated>& done) {
  return done.ok() && std::any_of(done->results.begin(), done->results.end(),
                                  [](const PartResult& part) { return part.refused_reason == "ETAG_REQUIRED"; });
}

void NoteError(const absl::Status& status, const std::string& part, std::vector<RefusedPart>* refused) {
  const std::string reason = ErrorOf(status).reason;
  refused->push_back({0, part, reason.empty() ? std::string(absl::StatusCodeToString(status.code())) : reason,
                      std::string(status.message())});
}

ImportEnd Stopped(ImportEnd::How how, absl::Status status) { return {how, std::move(status), 0, 0}; }

}  // namespace

absl::Status ImportTrial::NoteNo(uint64_t number, std::string_view bytes) {
  const absl::StatusOr<ImportLine> line = ParseImportLine(bytes);
  if (!line.ok()) {
    if (blocks_all_ == 0) blocks_all_ = number;
    return absl::OkStatus();
  }
  const bool hidden =
      std::any_of(line->faults.begin(), line->faults.end(), [](const LineFault& fault) { return fault.may_hide_no; });
  if (!hidden && std::none_of(line->choices.begin(), line->choices.end(), IsNo)) return absl::OkStatus();
  if (noes_.size() >= kMostNoes) {
    return absl::ResourceExhaustedError("more than " + std::to_string(kMostNoes) +
                                        " lines refuse something: try the input in parts");
  }
  noes_.emplace_back(TrialKeyOf(line->account_id), number);
  return absl::OkStatus();
}

uint64_t ImportTrial::RefusedBy(const AccountId& account, uint64_t number) const {
  const uint64_t key = TrialKeyOf(account);
  for (auto at = std::lower_bound(noes_.begin(), noes_.end(), std::pair(key, uint64_t{0}));
       at != noes_.end() && at->first == key; ++at) {
    if (at->second != number) return at->second;
  }
  return 0;
}

// As an import sends what only restricts: it registers nobody.
absl::Status ImportTrial::TryRestrictions(const ImportLine& line, std::string_view bytes,
                                          std::vector<RefusedPart>* refused) {
  for (const ImportCall& call : RestrictionsOf(line, bytes)) {
    SettingsUpdate update;
    if (const auto* off = std::get_if<OptOutOrder>(&call.order)) {
      update.account_id = off->account_id;
      update.evidence = off->evidence;
      for (const SettingTarget& target : off->targets) update.changes.push_back({off->scope, target, Switch::kOff});
    } else {
      update = std::get<SettingsUpdate>(call.order);
    }
    update.request_id = RequestId();
    update.validate_only = true;
    absl::StatusOr<SettingsUpdated> done = absl::UnknownError("not asked");
    absl::Status status = gate_.Pass([&] {
      done = client_.UpdateSettings(update);
      return done.status();
    });
    if (!status.ok() && (NoAnswer(status) || CallGate::ComesAgain(status))) return status;
    if (!status.ok()) NoteError(status, call.part, refused);
    if (!status.ok()) continue;
    for (const PartResult& part : done->results) {
      if (!part.applied) refused->push_back({0, call.part, part.refused_reason, part.refused_message});
    }
  }
  return absl::OkStatus();
}

// The registration with all of the line's noes and the yeses of one evidence, as they would be in force together.
absl::Status ImportTrial::TryWhole(SubjectUpdate whole, const std::vector<SettingChange>& noes, const std::string& part,
                                   bool tells_people, std::vector<RefusedPart>* refused) {
  std::set<std::string> asked;
  for (size_t i = 0; i < whole.initial_choices.size(); ++i) asked.insert("initial_choices[" + std::to_string(i) + "]");
  // Told by TryRestrictions; here they stand in the way of yeses, as they would.
  whole.initial_choices.insert(whole.initial_choices.end(), noes.begin(), noes.end());
  whole.validate_only = true;
  absl::StatusOr<SubjectUpdated> done = absl::UnknownError("not asked");
  const auto ask = [&] {
    return gate_.Pass([&] {
      done = client_.UpsertSubject(whole);
      return done.status();
    });
  };
  absl::Status status = ask();
  if (WantsEtag(done)) {
    absl::StatusOr<Subject> current = absl::UnknownError("not asked");
    status = gate_.Pass([&] {
      current = client_.GetSubject(whole.account_id);
      return current.status();
    });
    if (current.ok()) {
      whole.etag = current->etag;
      status = ask();
    }
  }
  if (!status.ok() && (NoAnswer(status) || CallGate::ComesAgain(status))) return status;
  if (!status.ok()) {
    NoteError(status, part, refused);
    return absl::OkStatus();
  }
  for (size_t i = 0; i < done->results.size(); ++i) {
    const PartResult& result = done->results[i];
    const bool of_choices = result.part.starts_with("initial_choices");
    const bool told_before = of_choices ? !asked.contains(result.part) : !tells_people;
    if (!result.applied && !told_before) {
      refused->push_back({0, part + "/" + result.part, result.refused_reason, result.refused_message});
    }
  }
  return absl::OkStatus();
}

absl::Status ImportTrial::TryCalls(const ImportLine& line, std::string_view bytes, std::vector<RefusedPart>* refused) {
  if (absl::Status status = TryRestrictions(line, bytes, refused); !status.ok()) return status;
  std::vector<ImportCall> calls = LooseningsOf(line, bytes);
  if (calls.empty()) return absl::OkStatus();
  SubjectUpdate whole = std::get<SubjectUpdate>(calls.front().order);
  whole.request_id = RequestId();
  std::vector<SettingChange> noes;
  for (const ImportChoice& choice : line.choices) {
    if (IsNo(choice)) noes.push_back(choice.change);
  }
  if (calls.size() == 1) return TryWhole(whole, noes, "subject", true, refused);
  for (size_t i = 1; i < calls.size(); ++i) {
    SubjectUpdate with = whole;
    const auto& consents = std::get<SettingsUpdate>(calls[i].order);
    with.initial_choices = consents.changes;
    with.evidence = consents.evidence;
    if (absl::Status status = TryWhole(with, noes, calls[i].part, i == 1, refused); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ImportTrial::Try(uint64_t number, std::string_view bytes, absl::Status* unanswered) {
  ++counts_.lines;
  const absl::StatusOr<ImportLine> line = ParseImportLine(bytes);
  if (!line.ok()) {
    ++counts_.unreadable;
    return sink_.Unreadable(number, std::string(line.status().message()) +
                                        ". It may refuse for any account, so nothing that allows more would be sent");
  }
  std::vector<RefusedPart> refused;
  for (const LineFault& fault : line->faults) refused.push_back({0, fault.part, "UNREADABLE", fault.why});
  for (const LineFault& yes : line->overruled) refused.push_back({0, yes.part, "OVERRULED_IN_LINE", yes.why});
  *unanswered = TryCalls(*line, bytes, &refused);
  if (!unanswered->ok()) return absl::OkStatus();
  const bool allows = !LooseningsOf(*line, bytes).empty();
  if (allows && blocks_all_ != 0) {
    refused.push_back({0, "line", "RESTRICTION_NOT_IN_FORCE",
                       "line " + std::to_string(blocks_all_) + " cannot be read and may refuse for this account"});
  }
  const uint64_t other = allows ? RefusedBy(line->account_id, number) : 0;
  if (other != 0) {
    refused.push_back({0, "line", "OTHER_LINE_REFUSES",
                       "line " + std::to_string(other) +
                           " refuses something for this account, or hides what may be a no: a yes of this line to the "
                           "same would not count"});
  }
  ++(refused.empty() ? counts_.imported : counts_.refused);
  for (RefusedPart& part : refused) {
    part.number = number;
    if (absl::Status status = sink_.Refused(part); !status.ok()) return status;
  }
  return absl::OkStatus();
}

ImportEnd ImportTrial::Pass(int pass, int input) {
  if (::lseek(input, 0, SEEK_SET) < 0) {
    return Stopped(ImportEnd::How::kInputFailed, absl::FailedPreconditionError(std::strerror(errno)));
  }
  LineReader reader(input, kMaxLineBytes, stop_);
  std::string bytes;
  for (;;) {
    const LineReader::Result result = reader.Next(&bytes);
    if (result == LineReader::Result::kEnd) break;
    if (result == LineReader::Result::kStopped) {
      return {ImportEnd::How::kStopped, absl::OkStatus(), pass == 1 ? 1 : reader.number() + 1, pass};
    }
    if (result == LineReader::Result::kError) {
      return Stopped(ImportEnd::How::kInputFailed, absl::FailedPreconditionError(std::strerror(errno)));
    }
    // One that is too long is like one that is no JSON.
    if (result == LineReader::Result::kTooLong) bytes = "too long";
    if (bytes.find_first_not_of(" \t") == std::string::npos) continue;
    absl::Status unanswered;
    absl::Status status = pass == 1 ? NoteNo(reader.number(), bytes) : Try(reader.number(), bytes, &unanswered);
    if (!status.ok()) return Stopped(ImportEnd::How::kOutputFailed, std::move(status));
    if (!unanswered.ok()) return {ImportEnd::How::kDaemonFailed, unanswered, reader.number(), pass};
    sink_.Progress(pass, reader.number(), reader.bytes());
  }
  std::sort(noes_.begin(), noes_.end());
  return {};
}

ImportEnd ImportTrial::Run(int input) {
  for (const int pass : {1, 2}) {
    ImportEnd end = Pass(pass, input);
    if (end.how != ImportEnd::How::kComplete) return end;
  }
  return {};
}

}  // namespace consent::cli
