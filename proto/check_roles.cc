// Part of the build: every RPC of a descriptor set names its roles, each once, and none that is reserved.
//
// check_roles DESCRIPTOR_SET. Exit 0: so it is. Exit 1: one line on standard error for each RPC where it is not.
#include <cstdio>
#include <fstream>
#include <set>
#include <string>

#include <google/protobuf/descriptor.pb.h>

#include "consent/v1/roles.pb.h"

namespace {

// Empty, or what is wrong with the roles of a method.
std::string Problem(const google::protobuf::MethodOptions& options) {
  const int count = options.ExtensionSize(consent::v1::roles);
  if (count == 0) return "names no role: say `option (roles) = ROLE_...;`";
  std::set<int> seen;
  for (int i = 0; i < count; ++i) {
    const consent::v1::Role role = options.GetExtension(consent::v1::roles, i);
    if (role == consent::v1::ROLE_UNSPECIFIED) return "names ROLE_UNSPECIFIED, which is no role";
    if (role == consent::v1::ROLE_EDGE) return "names ROLE_EDGE, which is reserved";
    if (!seen.insert(role).second) return "names " + consent::v1::Role_Name(role) + " twice";
  }
  return "";
}

}  // namespace

int main(int argc, char** argv) {
  google::protobuf::FileDescriptorSet set;
  std::ifstream file(argc == 2 ? argv[1] : "", std::ios::binary);
  if (!file || !set.ParseFromIstream(&file)) {
    std::fprintf(stderr, "usage: check_roles DESCRIPTOR_SET\n");
    return 1;
  }
  int methods = 0;
  int problems = 0;
  for (const auto& proto : set.file()) {
    for (const auto& service : proto.service()) {
      for (const auto& method : service.method()) {
        ++methods;
        const std::string problem = Problem(method.options());
        if (problem.empty()) continue;
        ++problems;
        std::fprintf(stderr, "%s: %s.%s %s\n", proto.name().c_str(), service.name().c_str(), method.name().c_str(),
                     problem.c_str());
      }
    }
  }
  if (methods == 0) std::fprintf(stderr, "the descriptor set has no RPC\n");
  return methods == 0 || problems != 0 ? 1 : 0;
}
