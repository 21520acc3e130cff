// The enumerators of a header, read from its text: for tests that hold all of them against the protos.
#pragma once

#include <cctype>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <string>

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

namespace consent::test {

// Of `enum class name` in `file`, by number: "HUMAN_REVIEW" for kHumanReview. Empty: there is none.
inline std::map<int, std::string> EnumeratorsIn(const std::string& file, const std::string& name) {
  std::ifstream in(std::string(CONSENT_SOURCE_DIR) + "/" + file);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  text = std::regex_replace(text, std::regex("//[^\n]*"), "");
  std::map<int, std::string> found;
  std::smatch body;
  if (!std::regex_search(text, body, std::regex("enum class " + name + " : uint8_t \\{([^}]*)\\}"))) return found;
  const std::string inside = body[1];
  const std::regex one("k(\\w+) = (\\d+)");
  for (std::sregex_iterator at(inside.begin(), inside.end(), one); at != std::sregex_iterator(); ++at) {
    std::string words;
    for (const char c : (*at)[1].str()) {
      if (std::isupper(static_cast<unsigned char>(c)) && !words.empty()) words += '_';
      words += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    found[std::stoi((*at)[2])] = words;
  }
  return found;
}

// Every value of consent.v1.`name` but zero has an enumerator of that name and number in `file`. `more`: the enum may
// have numbers that the proto does not.
inline void ExpectEnumeratorsOfProto(const std::string& file, const std::string& name, bool more = false) {
  const auto* descriptor = google::protobuf::DescriptorPool::generated_pool()->FindEnumTypeByName("consent.v1." + name);
  ASSERT_NE(descriptor, nullptr) << name;
  const std::map<int, std::string> enumerators = EnumeratorsIn(file, name);
  const std::string zero = descriptor->FindValueByNumber(0)->name();
  const std::string prefix = zero.substr(0, zero.size() - std::string("UNSPECIFIED").size());
  for (int i = 0; i < descriptor->value_count(); ++i) {
    const auto* value = descriptor->value(i);
    if (value->number() == 0) continue;
    ASSERT_TRUE(enumerators.contains(value->number())) << file << " lacks " << value->name();
    EXPECT_EQ(prefix + enumerators.at(value->number()), value->name()) << file;
  }
  for (const auto& [number, words] : enumerators) {
    EXPECT_TRUE(more || number == 0 || descriptor->FindValueByNumber(number) != nullptr)
        << file << " has " << words << ", which " << name << " of the protos has not";
  }
}

}  // namespace consent::test
