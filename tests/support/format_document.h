// The worked examples of a FORMAT.md, for tests that compare them with what the code writes.
#pragma once

#include <cctype>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace consent::test {

// Name of each example to its digits, without spaces and remarks: blocks of "```hex NAME", in which ';' begins a
// remark.
inline std::map<std::string, std::string> FormatExamples(const std::string& document) {
  constexpr std::string_view kBegin = "```hex ";
  std::map<std::string, std::string> examples;
  std::istringstream lines(document);
  std::string* into = nullptr;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(kBegin)) {
      into = &examples[line.substr(kBegin.size())];
    } else if (line.starts_with("```")) {
      into = nullptr;
    } else if (into != nullptr) {
      for (const char c : line.substr(0, line.find(';'))) {
        if (std::isspace(static_cast<unsigned char>(c)) == 0) into->push_back(c);
      }
    }
  }
  return examples;
}

// Names of examples that begin with `prefix` and are in one of the two alone, or differ.
inline std::vector<std::string> FormatDifferences(const std::string& document,
                                                  const std::map<std::string, std::string>& written,
                                                  std::string_view prefix) {
  std::map<std::string, std::string> described = FormatExamples(document);
  std::vector<std::string> names;
  for (const auto& [name, digits] : written) {
    if (described[name] != digits) names.push_back(name);
  }
  for (const auto& [name, digits] : described) {
    if (name.starts_with(prefix) && !written.contains(name)) names.push_back(name);
  }
  return names;
}

// How many digits the examples of `prefix` have. 0 unless each of them counts: with any other in its place
// FormatDifferences names that example, and so it does where the example is left out.
inline size_t CountFormatDigits(const std::string& document, const std::map<std::string, std::string>& written,
                                const std::string& prefix) {
  const std::string begin = "```hex " + prefix;
  size_t count = 0;
  for (size_t block = document.find(begin); block != std::string::npos; block = document.find(begin, block + 1)) {
    const size_t end = document.find("\n```", block);
    bool in_remark = false;
    for (size_t at = document.find('\n', block); at < end; ++at) {
      if (document[at] == '\n' || document[at] == ';') in_remark = document[at] == ';';
      if (in_remark || std::isxdigit(static_cast<unsigned char>(document[at])) == 0) continue;
      std::string other = document.substr(block, end + 4 - block);
      other[at - block] = document[at] == '0' ? '1' : '0';
      const std::string name = other.substr(7, other.find('\n') - 7);
      const auto digits = written.find(name);
      if (digits == written.end() || FormatDifferences(other, {*digits}, prefix).size() != 1) return 0;
      ++count;
    }
    if (FormatDifferences(document.substr(0, block), written, prefix).empty()) return 0;
  }
  return count;
}

inline std::string ReadDocument(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace consent::test
