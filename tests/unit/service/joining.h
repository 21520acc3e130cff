// Words in which tests join accounts.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <utility>

#include "daemon/service/subject/join_subjects.h"
#include "tests/support/service/faulty_world.h"

namespace consent::test {

inline service::JoinRequest Request(World& world, const std::string& from, const std::string& into,
                                    bool is_new = false) {
  service::JoinRequest request;
  request.from = world.Request(from, service::ChangeKind::kJoined);
  request.from.command.proof.channel = domain::Channel::kSupport;
  request.from.command.proof.actor = domain::Actor::kAgent;
  request.from.command.expected_revision = world.RevisionOf(from);
  request.from.payload.evidence = "both are hers";
  request.into = world.Handle(into);
  request.into_account_id = into;
  request.into_is_new = is_new;
  if (!is_new) {
    request.into_etag = service::Revision{world.core().PartitionOf(world.Handle(into)), world.RevisionOf(into)};
  }
  return request;
}

inline absl::StatusOr<service::Joined> Submit(World& world, service::JoinRequest request) {
  std::promise<absl::StatusOr<service::Joined>> promise;
  world.joins().Join(std::move(request),
                     [&](absl::StatusOr<service::Joined> joined) { promise.set_value(std::move(joined)); });
  auto joined = promise.get_future().get();
  world.Wait(base::Seconds(60));
  return joined;
}

inline absl::StatusOr<service::Joined> Join(World& world, const std::string& from, const std::string& into,
                                            bool is_new = false) {
  return Submit(world, Request(world, from, into, is_new));
}

// Registered in Germany and agreed to, for the account and for ann.
inline void Agree(World& world, const std::string& account, const Given& given = {}) {
  ASSERT_TRUE(world.Register(account, "DE").ok());
  ASSERT_TRUE(world.OptIn(account, Account(), Control("help_improve"), given).ok());
}

// Stops a join before its commit `step` (0: the first), as a kill between the two commits does.
inline void JoinUpTo(FaultyWorld& faulty, int step) {
  for (int i = 0; i < step; ++i) faulty.faulty->Inject(Fault::kNone);
  faulty.faulty->Inject(Fault::kRetry);
  EXPECT_EQ(ReasonOf(Join(faulty.world, "a", "b")), "OVERLOADED");
}

}  // namespace consent::test
