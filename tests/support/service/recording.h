// Recordings and places as tests write them.
#pragma once

#include <string>
#include <vector>

#include "daemon/base/ids.h"
#include "daemon/domain/types.h"

namespace consent::test {

// Ends the process where the text is no time, region or date: the test is wrong.
base::Instant At(const std::string& rfc3339);
domain::Region Where(const std::string& region);
base::Date Day(const std::string& date);

// By default the cleanest there is: a command of the one speaker "ann", recognised, an adult, awake on purpose.
struct Recording {
  std::string id = "recording";
  std::vector<std::string> profiles = {"ann"};
  std::string device;  // empty: none
  domain::RecordingFacts facts;

  Recording();
  explicit Recording(base::Instant captured_at);
  Recording& Id(std::string value);
  Recording& Spoken(std::vector<std::string> by);
  Recording& On(std::string device_id);
  Recording& Captured(base::Instant at);
  Recording& In(const std::string& region);
  Recording& Wake(domain::Wake wake);
  Recording& Message();
  Recording& Copy(domain::Artefact artefact, domain::Purpose made_for);

  // With the handles of the named profiles and device filled in.
  domain::RecordingFacts Facts(const base::IdHasher& hasher) const;
};

// An employee in `country`, at a site.
domain::Place Employee(const std::string& country = "DE");
domain::Place Contractor(const std::string& country = "DE");

}  // namespace consent::test
