// The way that every call of one message goes: admission, parse, hand to the handler, serialise, finish.
//
// Methods are raw: gRPC hands over bytes, so that bytes which are not the declared message get INVALID_ARGUMENT with
// the field's name, where gRPC itself would answer INTERNAL. Request and response live on an arena of the call's own.
//
// Two flavours. A handler that never blocks finishes the call before it returns. Any other keeps the Call (it is
// shared) and finishes it from a pool thread or from a callback; the gRPC thread goes on at once.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <google/protobuf/arena.h>
#include <google/protobuf/message.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "absl/status/status.h"
#include "consent/v1/eligibility_service.pb.h"
#include "daemon/rpc/admission.h"
#include "daemon/rpc/authorize.h"
#include "daemon/rpc/observer.h"
#include "daemon/rpc/read_log.h"
#include "daemon/service/commit/change.h"
#include "daemon/service/state/person.h"
#include "daemon/service/state/pool.h"

namespace consent::rpc {

// What all handlers share. Outlives the server.
struct RpcDependencies {
  Admission& admission;
  service::Pool& readers;       // for handlers that block
  service::Pool& restrictions;  // the same, for calls that can carry a restriction: no flood of others takes it
  service::Pool& grants;        // for uses of review grants: of many threads, each of which waits for its own commit
  RpcObserver& observer;
  const Authenticator& authenticator;
  const ReadLog& reads;
};

// One call, from its arrival to its end. Used by one thread at a time; IsCancelled by any until the call is finished.
class CallBase {
 public:
  // A call that nobody finished is answered here, with INTERNAL: a client never waits for ever.
  virtual ~CallBase();
  CallBase(const CallBase&) = delete;
  CallBase& operator=(const CallBase&) = delete;

  // Of a call that was admitted.
  const service::Caller& caller() const { return token_->caller(); }
  const Peer& peer() const { return token_->peer(); }
  // Who calls, as far as it tells two persons apart. Until the call is finished.
  service::Person person() const { return dependencies_.authenticator.PersonOf(*context_); }
  bool may_restrict() const { return method_.may_restrict(); }
  // The call turned out to ask for `items`; before any of them is looked at. LIMIT_EXCEEDED: finish with it.
  absl::Status Charge(size_t items) const { return token_->Charge(static_cast<int64_t>(items), began_); }
  // The call reads about people for a person: it may be answered only once that is on record.
  bool GoesOnRecord() const { return method_.reads_people() && peer().IsPerson() && dependencies_.reads.on(); }
  // Puts the call on record as one about `subject`, or about all accounts.
  void PutOnRecord(const std::optional<base::SubjectHandle>& subject, decisions::Log::Done done) const {
    dependencies_.reads.Put(caller().identity, method_.name(), subject, std::move(done));
  }
  // Of a call that has waited: whether its caller may still make it for `system`, by what is known of it now.
  absl::Status AuthorizeAgain(std::string_view system) const;
  // The client went away or its deadline has passed: there is nobody to answer. Finish all the same.
  bool IsCancelled() const { return context_->IsCancelled(); }
  // The caller asked to wait, so however long it takes is no news.
  void NoteRequestedWait() { may_wait_ = true; }
  // The daemon asked itself: the call is neither counted nor told. Not after NoteStarted.
  void LeaveUncounted() { counted_ = false; }
  // Counts the call as started, the first time; Finish does it for those that never came so far.
  void NoteStarted();
  // As Admit, for a handler that parses by itself: `*bytes` are the request's. None of those may read about people.
  bool AdmitBytes(const grpc::ByteBuffer& in, std::string* bytes);
  // Answers with the response where `status` is OK, else with the error. `head`: serialised fields that go before what
  // the response has. Once; afterwards nothing that belongs to gRPC is touched.
  void Finish(const absl::Status& status, std::string_view head = {});

 protected:
  CallBase(const RpcDependencies& dependencies, const Method& method, grpc::CallbackServerContext* context,
           grpc::ServerUnaryReactor* reactor, grpc::ByteBuffer* out);
  // False where the call may not go on; it is finished then.
  bool Admit(const grpc::ByteBuffer& in, google::protobuf::Message* request);
  bool AdmitSystem(std::string_view system);

