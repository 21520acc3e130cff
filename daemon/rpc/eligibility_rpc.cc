#include "daemon/rpc/eligibility_rpc.h"

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/domain/decide.h"
#include "daemon/wire/diagnose.h"
#include "daemon/wire/eligibility.h"
#include "daemon/wire/fields.h"
#include "daemon/wire/split_batch.h"

namespace consent::rpc {
namespace {

// Which policy answered, and when.
template <typename Response>
void WriteSession(const service::CheckSession& session, Response* response) {
  response->set_policy_version(session.rules->version);
  response->set_policy_hash(session.rules->hash.data(), session.rules->hash.size());
  wire::WriteTimestamp(session.now.latest, response->mutable_checked_at());
}

bool IsUnknownCode(domain::Region region, const domain::Rules& rules) { return region.IsSet() && !rules.Knows(region); }

// Counts the answers of one call, so that the observer is asked once for each distinct one.
class Tally {
 public:
  void Add(const domain::Decision& decision) {
    const size_t answer =
        static_cast<size_t>(decision.eligibility) * kDispositions + static_cast<size_t>(decision.disposition);
    ++counts_[answer * domain::kReasons + static_cast<size_t>(decision.FirstReason())];
  }
  void Report(domain::Purpose purpose, RpcObserver& observer) const {
    for (size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] == 0) continue;
      const size_t answer = i / domain::kReasons;
      observer.OnDecisions({purpose, static_cast<domain::Eligibility>(answer / kDispositions),
                            static_cast<domain::Disposition>(answer % kDispositions),
                            static_cast<domain::Reason>(i % domain::kReasons), counts_[i]});
    }
  }

 private:
  static constexpr size_t kEligibilities = 3;
  static constexpr size_t kDispositions = 4;
  std::array<uint16_t, kEligibilities * kDispositions * domain::kReasons> counts_{};
};
static_assert(wire::kMaxBatch <= UINT16_MAX);

}  // namespace

EligibilityRpc::EligibilityRpc(service::Core& core, const service::CheckEligibility& check,
                               const RpcDependencies& dependencies, std::string_view probe_account)
    : core_(core),
      check_(check),
      dependencies_(dependencies),
      probe_(core.hasher.Subject(probe_account)),
      check_method_(Method::Named("consent.v1.EligibilityService.Check")),
      batch_method_(Method::Named("consent.v1.EligibilityService.BatchCheck")) {}

void EligibilityRpc::Write(const domain::Decision& decision, bool full, base::SubjectHandle subject,
                           v1::Decision* out) const {
  wire::WriteDecision(decision, full, out);
  if (full && decision.revision != 0) {
    out->set_revision(core_.tokens.Encode({core_.PartitionOf(subject), decision.revision}));
  }
}

grpc::ServerUnaryReactor* EligibilityRpc::Check(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                                grpc::ByteBuffer* out) {
  return Handle<v1::CheckRequest, v1::CheckResponse>(dependencies_, check_method_, context, in, out,
                                                     [this](CheckCall call) { CheckOne(std::move(call)); });
}

void EligibilityRpc::CheckOne(CheckCall call) const {
  const v1::CheckRequest& request = call->request();
  wire::CheckQuery query;
  service::CheckItem item;
  wire::Violations violations;
  absl::Status status = wire::ReadCheck(request, &query);
  const wire::Path root;
  if (status.ok() && !wire::ReadRecording(request.recording(), core_.hasher, wire::Path(root, "recording"), &violations,
                                          &item.subject, &item.recording_id, &item.facts)) {
    status = violations.ToStatus();
  }
  if (!status.ok()) return call->Finish(status);
  const bool is_probe = item.subject == probe_;
  if (is_probe) call->LeaveUncounted();
  absl::StatusOr<service::CheckSession> session = check_.Begin(request.at_least_revision());
  if (!session.ok()) return call->Finish(session.status());
  if (IsUnknownCode(item.facts.region, *session->rules)) dependencies_.observer.OnUnknownRegions(1);

  const auto answer = [this, is_probe](CheckCall& to, const service::CheckSession& in, const wire::CheckQuery& asked,
                                       base::SubjectHandle subject, const domain::Decision& decision) {
    Write(decision, asked.full, subject, to->response()->mutable_decision());
    WriteSession(in, to->response());
    if (is_probe) return absl::OkStatus();
    dependencies_.observer.OnDecisions(
        {asked.purpose, decision.eligibility, decision.disposition, decision.FirstReason(), 1});
    return absl::OkStatus();
  };
  domain::Decision decision;
  if (check_.TryDecide(*session, item, query.purpose, query.place, &decision)) {
    return call->Finish(answer(call, *session, query, item.subject, decision));
  }
  FinishOnPool(
      dependencies_, call,
      [this, answer, call, item = std::move(item), query = std::move(query), session = *std::move(session)]() mutable {
        const auto decided = check_.DecideFromStore(session, item, query.purpose, query.place);
        return decided.ok() ? answer(call, session, query, item.subject, *decided) : decided.status();
      });
}

// One BatchCheck on its way. Its recordings are read one after another from the bytes and never exist together.
class EligibilityRpc::Batch {
 public:
  Batch(const EligibilityRpc& rpc, BatchCall call, std::string bytes)
      : rpc_(rpc), call_(std::move(call)), bytes_(std::move(bytes)) {}

