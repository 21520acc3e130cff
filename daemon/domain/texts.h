// Texts that people are shown, by language: which one somebody gets, and what proves which one was shown. Pure;
// thread-safe.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/bytes.h"

namespace consent::domain {

struct Command;
struct Rules;

// As it is shown: without marks.
struct Text {
  std::string language;  // BCP 47
  std::string title;
  std::string sentence;
  base::Digest sha256{};  // HashOfText
  bool operator==(const Text&) const = default;
};

// How to appeal against a denial.
struct AppealText {
  std::string language;
  std::string sentence;
  std::string url;  // empty: none
  bool operator==(const AppealText&) const = default;
};

// SHA-256 over title, LF, sentence, LF. Neither holds a control character (daemon/policy), so no two texts are written
// alike; `printf '%s\n%s\n' "$title" "$sentence" | sha256sum` prints it.
base::Digest HashOfText(std::string_view title, std::string_view sentence);
Text MakeText(std::string language, std::string title, std::string sentence);

// Place of the entry of that language, whatever its case; `languages.size()`: there is none.
size_t FindLanguage(const std::vector<std::string_view>& languages, std::string_view language);
// Place of the entry to show to whoever asks for `asked`: by RFC 4647 section 3.4 (Lookup) the tag itself, then the tag
// without its last subtags, one after the other; else `en`; else the first. `languages.size()`: there are none.
size_t ChooseLanguage(const std::vector<std::string_view>& languages, std::string_view asked);

template <typename TextT>
std::vector<std::string_view> LanguagesOf(const std::vector<TextT>& texts) {
  std::vector<std::string_view> languages;
  languages.reserve(texts.size());
  for (const TextT& text : texts) languages.push_back(text.language);
  return languages;
}
// nullptr: there is none.
template <typename TextT>
const TextT* FindText(const std::vector<TextT>& texts, std::string_view language) {
  const size_t place = FindLanguage(LanguagesOf(texts), language);
  return place < texts.size() ? &texts[place] : nullptr;
}
template <typename TextT>
const TextT* ChooseText(const std::vector<TextT>& texts, std::string_view asked) {
  const size_t place = ChooseLanguage(LanguagesOf(texts), asked);
  return place < texts.size() ? &texts[place] : nullptr;
}

// Numbers are on disk.
enum class ShownKind : uint8_t { kNotice = 1, kControl = 2 };

// Which text somebody saw: part of a consent's evidence.
struct ShownText {
  ShownKind kind = ShownKind::kNotice;
  std::string name;  // the notice's version, or the control's name
  std::string language;
  base::Digest sha256{};
  auto operator<=>(const ShownText&) const = default;
};

// What whoever turns something on by `command` was shown, by `rules`: the notice's text, and that of each control that
// is turned on, in the language of the evidence. Of an import the notice's alone: what the toggle said elsewhere nobody
// knows here. Empty where nothing is turned on. At most 65.
std::vector<ShownText> ShownBy(const Command& command, const Rules& rules);
// The text itself; nullptr: these rules do not have it, or it is another one.
const Text* FindShown(const ShownText& shown, const Rules& rules);

}  // namespace consent::domain
