// The domain's answers as messages; errors and digests.
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include "daemon/base/hash.h"
#include "daemon/wire/digest.h"
#include "daemon/wire/errors.h"
#include "daemon/wire/settings.h"
#include "daemon/wire/subject.h"
#include "tests/unit/wire/fields_of.h"
#include "tests/unit/wire/requests.h"

namespace consent::testing {
namespace {

using domain::ScopeKind;
using ::testing::ElementsAre;

const base::IdHasher kHasher(base::Bytes16{7});

// Opt-out everywhere, one control over review and features, one notice.
domain::Rules OptOutRules() {
  domain::Rules rules;
  rules.version = "v1";
  domain::Regime strict;
  domain::Regime open;
  open.default_rule = domain::DefaultRule::kOptOut;
  rules.regimes = {strict, open};
  domain::Region us;
  EXPECT_TRUE(domain::Region::Parse("US", &us));
  rules.regions[us] = {1, base::Instant{1}};
  rules.purposes.Add(domain::Purpose::kHumanReview);
  rules.purposes.Add(domain::Purpose::kFeatureDevelopment);
  rules.controls.push_back({"help_improve", 1, rules.purposes});
  domain::Notice notice;
  notice.version = "n1";
  notice.number = 3;
  notice.purposes = rules.purposes;
  notice.says_people_listen = true;
  notice.valid_from = base::Instant{1};
  rules.notices.push_back(notice);
  return rules;
}

struct Household {
  domain::SubjectFacts facts;
  wire::Names names;

