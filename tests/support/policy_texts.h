// Texts for the policies of tests, which are about something else.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>

#include "consent/v1/policy.pb.h"

namespace consent::test {

template <typename TextsT>
bool HasTextIn(const TextsT& texts, const std::string& language) {
  const auto lower = [](std::string tag) {
    for (char& c : tag) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return tag;
  };
  return std::any_of(texts.begin(), texts.end(),
                     [&](const auto& text) { return lower(text.language()) == lower(language); });
}

template <typename TextsT>
void AddText(const std::string& name, const std::string& language, TextsT* texts) {
  if (HasTextIn(*texts, language)) return;
  v1::LocalizedText* text = texts->Add();
  text->set_language(language);
  text->set_title(name + " in " + language);
  text->set_sentence("[[People listen]] under " + name + ", in " + language + ".");
}

// Adds what a valid policy says and this one does not: a text in each language of each notice, the same to each
// control, and how to appeal to each regime. The text of one notice or control in one language is always the same, and
// marked where it says that people listen.
inline void FillTexts(v1::Policy* policy) {
  for (v1::Regime& regime : *policy->mutable_regimes()) {
    if (regime.appeal_texts_size() > 0) continue;
    v1::AppealText* text = regime.add_appeal_texts();
    text->set_language("en");
    text->set_sentence("Write to us again.");
  }
  for (v1::Control& control : *policy->mutable_controls()) AddText(control.name(), "en", control.mutable_texts());
  for (v1::Notice& notice : *policy->mutable_notices()) {
    for (const std::string& language : notice.languages()) {
      AddText(notice.version(), language, notice.mutable_texts());
      for (v1::Control& control : *policy->mutable_controls())
        AddText(control.name(), language, control.mutable_texts());
    }
    // Of languages that it has no more.
    auto* const texts = notice.mutable_texts();
    texts->erase(std::remove_if(texts->begin(), texts->end(),
                                [&](const v1::LocalizedText& text) {
                                  const auto& kept = notice.languages();
                                  return std::find(kept.begin(), kept.end(), text.language()) == kept.end();
                                }),
                 texts->end());
  }
}

}  // namespace consent::test
