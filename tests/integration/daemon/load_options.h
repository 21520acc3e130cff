// The arguments of tls_load and tls_flood: --name value.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

namespace consent::test {

class LoadOptions {
 public:
  LoadOptions(int argc, char** argv) {
    for (int i = 1; i + 1 < argc; i += 2) given_[std::string(argv[i]).substr(2)] = argv[i + 1];
  }
  // Ends the process where it is missing.
  const std::string& Text(const std::string& name) const {
    const auto at = given_.find(name);
    if (at == given_.end()) {
      std::fprintf(stderr, "--%s is missing\n", name.c_str());
      std::exit(2);
    }
    return at->second;
  }
  int Number(const std::string& name) const { return std::atoi(Text(name).c_str()); }

 private:
  std::map<std::string, std::string> given_;
};

}  // namespace consent::test
