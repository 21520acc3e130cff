#include "tests/support/service/recording.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace consent::test {
namespace {

void Require(bool right, const std::string& text) {
  if (right) return;
  std::fprintf(stderr, "the test writes \"%s\"\n", text.c_str());
  std::abort();
}

domain::Place PlaceOf(const std::string& country, domain::ReviewerClass reviewer_class) {
  domain::Place place;
  place.country = Where(country);
  place.site = "site";
  place.reviewer_class = reviewer_class;
  return place;
}

}  // namespace

base::Instant At(const std::string& rfc3339) {
  base::Instant at;
  Require(base::ParseRfc3339(rfc3339, &at), rfc3339);
  return at;
}

domain::Region Where(const std::string& region) {
  domain::Region parsed;
  Require(domain::Region::Parse(region, &parsed), region);
  return parsed;
}

base::Date Day(const std::string& date) {
  base::Date parsed;
  Require(base::ParseDate(date, &parsed), date);
  return parsed;
}

Recording::Recording() {
  facts.wake = domain::Wake::kIntended;
  facts.kind = domain::Kind::kCommand;
  facts.speakers = domain::Speakers::kOne;
  facts.identity = domain::Identity::kMatched;
  facts.age = domain::SpeakerAge::kAdult;
}

Recording::Recording(base::Instant captured_at) : Recording() { facts.captured_at = captured_at; }

Recording& Recording::Id(std::string value) {
  id = std::move(value);
  return *this;
}

Recording& Recording::Spoken(std::vector<std::string> by) {
  profiles = std::move(by);
  return *this;
}

Recording& Recording::On(std::string device_id) {
  device = std::move(device_id);
  return *this;
}

Recording& Recording::Captured(base::Instant at) {
  facts.captured_at = at;
  return *this;
}

Recording& Recording::In(const std::string& region) {
  facts.region = Where(region);
  facts.has_region = true;
  return *this;
}

Recording& Recording::Wake(domain::Wake wake) {
  facts.wake = wake;
  return *this;
}

Recording& Recording::Message() {
  facts.kind = domain::Kind::kMessage;
  return *this;
}

Recording& Recording::Copy(domain::Artefact artefact, domain::Purpose made_for) {
  facts.artefact = artefact;
  facts.made_for = made_for;
  return *this;
}

domain::RecordingFacts Recording::Facts(const base::IdHasher& hasher) const {
  domain::RecordingFacts filled = facts;
  for (const std::string& profile : profiles) filled.profiles.push_back(hasher.Profile(profile));
  if (!device.empty()) filled.device = hasher.Device(device);
  return filled;
}

domain::Place Employee(const std::string& country) { return PlaceOf(country, domain::ReviewerClass::kEmployee); }
domain::Place Contractor(const std::string& country) { return PlaceOf(country, domain::ReviewerClass::kContractor); }

}  // namespace consent::test
