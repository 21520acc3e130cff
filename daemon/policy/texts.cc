#include "daemon/policy/texts.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "daemon/json/places.h"
#include "daemon/policy/validate.h"

namespace consent::policy {
namespace {

constexpr std::string_view kMarkBegins = "[[";
constexpr std::string_view kMarkEnds = "]]";

bool HasLetter(std::string_view words) {
  for (const char c : words) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || absl::ascii_isalpha(byte)) return true;
  }
  return false;
}

// A text's version and language, which is the same in any case.
std::string KeyOf(const std::string& version, const std::string& language) {
  return absl::StrCat(version, " ", absl::AsciiStrToLower(language));
}

bool IsShownAlike(const v1::LocalizedText& a, const v1::LocalizedText& b) {
  if (a.title() != b.title()) return false;
  return a.sentence() == b.sentence() || ReadMarks(a.sentence()).shown == ReadMarks(b.sentence()).shown;
}

}  // namespace

MarkedSentence ReadMarks(std::string_view sentence) {
  MarkedSentence read;
  const auto fail = [&read](std::string problem, size_t at) {
    read.problem = std::move(problem);
    read.problem_at = at;
  };
  size_t from = 0;
  while (read.problem.empty()) {
    const size_t open = sentence.find(kMarkBegins, from);
    const size_t stray = sentence.find(kMarkEnds, from);
    if (stray < open) fail("\"]]\" closes a mark that \"[[\" has not opened", stray);
    read.shown += sentence.substr(from, std::min(open, sentence.size()) - from);
    if (open == std::string_view::npos || !read.problem.empty()) break;
    const size_t begin = open + kMarkBegins.size();
    const size_t close = sentence.find(kMarkEnds, begin);
    if (close == std::string_view::npos) {
      fail("\"[[\" opens a mark that \"]]\" does not close", open);
      break;
    }
    const std::string_view words = sentence.substr(begin, close - begin);
    if (words.find(kMarkBegins) != std::string_view::npos) fail("a mark begins within a mark", open);
    if (!HasLetter(words)) fail("a mark has no word in it", open);
    read.shown += words;
    ++read.marks;
    from = close + kMarkEnds.size();
  }
  return read;
}

absl::Status CheckSameTexts(const Document& earlier, const Document& next) {
  std::map<std::string, const v1::LocalizedText*> known;
  for (const v1::Notice& notice : earlier.policy().notices()) {
    for (const v1::LocalizedText& text : notice.texts()) known.emplace(KeyOf(notice.version(), text.language()), &text);
  }
  std::vector<std::string> changed;
  std::optional<json::Places> places;  // read only for a policy that is refused: there may be many earlier ones
  for (int i = 0; i < next.policy().notices_size(); ++i) {
    const v1::Notice& notice = next.policy().notices(i);
    for (int j = 0; j < notice.texts_size(); ++j) {
      const v1::LocalizedText& text = notice.texts(j);
      const auto before = known.find(KeyOf(notice.version(), text.language()));
      if (before == known.end() || IsShownAlike(*before->second, text)) continue;
      if (!places.has_value()) places.emplace(next.json());
      changed.push_back(absl::StrCat("notices[\"", notice.version(), "\"].texts[\"", text.language(), "\"]",
                                     json::PlaceText(places->Find(absl::StrCat("notices[", i, "].texts[", j, "]")))));
    }
  }
  if (changed.empty()) return absl::OkStatus();
  std::string text = absl::StrCat("policy \"", next.version(), "\" changes what policy \"", earlier.version(),
                                  "\" showed under the same version: ");
  for (size_t i = 0; i < changed.size() && i < kMaxProblems; ++i)
    absl::StrAppend(&text, i == 0 ? "" : "; ", changed[i]);
  if (changed.size() > kMaxProblems) absl::StrAppend(&text, "; and ", changed.size() - kMaxProblems, " more");
  return absl::FailedPreconditionError(absl::StrCat(text, ": a new text is a notice of a new version"));
}

}  // namespace consent::policy
