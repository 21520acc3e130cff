// A drawn sample of deletion requests that anybody can draw again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "consent/deletion.h"

namespace consent::cli {

// SHA-256 (FIPS 180-4), in lower-case hex, of the seed, a line's end and the request's id.
std::string DrawnKey(std::string_view seed, const DeletionId& deletion);

// Keeps the `most` requests with the smallest keys, whatever the order in which all of them are shown: a simple random
// sample without replacement as far as SHA-256 is like chance, the same for the same seed and requests. Memory is that
// of the sample. Not thread-safe.
class RequestSample {
 public:
  RequestSample(std::string seed, size_t most) : seed_(std::move(seed)), most_(most) {}
  void Consider(const DeletionRequest& request);
  // How many were shown.
  uint64_t population() const { return population_; }
  // By key.
  const std::map<std::string, DeletionRequest>& drawn() const { return drawn_; }

 private:
  const std::string seed_;
  const size_t most_;
  uint64_t population_ = 0;
  std::map<std::string, DeletionRequest> drawn_;
};

}  // namespace consent::cli
