// Whole command lines in this process, against a daemon of the test's own.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "client/cli/command_line.h"
#include "tests/unit/client/fake_daemon.h"

namespace consent::cli {

class CommandLines : public ::testing::Test {
 protected:
  // The exit code; standard output is kept in `out_`.
  int Call(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "consentctl");
    arguments.insert(arguments.end(), {"--endpoint", daemon_.endpoint(), "--no-header"});
    std::vector<const char*> pointers;
    for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
    ::testing::internal::CaptureStdout();
    const int code = cli::Run(static_cast<int>(pointers.size()), pointers.data());
    out_ = ::testing::internal::GetCapturedStdout();
    return code;
  }
  nlohmann::json OutJson() const { return nlohmann::json::parse(out_); }

  testing::FakeDaemon daemon_;
  std::string out_;
};

}  // namespace consent::cli
