#include "daemon/rpc/eligibility_rpc.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/domain/decide.h"
#include "daemon/rpc/tally.h"
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

}  // namespace

EligibilityRpc::EligibilityRpc(service::Core& core, const service::CheckEligibility& check,
                               decisions::Recorder& recorder, const RpcDependencies& dependencies,
                               std::string_view probe_account)
    : core_(core),
      check_(check),
      recorder_(recorder),
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

std::unique_ptr<decisions::RecordWriter> EligibilityRpc::BeginRecord(const service::Caller& caller,
                                                                     const wire::CheckQuery& query,
                                                                     const service::CheckSession& session,
                                                                     size_t most) const {
  return recorder_.Begin({caller.identity, query.purpose, query.place, query.selection, *session.rules, session.now},
                         most);
}

void EligibilityRpc::Record(const service::CheckItem& item, store::Sequence head, const domain::Decision& decision,
                            decisions::RecordWriter* record) const {
  record->Add({item.subject, core_.hasher.Recording(item.recording_id), item.facts, head, decision.revision,
               decision.FirstReason()});
}

void EligibilityRpc::Tell(const One& one, const domain::Decision& decision) const {
  RpcObserver& observer = dependencies_.observer;
  const domain::Purpose purpose = one.query.purpose;
  observer.OnDecisions({purpose, decision.eligibility, decision.disposition, decision.FirstReason(), 1});
  if (purpose == domain::Purpose::kNone) return;
  const std::string& caller = one.call->caller().identity;
  const bool is_yes = decision.eligibility == domain::Eligibility::kEligible;
  observer.OnAsked(
      {caller, purpose, one.session.rules->regimes[decision.regime].name, is_yes ? 1U : 0U, is_yes ? 0U : 1U});
  decision.missing.ForEach([&](domain::MissingFact fact) { observer.OnMissingFact(caller, fact, 1); });
}

void EligibilityRpc::Answer(const One& one, const domain::Decision& decision) const {
  Write(decision, one.query.full, one.item.subject, one.call->response()->mutable_decision());
  WriteSession(one.session, one.call->response());
  if (!one.is_probe) Tell(one, decision);
  one.call->Finish(absl::OkStatus());
}

void EligibilityRpc::Conclude(std::shared_ptr<One> one, const domain::Decision& decision) const {
  const bool says_yes = decision.eligibility == domain::Eligibility::kEligible;
  if (!says_yes || !recorder_.Records(one->query.purpose, *one->session.rules)) return Answer(*one, decision);
  std::unique_ptr<decisions::RecordWriter> record = BeginRecord(one->call->caller(), one->query, one->session, 1);
  Record(one->item, one->head, decision, record.get());
  recorder_.Put(std::move(record), [this, one = std::move(one), decision](bool on_record) {
    Answer(*one, on_record ? decision : domain::NotRecorded(decision));
  });
}

