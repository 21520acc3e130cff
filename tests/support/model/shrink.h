// Makes a failing case smaller, so that what is printed can be read.
#pragma once

#include <functional>

#include "tests/support/model/case.h"

namespace consent::model {

// Takes out and flattens whatever is not needed for `fails` to stay true. `fails(c)` must be true.
Case Shrink(Case c, const std::function<bool(const Case&)>& fails);

}  // namespace consent::model
