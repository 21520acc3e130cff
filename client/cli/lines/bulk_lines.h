// What stands in the lines of `delete --file`, `settings opt-out --file` and `settings set --file`, and the calls that
// one line becomes. No gRPC.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/lines/import_lines.h"
#include "consent/deletion.h"
#include "consent/settings.h"

namespace consent {

// One call, and the part of the line that it is, for messages: "choices[2]", "selector". Never an id.
struct BulkCall {
  std::string part;
  std::variant<NewDeletionRequest, OptOutOrder, SettingsUpdate> order;
};

// One line. client/cli/README.md documents each kind.
struct BulkLine {
  AccountId account_id;
  // What only restricts: done whatever else is wrong with the line.
  std::vector<BulkCall> noes;
  // What allows more. Each repeats the line's noes, so that the daemon sees a no and a yes to the same in one call.
  std::vector<BulkCall> yeses;
  // What of the line does not count, and why. With any of them nothing that allows more is sent.
  std::vector<LineFault> faults;
  // Yeses that do not count because the line itself says otherwise.
  std::vector<LineFault> overruled;
};

// What a line of deletions does not say itself.
struct DeletionDefaults {
  // monostate: each line must have one.
  DeletionSelector selector;
  Actor requester = Actor::kSelf;
  Verification verification = Verification::kPending;
  Evidence evidence;
};

// InvalidArgument, and nothing of the line is sent: it is no JSON object, or its account or selector cannot be read.
// Whatever else is wrong with it is a fault, and leaves the request RECEIVED, not verified: nothing that it selects is
// used from then on, and nothing is erased by an order that was not read whole.
absl::StatusOr<BulkLine> ReadDeletionLine(std::string_view line, const DeletionDefaults& defaults);

// What a line of opt-outs does not say itself.
struct OptOutDefaults {
  // Of a line without `choices`; empty: each line must have some.
  std::vector<SettingTarget> targets;
  Scope scope;
  Evidence evidence;
};
// InvalidArgument as of ParseImportLine, and where the line names nothing to refuse. A yes or a retention that it holds
// is a fault.
absl::StatusOr<BulkLine> ReadOptOutLine(std::string_view line, const OptOutDefaults& defaults);

// `defaults`: channel, actor, notice and language that a choice does not say itself. InvalidArgument as of
// ParseImportLine. A retention is sent as a no: the daemon refuses one that is longer than the stored one.
absl::StatusOr<BulkLine> ReadSettingsLine(std::string_view line, const Evidence& defaults);

// Text in the shape of a UUID: of one run over one file, its line and what of it is sent. `run` and `input` are bytes
// of the caller's choice; the same four always give the same.
RequestId BulkRequestId(std::string_view run, std::string_view input, uint64_t line, const std::string& part);

}  // namespace consent
