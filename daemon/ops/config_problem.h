// What is wrong with a command line or a configuration file, in this daemon's words.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace consent::ops {

// One line, whatever CLI11 or a file put into its text.
std::string OneLine(std::string text);

// What CLI11 says of a file.
std::string FileProblem(const std::string& cli11_text);

// "; did you mean '--policy'?" of the first argument that looks like an option and is none; empty where none is near.
std::string OptionMeant(const CLI::App& app, const std::vector<std::string>& arguments);

// What stands between an unknown command and those that there are: which one was perhaps meant.
std::string CommandMeant(const std::string& word);

}  // namespace consent::ops