 private:
  virtual const google::protobuf::Message& Response() const = 0;
  // Counts and tells the call, which is answered with `status` and `code`.
  void Report(const absl::Status& status, absl::StatusCode code);
  // Takes the token where the call may go on.
  absl::Status TakeToken(const grpc::ByteBuffer& in);

  const RpcDependencies& dependencies_;
  const Method& method_;
  grpc::CallbackServerContext* const context_;
  grpc::ByteBuffer* const out_;
  grpc::ServerUnaryReactor* reactor_;  // nullptr once finished
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::optional<Admission::Token> token_;  // while the call is in flight
  std::string refused_caller_;             // whose call was not admitted
  bool may_wait_ = false;
  bool counted_ = true;
  bool started_ = false;  // it is counted as such
};

// The data system that `request` names, for which its caller must work. nullptr: a request of this kind names none.
template <typename RequestT>
const std::string* SystemOf(const RequestT& request) {
  if constexpr (requires { request.system().name(); }) {
    return &request.system().name();
  } else if constexpr (requires { request.system(); }) {
    return &request.system();
  } else {
    return nullptr;
  }
}

template <typename RequestT, typename ResponseT>
class Call final : public CallBase {
 public:
  Call(const RpcDependencies& dependencies, const Method& method, grpc::CallbackServerContext* context,
       grpc::ServerUnaryReactor* reactor, grpc::ByteBuffer* out)
      : CallBase(dependencies, method, context, reactor, out),
        arena_(Options(block_)),
        request_(google::protobuf::Arena::CreateMessage<RequestT>(&arena_)),
        response_(google::protobuf::Arena::CreateMessage<ResponseT>(&arena_)) {}

  const RequestT& request() const { return *request_; }
  ResponseT* response() { return response_; }
  // False where the call may not go on; it is finished then.
  bool Admit(const grpc::ByteBuffer& in) {
    if (!CallBase::Admit(in, request_)) return false;
    const std::string* const system = SystemOf(*request_);
    return system == nullptr || AdmitSystem(*system);
  }

 private:
  // Holds a unary check without another allocation; batches go on in larger blocks, below the size at which malloc maps
  // pages.
  static constexpr size_t kFirstBlock = 3 * 1024;
  static constexpr size_t kBlock = 32 * 1024;
  static google::protobuf::ArenaOptions Options(char* first) {
    google::protobuf::ArenaOptions options;
    options.initial_block = first;
    options.initial_block_size = kFirstBlock;
    options.start_block_size = kBlock;
    options.max_block_size = kBlock;
    return options;
  }
  const google::protobuf::Message& Response() const override { return *response_; }

