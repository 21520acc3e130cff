// Bytes as a policy file; after the byte `r` as a stored version, after `s` as a stored state. Seeds of files stay
// plain files.
#include <cstdlib>
#include <string>
#include <string_view>

#include "daemon/policy/compare.h"
#include "daemon/policy/document.h"
#include "daemon/policy/state.h"

namespace {

using namespace consent;

void Require(bool condition) {
  if (!condition) std::abort();
}

// Whatever is accepted can be activated, twice, and survives storage.
void FuzzFile(std::string_view bytes) {
  const absl::StatusOr<policy::Document> document = policy::Document::Parse(std::string(bytes));
  if (!document.ok()) return;
  const base::Instant first{1'000'000};
  const absl::StatusOr<policy::State> state = policy::Advance(policy::State{}, *document, first);
  Require(state.ok());
  const domain::Rules rules = policy::BuildRules(*document, *state, {});
  Require(rules.notices.size() == static_cast<size_t>(document->policy().notices_size()));
  for (const auto& [region, region_rules] : rules.regions) {
    const bool opt_out = rules.regimes[region_rules.regime].default_rule == domain::DefaultRule::kOptOut;
    Require(opt_out == region_rules.opt_out_since.IsSet());
  }
  const std::string row = policy::EncodeVersion({document->hash(), *state});
  Require(row.size() <= policy::kMaxVersionBytes);
  const absl::StatusOr<policy::VersionRow> version = policy::DecodeVersion(row);
  Require(version.ok());
  const absl::StatusOr<policy::PolicyRow> decoded = policy::Join(*document, *version);
  Require(decoded.ok() && decoded->state == *state && decoded->document.hash() == document->hash());
  Require(policy::Compare(*decoded, *document).empty());
  Require(policy::CheckActivation(&*decoded, *document, {}).ok());
  const absl::StatusOr<policy::State> again = policy::Advance(*state, *document, first + base::Seconds(1));
  Require(again.ok() && again->opt_out_since == state->opt_out_since && again->notices == state->notices);
}

// What decodes has one encoding.
void FuzzVersion(std::string_view bytes) {
  const absl::StatusOr<policy::VersionRow> row = policy::DecodeVersion(bytes);
  if (row.ok()) Require(policy::EncodeVersion(*row) == bytes);
}

void FuzzState(std::string_view bytes) {
  const absl::StatusOr<policy::State> state = policy::DecodeState(bytes);
  if (state.ok()) Require(policy::EncodeState(*state) == bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'r':
      FuzzVersion(rest);
      break;
    case 's':
      FuzzState(rest);
      break;
    default:
      FuzzFile(std::string_view(reinterpret_cast<const char*>(data), size));
      break;
  }
  return 0;
}
