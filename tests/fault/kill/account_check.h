// What must be true of one account after a crash, judged from nothing but what clients were told before it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tests/fault/kill/operations.h"

namespace consent::test {

// An account as its history says it should be.
struct AccountModel {
  bool registered = false;
  std::map<v1::Purpose, v1::Choice> choices;  // of the account; absent: never chose
  std::map<v1::Purpose, int64_t> given;       // when, or when last renewed, in microseconds since 1970
  std::set<std::string> devices;
  std::set<std::string> flagged;  // recordings
  std::string etag;               // empty: unknown
  size_t entries = 0;             // of its history

  // Applies the operation, which the daemon stamped with `time` (microseconds since 1970); returns what its history
  // entry must say about purposes. A consent that is given again is renewed in whole seconds, so history shows it from
  // one second on.
  std::vector<v1::PurposeChange> Apply(const Operation& operation, int64_t time);
};

// Compares history with all attempts of the account (in no order), folds it into `*model`, and compares the model with
// settings, people and checks. Writes nothing. The error says what is wrong.
//
// Of history: it holds every acknowledged attempt under the revision that was acknowledged, no refused one, none twice
// and nothing else; each entry is complete and says the changes that the fold predicts; what was acknowledged before
// something else began stands before it.
absl::Status CheckAccount(const Api& api, const std::string& account, const std::vector<const Attempt*>& attempts,
                          AccountModel* model);

// Compares settings, people and checks with the model.
absl::Status CheckState(const Api& api, const std::string& account, const AccountModel& model);

}  // namespace consent::test
