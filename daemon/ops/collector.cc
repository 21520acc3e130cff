#include "daemon/ops/collector.h"

#include <prometheus/text_serializer.h>

#include <utility>

namespace consent::ops {

Collector::Collector(Collect collect, Done done)
    : collect_(std::move(collect)), done_(std::move(done)), thread_([this] { Run(); }) {}

Collector::~Collector() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
}

uint64_t Collector::Ask() {
  base::MutexLock lock(mutex_);
  wanted_ = begun_ + 1;
  wake_.NotifyOne();
  return wanted_;
}

bool Collector::Begin(uint64_t* number) {
  base::MutexLock lock(mutex_);
  while (!stopping_ && wanted_ == begun_) wake_.Wait(mutex_);
  *number = ++begun_;
  return !stopping_;
}

void Collector::Run() {
  for (uint64_t number = 0; Begin(&number);) {
    done_(number, std::make_shared<const std::string>(prometheus::TextSerializer().Serialize(collect_())));
  }
}

}  // namespace consent::ops