  domain::ScopeFacts& Add(ScopeKind kind, const std::string& id) {
    domain::ScopeFacts scope;
    scope.kind = kind;
    scope.handle = kind == ScopeKind::kProfile ? kHasher.Profile(id).bytes : kHasher.Device(id).bytes;
    scope.registered = true;
    facts.scopes.push_back(scope);
    names.scopes.push_back({{kind, scope.handle}, id});
    return facts.scopes.back();
  }
};

TEST(WriteSubject, RegisteredPeopleAndDevices) {
  Household home;
  home.facts.registered = true;
  ASSERT_TRUE(domain::Region::Parse("US-CA", &home.facts.region));
  home.Add(ScopeKind::kProfile, "adult").age.kind = domain::AgeKind::kAdult;
  domain::ScopeFacts& child = home.Add(ScopeKind::kProfile, "kid");
  child.age.kind = domain::AgeKind::kBorn;
  ASSERT_TRUE(base::ParseDate("2015-02-28", &child.age.born));
  child.guardian = kHasher.Guardian("mum");
  child.last_active = base::Instant{9'000'000};
  home.names.guardians.push_back({kHasher.Guardian("mum"), "mum"});
  home.Add(ScopeKind::kDevice, "kitchen");
  home.Add(ScopeKind::kDevice, "named by a refusal only").registered = false;
  v1::GetSubjectResponse response;
  wire::WriteSubject(home.facts, home.names, "etag", &response);
  EXPECT_EQ(response.region(), "US-CA");
  ASSERT_EQ(response.profiles_size(), 2);
  EXPECT_TRUE(response.profiles(0).age().adult());
  EXPECT_FALSE(response.profiles(0).has_guardian_id());
  EXPECT_EQ(response.profiles(1).profile_id(), "kid");
  EXPECT_EQ(response.profiles(1).age().born(), "2015-02-28");
  EXPECT_EQ(response.profiles(1).guardian_id(), "mum");
  EXPECT_EQ(response.profiles(1).last_active_at().seconds(), 9);
  EXPECT_THAT(response.device_ids(), ElementsAre("kitchen"));
  EXPECT_TRUE(response.registered());
  EXPECT_EQ(response.etag(), "etag");
}

TEST(WriteSettings, WhatIsInForceAndWhy) {
  Household home;
  home.facts.registered = true;
  ASSERT_TRUE(domain::Region::Parse("US", &home.facts.region));
  home.facts.default_from = base::Instant{1};
  home.facts.account().registered = true;
  home.facts.account().default_from = base::Instant{1};
  domain::PurposeChoice& given = home.facts.account().ChoiceFor(domain::Purpose::kHumanReview);
  given.choice = domain::Choice::kGiven;
  given.imported = true;
  given.notice = 3;
  given.since = base::Instant{5'000'000};
  domain::ScopeFacts& device = home.Add(ScopeKind::kDevice, "kitchen");
  device.refused_all_since = base::Instant{6'000'000};
  device.retention = {domain::RetentionKind::kMonths, 3};
  v1::Settings settings;
  wire::WriteSettings(home.facts, home.names.scopes, OptOutRules(), base::Now::Sure(kNow), "", &settings);

  ASSERT_EQ(settings.controls_size(), 1);
  EXPECT_EQ(settings.controls(0).control(), "help_improve");
  EXPECT_TRUE(settings.controls(0).people_listen());
  EXPECT_EQ(settings.controls(0).purposes_size(), 2);
  ASSERT_EQ(settings.purposes_size(), 2);
  EXPECT_TRUE(settings.purposes(0).people_listen());
  EXPECT_FALSE(settings.purposes(1).people_listen()) << "features are developed by machines";
  ASSERT_EQ(settings.details_size(), 4) << "two scopes, two purposes";
  const v1::PurposeSetting& account = settings.details(0);
  EXPECT_EQ(account.scope().kind_case(), v1::Scope::KIND_NOT_SET);
  EXPECT_EQ(account.choice(), v1::CHOICE_GIVEN);
  EXPECT_EQ(account.since().seconds(), 5);
  EXPECT_EQ(account.notice_version(), "n1");
  EXPECT_TRUE(account.imported());
  for (const v1::PurposeSetting& detail : settings.details()) {
    EXPECT_NE(detail.effective(), v1::EFFECTIVE_ANSWER_UNSPECIFIED);
    EXPECT_NE(detail.choice(), v1::CHOICE_UNSPECIFIED);
    EXPECT_NE(detail.reason(), v1::REASON_UNSPECIFIED);
    if (detail.scope().device_id() == "kitchen") {
      EXPECT_EQ(detail.effective(), v1::EFFECTIVE_ANSWER_OFF);
    }
  }
  ASSERT_EQ(settings.retention_size(), 2) << "the account's is always there";
  EXPECT_TRUE(settings.retention(0).retention().until_deleted());
  EXPECT_EQ(settings.retention(1).scope().device_id(), "kitchen");
  EXPECT_EQ(settings.retention(1).retention().months(), 3);
  ASSERT_EQ(settings.refused_all_size(), 1);
  EXPECT_EQ(settings.refused_all(0).device_id(), "kitchen");
}

TEST(WriteHistory, ChangesInWordsWithoutValues) {
  const std::vector<wire::ScopeName> names = {{{ScopeKind::kProfile, kHasher.Profile("p").bytes}, "p"}};
  domain::FactChange change;
  change.scope = names[0].first;
  change.purpose = domain::Purpose::kAdvertising;
  change.from = domain::Choice::kGiven;
  change.to = domain::Choice::kWithdrawn;
  v1::HistoryChange purpose;
  wire::WriteHistoryChange(change, names, &purpose);
  EXPECT_EQ(purpose.scope().profile_id(), "p");
  EXPECT_EQ(purpose.purpose().from(), v1::CHOICE_GIVEN);
  EXPECT_EQ(purpose.purpose().to(), v1::CHOICE_WITHDRAWN);
  std::set<std::string> words;
  for (int what = 3; what <= 12; ++what) {
    change.what = static_cast<domain::ChangedWhat>(what);
    v1::HistoryChange other;
    wire::WriteHistoryChange(change, {}, &other);
    EXPECT_EQ(other.scope().kind_case(), v1::Scope::kProfileId) << "a profile, even where its id is gone";
    words.insert(other.other());
  }
  EXPECT_EQ(words.size(), 10U);
  EXPECT_EQ(words.count("other"), 0U);

  change.what = domain::ChangedWhat::kPurpose;
  domain::FactChange on = change;
  on.purpose = domain::Purpose::kHumanReview;
  on.to = domain::Choice::kGiven;
  v1::OptOutResponse out;
  wire::WriteChangedPurposes({change, change, on}, &out);
  EXPECT_THAT(out.changed_purposes(), ElementsAre(v1::PURPOSE_ADVERTISING));
  v1::Evidence evidence;
  wire::WriteEvidence("\xff\xff", &evidence);
  EXPECT_EQ(evidence.ByteSizeLong(), 0U);
}

// The code with which the comment of each reason begins, in the contract's text.
std::map<std::string, std::string> CodesInTheContract() {
  std::ifstream in(CONSENT_SOURCE_DIR "/proto/consent/v1/errors.proto");
  std::map<std::string, std::string> codes;
  std::string code;  // of the comment that is being read
  for (std::string line; std::getline(in, line);) {
    const size_t begin = line.find_first_not_of(' ');
    const size_t colon = line.find(": ");
    if (begin == std::string::npos) continue;
    if (line.compare(begin, 3, "// ") == 0) {
      if (code.empty() && colon != std::string::npos) code = line.substr(begin + 3, colon - begin - 3);
    } else {
      codes[line.substr(begin, line.find(' ', begin) - begin)] = code;
      code.clear();
    }
  }
  return codes;
}

TEST(Errors, EveryReasonHasItsCodeAndName) {
  std::map<std::string, std::string> contract = CodesInTheContract();
  for (int i = 1; i < v1::ErrorReason_descriptor()->value_count(); ++i) {
    const auto reason = static_cast<v1::ErrorReason>(v1::ErrorReason_descriptor()->value(i)->number());
    const absl::Status status = wire::MakeError(reason, "text", {{"limit", "5"}});
    const std::string comment = v1::ErrorReason_descriptor()->value(i)->name();
    EXPECT_EQ(wire::DetailOf(status).reason, reason) << comment;
    EXPECT_EQ(wire::DetailOf(status).metadata.at("limit"), "5");
    EXPECT_EQ("ERROR_REASON_" + wire::ReasonName(reason), comment);
    EXPECT_EQ(absl::StatusCodeToString(status.code()), contract[comment]) << comment;
    EXPECT_EQ(status.code() == absl::StatusCode::kInternal, reason == v1::ERROR_REASON_INTERNAL) << comment;
  }
  EXPECT_EQ(wire::DetailOf(absl::NotFoundError("of another maker")).reason, v1::ERROR_REASON_INTERNAL);
  EXPECT_EQ(wire::DetailOf(wire::OverloadedError("x")).reason, v1::ERROR_REASON_OVERLOADED);
  EXPECT_GT(wire::DetailOf(wire::OverloadedError("x")).retry_after, std::chrono::milliseconds(0));
  EXPECT_EQ(wire::FieldError("f", "d").message(), "f: d");
  EXPECT_EQ(wire::FieldErrors({{"f", "d"}, {"g", "e"}}).message(), "f: d (and 1 more)");
  EXPECT_EQ(wire::FieldErrors(std::vector<std::pair<std::string, std::string>>(40)).code(),
            absl::StatusCode::kInvalidArgument);
}

// Frozen: the digest of a stored request must not change with an upgrade.
TEST(Digest, Golden) {
  v1::OptOutRequest request;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"(account_id: "a" scope { profile_id: "p" } targets { all: true } targets { purpose: PURPOSE_ADVERTISING } request_id: "q")",
      &request));
  std::string bytes =
      "\x18"
      "consent.v1.OptOutRequest";
  bytes += std::string(
      "\x01\x01\x01"
      "a",
      4);  // account_id
  bytes += std::string(
      "\x02\x01\x01\x01\x01"
      "p\x00",
      7);                                                                    // scope
  bytes += std::string("\x03\x02\x03\x01\x01\x00\x02\x01\x07\x00\x00", 11);  // targets; end
  EXPECT_EQ(base::Hex(base::View(wire::RequestDigest(request))), base::Hex(base::View(base::Blake2b(bytes))));
  EXPECT_EQ(base::Hex(base::View(wire::RequestDigest(request))),
            "570c5d2ee4b00af209c73f9efbe855fa75bf4862691d73601a0cb42695cf1949");
}

