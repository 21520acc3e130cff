// Texts that people are shown. They turn no answer: what a toggle or a denial says may change with a policy, and is
// listed; what a notice says may not.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "daemon/policy/differences.h"
#include "daemon/policy/reading.h"
#include "daemon/policy/texts.h"

namespace consent::policy {
namespace {

using Kind = DifferenceKind;

// What each language says, by its lower-case tag.
using Sayings = std::map<std::string, std::string>;

template <typename TextsT>
Sayings SayingsOf(const TextsT& texts) {
  Sayings sayings;
  for (const domain::Text& text : ToTexts(texts)) {
    sayings.emplace(absl::AsciiStrToLower(text.language), std::string(base::View(text.sha256)));
  }
  return sayings;
}

Sayings AppealsOf(const v1::Regime& regime) {
  Sayings sayings;
  for (const v1::AppealText& text : regime.appeal_texts()) {
    sayings.emplace(absl::AsciiStrToLower(text.language()), absl::StrCat(text.sentence(), "\n", text.url()));
  }
  return sayings;
}

// Languages that both have and in which they say something else.
std::vector<std::string> Changed(const Sayings& from, const Sayings& to) {
  std::vector<std::string> changed;
  for (const auto& [language, said] : from) {
    const auto now = to.find(language);
    if (now != to.end() && now->second != said) changed.push_back(language);
  }
  return changed;
}

std::vector<std::string> Gained(const Sayings& from, const Sayings& to) {
  std::vector<std::string> gained;
  for (const auto& [language, said] : to) {
    if (from.count(language) == 0) gained.push_back(language);
  }
  return gained;
}

void AddNeutral(const std::string& path, const Sayings& from, const Sayings& to, Differences* out) {
  const auto add = [&](const char* what, const std::vector<std::string>& languages) {
    if (!languages.empty()) out->push_back({path, absl::StrCat(what, Listed(languages)), Kind::kNeutral, 0, 0});
  };
  add("changes in ", Changed(from, to));
  add("gains ", Gained(from, to));
  add("loses ", Gained(to, from));
}

}  // namespace

void CompareNoticeTexts(const v1::Notice& from, const v1::Notice& to, const std::string& path,
                        domain::NoticeNumber number, Differences* out) {
  const std::vector<std::string> changed = Changed(SayingsOf(from.texts()), SayingsOf(to.texts()));
  if (changed.empty()) return;
  out->push_back({path, absl::StrCat("changes in ", Listed(changed)), Kind::kBreaksStored, number, 0});
}

void CompareControlTexts(const v1::Control& from, const v1::Control& to, const std::string& path, Differences* out) {
  AddNeutral(path, SayingsOf(from.texts()), SayingsOf(to.texts()), out);
}

void CompareAppeals(const v1::Regime& from, const v1::Regime& to, const std::string& path, Differences* out) {
  const int before = AskAgainDays(from);
  const int after = AskAgainDays(to);
  if (before != after) {
    out->push_back({path + ".ask_again_after_days", absl::StrCat(before, " becomes ", after),
                    after < before ? Kind::kLoosening : Kind::kRestriction, 0, 0});
  }
  AddNeutral(path + ".appeal_texts", AppealsOf(from), AppealsOf(to), out);
}

}  // namespace consent::policy
