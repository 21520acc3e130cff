#include "client/cli/engines/bulk_engine.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "client/cli/exit_codes.h"
#include "client/lines/json_fields.h"
#include "client/lines/line_reader.h"
#include "daemon/base/bytes.h"
#include "daemon/base/hash.h"

namespace consent::cli {
namespace {

BulkEnd Failed(BulkEnd::How how, absl::Status status) { return {how, std::move(status), 0}; }

BulkEnd CannotRead() { return Failed(BulkEnd::How::kInputFailed, absl::FailedPreconditionError(std::strerror(errno))); }

BulkEnd OrOutputFailed(absl::Status status) {
  return status.ok() ? BulkEnd{} : Failed(BulkEnd::How::kOutputFailed, std::move(status));
}

bool IsBlank(const absl::StatusOr<std::string>& line) {
  return line.ok() && line->find_first_not_of(" \t") == std::string::npos;
}

// The daemon would say so of every line: the run ends there.
bool IsOfTheRun(const absl::Status& status) {
  return NoAnswer(status) || CallGate::ComesAgain(status) || absl::IsPermissionDenied(status) ||
         absl::IsUnauthenticated(status) || absl::IsUnimplemented(status);
}

BulkPart ProblemOf(const std::string& part, const absl::Status& status) {
  const std::string reason = ErrorOf(status).reason;
  return {part, status.code(), reason.empty() ? std::string(absl::StatusCodeToString(status.code())) : reason,
          std::string(status.message())};
}

BulkPart ProblemOf(const LineFault& fault, const char* reason) {
  return {fault.part, absl::StatusCode::kInvalidArgument, reason, fault.why};
}

// What a call came to, whatever its kind. A deletion is one part.
struct CallOutcome {
  absl::Status status;
  std::vector<PartResult> results;
  std::vector<Unreached> unreached;
  std::string unusable;
  bool account_closed = false;
  bool already = false;
};

CallOutcome SendOnce(Client& client, const BulkCall& call) {
  CallOutcome outcome;
  const auto take = [&outcome](const auto& done) {
    outcome.status = done.status();
    if (!done.ok()) return false;
    outcome.unusable = done->unusable;
    outcome.account_closed = done->account_closed;
    return true;
  };
  if (const auto* deletion = std::get_if<NewDeletionRequest>(&call.order)) {
    const absl::StatusOr<DeletionCreated> done = client.CreateDeletionRequest(*deletion);
    if (!take(done)) return outcome;
    outcome.already = !done->created;
    outcome.results = {{"", true, done->created, "", ""}};
  } else if (const auto* off = std::get_if<OptOutOrder>(&call.order)) {
    const absl::StatusOr<OptedOut> done = client.OptOut(*off);
    if (take(done)) outcome.results = done->results;
  } else {
    const absl::StatusOr<SettingsUpdated> done = client.UpdateSettings(std::get<SettingsUpdate>(call.order));
    if (!take(done)) return outcome;
    outcome.results = done->results;
    outcome.unreached = done->unreached;
  }
  return outcome;
}

// How many of an order's parts are noes that another call has told.
size_t NoesIn(const BulkCall& call) {
  const auto& changes = std::get<SettingsUpdate>(call.order).changes;
  return static_cast<size_t>(std::count_if(changes.begin(), changes.end(),
                                           [](const SettingChange& change) { return change.turn == Switch::kOff; }));
}

// A no of the line that is not in force, or may be hidden in what cannot be read.
bool MayRefuse(const BulkLine& line) {
  return !line.noes.empty() ||
         std::any_of(line.faults.begin(), line.faults.end(), [](const LineFault& fault) { return fault.may_hide_no; });
}

}  // namespace

const char* OutcomeName(const BulkResult& result) {
  if (result.unreadable) return "UNREADABLE";
  if (result.problems.empty()) return "DONE";
  return result.applied == 0 ? "REFUSED" : "PARTLY";
}

BulkEnd Bulk::Read(int input, const Visit& visit) const {
  if (::lseek(input, 0, SEEK_SET) < 0) return CannotRead();
  LineReader reader(input, kMaxLineBytes, job_.stop);
  std::string bytes;
  for (;;) {
    const LineReader::Result result = reader.Next(&bytes);
    if (result == LineReader::Result::kError) return CannotRead();
    if (result == LineReader::Result::kStopped) return {BulkEnd::How::kStopped, absl::OkStatus(), 1};
    if (result == LineReader::Result::kEnd) return visit(0, std::string(), reader.bytes());
    const absl::StatusOr<std::string> line =
        result == LineReader::Result::kLine
            ? absl::StatusOr<std::string>(std::move(bytes))
            : absl::InvalidArgumentError("the line is longer than " + std::to_string(kMaxLineBytes) + " bytes");
    BulkEnd end = visit(reader.number(), line, reader.bytes());
    if (end.how != BulkEnd::How::kComplete) return end;
    bytes.clear();
  }
}

uint64_t Bulk::KeyOf(const AccountId& account) const {
  const base::Digest digest = base::Blake2b(progress_.run(), account.value());
  uint64_t key = 0;
  std::memcpy(&key, digest.data(), sizeof key);
  return key;
}

absl::Status Bulk::NoteNo(uint64_t number, const absl::StatusOr<std::string>& bytes) {
  const absl::StatusOr<BulkLine> line = bytes.ok() ? job_.read(*bytes) : absl::StatusOr<BulkLine>(bytes.status());
  if (!line.ok()) {
    if (blocks_all_ == 0) blocks_all_ = number;
    return absl::OkStatus();
  }
  if (!MayRefuse(*line)) return absl::OkStatus();
  if (noes_.size() >= kMostNoes) {
    return absl::ResourceExhaustedError("more than " + std::to_string(kMostNoes) +
                                        " lines refuse something; put the lines that only refuse into a file of their "
                                        "own and send it first");
  }
  noes_.emplace_back(KeyOf(line->account_id), number);
  return absl::OkStatus();
}

BulkEnd Bulk::FindNoes(int input) {
  BulkEnd end = Read(input, [this](uint64_t number, const absl::StatusOr<std::string>& line, uint64_t) {
    if (number == 0 || IsBlank(line)) return BulkEnd{};
    absl::Status noted = NoteNo(number, line);
    return noted.ok() ? BulkEnd{} : Failed(BulkEnd::How::kInputFailed, std::move(noted));
  });
  std::sort(noes_.begin(), noes_.end());
  return end;
}

std::pair<std::string, std::string> Bulk::WhyHeldBack(const Line& line) const {
  if (blocks_all_ != 0) {
    return {"RESTRICTION_NOT_IN_FORCE", "line " + std::to_string(blocks_all_) +
                                            " cannot be read and may refuse for this account: correct it first"};
  }
  const uint64_t key = KeyOf(line.parsed.account_id);
  for (auto at = std::lower_bound(noes_.begin(), noes_.end(), std::pair(key, uint64_t{0}));
       at != noes_.end() && at->first == key; ++at) {
    if (at->second != line.number) {
      return {"OVERRULED_IN_FILE",
              "line " + std::to_string(at->second) + " refuses something for this account: give an account one line"};
    }
  }
  return {};
}

absl::Status Bulk::SendCall(BulkCall call, const char* kind, size_t first, Line* line) const {
  const RequestId id = BulkRequestId(progress_.run(), job_.input_hash, line->number, kind + call.part);
  std::visit([&id](auto& order) { order.request_id = id; }, call.order);
  CallOutcome outcome;
  absl::Status status = gate_.Pass([&] {
    outcome = SendOnce(client_, call);
    return outcome.status;
  });
  BulkResult& result = line->result;
  if (!status.ok()) {
    if (IsOfTheRun(status)) return status;
    result.problems.push_back(ProblemOf(call.part, status));
    return absl::OkStatus();
  }
  result.already = result.already || outcome.already;
  result.account_closed = result.account_closed || outcome.account_closed;
  if (const auto* update = std::get_if<SettingsUpdate>(&call.order)) {
    line->unreached.Note(*update, outcome.unreached);
    result.unreached = !line->unreached.empty();
  }
  if (!outcome.unusable.empty()) {
    result.problems.push_back({call.part, absl::StatusCode::kInvalidArgument, "LEFT_OUT", outcome.unusable});
  }
  for (size_t i = first; i < outcome.results.size(); ++i) {
    const PartResult& part = outcome.results[i];
    if (part.applied) {
      ++result.applied;
    } else {
      result.problems.push_back({call.part + "/" + part.part, absl::StatusCode::kFailedPrecondition,
                                 part.refused_reason, part.refused_message});
    }
  }
  return absl::OkStatus();
}

absl::Status Bulk::SendNoes(Line* line) const {
  for (const BulkCall& call : line->parsed.noes) {
    if (absl::Status status = SendCall(call, "no ", 0, line); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Bulk::SendLine(int pass, Line* line) const {
  BulkResult& result = line->result;
  // Pass 2 asks again what became of them: the same requests are answered as before.
  if (absl::Status status = SendNoes(line); !status.ok()) return status;
  const bool noes_hold = result.problems.empty();
  for (const LineFault& fault : line->parsed.faults) result.problems.push_back(ProblemOf(fault, "UNREADABLE"));
  for (const LineFault& yes : line->parsed.overruled) result.problems.push_back(ProblemOf(yes, "OVERRULED_IN_LINE"));
  if (pass == 1) return absl::OkStatus();
  auto [reason, why] = WhyHeldBack(*line);
  if (reason.empty() && !noes_hold) {
    reason = "RESTRICTION_NOT_IN_FORCE";
    why = "a restriction of this line was refused, so nothing that allows more was sent";
  }
  for (const BulkCall& call : line->parsed.yeses) {
    if (!reason.empty()) {
      result.problems.push_back({call.part, absl::StatusCode::kFailedPrecondition, reason, why});
      continue;
    }
    if (absl::Status status = SendCall(call, "yes ", NoesIn(call), line); !status.ok()) return status;
  }
  return absl::OkStatus();
}

Bulk::Block Bulk::Send(int pass, Block block) const {
  for (Line& line : block.lines) {
    if (line.result.unreadable) continue;
    block.error = SendLine(pass, &line);
    if (!block.error.ok()) {
      block.failed_at = line.number;
      break;
    }
  }
  return block;
}

void Bulk::Launch(int pass) {
  if (next_.last == 0) return;
  sent_.push_back(std::async(
      std::launch::async, [this, pass](Block block) { return Send(pass, std::move(block)); },
      std::exchange(next_, {})));
}

absl::Status Bulk::Report(const BulkResult& result) {
  ++counts_.lines;
  if (result.unreadable) {
    ++counts_.unreadable;
  } else if (result.problems.empty()) {
    ++counts_.done;
  } else {
    ++(result.applied == 0 ? counts_.refused : counts_.partly);
  }
  return sink_.Line(result);
}

BulkEnd Bulk::FinishOldest(int pass) {
  const Block block = sent_.front().get();
  sent_.pop_front();
  if (!block.error.ok()) return {BulkEnd::How::kDaemonFailed, block.error, block.failed_at};
  for (const Line& line : block.lines) {
    // Of a line with yeses pass 2 tells all.
    if (pass == 1 && !line.parsed.yeses.empty()) continue;
    if (absl::Status status = Report(line.result); !status.ok()) return OrOutputFailed(std::move(status));
  }
  return OrOutputFailed(progress_.Save(pass, block.last, counts_, sink_.report_bytes()));
}

void Bulk::Take(int pass, uint64_t number, const absl::StatusOr<std::string>& bytes) {
  if (IsBlank(bytes)) return;
  absl::StatusOr<BulkLine> read = bytes.ok() ? job_.read(*bytes) : absl::StatusOr<BulkLine>(bytes.status());
  Line line;
  line.number = line.result.line = number;
  if (!read.ok()) {
    if (pass == 2) return;
    line.result.unreadable = true;
    line.result.problems.push_back({"line", read.status().code(), "UNREADABLE", std::string(read.status().message())});
  } else {
    line.parsed = *std::move(read);
    if (pass == 2 && line.parsed.yeses.empty()) return;
    next_.bytes += bytes->size();
  }
  next_.lines.push_back(std::move(line));
}

BulkEnd Bulk::FinishSent(int pass) {
  while (!sent_.empty()) {
    BulkEnd end = FinishOldest(pass);
    if (end.how != BulkEnd::How::kComplete) return end;
  }
  return {BulkEnd::How::kStopped, absl::OkStatus(), progress_.Reached(pass) + 1};
}

BulkEnd Bulk::Pass(int pass, int input) {
  next_ = {};
  BulkEnd read = Read(input, [&](uint64_t number, const absl::StatusOr<std::string>& line, uint64_t bytes) {
    const bool more = number != 0;
    if (more && number <= progress_.Reached(pass)) return BulkEnd{};
    if (more) {
      Take(pass, number, line);
      next_.last = number;
    }
    if (next_.lines.size() >= kBlock || next_.bytes >= kBlockBytes || !more) Launch(pass);
    while (!sent_.empty() && (!more || sent_.size() >= job_.parallel)) {
      BulkEnd end = FinishOldest(pass);
      if (end.how != BulkEnd::How::kComplete) return end;
    }
    if (more) sink_.Progress(pass, number, bytes);
    return BulkEnd{};
  });
  return read.how == BulkEnd::How::kStopped ? FinishSent(pass) : read;
}

BulkEnd Bulk::Run(int input) {
  counts_ = progress_.counts();
  if (progress_.complete()) return {};
  if (job_.has_yeses) {
    BulkEnd end = FindNoes(input);
    if (end.how != BulkEnd::How::kComplete) return end;
  }
  for (int pass = 1; pass <= (job_.has_yeses ? 2 : 1); ++pass) {
    BulkEnd end = Pass(pass, input);
    // What is still on its way is waited for and not counted: it is sent again, and answered the same, by the next run.
    for (auto& sent : sent_) sent.wait();
    sent_.clear();
    if (end.how != BulkEnd::How::kComplete) {
      counts_ = progress_.counts();
      return end;
    }
  }
  return OrOutputFailed(progress_.Complete());
}

}  // namespace consent::cli
