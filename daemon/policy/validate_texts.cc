// Texts of notices and controls, and what whoever is denied a request is told.
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "daemon/domain/standards.h"
#include "daemon/domain/types.h"
#include "daemon/policy/problems.h"
#include "daemon/policy/texts.h"

namespace consent::policy {
namespace {

constexpr int kMaxAskAgainDays = 3650;
constexpr char kHowToMark[] =
    "no words of it are marked as saying so: put them in [[ and ]], such as \"[[People listen to recordings]] to ...\"";

// C0, DEL, C1, line and paragraph separators, and what turns the direction of the text around: U+202A to U+202E, U+2066
// to U+2069.
bool IsShownWhole(const std::string& text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto at = [&text, i](size_t ahead) {
      return i + ahead < text.size() ? static_cast<unsigned char>(text[i + ahead]) : 0U;
    };
    if (at(0) < 0x20 || at(0) == 0x7F) return false;
    if (at(0) == 0xC2 && at(1) >= 0x80 && at(1) <= 0x9F) return false;
    if (at(0) == 0xE2 && at(1) == 0x80 && at(2) >= 0xA8 && at(2) <= 0xAE) return false;
    if (at(0) == 0xE2 && at(1) == 0x81 && at(2) >= 0xA6 && at(2) <= 0xA9) return false;
  }
  return true;
}

void CheckShown(const std::string& text, size_t most, const std::string& path, Problems* problems) {
  if (text.empty()) {
    problems->Add(path, absl::StrCat("is missing: 1 to ", most, " bytes"));
  } else if (text.size() > most) {
    problems->Add(path, absl::StrCat("has ", text.size(), " bytes; at most ", most, " are allowed"));
  } else if (!IsShownWhole(text)) {
    problems->Add(path, "holds a control character, a line break, or one that turns the direction of the text");
  } else if (absl::StripAsciiWhitespace(text).size() != text.size()) {
    problems->Add(path, "begins or ends with a blank");
  }
}

void CheckLanguage(const std::string& tag, const std::string& path, std::map<std::string, std::string>* seen,
                   Problems* problems) {
  if (!domain::IsLanguageTag(tag)) {
    problems->Add(path, absl::StrCat(Quoted(tag), " is not a well-formed BCP 47 tag of at most 35 bytes"));
  }
  problems->Unique(seen, std::string(absl::AsciiStrToLower(tag)), Quoted(tag), path);
}

// `why_people_listen`: each sentence must say so; empty: it need not.
template <typename TextsT>
void CheckTexts(const TextsT& texts, const std::string& path, const std::string& why_people_listen,
                Problems* problems) {
  if (!problems->Count(path, texts.size(), 1, kMaxListed)) return;
  std::map<std::string, std::string> seen;
  for (int i = 0; i < texts.size(); ++i) {
    const std::string at = absl::StrCat(path, "[", i, "]");
    const v1::LocalizedText& text = texts.Get(i);
    CheckLanguage(text.language(), at + ".language", &seen, problems);
    CheckShown(text.title(), kMaxTitleBytes, at + ".title", problems);
    const MarkedSentence title = ReadMarks(text.title());
    if (title.marks != 0 || !title.problem.empty()) problems->Add(at + ".title", "holds [[ or ]]: only a sentence may");
    CheckShown(text.sentence(), kMaxSentenceBytes, at + ".sentence", problems);
    const MarkedSentence sentence = ReadMarks(text.sentence());
    if (!sentence.problem.empty()) {
      problems->Add(at + ".sentence",
                    absl::StrCat(sentence.problem, ", at byte ", sentence.problem_at + 1, " of the sentence"));
    } else if (sentence.marks == 0 && !why_people_listen.empty()) {
      problems->Add(at + ".sentence",
                    absl::StrCat("in ", Quoted(text.language()), ": ", why_people_listen, ", and ", kHowToMark));
    }
  }
}

// By purpose and lower-case tag: the version of a notice that is shown in that language.
using LanguagesShown = std::map<int, std::map<std::string, std::string>>;

LanguagesShown LanguagesOfNotices(const v1::Policy& policy) {
  LanguagesShown shown;
  for (const v1::Notice& notice : policy.notices()) {
    for (const int purpose : notice.purposes()) {
      for (const std::string& tag : notice.languages()) {
        shown[purpose].emplace(absl::AsciiStrToLower(tag), notice.version());
      }
    }
  }
  return shown;
}

// Who agrees in a language reads the toggle in it.
void CheckLanguagesOf(const v1::Control& control, const LanguagesShown& shown, const std::string& path,
                      Problems* problems) {
  std::set<std::string> missing;
  for (const v1::LocalizedText& text : control.texts()) missing.insert(absl::AsciiStrToLower(text.language()));
  for (const int purpose : control.purposes()) {
    const auto languages = shown.find(purpose);
    if (languages == shown.end()) continue;
    for (const auto& [tag, version] : languages->second) {
      if (!missing.insert(tag).second) continue;
      problems->Add(path, absl::StrCat("has no text in ", Quoted(tag), ", in which notice ", Quoted(version),
                                       " asks for one of its purposes"));
    }
  }
}

void CheckControls(const v1::Policy& policy, Problems* problems) {
  const LanguagesShown shown = LanguagesOfNotices(policy);
  for (int i = 0; i < policy.controls_size() && i < domain::kMaxControls; ++i) {
    const v1::Control& control = policy.controls(i);
    const std::string path = absl::StrCat("controls[", i, "].texts");
    const bool people_listen = std::find(control.purposes().begin(), control.purposes().end(),
                                         v1::PURPOSE_HUMAN_REVIEW) != control.purposes().end();
    CheckTexts(control.texts(), path,
               people_listen ? absl::StrCat("people listen to what ", Quoted(control.name()), " allows") : "",
               problems);
    CheckLanguagesOf(control, shown, path, problems);
  }
}

void CheckNotices(const v1::Policy& policy, Problems* problems) {
  for (int i = 0; i < policy.notices_size() && i < kMaxNotices; ++i) {
    const v1::Notice& notice = policy.notices(i);
    const std::string path = absl::StrCat("notices[", i, "].texts");
    CheckTexts(notice.texts(), path, notice.says_people_listen() ? "the notice says that people listen" : "", problems);
    std::set<std::string> texts;
    for (const v1::LocalizedText& text : notice.texts()) texts.insert(absl::AsciiStrToLower(text.language()));
    std::set<std::string> languages;
    for (const std::string& tag : notice.languages()) {
      languages.insert(absl::AsciiStrToLower(tag));
      if (texts.count(absl::AsciiStrToLower(tag)) == 0) {
        problems->Add(path, absl::StrCat("has no text in ", Quoted(tag), ", which `languages` lists"));
      }
    }
    for (int j = 0; j < notice.texts_size() && j < kMaxListed; ++j) {
      if (languages.count(absl::AsciiStrToLower(notice.texts(j).language())) != 0) continue;
      problems->Add(absl::StrCat(path, "[", j, "].language"),
                    absl::StrCat(Quoted(notice.texts(j).language()), " is not among the notice's languages"));
    }
  }
}

bool IsUrl(const std::string& url) {
  return url.size() <= kMaxAppealUrlBytes && url.rfind("https://", 0) == 0 && url.size() > 8 &&
         std::all_of(url.begin(), url.end(), [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); });
}

