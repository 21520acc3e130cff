#include "daemon/domain/texts.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "daemon/base/hash.h"
#include "daemon/domain/rules.h"
#include "daemon/domain/transitions.h"

namespace consent::domain {
namespace {

bool SameTag(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return absl::ascii_tolower(static_cast<unsigned char>(x)) == absl::ascii_tolower(static_cast<unsigned char>(y));
  });
}

// Without its last subtag, and without a single letter or digit that only introduced it. Empty: it has one subtag.
std::string_view Shorter(std::string_view tag) {
  const size_t last = tag.rfind('-');
  if (last == std::string_view::npos) return {};
  tag = tag.substr(0, last);
  const size_t before = tag.rfind('-');
  const size_t begin = before == std::string_view::npos ? 0 : before + 1;
  return tag.size() - begin == 1 ? Shorter(tag) : tag;
}

void AddShown(ShownKind kind, const std::string& name, const std::vector<Text>& texts, const std::string& language,
              std::vector<ShownText>* shown) {
  const Text* const text = FindText(texts, language);
  if (text == nullptr) return;
  ShownText one{kind, name, text->language, text->sha256};
  if (std::find(shown->begin(), shown->end(), one) == shown->end()) shown->push_back(std::move(one));
}

}  // namespace

base::Digest HashOfText(std::string_view title, std::string_view sentence) {
  std::string bytes(title);
  bytes += '\n';
  bytes += sentence;
  bytes += '\n';
  return base::Sha256(bytes);
}

Text MakeText(std::string language, std::string title, std::string sentence) {
  const base::Digest sha256 = HashOfText(title, sentence);
  return {std::move(language), std::move(title), std::move(sentence), sha256};
}

size_t FindLanguage(const std::vector<std::string_view>& languages, std::string_view language) {
  const auto is_it = [language](std::string_view tag) { return SameTag(tag, language); };
  return static_cast<size_t>(std::find_if(languages.begin(), languages.end(), is_it) - languages.begin());
}

size_t ChooseLanguage(const std::vector<std::string_view>& languages, std::string_view asked) {
  for (std::string_view tag = asked; !tag.empty(); tag = Shorter(tag)) {
    if (const size_t place = FindLanguage(languages, tag); place < languages.size()) return place;
  }
  const size_t english = FindLanguage(languages, "en");
  return english < languages.size() ? english : 0;
}

std::vector<ShownText> ShownBy(const Command& command, const Rules& rules) {
  std::vector<ShownText> shown;
  const bool turns_on = std::any_of(command.choices.begin(), command.choices.end(),
                                    [](const ChoiceCommand& choice) { return choice.on && choice.unreadable.empty(); });
  const Notice* const notice = rules.FindNotice(command.proof.notice_version);
  if (!turns_on || notice == nullptr) return shown;
  const std::string& language = command.proof.notice_language;
  AddShown(ShownKind::kNotice, notice->version, notice->texts, language, &shown);
  if (command.proof.channel == Channel::kImport) return shown;
  for (const ChoiceCommand& choice : command.choices) {
    if (!choice.on || !choice.unreadable.empty() || choice.target.kind != TargetKind::kControl) continue;
    if (const Control* control = rules.FindControl(choice.target.control)) {
      AddShown(ShownKind::kControl, control->name, control->texts, language, &shown);
    }
  }
  return shown;
}

const Text* FindShown(const ShownText& shown, const Rules& rules) {
  const std::vector<Text>* texts = nullptr;
  if (shown.kind == ShownKind::kNotice) {
    if (const Notice* notice = rules.FindNotice(shown.name)) texts = &notice->texts;
  } else if (const Control* control = rules.FindControl(shown.name)) {
    texts = &control->texts;
  }
  if (texts == nullptr) return nullptr;
  const Text* const text = FindText(*texts, shown.language);
  return text != nullptr && text->sha256 == shown.sha256 ? text : nullptr;
}

}  // namespace consent::domain
