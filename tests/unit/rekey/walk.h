// Random lives on a world: what is done next is drawn, and said in words that have no handle in them, so that the same
// life can be led on two stores and compared.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/support/model/dice.h"
#include "tests/support/service/deleting.h"

namespace consent::test {

// Every id that a Walk ever says.
struct WalkIds {
  std::vector<std::string> accounts;
  std::vector<std::string> profiles;
  std::vector<std::string> devices;
  std::vector<std::string> guardians;
  std::vector<std::string> recordings;
};
const WalkIds& AllWalkIds();

class Walk {
 public:
  // A data system and some accounts.
  Walk(World& world, uint64_t seed);
  // The same life, led on from here in another world, whose store is a copy of this one's.
  Walk(World& world, const Walk& other);

  // How it was answered.
  std::string Step();
  // Works until nothing is left. How many tasks were done.
  size_t Work() { return deleting_.Work("audio"); }
  Deleting& deleting() { return deleting_; }

 private:
  std::string Settings(const std::string& account);
  std::string Orders(const std::string& account);
  std::string Register(const std::string& account);
  std::string Ask(const std::string& account);
  std::string Go(service::DeletionPlace place);
  std::string Release(service::HoldPlace place);
  std::string Join(const std::string& from, const std::string& into);
  std::string Remove(const std::string& account);
  ScopeName SomeScope();
  domain::Selector SomeSelector();

  World& world_;
  Deleting deleting_;
  model::Dice dice_;
  std::vector<service::DeletionPlace> requests_;
  std::vector<service::HoldPlace> holds_;
};

}  // namespace consent::test
