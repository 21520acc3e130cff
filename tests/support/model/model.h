// A second implementation of the rule, written from the page and not from daemon/domain: slow, plain, one predicate a
// row. Nothing here may include effective.h or call a method of Rules, SubjectFacts or ScopeFacts.
#pragma once

#include "daemon/domain/decide.h"
#include "daemon/domain/rules.h"
#include "daemon/domain/types.h"

namespace consent::model {

// As domain::Decide, except that good_until is always `now`: the model promises nothing about later.
domain::Decision Decide(const domain::SubjectFacts* subject, const domain::RecordingState& marks,
                        const domain::Question& question, const domain::Rules& rules);

domain::Reason FirstReason(const domain::Decision& decision);

}  // namespace consent::model
