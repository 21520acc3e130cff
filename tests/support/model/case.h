// One complete question with everything that answers it: generated, changed, printed and made smaller by the tests.
#pragma once

#include <optional>
#include <string>

#include "daemon/domain/decide.h"

namespace consent::model {

struct Case {
  uint64_t seed = 0;  // generates it again; 0: built by hand
  domain::Rules rules;
  bool known = true;  // false: the subject is unknown and `subject` is not looked at
  domain::SubjectFacts subject;
  domain::RecordingState marks;
  domain::RecordingFacts recording;
  domain::Place place;
  domain::Purpose purpose = domain::Purpose::kNone;
  domain::Instant now;                        // the later end of "now"
  domain::Span lag;                           // the earlier end lies that much before
  bool doubtful = false;                      // the time is in doubt: there is no earlier end
  bool behind = false;                        // the clock is behind the last stamp: there is none either
  std::optional<domain::GrantCounts> grants;  // a review grant is asked for
};

// When the case asks.
base::Now NowOf(const Case& c);
// What it asks; as long as the case stays.
domain::Question QuestionOf(const Case& c);
// The rule's answer and the model's.
domain::Decision AnswerOfRule(const Case& c);
domain::Decision AnswerOfModel(const Case& c);

// Everything that a subject's facts, the rules and the question say, one value a line; what is unset is left out.
std::string Dump(const Case& c);
std::string Dump(const domain::Decision& decision);

// The rule's where none of the tombstones is in the record: the same.
domain::Decision AnswerOfRuleByCover(const Case& c);
// Empty where both decisions agree on everything that the model promises; else what differs.
std::string Difference(const domain::Decision& rule, const domain::Decision& model);

}  // namespace consent::model
