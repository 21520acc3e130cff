// The texts of a policy: marks, and that none changes under its version. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "consent/v1/policy.pb.h"
#include "daemon/domain/texts.h"
#include "daemon/policy/document.h"

namespace consent::policy {

// Bytes of UTF-8.
inline constexpr size_t kMaxTitleBytes = 256;
inline constexpr size_t kMaxSentenceBytes = 4096;
inline constexpr size_t kMaxAppealBytes = 1024;
inline constexpr size_t kMaxAppealUrlBytes = 512;

// A sentence of a policy file. `[[` and `]]` enclose the words that say that people listen.
struct MarkedSentence {
  std::string shown;  // without the brackets
  int marks = 0;
  // Why it cannot be read, and the byte (from 0) where; empty: it can.
  std::string problem;
  size_t problem_at = 0;
};
MarkedSentence ReadMarks(std::string_view sentence);

// As they are shown, in the order of the policy. Of a valid policy.
template <typename TextsT>
std::vector<domain::Text> ToTexts(const TextsT& texts) {
  std::vector<domain::Text> out;
  out.reserve(static_cast<size_t>(texts.size()));
  for (const v1::LocalizedText& text : texts) {
    out.push_back(domain::MakeText(text.language(), text.title(), ReadMarks(text.sentence()).shown));
  }
  return out;
}

// FailedPrecondition with every text of a notice in `next` that is shown otherwise than that of the same version and
// language in `earlier`, at most kMaxProblems: a consent's evidence names version and language, and nobody is to look
// up another text than the one that was shown. Languages may come and go.
absl::Status CheckSameTexts(const Document& earlier, const Document& next);

}  // namespace consent::policy