  // What the call as a whole may be refused for, but for recordings that do not parse.
  absl::Status Begin() {
    if (!wire::Split(bytes_, &split_)) return Malformed();
    absl::Status status = wire::ReadBatchCheck(split_.rest, split_.recordings.size(), &query_);
    if (!status.ok()) return status;
    absl::StatusOr<service::CheckSession> session = rpc_.check_.Begin(split_.rest.at_least_revision());
    if (!session.ok()) return session.status();
    session_ = *std::move(session);
    return absl::OkStatus();
  }

  // Decides all that the index knows; each item's entry and facts are on their way to the cache while the items before
  // it are decided. MALFORMED_MESSAGE: the call as a whole is refused.
  absl::Status DecideFromIndex() {
    const size_t count = split_.recordings.size();
    call_->response()->mutable_results()->Reserve(static_cast<int>(count));
    std::array<Slot, kAhead> ring;
    for (size_t i = 0; i < count + kAhead; ++i) {
      Slot& slot = ring[i % kAhead];
      if (i >= kAhead) Decide(slot, i - kAhead);
      if (i < count && !Read(i, &slot)) return Malformed();
      const Slot& half_way = ring[(i + kAhead / 2) % kAhead];
      if (i >= kAhead / 2 && i - kAhead / 2 < count && half_way.error.ok()) rpc_.check_.PrefetchFacts(half_way.item);
    }
    return absl::OkStatus();
  }

  bool Complete() const { return missed_.empty(); }

  // Decides the rest; may block.
  absl::Status DecideFromStore() {
    for (const Missed& missed : missed_) {
      if (call_->IsCancelled()) return absl::CancelledError();
      v1::BatchCheckResult* result = call_->response()->mutable_results(static_cast<int>(missed.index));
      const auto decision = rpc_.check_.DecideFromStore(session_, missed.item, query_.purpose, query_.place);
      if (decision.ok()) {
        Answer(*decision, missed.item.subject, result);
      } else {
        Refuse(decision.status(), result);
      }
    }
    return Seal();
  }

  absl::Status Seal() {
    WriteSession(session_, call_->response());
    RpcObserver& observer = rpc_.dependencies_.observer;
    tally_.Report(query_.purpose, observer);
    if (errors_ != 0) observer.OnItemErrors(errors_);
    if (unknown_regions_ != 0) observer.OnUnknownRegions(unknown_regions_);
    return absl::OkStatus();
  }

  const BatchCall& call() const { return call_; }

 private:
  // How far reading runs ahead of deciding.
  static constexpr size_t kAhead = 8;
  struct Slot {
    service::CheckItem item;
    absl::Status error;
  };
  struct Missed {
    size_t index;
    service::CheckItem item;
  };

  absl::Status Malformed() const { return wire::Diagnose(bytes_, *v1::BatchCheckRequest::descriptor()); }

  // False where the recording does not parse.
  bool Read(size_t index, Slot* slot) {
    const std::string_view bytes = split_.recordings[index];
    const bool plain = view_.Parse(bytes);
    if (!plain && !unusual_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
    const wire::Path root;
    const wire::Path at(root, "recordings", static_cast<int>(index));
    const auto read = [&](const auto& recording) {
      return wire::ReadRecording(recording, rpc_.core_.hasher, at, &violations_, &slot->item.subject,
                                 &slot->item.recording_id, &slot->item.facts);
    };
    if (plain ? read(view_) : read(unusual_)) {
      rpc_.check_.Prefetch(slot->item);
      if (!slot->error.ok()) slot->error = absl::OkStatus();
    } else {
      slot->error = violations_.ToStatus();
      violations_.Clear();
    }
    return true;
  }

  void Decide(const Slot& slot, size_t index) {
    v1::BatchCheckResult* result = call_->response()->add_results();
    if (!slot.error.ok()) return Refuse(slot.error, result);
    if (IsUnknownCode(slot.item.facts.region, *session_.rules)) ++unknown_regions_;
    domain::Decision decision;
    if (rpc_.check_.TryDecide(session_, slot.item, query_.purpose, query_.place, &decision)) {
      Answer(decision, slot.item.subject, result);
    } else {
      missed_.push_back({index, slot.item});
    }
  }

  void Answer(const domain::Decision& decision, base::SubjectHandle subject, v1::BatchCheckResult* result) {
    rpc_.Write(decision, query_.full, subject, result->mutable_decision());
    tally_.Add(decision);
  }

  void Refuse(const absl::Status& error, v1::BatchCheckResult* result) {
    wire::WriteItemError(error, result->mutable_error());
    ++errors_;
  }

  const EligibilityRpc& rpc_;
  const BatchCall call_;
  const std::string bytes_;
  wire::SplitBatch split_;  // into bytes_
  wire::RecordingView view_;
  v1::Recording unusual_;
  wire::CheckQuery query_;
  service::CheckSession session_;
  wire::Violations violations_;
  Tally tally_;
  uint32_t errors_ = 0;
  uint32_t unknown_regions_ = 0;
  std::vector<Missed> missed_;
};

grpc::ServerUnaryReactor* EligibilityRpc::BatchCheck(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                                     grpc::ByteBuffer* out) {
  return HandleBytes<v1::BatchCheckRequest, v1::BatchCheckResponse>(
      dependencies_, batch_method_, context, in, out, [this](BatchCall call, std::string bytes) {
        auto batch = std::make_shared<Batch>(*this, std::move(call), std::move(bytes));
        absl::Status status = batch->Begin();
        if (status.ok()) status = batch->DecideFromIndex();
        if (!status.ok()) return batch->call()->Finish(status);
        if (batch->Complete()) return batch->call()->Finish(batch->Seal());
        FinishOnPool(dependencies_, batch->call(), [batch] { return batch->DecideFromStore(); });
      });
}

}  // namespace consent::rpc
