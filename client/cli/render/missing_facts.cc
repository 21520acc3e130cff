#include "client/cli/render/missing_facts.h"

#include <array>

namespace consent::cli {
namespace {

struct FactText {
  MissingFact fact;
  const char* key;
  const char* words;
  const char* option;
  const char* remedy;
};

constexpr std::array<FactText, 14> kTexts = {{
    {MissingFact::kCapturedAt, "captured_at", "when it was recorded", "--captured-at",
     "Each line has to say it by itself, as the device's clock had it; captured_uncertainty_ms says how far it may be "
     "off."},
    {MissingFact::kWake, "wake", "how it began", "--wake",
     "The device knows it: --set wake=BUTTON fills it (or INTENDED, ACCIDENTAL)."},
    {MissingFact::kKind, "kind", "what it holds", "--kind",
     "The skill or intent that took it knows it: --set kind=COMMAND fills it (or MESSAGE, SOUND)."},
    {MissingFact::kSpeakers, "speakers", "how many speak", "--speakers",
     "Diarisation knows it: --set speakers=ONE fills it (or SEVERAL)."},
    {MissingFact::kIdentity, "identity", "whose voice it is", "--identity",
     "Speaker recognition knows it: MATCHED takes profile_ids in the same line; --set identity=NOT_RUN fills it where "
     "none ran (or UNMATCHED)."},
    {MissingFact::kAge, "age", "whether a child speaks", "--age",
     "The profile, or a classifier of voices, knows it: --set age=ADULT fills it (or CHILD_PRESENT)."},
    {MissingFact::kProfileIds, "profile_ids", "which profile it is of", "--profile",
     "Each line has to name its speakers by itself, because one of the account's profiles says no, or the voice is "
     "MATCHED."},
    {MissingFact::kDeviceId, "device_id", "which device recorded it", "--device",
     "Each line has to name its device by itself, because one of the account's devices says no."},
    {MissingFact::kUnregisteredScope, "unregistered_scope", "a profile and device that are registered",
     "consentctl subject set",
     "The line names a profile or device that was never registered, or was removed: `consentctl subject set` registers "
     "it."},
    {MissingFact::kMadeFor, "made_for", "what the copy was made for", "--made-for",
     "Whoever made the copies knows it: --set made_for=HUMAN_REVIEW fills it (or another purpose)."},
    {MissingFact::kCountry, "country", "in which country it would be used", "--country",
     "--country DE fills it: where it would be used, by its code of ISO 3166-1."},
    {MissingFact::kReviewerClass, "reviewer", "who would listen", "--reviewer",
     "--reviewer EMPLOYEE fills it (or CONTRACTOR)."},
    {MissingFact::kSite, "site", "where it would be used", "--site",
     "--site NAME fills it, as the policy names its sites."},
    {MissingFact::kPurpose, "purpose", "what it would be used for", "--purpose", "--purpose says it."},
}};

const FactText* TextOf(MissingFact fact) {
  for (const FactText& text : kTexts) {
    if (text.fact == fact) return &text;
  }
  return nullptr;
}

}  // namespace

std::string FactKey(MissingFact fact) {
  const FactText* text = TextOf(fact);
  return text == nullptr ? "unknown" : text->key;
}

Json FactKeysJson(const std::vector<MissingFact>& facts) {
  Json list = Json::array();
  for (const MissingFact fact : facts) list.push_back(FactKey(fact));
  return list;
}

std::string FactKeysText(const std::vector<MissingFact>& facts) {
  std::string text;
  for (const MissingFact fact : facts) text += (text.empty() ? "" : ",") + FactKey(fact);
  return text;
}

std::string FactWords(MissingFact fact) {
  const FactText* text = TextOf(fact);
  return text == nullptr ? "a fact that this program does not know" : text->words;
}

std::string FactOption(MissingFact fact) {
  const FactText* text = TextOf(fact);
  return text == nullptr ? "" : text->option;
}

std::string FactRemedy(MissingFact fact) {
  const FactText* text = TextOf(fact);
  return text == nullptr ? "A newer consentctl knows what it is." : text->remedy;
}

}  // namespace consent::cli
