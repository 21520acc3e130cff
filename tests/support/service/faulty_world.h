// A world over a store that fails when it is told to.
#pragma once

#include <memory>
#include <utility>

#include "tests/support/service/world.h"
#include "tests/support/store/faulty.h"

namespace consent::test {

struct FaultyWorld {
  explicit FaultyWorld(World::Options options = {}) : world(WithFaults(std::move(options))) {}

  FaultyStore* faulty = nullptr;  // passes everything on until it is told otherwise; outlives restarts
  World world;

 private:
  World::Options WithFaults(World::Options options) {
    options.decorate = [this](store::Store& inner) {
      auto made = std::make_unique<FaultyStore>(inner, FaultyStore::Plan{});
      faulty = made.get();
      return made;
    };
    return options;
  }
};

}  // namespace consent::test
