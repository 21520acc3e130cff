// Which part of all utterances people listened to. Pure.
#pragma once

#include <cstdint>

namespace consent::domain {

// In parts per million, with the interval that holds the true rate in 95 of 100 samples (Wilson's score interval,
// which stays within 0 and one million also where little was counted).
struct MeasuredRate {
  double rate = 0;
  double low = 0;
  double high = 0;
};

// `heard` of `population`, which is not 0. More heard than there is counts as all: somebody reported too little.
MeasuredRate MeasureRate(uint64_t heard, uint64_t population);

}  // namespace consent::domain
