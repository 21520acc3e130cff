// The bytes of states and rows: frozen, canonical, bounded.
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/base/hash.h"
#include "daemon/policy/state.h"
#include "tests/unit/policy/sample.h"

namespace consent::policy::state_codec_test {
namespace {

// Two activations: n2 and `train` are dropped, US-CA has a time of its own.
PolicyRow GoldenRow() {
  v1::Policy policy = SamplePolicy();
  policy.mutable_regimes(0)->add_regions("US-CA");
  const PolicyRow first = Activated(policy, At(1));
  policy.set_version("v2");
  policy.mutable_regimes(0)->mutable_regions()->RemoveLast();
  policy.mutable_notices()->DeleteSubrange(1, 1);
  policy.mutable_controls()->RemoveLast();
  return Activated(policy, At(2), &first);
}

TEST(StateCodec, Golden) {
  // format 4; activated; how many purposes, up to the last in use, and since when each; n1 1, n2 2, n3 3;
  // help_improve 1, train 2 (dropped); DE, FR unset, US, US-CA; 18, DE 16; no end of OPT_OUT.
  EXPECT_EQ(base::Hex(EncodeState(GoldenRow().state)),
            "048089fbb184e9910302c084beb184e99103c084beb184e9910303026e3101026e3202026e3303020c68656c705f696d7072"
            "6f7665010001000105747261696e0200000002049582d90300b0fee50500acf69c13c084beb184e99103dc969d138089fbb1"
            "84e9910302000100129582d90301001000");
}

TEST(StateCodec, GoldenVersion) {
  // format 3; the document's hash; who activated it and who proposed it; the state's length and bytes.
  const PolicyRow row = GoldenRow();
  const std::string state = EncodeState(row.state);
  ASSERT_LT(state.size(), 128U) << "the length takes one byte";
  const std::string golden = "03" + base::Hex(base::View(row.document.hash())) + "036a6f65" + "03616e6e" +
                             base::Hex(std::string(1, static_cast<char>(state.size()))) + base::Hex(state);
  EXPECT_EQ(base::Hex(EncodeVersion({row.document.hash(), row.state, "joe", "ann"})), golden);
  EXPECT_EQ(DecodeVersion(EncodeVersion({row.document.hash(), row.state, "joe", "ann"}))->activated_by, "joe");
  EXPECT_EQ(DecodeVersion(EncodeVersion({row.document.hash(), row.state, "joe", "ann"}))->proposed_by, "ann");
}

TEST(StateCodec, RoundTrips) {
  const State empty;
  absl::StatusOr<State> decoded = DecodeState(EncodeState(empty));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, empty);
  const PolicyRow row = GoldenRow();
  decoded = DecodeState(EncodeState(row.state));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, row.state);
}

TEST(StateCodec, APurposeThatComesLaterChangesNoState) {
  // One less than there may be, and none of them in use: as a state that was written before the last purpose came.
  State state;
  state.activated_at = At(1);
  state.in_use_since[5] = At(1);
  EXPECT_EQ(base::Hex(EncodeState(state)), "04c084beb184e99103060000000000c084beb184e991030000000000");
  EXPECT_EQ(*DecodeState(EncodeState(state)), state);
}

TEST(StateCodec, TotalOnTruncationAndFlips) {
  const PolicyRow row = GoldenRow();
  const std::string bytes = EncodeState(row.state);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeState(bytes.substr(0, size)).status().code(), absl::StatusCode::kDataLoss) << size;
  }
  EXPECT_FALSE(DecodeState(bytes + '\0').ok());
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    const absl::StatusOr<State> state = DecodeState(flipped);
    EXPECT_TRUE(!state.ok() || EncodeState(*state) == flipped) << bit;
  }
  const std::string whole = EncodeVersion({row.document.hash(), row.state});
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(DecodeVersion(whole.substr(0, size)).status().code(), absl::StatusCode::kDataLoss) << size;
  }
}

State Changed(const std::function<void(State*)>& change) {
  State state = GoldenRow().state;
  change(&state);
  return state;
}

TEST(StateCodec, RefusesWhatNoActivationMakes) {
  const std::vector<State> wrong = {
      Changed([](State* s) { s->activated_at = base::kEndOfTime; }),
      Changed([](State* s) { s->in_use_since[0] = s->activated_at + base::Microseconds(1); }),
      Changed([](State* s) { s->opt_out_since[RegionOf("US")] = s->activated_at + base::Microseconds(1); }),
      Changed([](State* s) { s->notices["n1"] = 0; }),
      Changed([](State* s) { s->notices["n1"] = 2; }),
      Changed([](State* s) { s->notices["n1"] = 9; }),
      Changed([](State* s) { s->notices[""] = 4; }),
      Changed([](State* s) { s->notices[std::string(65, 'n')] = 4; }),
      Changed([](State* s) { s->controls["train"].number = 1; }),
      Changed([](State* s) { s->controls["train"].covers.bits = 0x80; }),
      Changed([](State* s) { s->controls["train"].last_listed.bits = 0x80; }),
      Changed([](State* s) { s->controls["train"].covers.bits = 0x8000; }),
      Changed([](State* s) { s->opt_out_since[domain::Region::FromPacked(1)] = base::Instant{}; }),
      Changed([](State* s) { s->opt_out_until[RegionOf("US")] = base::Instant{}; }),
      Changed([](State* s) { s->opt_out_until[RegionOf("US")] = s->activated_at + base::Microseconds(1); }),
      Changed([](State* s) { s->opt_out_until[domain::Region::FromPacked(1)] = s->activated_at; }),
      Changed([](State* s) { s->ages_of_consent[domain::Region::FromPacked(1)] = 16; }),
      Changed([](State* s) { s->ages_of_consent[RegionOf("US-CA")] = 16; }),
      Changed(
          [](State* s) { s->ages_of_consent[RegionOf("DE")].ChangeTo(14, s->activated_at + base::Microseconds(1)); }),
  };
  for (size_t i = 0; i < wrong.size(); ++i) {
    EXPECT_EQ(DecodeState(EncodeState(wrong[i])).status().code(), absl::StatusCode::kDataLoss) << i;
  }
}

