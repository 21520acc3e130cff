#include "client/cli/engines/import_engine.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "client/cli/exit_codes.h"
#include "client/cli/printable.h"
#include "client/lines/json_fields.h"
#include "client/lines/line_reader.h"

namespace consent::cli {
namespace {

constexpr char kUnreadableReason[] = "UNREADABLE";
constexpr char kOverruledReason[] = "OVERRULED_IN_LINE";
constexpr char kNotSentReason[] = "NOT_SENT";
constexpr char kBlockedReason[] = "RESTRICTION_NOT_IN_FORCE";
// The daemon's: what is stored restricts more already.
constexpr char kCannotLoosenReason[] = "IMPORT_CANNOT_LOOSEN";
constexpr char kAccountClosed[] =
    "its account is closed; what it refuses is kept, and binds an account that is started anew under its id until its "
    "holder chooses";

// What a call came to, whatever its kind.
struct Outcome {
  absl::Status status;
  Etag revision;
  std::vector<PartResult> results;
  bool account_closed = false;
  std::vector<Unreached> unreached = {};
};

template <typename Done>
Outcome OutcomeOf(const absl::StatusOr<Done>& done) {
  return done.ok() ? Outcome{absl::OkStatus(), done->revision, done->results, done->account_closed}
                   : Outcome{done.status(), {}, {}};
}

Outcome SendOnce(Client& client, const ImportCall& call) {
  if (const auto* off = std::get_if<OptOutOrder>(&call.order)) return OutcomeOf(client.OptOut(*off));
  if (const auto* subject = std::get_if<SubjectUpdate>(&call.order)) return OutcomeOf(client.UpsertSubject(*subject));
  const auto done = client.UpdateSettings(std::get<SettingsUpdate>(call.order));
  Outcome outcome = OutcomeOf(done);
  if (done.ok()) outcome.unreached = done->unreached;
  return outcome;
}

// What looks mistaken about the ids of a line; empty: nothing.
std::string OddIds(const ImportLine& line) {
  std::string odd = Oddity(line.account_id.value());
  for (const Profile& profile : line.profiles) odd += odd.empty() ? Oddity(profile.profile_id.value()) : "";
  for (const DeviceId& device : line.devices) odd += odd.empty() ? Oddity(device.value()) : "";
  return odd;
}

// A restriction of the line is not in force, or what cannot be read may be one.
bool HidesARestriction(const ImportLine& line, const std::vector<RefusedPart>& refused) {
  return std::any_of(line.faults.begin(), line.faults.end(),
                     [](const LineFault& fault) { return fault.may_hide_no; }) ||
         std::any_of(refused.begin(), refused.end(),
                     [](const RefusedPart& part) { return part.reason != kCannotLoosenReason; });
}

bool WantsEtag(const Outcome& outcome) {
  return ErrorOf(outcome.status).reason == "ETAG_REQUIRED" ||
         std::any_of(outcome.results.begin(), outcome.results.end(),
                     [](const PartResult& part) { return part.refused_reason == "ETAG_REQUIRED"; });
}

ImportEnd Failed(ImportEnd::How how, absl::Status status) { return {how, std::move(status), 0, 0}; }

}  // namespace

absl::Status Import::SendCall(ImportCall call, Etag* etag, Line* line) const {
  if (auto* update = std::get_if<SettingsUpdate>(&call.order)) update->etag = *etag;
  Outcome outcome = SendOnce(client_, call);
  // Who is registered already gets what is unset filled, too. The etag stands for nothing that anybody looked at; that
  // an import changes nothing towards more is the daemon's to hold.
  auto* subject = std::get_if<SubjectUpdate>(&call.order);
  if (subject != nullptr && WantsEtag(outcome)) {
    const auto current = client_.GetSubject(subject->account_id);
    if (!current.ok() && NoAnswer(current.status())) return current.status();
    if (current.ok()) {
      subject->etag = current->etag;
      subject->request_id = RequestId(subject->request_id.value() + "-fill");
      outcome = SendOnce(client_, call);
    }
  }
  if (!outcome.status.ok()) {
    if (NoAnswer(outcome.status)) return outcome.status;
    const std::string reason = ErrorOf(outcome.status).reason;
    line->refused.push_back({line->number, call.part,
                             reason.empty() ? std::string(absl::StatusCodeToString(outcome.status.code())) : reason,
                             std::string(outcome.status.message())});
    return absl::OkStatus();
  }
  *etag = outcome.revision;
  line->account_closed = line->account_closed || outcome.account_closed;
  if (const auto* update = std::get_if<SettingsUpdate>(&call.order)) line->unreached.Note(*update, outcome.unreached);
  for (const PartResult& part : outcome.results) {
    if (!part.applied) {
      line->refused.push_back({line->number, call.part + "/" + part.part, part.refused_reason, part.refused_message});
    }
  }
  return absl::OkStatus();
}

absl::Status Import::SendLine(int pass, Line* line) const {
  Etag etag;
  if (pass == 1) {
    for (ImportCall& call : RestrictionsOf(line->parsed, line->bytes)) {
      if (absl::Status status = SendCall(std::move(call), &etag, line); !status.ok()) return status;
      etag = Etag();
    }
    return absl::OkStatus();
  }
  for (const LineFault& yes : line->parsed.overruled) {
    line->refused.push_back({line->number, yes.part, kOverruledReason, yes.why});
  }
  bool registered = false;
  for (ImportCall& call : LooseningsOf(line->parsed, line->bytes)) {
    // Without the registration's etag no consent can follow.
    if (registered && etag.empty()) {
      line->refused.push_back(
          {line->number, call.part, kNotSentReason, "the registration was refused, so it was not sent"});
      continue;
    }
    if (absl::Status status = SendCall(std::move(call), &etag, line); !status.ok()) return status;
    registered = true;
  }
  return absl::OkStatus();
}

Import::Block Import::Send(int pass, Block block) const {
  for (Line& line : block.lines) {
    block.error = SendLine(pass, &line);
    if (!block.error.ok()) {
      block.failed_at = line.number;
      break;
    }
  }
  return block;
}

void Import::Launch(int pass) {
  if (next_.last == 0) return;
  sent_.push_back(std::async(
      std::launch::async, [this, pass](Block block) { return Send(pass, std::move(block)); },
      std::exchange(next_, {})));
}

absl::Status Import::Unreadable(int pass, uint64_t number, const std::string& why) {
  // Pass 1 has told and counted it.
  if (pass != 1) return absl::OkStatus();
  ++next_.read.unreadable;
  if (absl::Status blocked = state_.BlockAll(number); !blocked.ok()) return blocked;
  return sink_.Unreadable(
      number, why + ". It may refuse for any account, so nothing that allows more is sent before it is corrected");
}

std::string Import::WhyHeldBack(const Line& line) const {
  // A line that only restricts is in force.
  if (LooseningsOf(line.parsed, line.bytes).empty()) return "";
  if (state_.blocks_all() != 0) {
    return "line " + std::to_string(state_.blocks_all()) +
           " cannot be read and may refuse for this account, so nothing that allows more was sent";
  }
  if (!state_.IsBlocked(line.parsed.account_id)) return "";
  return "a restriction of this account was refused or cannot be read, so nothing that allows more was sent";
}

absl::Status Import::HeldBack(const Line& line, const std::string& why) {
  // Pass 1 has counted the lines whose own restrictions were refused.
  if (!state_.IsCounted(line.number)) ++next_.read.refused;
  return sink_.Refused({line.number, "line", kBlockedReason, why});
}

absl::Status Import::Take(int pass, uint64_t number, std::string bytes) {
  if (bytes.find_first_not_of(" \t") == std::string::npos) return absl::OkStatus();
  if (pass == 1) ++next_.read.lines;
  absl::StatusOr<ImportLine> parsed = ParseImportLine(bytes);
  if (!parsed.ok()) return Unreadable(pass, number, std::string(parsed.status().message()));
  Line line{number, std::move(bytes), *std::move(parsed), {}};
  if (const std::string odd = OddIds(line.parsed); pass == 1 && !odd.empty()) sink_.Odd(number, odd);
  // Pass 1 has told and counted what is wrong with it, and sent what of it counts.
  if (pass == 2 && !line.parsed.faults.empty()) return absl::OkStatus();
  if (const std::string why = pass == 2 ? WhyHeldBack(line) : ""; !why.empty()) return HeldBack(line, why);
  next_.lines.push_back(std::move(line));
  return absl::OkStatus();
}

absl::Status Import::Count(int pass, const Block& block) {
  counts_.lines += block.read.lines;
  counts_.refused += block.read.refused;
  counts_.unreadable += block.read.unreadable;
  for (const Line& line : block.lines) {
    if (line.account_closed) sink_.Odd(line.number, kAccountClosed);
    for (const RefusedPart& part : line.refused) {
      if (absl::Status status = sink_.Refused(part); !status.ok()) return status;
    }
    if (pass == 1) {
      if (absl::Status status = CountRestrictions(line); !status.ok()) return status;
    } else if (!state_.IsCounted(line.number)) {
      ++(line.refused.empty() ? counts_.imported : counts_.refused);
      if (line.refused.empty() && !line.unreached.empty()) ++counts_.unreached;
    }
  }
  return state_.Save(pass, block.last, counts_);
}

absl::Status Import::CountRestrictions(const Line& line) {
  for (const LineFault& fault : line.parsed.faults) {
    if (absl::Status status = sink_.Refused({line.number, fault.part, kUnreadableReason, fault.why}); !status.ok()) {
      return status;
    }
  }
  if (line.refused.empty() && line.parsed.faults.empty()) return absl::OkStatus();
  ++counts_.refused;
  if (absl::Status status = state_.CountRefused(line.number); !status.ok()) return status;
  return HidesARestriction(line.parsed, line.refused) ? state_.Block(line.parsed.account_id) : absl::OkStatus();
}

ImportEnd Import::FinishOldest(int pass) {
  const Block block = sent_.front().get();
  sent_.pop_front();
  if (!block.error.ok()) return {ImportEnd::How::kDaemonFailed, block.error, block.failed_at, pass};
  if (absl::Status status = Count(pass, block); !status.ok()) return Failed(ImportEnd::How::kOutputFailed, status);
  return {};
}

ImportEnd Import::FinishSent(int pass) {
  while (!sent_.empty()) {
    ImportEnd end = FinishOldest(pass);
    if (end.how != ImportEnd::How::kComplete) return end;
  }
  return {ImportEnd::How::kStopped, absl::OkStatus(), state_.Reached(pass) + 1, pass};
}

ImportEnd Import::Pass(int pass, int input) {
  if (::lseek(input, 0, SEEK_SET) < 0) {
    return Failed(ImportEnd::How::kInputFailed, absl::FailedPreconditionError(std::strerror(errno)));
  }
  LineReader reader(input, kMaxLineBytes, stop_);
  std::string bytes;
  next_ = {};
  for (;;) {
    const LineReader::Result result = reader.Next(&bytes);
    if (result == LineReader::Result::kError) {
      return Failed(ImportEnd::How::kInputFailed, absl::FailedPreconditionError(std::strerror(errno)));
    }
    if (result == LineReader::Result::kStopped) return FinishSent(pass);
    const bool more = result != LineReader::Result::kEnd;
    if (more && reader.number() <= state_.Reached(pass)) continue;
    absl::Status taken;
    if (result == LineReader::Result::kLine) taken = Take(pass, reader.number(), std::move(bytes));
    if (result == LineReader::Result::kTooLong) {
      if (pass == 1) ++next_.read.lines;
      taken = Unreadable(pass, reader.number(), "the line is longer than " + std::to_string(kMaxLineBytes) + " bytes");
    }
    if (!taken.ok()) return Failed(ImportEnd::How::kOutputFailed, taken);
    if (more) next_.last = reader.number();
    if (next_.lines.size() >= kBlock || !more) Launch(pass);
    while (!sent_.empty() && (!more || sent_.size() >= parallel_)) {
      ImportEnd end = FinishOldest(pass);
      if (end.how != ImportEnd::How::kComplete) return end;
    }
    if (!more) return {};
    sink_.Progress(pass, reader.number(), reader.bytes());
  }
}

ImportEnd Import::Run(int input) {
  for (const int pass : {1, 2}) {
    ImportEnd end = Pass(pass, input);
    // What is still on its way is waited for and not counted: it is sent again, and answered the same, by the next run.
    for (auto& sent : sent_) sent.wait();
    sent_.clear();
    if (end.how != ImportEnd::How::kComplete) {
      counts_ = state_.counts();
      return end;
    }
  }
  return {};
}

}  // namespace consent::cli
