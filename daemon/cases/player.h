// One case while it is played. Private to this folder.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "consent/v1/policy_cases.pb.h"
#include "daemon/base/ids.h"
#include "daemon/base/time.h"
#include "daemon/cases/play.h"
#include "daemon/domain/rules.h"
#include "daemon/domain/transitions.h"
#include "daemon/domain/types.h"
#include "daemon/wire/change_input.h"
#include "daemon/wire/fields.h"

namespace consent::cases {

// The account and the recording that a step means which names none.
inline constexpr char kAccount[] = "account";
inline constexpr char kRecording[] = "recording";

inline base::Instant ToInstant(const google::protobuf::Timestamp& time) {
  return wire::ToInstant(time.seconds(), time.nanos());
}

// What `own` lacks, field by field, from `defaults`; a list of its own replaces that of the defaults.
template <typename Message>
Message Filled(const Message& defaults, const Message& own) {
  Message filled = defaults;
  std::vector<const google::protobuf::FieldDescriptor*> set;
  own.GetReflection()->ListFields(own, &set);
  for (const google::protobuf::FieldDescriptor* field : set) {
    if (field->is_repeated()) filled.GetReflection()->ClearField(&filled, field);
  }
  filled.MergeFrom(own);
  return filled;
}

class Player {
 public:
  // `defaults` outlives it. `rules` is the policy as it is at `start`.
  Player(domain::Rules rules, base::Instant start, const v1::CaseDefaults& defaults);
  CaseResult Play(const v1::PolicyCase& one);

 private:
  void Step(const v1::CaseStep& step);
  // Changes (play_steps.cc).
  void Subject(v1::UpsertSubjectRequest request, const v1::CaseStep& step);
  void Settings(v1::UpdateSettingsRequest request, const v1::CaseStep& step);
  void OptOut(v1::OptOutRequest request, const v1::CaseStep& step);
  void Change(const absl::StatusOr<wire::ChangeInput>& input, const v1::CaseStep& step);
  void Report(const v1::CaseReport& report);
  void Delete(const v1::CaseDeletion& deletion);
  void Hold(const v1::CaseHold& hold);
  void Suspend(const v1::CaseSuspension& suspension);
  void NotifyOfChild(const v1::CaseChildNotice& notice);
  // Questions (play.cc).
  void Ask(const v1::CaseQuestion& question);
  void Deadlines(const v1::CaseDeadlines& deadlines);

  void Expect(const std::string& expected, const std::string& got);
  domain::SubjectFacts& FactsOf(const std::string& account_id);
  domain::RecordingState& MarksOf(const std::string& account_id, const std::string& recording_id);
  // The account where neither is named.
  domain::ScopeRef ScopeOf(const std::string& profile_id, const std::string& device_id) const;

  domain::Rules rules_;
  const v1::CaseDefaults& defaults_;
  const base::IdHasher hasher_;
  std::map<base::SubjectHandle, domain::SubjectFacts> subjects_;
  std::map<std::pair<base::SubjectHandle, base::RecordingHandle>, domain::RecordingState> marks_;
  base::Instant now_;
  uint64_t sequence_ = 0;
  int step_ = 0;
  CaseResult result_;
};

}  // namespace consent::cases
