// The work of `consentctl import --dry-run`, without its command line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/engines/call_gate.h"
#include "client/cli/engines/import_engine.h"
#include "client/cli/lines/import_lines.h"
#include "client/lines/line_reader.h"
#include "consent/client.h"

namespace consent::cli {

// Asks the daemon about each line what an import would come to, writing nothing (validate_only), and tells each no and
// each yes that would not count. What another line of the same input does first is not in the store yet: of an account
// that another line refuses something for, each yes is told as one that may not count (OTHER_LINE_REFUSES). Reads the
// input twice. Memory is bounded: 16 bytes for each line that refuses something, at most kMostNoes. The answer holds
// for the moment. Not thread-safe.
class ImportTrial {
 public:
  static constexpr size_t kMostNoes = 2'000'000;

  // All of them must outlive the run.
  ImportTrial(Client& client, CallGate& gate, ImportSink& sink, StopSign stop = {})
      : client_(client), gate_(gate), sink_(sink), stop_(stop) {}

  // `input` can be read from its beginning again.
  ImportEnd Run(int input);
  // Of lines: `imported` are those of which all would count.
  const ImportCounts& counts() const { return counts_; }

 private:
  ImportEnd Pass(int pass, int input);
  absl::Status NoteNo(uint64_t number, std::string_view bytes);
  // Fails where the sink does; *unanswered: the daemon did not get to an answer.
  absl::Status Try(uint64_t number, std::string_view bytes, absl::Status* unanswered);
  absl::Status TryCalls(const ImportLine& line, std::string_view bytes, std::vector<RefusedPart>* refused);
  absl::Status TryRestrictions(const ImportLine& line, std::string_view bytes, std::vector<RefusedPart>* refused);
  // `tells_people`: what is refused of region, profiles, devices and retention is told here, and not by another call.
  absl::Status TryWhole(SubjectUpdate whole, const std::vector<SettingChange>& noes, const std::string& part,
                        bool tells_people, std::vector<RefusedPart>* refused);
  // The first other line that refuses something for the account; 0: none.
  uint64_t RefusedBy(const AccountId& account, uint64_t number) const;

  Client& client_;
  CallGate& gate_;
  ImportSink& sink_;
  const StopSign stop_;
  ImportCounts counts_;
  // Sorted once the first pass is over: a hash of the account, and the line.
  std::vector<std::pair<uint64_t, uint64_t>> noes_;
  uint64_t blocks_all_ = 0;
};

}  // namespace consent::cli