TEST(Digest, EveryFieldCountsButTheRequestId) {
  for (const RequestKind& kind : AllRequests()) {
    for (const std::string& sample : kind.samples) {
      const auto message = Parse(kind, sample);
      const base::Digest whole = wire::RequestDigest(*message);
      message->GetReflection()->MutableUnknownFields(message.get())->AddVarint(1'000, 1);
      EXPECT_EQ(wire::RequestDigest(*message), whole) << "unknown fields do not count";
      for (const Spot& spot : SpotsOf(*message)) {
        std::unique_ptr<Message> changed(message->New());
        changed->CopyFrom(*message);
        Message* parent = spot.Parent(changed.get());
        if (spot.index() < 0) {
          parent->GetReflection()->ClearField(parent, spot.field());
        } else {
          parent->GetReflection()->RemoveLast(parent, spot.field());
        }
        EXPECT_EQ(wire::RequestDigest(*changed) == whole, spot.Path() == "request_id") << spot.Path();
      }
    }
  }
}

TEST(Digest, NoRequestHasAFieldThatItCannotCover) {
  for (const RequestKind& kind : AllRequests()) {
    for (const std::string& sample : kind.samples) {
      for (const Spot& spot : SpotsOf(*Parse(kind, sample))) {
        EXPECT_FALSE(spot.field()->is_map()) << spot.Path();
        EXPECT_NE(spot.field()->cpp_type(), FieldDescriptor::CPPTYPE_DOUBLE) << spot.Path();
        EXPECT_NE(spot.field()->cpp_type(), FieldDescriptor::CPPTYPE_FLOAT) << spot.Path();
      }
    }
  }
}

}  // namespace
}  // namespace consent::testing
