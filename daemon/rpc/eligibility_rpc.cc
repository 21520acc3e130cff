#include "daemon/rpc/eligibility_rpc.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/domain/decide.h"
#include "daemon/wire/batch_reply.h"
#include "daemon/wire/diagnose.h"
#include "daemon/wire/eligibility.h"
#include "daemon/wire/fields.h"
#include "daemon/wire/plain_recording.h"
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
    out->set_revision(core_.tokens.Encode(service::Revision{core_.PartitionOf(subject), decision.revision}));
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

// One BatchCheck on its way. Its recordings are read one after another from the bytes and never exist together, nor do
// its answers as messages.
class EligibilityRpc::Batch {
 public:
  Batch(const EligibilityRpc& rpc, BatchCall call, std::string bytes)
      : rpc_(rpc), call_(std::move(call)), bytes_(std::move(bytes)) {}

  // What the call as a whole may be refused for, but for recordings that do not parse.
  absl::Status Begin() {
    if (!wire::Split(bytes_, &split_)) return Malformed();
    absl::Status status = call_->Charge(split_.recordings.size());
    if (!status.ok()) return status;
    status = wire::ReadBatchCheck(split_.rest, split_.recordings.size(), &query_);
    if (!status.ok()) return status;
    absl::StatusOr<service::CheckSession> session = rpc_.check_.Begin(split_.rest.at_least_revision());
    if (!session.ok()) return session.status();
    session_ = *std::move(session);
    return absl::OkStatus();
  }

  // Decides all that the index knows, a group at a time and each stage for the whole group: so the memory of one item
  // is fetched while that of the others is. MALFORMED_MESSAGE: the call as a whole is refused.
  absl::Status DecideFromIndex() {
    const size_t count = split_.recordings.size();
    reply_.Reserve(count);
    for (size_t from = 0; from < count; from += kGroup) {
      const size_t size = std::min(kGroup, count - from);
      for (size_t i = 0; i < size; ++i) {
        if (!Read(from + i, &group_[i])) return Malformed();
      }
      for (size_t i = 0; i < size; ++i) Hash(&group_[i]);
      for (size_t i = 0; i < size; ++i) {
        if (group_[i].error.ok()) rpc_.check_.Prefetch(group_[i].item);
      }
      for (size_t i = 0; i < size; ++i) {
        if (group_[i].error.ok()) rpc_.check_.PrefetchFacts(group_[i].item);
      }
      for (size_t i = 0; i < size; ++i) Decide(group_[i]);
    }
    return absl::OkStatus();
  }

  bool Complete() const { return missed_.empty(); }

  // Decides the rest and puts it in its places; may block.
  absl::Status DecideFromStore() {
    const wire::BatchReply known = std::exchange(reply_, {});
    size_t from = 0;
    for (const Missed& missed : missed_) {
      if (IsCancelled()) return absl::CancelledError();
      reply_.AddWritten(known.bytes().substr(from, missed.at - from));
      from = missed.at;
      const auto decision = rpc_.check_.DecideFromStore(session_, missed.item, query_.purpose, query_.place);
      if (decision.ok()) {
        Answer(*decision, missed.item.subject);
      } else {
        Refuse(decision.status());
      }
    }
    reply_.AddWritten(known.bytes().substr(from));
    return absl::OkStatus();
  }

  void Finish(const absl::Status& status) {
    if (status.ok()) Seal();
    call_->Finish(status, reply_.bytes());
  }

  bool IsCancelled() const { return call_->IsCancelled(); }

 private:
  // As many fetches are under way at once. 16 and 64 are as fast.
  static constexpr size_t kGroup = 32;
  struct Slot {
    bool plain = false;
    wire::RecordingIds ids;  // where it is plain: not hashed yet
    service::CheckItem item;
    absl::Status error;
  };
  struct Missed {
    size_t at;  // in the bytes of the reply
    service::CheckItem item;
  };

  absl::Status Malformed() const { return wire::Diagnose(bytes_, *v1::BatchCheckRequest::descriptor()); }

  // False where the recording does not parse.
  bool Read(size_t index, Slot* slot) {
    if (!slot->error.ok()) slot->error = absl::OkStatus();
    slot->plain = reader_.Read(split_.recordings[index], &slot->ids, &slot->item.facts);
    return slot->plain || ReadUnusual(index, slot);
  }

  bool ReadUnusual(size_t index, Slot* slot) {
    const std::string_view bytes = split_.recordings[index];
    if (!unusual_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
    const wire::Path root;
    if (!wire::ReadRecording(unusual_, rpc_.core_.hasher, wire::Path(root, "recordings", static_cast<int>(index)),
                             &violations_, &slot->item.subject, &slot->item.recording_id, &slot->item.facts)) {
      slot->error = violations_.ToStatus();
      violations_.Clear();
    }
    return true;
  }

  void Hash(Slot* slot) const {
    if (!slot->plain) return;
    wire::HashIds(slot->ids, rpc_.core_.hasher, &slot->item.subject, &slot->item.facts);
    slot->item.recording_id.assign(slot->ids.recording);
  }

  void Decide(const Slot& slot) {
    if (!slot.error.ok()) return Refuse(slot.error);
    if (IsUnknownCode(slot.item.facts.region, *session_.rules)) ++unknown_regions_;
    domain::Decision decision;
    if (rpc_.check_.TryDecide(session_, slot.item, query_.purpose, query_.place, &decision)) {
      Answer(decision, slot.item.subject);
    } else {
      missed_.push_back({reply_.bytes().size(), slot.item});
    }
  }

  void Answer(const domain::Decision& decision, base::SubjectHandle subject) {
    if (query_.full) {
      v1::Decision* const out = result_.mutable_decision();
      out->Clear();
      rpc_.Write(decision, true, subject, out);
      reply_.Add(result_);
    } else {
      reply_.AddBasic(decision);
    }
    tally_.Add(decision);
  }

  void Refuse(const absl::Status& error) {
    wire::WriteItemError(error, result_.mutable_error());
    reply_.Add(result_);
    ++errors_;
  }

  // What the response says beside its results, and what the observer hears.
  void Seal() {
    WriteSession(session_, call_->response());
    RpcObserver& observer = rpc_.dependencies_.observer;
    tally_.Report(query_.purpose, observer);
    if (errors_ != 0) observer.OnItemErrors(errors_);
    if (unknown_regions_ != 0) observer.OnUnknownRegions(unknown_regions_);
  }

  const EligibilityRpc& rpc_;
  const BatchCall call_;
  const std::string bytes_;
  wire::SplitBatch split_;  // into bytes_
  wire::PlainRecordingReader reader_;
  v1::Recording unusual_;
  wire::CheckQuery query_;
  service::CheckSession session_;
  wire::Violations violations_;
  std::array<Slot, kGroup> group_;
  v1::BatchCheckResult result_;  // the one that is being written, where it is written as a message
  wire::BatchReply reply_;
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
        if (!status.ok() || batch->Complete()) return batch->Finish(status);
        FinishOnPool(dependencies_, batch, [batch] { return batch->DecideFromStore(); });
      });
}

}  // namespace consent::rpc