void EligibilityRpc::CheckOne(CheckCall call) const {
  const v1::CheckRequest& request = call->request();
  auto one = std::make_shared<One>();
  wire::Violations violations;
  absl::Status status = wire::ReadCheck(request, &one->query);
  const wire::Path root;
  if (status.ok() && !wire::ReadRecording(request.recording(), core_.hasher, wire::Path(root, "recording"), &violations,
                                          &one->item.subject, &one->item.recording_id, &one->item.facts)) {
    status = violations.ToStatus();
  }
  if (!status.ok()) return call->Finish(status);
  one->is_probe = one->item.subject == probe_;
  if (one->is_probe) {
    call->LeaveUncounted();
  } else {
    call->NoteStarted();
  }
  absl::StatusOr<service::CheckSession> session = check_.Begin(request.at_least_revision());
  if (!session.ok()) return call->Finish(session.status());
  one->session = *std::move(session);
  if (IsUnknownCode(one->item.facts.region, *one->session.rules)) dependencies_.observer.OnUnknownRegions(1);
  one->head = core_.heads.Of(core_.PartitionOf(one->item.subject));
  one->call = std::move(call);
  domain::Decision decision;
  if (check_.TryDecide(one->session, one->item, one->query.purpose, one->query.place, &decision)) {
    return Conclude(std::move(one), decision);
  }
  RunOnPoolIfAwaited(dependencies_, one->call, [this, one]() mutable {
    if (absl::Status joined = check_.Resolve(&one->item); !joined.ok()) return one->call->Finish(joined);
    one->head = core_.heads.Of(core_.PartitionOf(one->item.subject));
    const auto decided = check_.DecideFromStore(one->session, one->item, one->query.purpose, one->query.place);
    if (!decided.ok()) return one->call->Finish(decided.status());
    Conclude(std::move(one), *decided);
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
    records_ = rpc_.recorder_.Records(query_.purpose, *session_.rules);
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
    const std::vector<Yes> known_yeses = std::exchange(yeses_, {});
    auto yes = known_yeses.begin();
    size_t from = 0;
    const auto add_known = [&](size_t to) {
      for (; yes != known_yeses.end() && yes->at < to; ++yes) {
        yeses_.push_back(*yes);
        yeses_.back().at += reply_.bytes().size() - from;
      }
      reply_.AddWritten(known.bytes().substr(from, to - from));
      from = to;
    };
    for (Missed& missed : missed_) {
      if (call_->IsCancelled()) return absl::CancelledError();
      add_known(missed.at);
      if (absl::Status joined = rpc_.check_.Resolve(&missed.item); !joined.ok()) {
        Refuse(joined);
        continue;
      }
      const store::Sequence head = HeadOf(missed.item);
      const auto decision = rpc_.check_.DecideFromStore(session_, missed.item, query_.purpose, query_.place);
      if (decision.ok()) {
        Answer(*decision, missed.item, head);
      } else {
        Refuse(decision.status());
      }
    }
    add_known(known.bytes().size());
    return absl::OkStatus();
  }

  // Finishes the call, where something of it is to be on record once that is known.
  static void Conclude(const std::shared_ptr<Batch>& batch, const absl::Status& status) {
    if (!status.ok() || batch->record_ == nullptr) return batch->Finish(status);
    batch->rpc_.recorder_.Put(std::move(batch->record_), [batch](bool on_record) {
      if (!on_record) batch->TakeYesesBack();
      batch->Finish(absl::OkStatus());
    });
  }

  void Finish(const absl::Status& status) {
    if (status.ok()) Seal();
    call_->Finish(status, reply_.bytes());
  }

  const BatchCall& call() const { return call_; }

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
  // One that is said only once it is on record.
  struct Yes {
    size_t at;  // in the bytes of the reply, so many
    size_t size;
    base::SubjectHandle subject;
    domain::Decision decision;
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
    const store::Sequence head = HeadOf(slot.item);
    if (rpc_.check_.TryDecide(session_, slot.item, query_.purpose, query_.place, &decision)) {
      Answer(decision, slot.item, head);
    } else {
      missed_.push_back({reply_.bytes().size(), slot.item});
    }
  }

  // Before the look-up; needed where a yes is recorded.
  store::Sequence HeadOf(const service::CheckItem& item) const {
    return records_ ? rpc_.core_.heads.Of(rpc_.core_.PartitionOf(item.subject)) : 0;
  }

  void Answer(const domain::Decision& decision, const service::CheckItem& item, store::Sequence head) {
    const size_t at = reply_.bytes().size();
    Write(decision, item.subject);
    tally_.Add(decision);
    if (!records_ || decision.eligibility != domain::Eligibility::kEligible) return;
    if (record_ == nullptr) {
      record_ = rpc_.BeginRecord(call_->caller(), query_, session_, split_.recordings.size());
      yeses_.reserve(split_.recordings.size());
    }
    rpc_.Record(item, head, decision, record_.get());
    yeses_.push_back({at, reply_.bytes().size() - at, item.subject, decision});
  }

  void Write(const domain::Decision& decision, base::SubjectHandle subject) {
    if (query_.full) {
      v1::Decision* const out = result_.mutable_decision();
      out->Clear();
      rpc_.Write(decision, true, subject, out);
      reply_.Add(result_);
    } else {
      reply_.AddBasic(decision);
    }
  }

  // They are not on record, so they are not said.
  void TakeYesesBack() {
    const wire::BatchReply before = std::exchange(reply_, {});
    size_t from = 0;
    for (const Yes& yes : yeses_) {
      reply_.AddWritten(before.bytes().substr(from, yes.at - from));
      from = yes.at + yes.size;
      const domain::Decision no = domain::NotRecorded(yes.decision);
      Write(no, yes.subject);
      tally_.Remove(yes.decision);
      tally_.Add(no);
    }
    reply_.AddWritten(before.bytes().substr(from));
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
    tally_.Report(query_.purpose, call_->caller().identity, *session_.rules, observer);
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
  bool records_ = false;                             // a yes is to be on record
  std::unique_ptr<decisions::RecordWriter> record_;  // from the first yes on
  std::vector<Yes> yeses_;
};

grpc::ServerUnaryReactor* EligibilityRpc::BatchCheck(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                                     grpc::ByteBuffer* out) {
  return HandleBytes<v1::BatchCheckRequest, v1::BatchCheckResponse>(
      dependencies_, batch_method_, context, in, out, [this](BatchCall call, std::string bytes) {
        auto batch = std::make_shared<Batch>(*this, std::move(call), std::move(bytes));
        absl::Status status = batch->Begin();
        if (status.ok()) status = batch->DecideFromIndex();
        if (!status.ok() || batch->Complete()) return Batch::Conclude(batch, status);
        RunOnPoolIfAwaited(dependencies_, batch->call(), [batch] { Batch::Conclude(batch, batch->DecideFromStore()); });
      });
}

}  // namespace consent::rpc
