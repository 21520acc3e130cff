#include "tests/unit/cases/shipped.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "daemon/cases/case_file.h"

namespace consent::cases {
namespace {

std::string Read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream bytes;
  bytes << in.rdbuf();
  return bytes.str();
}

template <typename Result>
auto Need(Result result, const std::string& path) {
  if (result.ok()) return *std::move(result);
  std::fprintf(stderr, "%s: %s\n", path.c_str(), std::string(result.status().message()).c_str());
  std::abort();
}

}  // namespace

policy::Document PolicyAt(const std::string& folder, const std::string& name) {
  return Need(policy::Document::Parse(Read(folder + "/" + name)), name);
}

v1::PolicyCases CasesAt(const std::string& folder, const std::string& name) {
  return Need(ParseCases(Read(folder + "/" + name)), name);
}

}  // namespace consent::cases
