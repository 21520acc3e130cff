// Policies for tests: a small world that is complete, and ways to change one thing in it.
#pragma once

#include <string>
#include <vector>

#include "consent/v1/policy.pb.h"
#include "daemon/policy/document.h"

namespace consent::test {

// Regimes: "eea" (DE, FR: opt-in, employees in DE and FR), "us" (US: opt-out, false wakes an hour, everybody
// everywhere), "open" (CA, and every region that is not named: opt-in, everybody everywhere). In use: HUMAN_REVIEW,
// MODEL_TRAINING, FEATURE_DEVELOPMENT, MESSAGE_TRANSCRIPTION; controls help_improve (HUMAN_REVIEW,
// FEATURE_DEVELOPMENT), messages_improve, train. Notices, valid from 2026-01-01, languages en and de, listing all in
// use:
//   general
//   own      the same; World consents for the account alone under it
//   past     covers the past
//   silent   does not say that people listen
//   short    a consent lasts 12 months
// Retention: until deleted, 3, 18 months, do not save. Ages of consent: DE 16, US 13, else 18. Uncertainty 2 s.
// One person suffices for each loosening. Caps of HUMAN_REVIEW that no test reaches by chance.
class PolicyBuilder {
 public:
  explicit PolicyBuilder(std::string version = "v1");

  v1::Policy& policy() { return policy_; }
  PolicyBuilder& Version(std::string version);
  // nullptr-free: an unknown name ends the process, because the test is wrong.
  v1::Regime& Regime(const std::string& name);
  v1::Notice& Notice(const std::string& version);
  v1::Control& Control(const std::string& name);
  v1::ReviewCaps& Caps() { return *policy_.mutable_review_caps(0); }  // of HUMAN_REVIEW
  // A copy of `like` with another version.
  PolicyBuilder& AddNotice(const std::string& version, const std::string& like, const std::string& valid_from,
                           const std::vector<std::string>& supersedes = {});
  PolicyBuilder& DropNotice(const std::string& version);
  PolicyBuilder& DropControl(const std::string& name);
  PolicyBuilder& AddPurpose(v1::Purpose purpose);

  std::string Json() const;
  // Ends the process where the policy is not valid.
  policy::Document Build() const;

 private:
  v1::Policy policy_;
};

}  // namespace consent::test