TEST(RowCodec, RefusesAStateOfAnotherPolicy) {
  const PolicyRow row = GoldenRow();
  ASSERT_TRUE(Reread(row.document, row.state).ok());
  EXPECT_FALSE(Join(row.document, {base::Digest{}, row.state}).ok()) << "the row of another document";
  const std::vector<State> wrong = {
      State{},
      Changed([](State* s) { s->in_use_since[6] = s->activated_at; }),
      Changed([](State* s) { s->in_use_since[0] = base::Instant{}; }),
      Changed([](State* s) {
        s->notices = {{"n1", 1}};
      }),
      Changed([](State* s) { s->controls = {}; }),
      Changed([](State* s) { s->controls["help_improve"].covers.bits = 0b11; }),
      Changed([](State* s) { s->controls["help_improve"].last_listed.bits = 0b11; }),
      Changed([](State* s) { s->controls["train"].covers.bits = 0b10; }),
      Changed([](State* s) { s->opt_out_since.erase(RegionOf("DE")); }),
      Changed([](State* s) { s->opt_out_since[RegionOf("DE")] = s->activated_at; }),
      Changed([](State* s) { s->opt_out_since[RegionOf("US")] = base::Instant{}; }),
      Changed([](State* s) { s->opt_out_since[RegionOf("JP")] = s->activated_at; }),
      Changed([](State* s) { s->opt_out_since[RegionOf("US-CA")] = base::Instant{}; }),
      Changed([](State* s) { s->ages_of_consent.erase(RegionOf("DE")); }),
      Changed([](State* s) { s->ages_of_consent.erase(domain::Region{}); }),
      Changed([](State* s) { s->ages_of_consent[RegionOf("DE")].ChangeTo(13, s->activated_at); }),
      Changed([](State* s) { s->ages_of_consent[RegionOf("FR")] = s->ages_of_consent[domain::Region{}]; }),
  };
  for (size_t i = 0; i < wrong.size(); ++i) {
    EXPECT_EQ(Reread(row.document, wrong[i]).status().code(), absl::StatusCode::kDataLoss) << i;
  }
}

TEST(RowCodec, TheLargestVersionFitsIntoOneCommit) {
  static_assert(kMaxFileBytes + kMaxVersionBytes < 1024 * 1024 - 32 * 1024);
}

TEST(StateCodec, TheLargestStateIsWithinItsBound) {
  State state;
  state.activated_at = base::kLastInstant;
  state.in_use_since.fill(base::kLastInstant);
  for (size_t i = 0; i < kMaxNoticesEver; ++i) {
    const std::string number = std::to_string(i);
    state.notices.emplace(std::string(64 - number.size(), 'n') + number, static_cast<domain::NoticeNumber>(i + 1));
  }
  for (size_t i = 0; i < kMaxControlsEver; ++i) {
    const std::string number = std::to_string(i);
    state.controls.emplace(std::string(64 - number.size(), 'c') + number,
                           ControlState{static_cast<domain::ControlNumber>(i + 1), {0x7f}, {0x7f}});
  }
  for (int i = 0; state.opt_out_since.size() < kMaxStateRegions; ++i) {
    const char code[] = {'Z',
                         static_cast<char>('Z' - i / 1000),
                         '-',
                         static_cast<char>('0' + i / 100 % 10),
                         static_cast<char>('0' + i / 10 % 10),
                         static_cast<char>('0' + i % 10),
                         0};
    state.opt_out_since.emplace(RegionOf(code), base::kLastInstant);
  }
  for (const auto& [region, since] : state.opt_out_since) {
    if (state.opt_out_until.size() < kMaxOnceOptOut) state.opt_out_until.emplace(region, since);
  }
  for (char first = 'A'; first <= 'Z'; ++first) {
    for (char second = 'A'; second < 'K'; ++second) {  // 260: ISO 3166-1 has 249
      const char code[] = {first, second, 0};
      domain::AgeOfConsent& consent = state.ages_of_consent[RegionOf(code)];
      for (size_t step = 1; step < kMaxAgeSteps; ++step) {
        consent.ChangeTo(step % 2 == 0 ? 13 : 21,
                         base::kLastInstant - base::Microseconds(static_cast<int64_t>(kMaxAgeSteps - step)));
        if (step == 1) consent.ChangeTo(14, base::kLastInstant - base::Hours(1));
      }
    }
  }
  const std::string bytes = EncodeState(state);
  EXPECT_LE(bytes.size(), kMaxStateBytes);
  const absl::StatusOr<State> decoded = DecodeState(bytes);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, state);
}

}  // namespace
}  // namespace consent::policy::state_codec_test