void CheckAppeals(const v1::Policy& policy, Problems* problems) {
  for (int i = 0; i < policy.regimes_size() && i < kMaxRegimes; ++i) {
    const v1::Regime& regime = policy.regimes(i);
    const std::string at = absl::StrCat("regimes[", i, "]");
    problems->Range(at + ".ask_again_after_days", regime.ask_again_after_days(), 0, kMaxAskAgainDays);
    const std::string path = at + ".appeal_texts";
    if (!problems->Count(path, regime.appeal_texts_size(), 1, kMaxListed)) continue;
    std::map<std::string, std::string> seen;
    for (int j = 0; j < regime.appeal_texts_size(); ++j) {
      const std::string text = absl::StrCat(path, "[", j, "]");
      CheckLanguage(regime.appeal_texts(j).language(), text + ".language", &seen, problems);
      CheckShown(regime.appeal_texts(j).sentence(), kMaxAppealBytes, text + ".sentence", problems);
      if (const std::string& url = regime.appeal_texts(j).url(); !url.empty() && !IsUrl(url)) {
        problems->Add(text + ".url", absl::StrCat(Quoted(url), " is not an https address of at most ",
                                                  kMaxAppealUrlBytes, " printable ASCII characters"));
      }
    }
  }
}

}  // namespace

void CheckTextsOf(const v1::Policy& policy, Problems* problems) {
  CheckControls(policy, problems);
  CheckNotices(policy, problems);
  CheckAppeals(policy, problems);
}

}  // namespace consent::policy
