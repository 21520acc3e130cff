// An authenticator for tests: whoever calls is the peer that was named last; at first one with all roles.
#pragma once

#include <utility>

#include "daemon/base/mutex.h"
#include "daemon/rpc/authorize.h"

namespace consent::test {

// Thread-safe.
class ChosenPeer final : public rpc::Authenticator {
 public:
  rpc::Peer PeerOf(const grpc::CallbackServerContext&) const override {
    base::MutexLock lock(mutex_);
    return peer_;
  }
  service::Person PersonOf(const grpc::CallbackServerContext&) const override {
    base::MutexLock lock(mutex_);
    return person_;
  }
  void SetPerson(service::Person person) {
    base::MutexLock lock(mutex_);
    person_ = std::move(person);
  }
  void Set(rpc::Peer peer) {
    base::MutexLock lock(mutex_);
    peer_ = std::move(peer);
  }

 private:
  mutable base::Mutex mutex_;
  rpc::Peer peer_ GUARDED_BY(mutex_){service::Caller{}, rpc::RoleSet::All()};
  service::Person person_ GUARDED_BY(mutex_);  // at first nobody in particular
};

}  // namespace consent::test
