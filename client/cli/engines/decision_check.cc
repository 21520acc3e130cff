#include "client/cli/engines/decision_check.h"

#include <algorithm>

#include "absl/status/statusor.h"
#include "consent/names.h"
#include "daemon/base/hash.h"

namespace consent::cli {
namespace {

constexpr size_t kMostChains = 64;
constexpr size_t kMostUses = 10'000;

const char* KindOf(HeardProblem problem) {
  switch (problem) {
    case HeardProblem::kUnreadable:
      break;
    case HeardProblem::kWithoutYes:
      return "HEARD_WITHOUT_YES";
    case HeardProblem::kWithoutGrant:
      return "HEARD_WITHOUT_GRANT";
    case HeardProblem::kOutOfTime:
      return "HEARD_OUT_OF_TIME";
    case HeardProblem::kTooOften:
      return "HEARD_TOO_OFTEN";
  }
  return "HEARD_UNREADABLE";
}

}  // namespace

void DecisionCheck::Tell(const Chain* chain, DecisionProblem problem) {
  ++counts_.problems;
  if (problem.file.empty()) problem.file = file_;
  if (chain != nullptr) {
    problem.store = base::Hex(chain->store_id);
    if (problem.entry < 0) ++log_problems_[chain->store_id];
  }
  sink_(problem);
}

void DecisionCheck::Count(DecisionVerdict verdict, Chain* chain) {
  VerificationReport& found = chain->found;
  switch (verdict) {
    case DecisionVerdict::kConfirmed:
      ++found.confirmed;
      break;
    case DecisionVerdict::kLate:
      ++found.late;
      break;
    case DecisionVerdict::kNotCheckable:
    case DecisionVerdict::kKeyGone:
      ++found.not_checkable;
      break;
    case DecisionVerdict::kUnset:
    case DecisionVerdict::kNotGiven:
    case DecisionVerdict::kPolicyNotInForce:
    case DecisionVerdict::kUnknown:
      ++found.not_given;
      break;
  }
}

std::vector<std::pair<Client*, VerificationReport>> DecisionCheck::Reports() const {
  std::vector<std::pair<Client*, VerificationReport>> reports;
  for (const Chain& chain : chains_) {
    if (chain.client == nullptr) continue;
    reports.emplace_back(chain.client, chain.found);
    VerificationReport& report = reports.back().second;
    report.store_id = chain.store_id;
    const auto problems = log_problems_.find(chain.store_id);
    if (problems != log_problems_.end()) report.log_problems = problems->second;
  }
  return reports;
}

absl::Status DecisionCheck::Begin() {
  for (Client* const client : options_.clients) {
    absl::StatusOr<DecisionLogState> state = client->GetDecisionLog();
    if (!state.ok()) return state.status();
    if (std::any_of(chains_.begin(), chains_.end(),
                    [&](const Chain& chain) { return chain.store_id == state->store_id; })) {
      return absl::InvalidArgumentError("two of the daemons have one store; name each once");
    }
    const std::string store_id = state->store_id;
    chains_.push_back({.store_id = store_id, .client = client, .state = *std::move(state)});
  }
  return absl::OkStatus();
}

absl::Status DecisionCheck::ReadHeard(const HeardOptions& options, const std::string& name, LineReader& reader) {
  file_ = name;
  heard_.emplace(options);
  return heard_->Read(
      name, reader, options_.clients,
      [this](uint64_t line, HeardProblem problem, const std::string& why) { TellHeard(line, problem, why); });
}

void DecisionCheck::TellHeard(uint64_t line, HeardProblem problem, const std::string& why) {
  Tell(nullptr, {.kind = KindOf(problem), .record = line, .why = why});
}

void DecisionCheck::BeginFile(const std::string& name) {
  TellUnreadable(chains_.size() == 1 ? chains_.data() : nullptr, std::exchange(unreadable_, 0), why_unreadable_);
  file_ = name;
  chain_.reset();
  ++counts_.files;
}

// It takes the place of a record of the file's chain.
void DecisionCheck::Unreadable(const std::string& why) {
  if (chain_.has_value()) return TellUnreadable(&chains_[*chain_], 1, why);
  if (unreadable_++ == 0) why_unreadable_ = why;
}

void DecisionCheck::TellUnreadable(Chain* chain, uint64_t lines, const std::string& why) {
  for (uint64_t i = 0; i < lines; ++i) {
    DecisionProblem problem{.kind = "UNREADABLE", .why = why};
    if (chain != nullptr) {
      problem.record = ++chain->last;
      chain->last_hash.clear();  // nobody knows it
    }
    Tell(chain, std::move(problem));
  }
}

absl::Status DecisionCheck::TakeLine(const std::string& text) {
  const absl::StatusOr<DecisionLine> line = ParseDecisionLine(text);
  if (!line.ok()) {
    Unreadable(std::string(line.status().message()));
    return absl::OkStatus();
  }
  ++counts_.records;
  if (!line->read.empty()) ++counts_.reads;
  Chain* const chain = ChainOf(*line);
  if (chain == nullptr) {
    return absl::ResourceExhaustedError("the files are of more than " + std::to_string(kMostChains) +
                                        " stores; check those of some at a time");
  }
  TellUnreadable(chain, std::exchange(unreadable_, 0), why_unreadable_);
  CheckLink(*line, *chain);
  ++chain->found.records;
  chain->last = line->number;
  chain->last_hash = DecisionLineHash(text);
  const bool is_counted = chain->state.has_value() && line->number == chain->state->counted_records;
  if (is_counted && chain->last_hash != base::Hex(chain->state->counted_hash)) {
    Tell(chain, {.kind = "CHANGED",
                 .record = line->number,
                 .call = line->call,
                 .why = "it is not the record that the store counted"});
  }
  if (heard_.has_value()) heard_->See(*line);
  return CheckYeses(*line, *chain);
}

// By the chain before the store's id, so that a record whose store was changed stays in its place.
DecisionCheck::Chain* DecisionCheck::ChainOf(const DecisionLine& line) {
  const auto goes_on = [&line](const Chain& chain) {
    return chain.last != 0 && line.number == chain.last + 1 && line.previous == chain.last_hash;
  };
  if (chain_.has_value() && goes_on(chains_[*chain_])) return &chains_[*chain_];
  auto chain = std::find_if(chains_.begin(), chains_.end(), goes_on);
  if (chain == chains_.end()) {
    chain = std::find_if(chains_.begin(), chains_.end(),
                         [&line](const Chain& one) { return one.store_id == line.record.store_id; });
  }
  if (chain == chains_.end()) {
    if (chains_.size() == kMostChains) return nullptr;
    chain = chains_.insert(chains_.end(), Chain{.store_id = line.record.store_id});
  }
  chain_ = static_cast<size_t>(chain - chains_.begin());
  return &*chain;
}

void DecisionCheck::CheckLink(const DecisionLine& line, Chain& chain) {
  const std::string torn = std::exchange(chain.torn, {});
  if (line.record.store_id != chain.store_id) {
    Tell(&chain, {.kind = "OTHER_LOG", .record = line.number, .call = line.call, .why = "another store decided"});
  }
  if (line.number <= chain.last) {
    return Tell(&chain, {.kind = "CHANGED",
                         .record = line.number,
                         .call = line.call,
                         .why = "its number is not above that of the record before"});
  }
  if (chain.last == 0 && line.number > 1 && options_.is_part) return;
  if (line.number != chain.last + 1) {
    return Tell(&chain, {.kind = "GAP",
                         .record = chain.last + 1,
                         .missing = line.number - chain.last - 1,
                         .why = "records are missing before record " + std::to_string(line.number) +
                                (torn.empty() ? "" : "; " + torn + " ends in the middle of one")});
  }
  if (chain.last_hash.empty() || line.previous == chain.last_hash) return;
  const bool is_first = chain.last == 0;
  Tell(&chain, {.kind = "CHANGED",
                .record = is_first ? line.number : chain.last,
                .why = is_first ? "it names a record before the first" : "the record behind it names another hash"});
}

DecisionUses& DecisionCheck::UseOf(const DecisionLine& line) {
  DecisionUse use{line.caller, line.record.purpose, line.selection, line.record.place};
  // What is beyond the bound shares the row that names nothing.
  if (uses_.size() >= kMostUses && uses_.find(use) == uses_.end()) use = {};
  return uses_[use];
}

absl::Status DecisionCheck::CheckYeses(const DecisionLine& line, Chain& chain) {
  const DecisionRecord& record = line.record;
  const uint64_t yeses = record.yeses.size();
  if (yeses == 0 || !options_.decided.Has(record.wall)) return absl::OkStatus();
  counts_.yeses += yeses;
  DecisionUses& uses = UseOf(line);
  uses.yeses += yeses;
  if (options_.clients.empty() || chain.client == nullptr || record.store_id != chain.store_id) {
    uses.not_checked += yeses;
    if (chain.unasked++ == 0) chain.first_unasked = line.number;
    return absl::OkStatus();
  }
  const absl::StatusOr<std::vector<DecisionVerdict>> verdicts = chain.client->VerifyDecisions(record);
  if (absl::IsInvalidArgument(verdicts.status())) {
    uses.wrong += yeses;
    Tell(&chain, {.kind = "UNREADABLE",
                  .record = line.number,
                  .call = line.call,
                  .why = "the daemon cannot take it: " + std::string(verdicts.status().message())});
    return absl::OkStatus();
  }
  if (!verdicts.ok()) return verdicts.status();
  for (size_t i = 0; i < verdicts->size(); ++i) {
    const DecisionVerdict verdict = (*verdicts)[i];
    Count(verdict, &chain);
    if (verdict == DecisionVerdict::kConfirmed) {
      ++counts_.confirmed;
    } else if (verdict == DecisionVerdict::kNotCheckable || verdict == DecisionVerdict::kKeyGone) {
      ++counts_.not_checkable;
      if (verdict == DecisionVerdict::kKeyGone) ++counts_.keys_gone;
      ++uses.not_checkable;
    } else {
      ++uses.wrong;
      TellVerdict(line, chain, i, verdict);
    }
  }
  return absl::OkStatus();
}

void DecisionCheck::TellVerdict(const DecisionLine& line, const Chain& chain, size_t entry, DecisionVerdict verdict) {
  const RecordedYes& yes = line.record.yeses[entry];
  Tell(&chain, {.kind = std::string(Name(verdict)),
                .record = line.number,
                .entry = static_cast<int>(entry),
                .call = line.call,
                .why = "revision " + std::to_string(yes.revision) + ", head " + std::to_string(yes.head)});
}

void DecisionCheck::EndTorn() {
  if (chain_.has_value()) {
    chains_[*chain_].torn = file_;
  } else if (chains_.size() == 1) {
    chains_.front().torn = file_;
  } else if (options_.clients.empty()) {
    Unreadable("the file ends in the middle of a record");
  }
  // Nobody knows whose it is, and each store's count tells whether a record is missing.
}

void DecisionCheck::FinishChain(Chain& chain) {
  if (!chain.state.has_value() && !chain.torn.empty()) {
    file_ = chain.torn;
    TellUnreadable(&chain, 1, "the last file ends in the middle of a record");
  }
  file_.clear();
  if (!options_.clients.empty() && chain.client == nullptr && chain.unasked != 0) {
    Tell(&chain, {.kind = "OTHER_LOG",
                  .record = chain.first_unasked,
                  .why = "no daemon that was asked has this store; so many of its records were not checked: " +
                         std::to_string(chain.unasked)});
  }
  if (!chain.state.has_value() || options_.is_part || chain.last >= chain.state->counted_records) return;
  Tell(&chain, {.kind = "GAP",
                .record = chain.last + 1,
                .missing = chain.state->counted_records - chain.last,
                .why = "the store counts them, and they are in no file"});
}

void DecisionCheck::Finish() {
  TellUnreadable(chains_.size() == 1 ? chains_.data() : nullptr, std::exchange(unreadable_, 0), why_unreadable_);
  for (Chain& chain : chains_) FinishChain(chain);
  if (!heard_.has_value()) return;
  file_ = heard_->name();
  counts_.heard_not_checkable = heard_->Finish(
      [this](uint64_t line, HeardProblem problem, const std::string& why) { TellHeard(line, problem, why); });
}

}  // namespace consent::cli
