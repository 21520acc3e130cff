#include "daemon/rpc/call.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <grpc/slice.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/slice.h>

#include "daemon/rpc/status.h"
#include "daemon/wire/diagnose.h"
#include "daemon/wire/errors.h"

namespace consent::rpc {
namespace {

std::string Flatten(const grpc::ByteBuffer& buffer) {
  std::string bytes;
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

// One slice of the exact size, of `head` and the message; gRPC takes it over without a copy.
grpc::ByteBuffer Serialise(std::string_view head, const google::protobuf::Message& message) {
  const size_t size = message.ByteSizeLong();
  const grpc_slice raw = grpc_slice_malloc(head.size() + size);
  grpc::Slice slice(raw, grpc::Slice::STEAL_REF);
  // A short slice lies inside its object, so the bytes are written through the one that is handed over.
  auto* const to = const_cast<uint8_t*>(slice.begin());
  std::copy(head.begin(), head.end(), to);
  message.SerializeWithCachedSizesToArray(to + head.size());
  return grpc::ByteBuffer(&slice, 1);
}

// Of several headers none counts, because nobody can tell which is meant.
std::optional<base::TraceId> TraceOf(const grpc::CallbackServerContext& context) {
  const auto [first, last] = context.client_metadata().equal_range("traceparent");
  if (first == last || std::next(first) != last) return std::nullopt;
  return base::TraceId::FromTraceparent({first->second.data(), first->second.size()});
}

}  // namespace

CallBase::CallBase(const RpcDependencies& dependencies, const Method& method, grpc::CallbackServerContext* context,
                   grpc::ServerUnaryReactor* reactor, grpc::ByteBuffer* out)
    : dependencies_(dependencies), method_(method), context_(context), out_(out), reactor_(reactor) {}

CallBase::~CallBase() {
  if (reactor_ != nullptr) Finish(absl::InternalError("the handler gave up its call"));
}

absl::Status CallBase::TakeToken(const grpc::ByteBuffer& in) {
  Peer peer = dependencies_.authenticator.PeerOf(*context_);
  absl::StatusOr<Admission::Token> token = dependencies_.admission.Admit(&peer, method_, in.Length(), began_);
  if (!token.ok()) {
    refused_caller_ = std::move(peer.caller.identity);
    return token.status();
  }
  token_ = *std::move(token);
  return absl::OkStatus();
}

absl::Status CallBase::AuthorizeAgain(std::string_view system) const {
  const Peer peer = dependencies_.authenticator.PeerOf(*context_);
  const absl::Status may = Authorize(peer, method_);
  return may.ok() ? CheckSystem(peer, system) : may;
}

bool CallBase::Admit(const grpc::ByteBuffer& in, google::protobuf::Message* request) {
  absl::Status status = TakeToken(in);
  if (status.ok()) {
    // The reader wants a pointer to a mutable buffer and changes nothing in it.
    grpc::ProtoBufferReader reader(const_cast<grpc::ByteBuffer*>(&in));
    if (reader.status().ok() && request->ParseFromZeroCopyStream(&reader)) return true;
    status = wire::Diagnose(Flatten(in), *request->GetDescriptor());
  }
  Finish(status);
  return false;
}

bool CallBase::AdmitSystem(std::string_view system) {
  const absl::Status own = CheckSystem(peer(), system);
  if (!own.ok()) Finish(own);
  return own.ok();
}

bool CallBase::AdmitBytes(const grpc::ByteBuffer& in, std::string* bytes) {
  if (absl::Status status = TakeToken(in); !status.ok()) {
    Finish(status);
    return false;
  }
  if (GoesOnRecord()) {
    Finish(absl::InternalError("a call that reads about people passes by its record"));
    return false;
  }
  *bytes = Flatten(in);
  return true;
}

void CallBase::Finish(const absl::Status& status, std::string_view head) {
  if (reactor_ == nullptr) return;
  grpc::Status answer = ToGrpc(status);
  if (status.ok()) {
    *out_ = Serialise(head, Response());
  } else if (const auto retry = wire::DetailOf(status).retry_after; retry.has_value()) {
    // What gRPC's own retries go by.
    context_->AddTrailingMetadata("grpc-retry-pushback-ms", std::to_string(retry->count()));
  }
  if (counted_) Report(status, static_cast<absl::StatusCode>(answer.error_code()));
  token_.reset();
  std::exchange(reactor_, nullptr)->Finish(std::move(answer));
}

void CallBase::NoteStarted() {
  if (!std::exchange(started_, true)) dependencies_.observer.OnStarted(method_.name());
}

void CallBase::Report(const absl::Status& status, absl::StatusCode code) {
  NoteStarted();
  CallSeen seen;
  seen.method = method_.name();
  seen.caller = token_.has_value() ? std::string_view(token_->caller().identity) : std::string_view(refused_caller_);
  seen.code = code;
  seen.latency = std::chrono::steady_clock::now() - began_;
  seen.slow = !may_wait_ && seen.latency > kSlowCall;
  std::string reason;
  if (!status.ok()) reason = wire::ReasonName(wire::DetailOf(status).reason);
  if (code == absl::StatusCode::kCancelled) reason.clear();
  seen.reason = reason;
  // Looked for only where it is told, because gRPC makes a map of the headers for it.
  if (!status.ok() || seen.slow) seen.trace = TraceOf(*context_);
  dependencies_.observer.OnCall(seen);
}

absl::Status OverloadedError() {
  return wire::OverloadedError("too many calls are waiting: repeat later with backoff");
}

}  // namespace consent::rpc
