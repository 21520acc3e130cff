#include "tests/support/service/policy_builder.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>
#include <google/protobuf/util/type_resolver.h>
#include <google/protobuf/util/type_resolver_util.h>

#include "tests/support/policy_texts.h"

namespace consent::test {
namespace {

constexpr const char* kBase = R"json({
  "regimes": [
    {"name": "eea", "regions": ["DE", "FR"], "default_rule": "DEFAULT_RULE_OPT_IN", "allowed_countries": ["DE", "FR"],
     "allowed_sites": ["*"], "allowed_reviewer_classes": ["REVIEWER_CLASS_EMPLOYEE"],
     "child_inactive_months": 18, "child_notice_days": 60},
    {"name": "us", "regions": ["US"], "default_rule": "DEFAULT_RULE_OPT_OUT", "false_wake_ttl_seconds": 3600,
     "allowed_countries": ["*"], "allowed_sites": ["*"],
     "allowed_reviewer_classes": ["REVIEWER_CLASS_EMPLOYEE", "REVIEWER_CLASS_CONTRACTOR"],
     "child_inactive_months": 18, "child_notice_days": 60},
    {"name": "open", "regions": ["CA"], "default_rule": "DEFAULT_RULE_OPT_IN", "allowed_countries": ["*"],
     "allowed_sites": ["*"],
     "allowed_reviewer_classes": ["REVIEWER_CLASS_EMPLOYEE", "REVIEWER_CLASS_CONTRACTOR"],
     "child_inactive_months": 18, "child_notice_days": 60}
  ],
  "unknown_region_regime": "open",
  "purposes": ["PURPOSE_HUMAN_REVIEW", "PURPOSE_MODEL_TRAINING", "PURPOSE_FEATURE_DEVELOPMENT",
               "PURPOSE_MESSAGE_TRANSCRIPTION"],
  "controls": [
    {"name": "help_improve", "purposes": ["PURPOSE_HUMAN_REVIEW", "PURPOSE_FEATURE_DEVELOPMENT"]},
    {"name": "messages_improve", "purposes": ["PURPOSE_MESSAGE_TRANSCRIPTION"]},
    {"name": "train", "purposes": ["PURPOSE_MODEL_TRAINING"]}
  ],
  "notices": [],
  "ages_of_consent": {"DE": 16, "US": 13},
  "default_age_of_consent": 18,
  "retention_choices": {"until_deleted": true, "months": [3, 18], "do_not_save": true},
  "longest_answer_age_seconds": 300,
  "default_capture_uncertainty_ms": 2000,
  "approvals": {"resume": "PERSONS_ONE", "release_hold": "PERSONS_ONE", "activate_policy": "PERSONS_ONE"},
  "review_caps": [
    {"purpose": "PURPOSE_HUMAN_REVIEW", "rates": [{"countries": ["*"], "parts_per_million": 1000000}],
     "per_day": 1000000, "per_site_day": 1000000, "per_reviewer_shift": 10000, "per_account": 256}
  ]
})json";

[[noreturn]] void Wrong(const std::string& what) {
  std::fprintf(stderr, "policy of a test: %s\n", what.c_str());
  std::abort();
}

v1::Notice MakeNotice(const v1::Policy& policy, const std::string& version) {
  v1::Notice notice;
  notice.set_version(version);
  notice.add_languages("en");
  notice.add_languages("de");
  *notice.mutable_purposes() = policy.purposes();
  notice.set_says_people_listen(version != "silent");
  notice.set_covers_past(version == "past");
  notice.set_consent_lifetime_months(version == "short" ? 12 : 0);
  google::protobuf::util::TimeUtil::FromString("2026-01-01T00:00:00Z", notice.mutable_valid_from());
  return notice;
}

// `one` is of `all`.
template <typename Message>
void Drop(const Message& one, google::protobuf::RepeatedPtrField<Message>* all) {
  const auto is_it = [&one](const Message& each) { return &each == &one; };
  const auto found = std::find_if(all->begin(), all->end(), is_it);
  all->erase(found);
}

}  // namespace

PolicyBuilder::PolicyBuilder(std::string version) {
  if (!google::protobuf::util::JsonStringToMessage(kBase, &policy_).ok()) Wrong("does not parse");
  policy_.set_version(std::move(version));
  for (const char* name : {"general", "own", "past", "silent", "short"}) {
    *policy_.add_notices() = MakeNotice(policy_, name);
  }
}

PolicyBuilder& PolicyBuilder::Version(std::string version) {
  policy_.set_version(std::move(version));
  return *this;
}

v1::Regime& PolicyBuilder::Regime(const std::string& name) {
  for (v1::Regime& regime : *policy_.mutable_regimes()) {
    if (regime.name() == name) return regime;
  }
  Wrong("no regime " + name);
}

v1::Notice& PolicyBuilder::Notice(const std::string& version) {
  for (v1::Notice& notice : *policy_.mutable_notices()) {
    if (notice.version() == version) return notice;
  }
  Wrong("no notice " + version);
}

v1::Control& PolicyBuilder::Control(const std::string& name) {
  for (v1::Control& control : *policy_.mutable_controls()) {
    if (control.name() == name) return control;
  }
  Wrong("no control " + name);
}

PolicyBuilder& PolicyBuilder::AddNotice(const std::string& version, const std::string& like,
                                        const std::string& valid_from, const std::vector<std::string>& supersedes) {
  v1::Notice notice = Notice(like);
  notice.set_version(version);
  if (!google::protobuf::util::TimeUtil::FromString(valid_from, notice.mutable_valid_from())) {
    Wrong("no time " + valid_from);
  }
  for (const std::string& other : supersedes) notice.add_supersedes(other);
  *policy_.add_notices() = std::move(notice);
  return *this;
}

PolicyBuilder& PolicyBuilder::DropNotice(const std::string& version) {
  Drop(Notice(version), policy_.mutable_notices());
  return *this;
}

PolicyBuilder& PolicyBuilder::DropControl(const std::string& name) {
  Drop(Control(name), policy_.mutable_controls());
  return *this;
}

PolicyBuilder& PolicyBuilder::AddPurpose(v1::Purpose purpose) {
  policy_.add_purposes(purpose);
  return *this;
}

std::string PolicyBuilder::Json() const {
  v1::Policy whole = policy_;
  FillTexts(&whole);
  // Through deterministic bytes, because a policy's identity is its file's bytes and maps have no order of their own.
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream out(&bytes);
    google::protobuf::io::CodedOutputStream coded(&out);
    coded.SetSerializationDeterministic(true);
    whole.SerializeToCodedStream(&coded);
  }
  const std::unique_ptr<google::protobuf::util::TypeResolver> types(
      google::protobuf::util::NewTypeResolverForDescriptorPool("type.googleapis.com",
                                                               google::protobuf::DescriptorPool::generated_pool()));
  std::string json;
  const std::string type = "type.googleapis.com/" + policy_.GetTypeName();
  if (!google::protobuf::util::BinaryToJsonString(types.get(), type, bytes, &json).ok()) Wrong("does not print");
  return json;
}

policy::Document PolicyBuilder::Build() const {
  absl::StatusOr<policy::Document> document = policy::Document::Parse(Json());
  if (!document.ok()) Wrong(std::string(document.status().message()));
  return *std::move(document);
}

}  // namespace consent::test
