// Writing requests to commands.
#include <string>

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "daemon/wire/errors.h"
#include "daemon/wire/policy.h"
#include "daemon/wire/recording.h"
#include "daemon/wire/review.h"
#include "daemon/wire/settings.h"
#include "daemon/wire/subject.h"
#include "tests/unit/wire/requests.h"

namespace consent::testing::changes_test {
namespace {

using domain::ScopeKind;
using ::testing::ElementsAre;
using ::testing::Pair;

template <typename M>
M Text(const std::string& text) {
  M message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

const base::IdHasher kHasher(base::Bytes16{7});
domain::ScopeRef Profile(const std::string& id) { return {ScopeKind::kProfile, kHasher.Profile(id).bytes}; }
domain::ScopeRef Device(const std::string& id) { return {ScopeKind::kDevice, kHasher.Device(id).bytes}; }

absl::StatusOr<wire::ChangeInput> Upsert(const std::string& text) {
  return wire::ReadUpsertSubject(Text<v1::UpsertSubjectRequest>(R"(account_id: "a" request_id: "q" )" + text), kHasher,
                                 kNow);
}
absl::StatusOr<wire::ChangeInput> Update(const std::string& text) {
  return wire::ReadUpdateSettings(Text<v1::UpdateSettingsRequest>(R"(account_id: "a" request_id: "q" )" + text),
                                  kHasher);
}
absl::StatusOr<wire::ChangeInput> OptOut(const std::string& text) {
  return wire::ReadOptOut(Text<v1::OptOutRequest>(R"(account_id: "a" request_id: "q" )" + text), kHasher);
}

// The fields at fault, in order.
template <typename T>
std::vector<std::string> Faults(const absl::StatusOr<T>& read) {
  std::vector<std::string> fields;
  for (const auto& [field, description] : wire::DetailOf(read.status()).violations) fields.push_back(field);
  return fields;
}

TEST(Upsert, PeopleAndDevices) {
  const auto input = Upsert(R"(region: "US-CA" etag: "e"
      profiles { profile_id: "p1" age { adult: true } } profiles { profile_id: "p2" age { child: true } guardian_id: "g"
      last_active_at { seconds: 1790000000 } } profiles { profile_id: "p3" guardian_id: "" }
      profiles { profile_id: "p4" age { born: "2015-02" } }
      device_ids: "d1" remove_profile_ids: "p5" remove_device_ids: "d2")");
  ASSERT_TRUE(input.ok()) << input.status();
  const domain::Command& command = input->command;
  EXPECT_TRUE(command.registers);
  EXPECT_EQ(input->subject, kHasher.Subject("a"));
  EXPECT_EQ(input->etag, "e");
  EXPECT_EQ(input->request_id, "q");
  EXPECT_FALSE(command.expected_revision.has_value());
  EXPECT_EQ(command.region->ToString(), "US-CA");
  ASSERT_EQ(command.profiles.size(), 4U);
  EXPECT_EQ(command.profiles[0].profile, kHasher.Profile("p1"));
  EXPECT_EQ(command.profiles[0].age->kind, domain::AgeKind::kAdult);
  EXPECT_FALSE(command.profiles[0].guardian.has_value());
  EXPECT_FALSE(command.profiles[0].last_active.IsSet());
  EXPECT_EQ(command.profiles[1].age->kind, domain::AgeKind::kChild);
  EXPECT_EQ(command.profiles[1].guardian, kHasher.Guardian("g"));
  EXPECT_EQ(command.profiles[1].last_active.micros, 1'790'000'000'000'000);
  EXPECT_FALSE(command.profiles[2].age.has_value()) << "unchanged";
  EXPECT_FALSE(command.profiles[2].guardian->IsSet()) << "an empty one takes the guardian away";
  EXPECT_EQ(base::FormatDate(command.profiles[3].age->born), "2015-02-28") << "a month counts as its last day";
  EXPECT_THAT(command.devices, ElementsAre(kHasher.Device("d1")));
  EXPECT_THAT(command.removals, ElementsAre(Profile("p5"), Device("d2")));
  EXPECT_THAT(input->names.guardians, ElementsAre(Pair(kHasher.Guardian("g"), "g")));
  EXPECT_EQ(input->names.scopes.size(), 7U);
}

TEST(Upsert, WhatIsNotSaidIsUnchanged) {
  const auto input = Upsert("");
  ASSERT_TRUE(input.ok());
  EXPECT_FALSE(input->command.region.has_value());
  EXPECT_EQ(input->command.proof.channel, domain::Channel::kMissing);
  EXPECT_TRUE(input->evidence.empty());
}

TEST(Upsert, AScopeIsNamedOnce) {
  EXPECT_THAT(
      Faults(Upsert(R"(profiles { profile_id: "p" } profiles { profile_id: "q" } profiles { profile_id: "p" })")),
      ElementsAre("profiles[2]"));
  EXPECT_THAT(Faults(Upsert(R"(device_ids: "d" device_ids: "d")")), ElementsAre("device_ids[1]"));
  EXPECT_THAT(Faults(Upsert(R"(profiles { profile_id: "p" } remove_profile_ids: "p")")),
              ElementsAre("remove_profile_ids[0]"));
  EXPECT_THAT(Faults(Upsert(R"(device_ids: "d" remove_device_ids: "d")")), ElementsAre("remove_device_ids[0]"));
  EXPECT_TRUE(Upsert(R"(profiles { profile_id: "x" } device_ids: "x")").ok())
      << "a profile and a device may share an id";
  EXPECT_TRUE(Upsert(R"(retention { retention { months: 3 } } retention { scope {} retention { months: 4 } })").ok())
      << "of two for a scope the shorter is done, the other refused by itself";
}

TEST(Upsert, AgesAndTimes) {
  EXPECT_THAT(Faults(Upsert(R"(profiles { profile_id: "p" age {} })")), ElementsAre("profiles[0].age"));
  EXPECT_TRUE(Upsert(R"(profiles { profile_id: "p" last_active_at { seconds: 1795262430 } })").ok())
      << "a clock's difference";
  EXPECT_THAT(Faults(Upsert(R"(profiles { profile_id: "p" last_active_at { seconds: 1795262461 } })")),
              ElementsAre("profiles[0].last_active_at"));
  EXPECT_THAT(Faults(Upsert(R"(region: "")")), ElementsAre("region")) << "given, it must name one";
}

TEST(Upsert, PartNamesFollowTheOrderOfTheParts) {
  const auto request =
      Text<v1::UpsertSubjectRequest>(R"(region: "DE" profiles {} device_ids: "" device_ids: "" remove_profile_ids: ""
      remove_device_ids: "" initial_choices {} initial_choices {} retention {})");
  std::vector<std::string> names;
  for (size_t i = 0; i < 10; ++i) names.push_back(wire::UpsertPartName(request, i));
  EXPECT_THAT(names,
              ElementsAre("region", "profiles[0]", "device_ids[0]", "device_ids[1]", "remove_profile_ids[0]",
                          "remove_device_ids[0]", "initial_choices[0]", "initial_choices[1]", "retention[0]", ""));
  EXPECT_EQ(wire::UpsertPartName(Text<v1::UpsertSubjectRequest>("profiles {}"), 0), "profiles[0]");
}

TEST(Update, ChoicesAndRetention) {
  const auto input = Update(R"(changes { target { control: "c" } turn: SWITCH_ON }
      changes { scope { profile_id: "p" } target { purpose: PURPOSE_ADVERTISING } turn: SWITCH_OFF }
      changes { scope { device_id: "d" } target { all: true } turn: SWITCH_OFF }
      retention { retention { until_deleted: true } } retention { scope { profile_id: "p" } retention { months: 120 } }
      retention { scope { device_id: "d" } retention { do_not_save: true } })");
  ASSERT_TRUE(input.ok()) << input.status();
  const auto& choices = input->command.choices;
  ASSERT_EQ(choices.size(), 3U);
  EXPECT_EQ(choices[0].scope, domain::ScopeRef{});
  EXPECT_EQ(choices[0].target.kind, domain::TargetKind::kControl);
  EXPECT_EQ(choices[0].target.control, "c");
  EXPECT_TRUE(choices[0].on);
  EXPECT_EQ(choices[1].scope, Profile("p"));
  EXPECT_EQ(choices[1].target.purpose, domain::Purpose::kAdvertising);
  EXPECT_FALSE(choices[1].on);
  EXPECT_EQ(choices[2].scope, Device("d"));
  EXPECT_EQ(choices[2].target.kind, domain::TargetKind::kAll);
  const auto& retention = input->command.retention;
  ASSERT_EQ(retention.size(), 3U);
  EXPECT_EQ(retention[0].retention.kind, domain::RetentionKind::kUntilDeleted);
  EXPECT_EQ(retention[1].retention.months, 120);
  EXPECT_EQ(retention[2].retention.kind, domain::RetentionKind::kDoNotSave);
  EXPECT_THAT(input->names.scopes, ElementsAre(Pair(Profile("p"), "p"), Pair(Device("d"), "d"))) << "each once";
  EXPECT_FALSE(input->command.registers);
}

TEST(Update, OneToSixtyFourPartsTogether) {
  EXPECT_THAT(Faults(Update("")), ElementsAre("changes"));
  EXPECT_TRUE(Update("retention { retention { months: 1 } }").ok());
  std::string text;
  for (int i = 0; i < 63; ++i) {
    text +=
        R"(changes { scope { profile_id: "p)" + std::to_string(i) + R"(" } target { all: true } turn: SWITCH_OFF } )";
  }
  EXPECT_TRUE(Update(text + "retention { retention { months: 1 } }").ok());
  text += R"(retention { retention { months: 1 } } retention { scope { device_id: "d" } retention { months: 1 } })";
  EXPECT_THAT(Faults(Update(text)), ElementsAre("changes"));
}

// Which of them is done is the transition's to say: a no is never lost for what stands beside it.
TEST(Update, TheSameScopeAndTargetMayBeNamedTwice) {
  const std::string on = R"(changes { target { control: "c" } turn: SWITCH_ON } )";
  const std::string off = R"(changes { scope {} target { control: "c" } turn: SWITCH_OFF } )";
  const auto both = Update(on + off + off);
  ASSERT_TRUE(both.ok()) << both.status();
  EXPECT_EQ(both->command.choices.size(), 3U);
  EXPECT_TRUE(Update("retention { retention { months: 3 } } retention { retention { months: 18 } }").ok());
}

TEST(Update, NamesTheProfileOfWhoConsents) {
  const std::string on = R"(changes { target { control: "c" } turn: SWITCH_ON } )";
  const auto input = Update(on + R"(self_profile_id: "p")");
  ASSERT_TRUE(input.ok()) << input.status();
  ASSERT_TRUE(input->command.self_profile.has_value());
  EXPECT_EQ(input->command.self_profile->bytes, Profile("p").handle);
  EXPECT_FALSE(Update(on)->command.self_profile.has_value());
}

// Turning everything on is refused part by part, so that the restrictions beside it apply.
TEST(Update, EverythingOnIsTheTransitionsMatter) {
  EXPECT_TRUE(Update("changes { target { all: true } turn: SWITCH_ON }").ok());
}

TEST(Update, WhatHasToBeSaid) {
  EXPECT_THAT(Faults(Update("changes {}")), ElementsAre("changes[0].target", "changes[0].turn"));
  EXPECT_THAT(Faults(Update("retention {}")), ElementsAre("retention[0].retention"));
}

TEST(OptOut, ScopeAndTargets) {
  const auto input =
      OptOut(R"(scope { profile_id: "p" } targets { all: true } targets { control: "c" } targets { control: "c" })");
  ASSERT_TRUE(input.ok()) << "the same target twice is off all the same: " << input.status();
  ASSERT_EQ(input->command.choices.size(), 3U);
  for (const auto& choice : input->command.choices) {
    EXPECT_FALSE(choice.on);
    EXPECT_EQ(choice.scope, Profile("p"));
  }
  EXPECT_THAT(Faults(OptOut("")), ElementsAre("targets"));
}

// A no counts wherever account, scope and target can be read; all else of the request is refused, and says why.
TEST(Unusable, ANoCountsWhateverIsBesideIt) {
  const std::string off = R"(changes { target { control: "c" } turn: SWITCH_OFF } )";
  const std::string initial = R"(initial_choices { target { control: "c" } turn: SWITCH_OFF } )";
  const std::string target = R"(targets { control: "c" } )";
  const std::string long_id(129, 'x');
  const std::string evidence[] = {"evidence { channel: 99 } ", "evidence { notice_version: \"" + long_id + "\" } ",
                                  "evidence { guardian_id: \"" + long_id + "\" } ",
                                  "evidence { channel: CHANNEL_APP given_at { seconds: 7 } } ",
                                  "evidence { given_at { seconds: -1 } channel: CHANNEL_IMPORT } "};
  const auto expect_only_the_no = [&](const absl::StatusOr<wire::ChangeInput>& input, const std::string& why,
                                      const std::string& text) {
    ASSERT_TRUE(input.ok()) << text << input.status();
    EXPECT_THAT(input->command.unusable, ::testing::HasSubstr(why)) << text;
    EXPECT_TRUE(input->evidence.empty()) << text;
    EXPECT_FALSE(input->create_new) << text;
    for (const auto& [scope, id] : input->names.scopes) EXPECT_NE(id, long_id) << text;
    EXPECT_TRUE(input->names.guardians.empty()) << text;
    for (const domain::ChoiceCommand& choice : input->command.choices) {
      if (choice.unreadable.empty() && !choice.on) {
        EXPECT_EQ(choice.target.control, "c") << text;
        return;
      }
    }
    ADD_FAILURE() << "the no is lost beside " << text;
  };
  for (const std::string& bad : evidence) {
    expect_only_the_no(Update(off + bad), "evidence", bad);
    expect_only_the_no(OptOut(target + bad), "evidence", bad);
    expect_only_the_no(Upsert(initial + bad), "evidence", bad);
  }
  for (const std::string& bad :
       {std::string("changes {}"),
        "changes { scope { profile_id: \"" + long_id + "\" } target { control: \"d\" } turn: SWITCH_OFF }",
        std::string("changes { target { purpose: 99 } turn: SWITCH_OFF }"),
        std::string("changes { target { control: \"d\" } turn: 9 }"),
        std::string("retention { retention { months: 121 } }"), "etag: \"" + std::string(300, 'e') + "\"",
        "self_profile_id: \"" + long_id + "\""}) {
    expect_only_the_no(Update(off + bad), ":", bad);
    expect_only_the_no(Update(bad + off), ":", bad);
  }
  for (const std::string& bad :
       {std::string("targets {}"), std::string("targets { purpose: 99 }"), std::string("targets { all: false }")}) {
    expect_only_the_no(OptOut(target + bad), "targets[1]", bad);
    expect_only_the_no(OptOut(bad + target), "targets[0]", bad);
  }
  for (const std::string& bad :
       {std::string(R"(region: "Germany")"), std::string(R"(profiles { profile_id: "p" age {} })"),
        "profiles { profile_id: \"" + long_id + "\" }",
        std::string(R"(profiles { profile_id: "p" age { born: "2015-13" } guardian_id: "g" })"),
        "device_ids: \"" + long_id + "\"", std::string(R"(remove_device_ids: "")"), std::string("initial_choices {}"),
        std::string("retention {}")}) {
    expect_only_the_no(Upsert(initial + bad + " create_new: true"), ":", bad);
  }
}

TEST(Unusable, WithoutANoThatCanBeReadTheWholeIsRefused) {
  EXPECT_FALSE(Update(R"(changes { target { control: "c" } turn: SWITCH_ON } changes {})").ok());
  EXPECT_FALSE(Update(R"(changes { scope { profile_id: "" } target { control: "c" } turn: SWITCH_OFF })").ok());
  EXPECT_FALSE(OptOut(R"(scope { device_id: "" } targets { all: true })").ok()) << "whose no is it?";
  EXPECT_FALSE(Upsert(R"(region: "Germany" initial_choices { target { control: "c" } turn: SWITCH_ON })").ok());
  const std::string off = R"(targets { all: true })";
  EXPECT_FALSE(wire::ReadOptOut(Text<v1::OptOutRequest>("request_id: \"q\" " + off), kHasher).ok());
}

TEST(Unusable, ARequestIdThatCannotBeUsedIsLeftAside) {
  for (const std::string& id : {std::string(), std::string(65, 'x')}) {
    const auto input = wire::ReadOptOut(
        Text<v1::OptOutRequest>("account_id: \"a\" targets { all: true } request_id: \"" + id + "\""), kHasher);
    ASSERT_TRUE(input.ok()) << input.status();
    EXPECT_TRUE(input->request_id.empty());
    EXPECT_EQ(input->command.unusable, "request_id: must be 1 to 64 bytes");
  }
}

TEST(Evidence, FormOnlyAndGivenAtWithAnImportOnly) {
  const auto input =
      OptOut(R"(targets { all: true } evidence { notice_version: "v" notice_language: "de" channel: CHANNEL_IMPORT
      actor: ACTOR_GUARDIAN guardian_id: "g" given_at { seconds: 7 } reference: "t" })");
  ASSERT_TRUE(input.ok()) << input.status();
  const domain::Proof& proof = input->command.proof;
  EXPECT_EQ(proof.notice_version, "v");
  EXPECT_EQ(proof.notice_language, "de");
  EXPECT_EQ(proof.channel, domain::Channel::kImport);
  EXPECT_EQ(proof.actor, domain::Actor::kGuardian);
  EXPECT_EQ(proof.guardian, kHasher.Guardian("g"));
  EXPECT_EQ(proof.given_at.micros, 7'000'000);
  v1::Evidence sealed;
  wire::WriteEvidence(input->evidence, &sealed);
  EXPECT_EQ(sealed.reference(), "t");
  EXPECT_THAT(input->names.guardians, ElementsAre(Pair(kHasher.Guardian("g"), "g")));
  EXPECT_THAT(
      Faults(Update(
          R"(changes { target { control: "c" } turn: SWITCH_ON } evidence { channel: CHANNEL_APP given_at { seconds: 7 } })")),
      ElementsAre("evidence.given_at"));
  EXPECT_TRUE(OptOut("targets { all: true } evidence {}").ok()) << "an opt-out needs none";
  EXPECT_TRUE(OptOut("targets { all: true } evidence { actor: ACTOR_GUARDIAN }").ok())
      << "what is missing does not stop a restriction";
}

TEST(Report, Flags) {
  const auto read = [](const std::string& text) {
    return wire::ReadReportRecording(Text<v1::ReportRecordingRequest>(R"(account_id: "a" recording_id: "r" )" + text),
                                     kHasher);
  };
  const auto input = read("flags: FLAG_CHILD_PRESENT flags: FLAG_CRITICAL_DATA");
  ASSERT_TRUE(input.ok()) << input.status();
  EXPECT_EQ(input->flags, domain::Flags::kChildPresent | domain::Flags::kCriticalData);
  EXPECT_EQ(input->recording, kHasher.Recording("r"));
  EXPECT_TRUE(input->request_id.empty()) << "then it is not made idempotent";
  EXPECT_THAT(Faults(read("")), ElementsAre("flags"));
  EXPECT_TRUE(read("flags: FLAG_SAFETY flags: FLAG_SAFETY")->unusable.empty()) << "harmless";
  v1::ReportRecordingRequest unknown =
      Text<v1::ReportRecordingRequest>(R"(account_id: "a" recording_id: "r" flags: FLAG_SAFETY)");
  unknown.add_flags(static_cast<v1::Flag>(99));
  const auto beside = wire::ReadReportRecording(unknown, kHasher);
  ASSERT_TRUE(beside.ok()) << "the flag that is known counts";
  EXPECT_EQ(beside->flags, domain::Flags::kSafety);
  EXPECT_THAT(beside->unusable, ::testing::HasSubstr("flags[1]"));
  google::protobuf::RepeatedField<int> flags;
  wire::WriteFlags(input->flags, &flags);
  EXPECT_THAT(flags, ElementsAre(v1::FLAG_CRITICAL_DATA, v1::FLAG_CHILD_PRESENT));
}

TEST(Reads, HistoryPagesAndPastSettings) {
  const auto history = [](const std::string& text) {
    return wire::ReadListHistory(Text<v1::ListSettingsHistoryRequest>(R"(account_id: "a" )" + text), kHasher);
  };
  EXPECT_EQ(history("")->page_size, 100);
  EXPECT_EQ(history("page_size: 1000")->page_size, 1000);
  EXPECT_EQ(history(R"(page_token: "t")")->page_token, "t");
  const auto at = [](const std::string& text) {
    return wire::ReadSettingsAt(Text<v1::GetSettingsAtRequest>(R"(account_id: "a" )" + text), kHasher, kNow);
  };
  EXPECT_EQ(at("at { seconds: 1795262400 }")->at, kNow);
  EXPECT_THAT(Faults(at("at { seconds: 1795262401 }")), ElementsAre("at"));
  EXPECT_THAT(Faults(at("")), ElementsAre("at"));
}

TEST(Policy, Suspensions) {
  const auto suspend =
      wire::ReadSuspend(Text<v1::SuspendRequest>(R"(purpose: PURPOSE_ADVERTISING region: "US-CA" reason: "x")"));
  ASSERT_TRUE(suspend.ok());
  EXPECT_EQ(suspend->purpose, domain::Purpose::kAdvertising);
  EXPECT_EQ(suspend->region.ToString(), "US-CA");
  EXPECT_FALSE(
      wire::ReadSuspend(Text<v1::SuspendRequest>(R"(purpose: PURPOSE_ADVERTISING reason: "x")"))->region.IsSet());
  const auto resume =
      wire::ReadResume(Text<v1::ResumeRequest>(R"(purpose: PURPOSE_ADVERTISING reason: "x" etag: "e")"));
  EXPECT_EQ(resume->etag, "e");
  domain::Suspension suspension{domain::Purpose::kAdvertising, suspend->region, true, base::Instant{5'000'000},
                                base::Instant{9'000'000}};
  v1::Suspension active;
  wire::WriteSuspension(suspension, "x", "e", &active);
  EXPECT_FALSE(active.has_resumed_at()) << "absent while active";
  EXPECT_EQ(active.region(), "US-CA");
  suspension.active = false;
  v1::Suspension ended;
  wire::WriteSuspension(suspension, "x", "e", &ended);
  EXPECT_EQ(ended.resumed_at().seconds(), 9);
}

// What is said of a country that no record and no recording has would concern nobody, and nobody would notice.
TEST(Countries, ThatNobodyCanHaveAreNotTaken) {
  const std::string hour = base::FormatRfc3339(kNow).substr(0, 13);
  const auto suspend = [](const std::string& region) {
    return wire::ReadSuspend(
               Text<v1::SuspendRequest>("purpose: PURPOSE_ADVERTISING reason: \"x\" region: \"" + region + "\""))
        .status();
  };
  const auto report = [&](const std::string& country) {
    return wire::ReadReportPopulation(Text<v1::ReportPopulationRequest>("hour: \"" + hour + "\" counts { country: \"" +
                                                                        country + "\" utterances: 1 }"),
                                      kNow)
        .status();
  };
  for (const char* country : {"GB", "XK"}) {
    EXPECT_TRUE(suspend(country).ok()) << suspend(country);
    EXPECT_TRUE(report(country).ok()) << report(country);
  }
  for (const char* country : {"UK", "QA1", "YZ"}) {
    EXPECT_FALSE(suspend(country).ok()) << country;
    EXPECT_FALSE(report(country).ok()) << country;
  }
  EXPECT_THAT(std::string(suspend("UK").message()), ::testing::HasSubstr("GB is meant"));
  EXPECT_THAT(std::string(report("UK").message()), ::testing::HasSubstr("GB is meant"));
}

}  // namespace
}  // namespace consent::testing::changes_test
