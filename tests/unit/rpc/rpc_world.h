// What handlers share, over the World of tests/support/service: the test says who calls.
#pragma once

#include <utility>

#include <gtest/gtest.h>

#include "daemon/rpc/call.h"
#include "tests/support/service/world.h"
#include "tests/unit/rpc/chosen_peer.h"
#include "tests/unit/rpc/no_read_log.h"
#include "tests/unit/rpc/note_taker.h"

namespace consent::test {

class RpcWorld : public ::testing::Test {
 protected:
  explicit RpcWorld(World::Options options = {}) : world_(std::move(options)) {}

  World world_;
  NoteTaker notes_;
  service::Pool readers_{2, 64};
  service::Pool restrictions_{1, 64};
  service::Pool grants_{2, 64};
  rpc::Admission admission_{world_.core().ready};
  ChosenPeer chosen_;
  const NoReadLog no_read_log_{};
  const rpc::RpcDependencies dependencies_{admission_, readers_, restrictions_, grants_, notes_, chosen_, no_read_log_};
};

}  // namespace consent::test