  alignas(std::max_align_t) char block_[kFirstBlock];
  google::protobuf::Arena arena_;
  RequestT* const request_;
  ResponseT* const response_;
};

template <typename RequestT, typename ResponseT>
using CallPtr = std::shared_ptr<Call<RequestT, ResponseT>>;

absl::Status OverloadedError();

// Whether the call's client is still there and its deadline has not passed; until the call is finished.
template <typename CallPtrT>
service::Awaited AwaitedBy(const CallPtrT& call) {
  return [call] { return !call->IsCancelled(); };
}

// Runs `work()`, which finishes the call, on a pool. A full queue: OVERLOADED.
template <typename CallPtrT, typename Work>
void RunOn(service::Pool& pool, const CallPtrT& call, Work work) {
  if (!pool.Post(std::move(work))) call->Finish(OverloadedError());
}

// The same for work that is worth nothing once the client went away: it is not begun then.
template <typename CallPtrT, typename Work>
void RunOnIfAwaited(service::Pool& pool, const CallPtrT& call, Work work) {
  RunOn(pool, call, [call, work = std::move(work)]() mutable {
    if (call->IsCancelled()) return call->Finish(absl::CancelledError());
    work();
  });
}

// The same for `read()`, which answers the status to finish with.
template <typename CallPtrT, typename Read>
void FinishOn(service::Pool& pool, const CallPtrT& call, Read read) {
  RunOnIfAwaited(pool, call, [call, read = std::move(read)]() mutable { call->Finish(read()); });
}

// The same three on the read pool, or on that of restrictions where the call can carry one.
template <typename CallPtrT>
service::Pool& PoolOf(const RpcDependencies& dependencies, const CallPtrT& call) {
  return call->may_restrict() ? dependencies.restrictions : dependencies.readers;
}
template <typename CallPtrT, typename Work>
void RunOnPool(const RpcDependencies& dependencies, const CallPtrT& call, Work work) {
  RunOn(PoolOf(dependencies, call), call, std::move(work));
}
template <typename CallPtrT, typename Work>
void RunOnPoolIfAwaited(const RpcDependencies& dependencies, const CallPtrT& call, Work work) {
  RunOnIfAwaited(PoolOf(dependencies, call), call, std::move(work));
}
template <typename CallPtrT, typename Read>
void FinishOnPool(const RpcDependencies& dependencies, const CallPtrT& call, Read read) {
  FinishOn(PoolOf(dependencies, call), call, std::move(read));
}

// Goes on with `use(call)` once it is on record that the call reads about people. NOT_RECORDED: the log takes no
// record. Whom it is about the request says by an account, a recording or a deletion request; one that says none is
// refused, because nobody could tell afterwards.
template <typename CallPtrT, typename Use>
void RecordThenUse(const RpcDependencies& dependencies, const CallPtrT& call, const Use& use) {
  const auto go_on = [call, use](bool on_record) { on_record ? use(call) : call->Finish(NotRecordedError()); };
  const auto record_account = [&](const std::string& account) {
    call->PutOnRecord(account.empty() ? std::nullopt : std::optional(dependencies.reads.SubjectOf(account)), go_on);
  };
  if constexpr (requires { call->request().account_id(); }) {
    record_account(call->request().account_id());
  } else if constexpr (requires { call->request().recording().account_id(); }) {
    record_account(call->request().recording().account_id());
  } else if constexpr (requires { call->request().deletion_id(); }) {
    RunOnPoolIfAwaited(dependencies, call, [&reads = dependencies.reads, call, go_on] {
      const absl::StatusOr<base::SubjectHandle> subject = reads.SubjectOfDeletion(call->request().deletion_id());
      if (!subject.ok()) return call->Finish(subject.status());
      call->PutOnRecord(*subject, go_on);
    });
  } else {
    call->Finish(absl::InternalError("the method reads about people, and its request names none"));
  }
}

// Runs `use(CallPtr<RequestT, ResponseT>)` for a call that was admitted: the body of every method. `dependencies` and
// `method` outlive the call.
template <typename RequestT, typename ResponseT, typename Use>
grpc::ServerUnaryReactor* Handle(const RpcDependencies& dependencies, const Method& method,
                                 grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                 grpc::ByteBuffer* out, Use&& use) {
  // The default reactor is finished where the call is, and its end needs no thread of gRPC's executor.
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  auto call = std::make_shared<Call<RequestT, ResponseT>>(dependencies, method, context, reactor, out);
  if (!call->Admit(*in)) return reactor;
  // Whether a check is the daemon's own is seen once it is read.
  if constexpr (!std::is_same_v<RequestT, v1::CheckRequest>) call->NoteStarted();
  if (call->GoesOnRecord()) {
    RecordThenUse(dependencies, call, use);
  } else {
    use(std::move(call));
  }
  return reactor;
}

// The same for `use(CallPtr<RequestT, ResponseT>, std::string bytes)`, which parses by itself.
template <typename RequestT, typename ResponseT, typename Use>
grpc::ServerUnaryReactor* HandleBytes(const RpcDependencies& dependencies, const Method& method,
                                      grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                      grpc::ByteBuffer* out, Use&& use) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  auto call = std::make_shared<Call<RequestT, ResponseT>>(dependencies, method, context, reactor, out);
  std::string bytes;
  if (!call->AdmitBytes(*in, &bytes)) return reactor;
  call->NoteStarted();
  use(std::move(call), std::move(bytes));
  return reactor;
}

}  // namespace consent::rpc
