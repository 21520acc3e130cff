// Which roles somebody has, as one number.
#pragma once

#include <cstdint>

#include "consent/v1/roles.pb.h"

namespace consent::callers {

// A set of roles; a default-constructed one is empty and lets nobody in.
class RoleSet {
 public:
  constexpr RoleSet() = default;
  static constexpr RoleSet All() {
    RoleSet all;
    all.bits_ = ~1U;
    return all;
  }
  // UNSPECIFIED and unknown numbers are no roles.
  constexpr void Add(int role) {
    if (role > v1::ROLE_UNSPECIFIED && role < 32) bits_ |= 1U << role;
  }
  constexpr bool Empty() const { return bits_ == 0; }
  constexpr bool Meets(RoleSet other) const { return (bits_ & other.bits_) != 0; }
  constexpr bool Has(int role) const { return role > v1::ROLE_UNSPECIFIED && role < 32 && (bits_ >> role & 1) != 0; }

 private:
  uint32_t bits_ = 0;
};

}  // namespace consent::callers
