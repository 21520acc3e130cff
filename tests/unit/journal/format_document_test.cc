// daemon/journal/FORMAT.md says what the code writes.
#include <gtest/gtest.h>

#include "daemon/base/hash.h"
#include "daemon/journal/frame.h"
#include "tests/support/format_document.h"
#include "tests/unit/journal/samples.h"

namespace consent::test {
namespace {

constexpr store::Stamp kStamp{300, base::Instant{1'700'000'000'123'456}};

journal::FileHeader Header() {
  journal::FileHeader header;
  for (size_t i = 0; i < header.store_id.size(); ++i) header.store_id[i] = static_cast<uint8_t>(i);
  header.number = 7;
  header.public_key.fill(0xbb);
  header.heads.resize(2);
  header.heads[1] = {kStamp, {}};
  header.heads[1].chain.fill(0xcc);
  return header;
}

journal::Entry OfACommit() {
  journal::Entry entry;
  entry.partition = {300};
  entry.stamp = kStamp;
  entry.chain.fill(0xcc);
  entry.subject = std::string(16, '\xaa');
  entry.change = service::ChangeKind::kUpdateSettings;
  journal::Loosened loosened;
  loosened.change = domain::ChangedWhat::kPurpose;
  loosened.scope.kind = domain::ScopeKind::kDevice;
  loosened.scope.handle.fill(0xdd);
  loosened.purpose = domain::Purpose::kHumanReview;
  entry.loosened.push_back(loosened);
  entry.rows.push_back({store::Table::kSubject, "key", journal::Content::kValue, "row"});
  entry.rows.push_back({store::Table::kKeyShare, "key", journal::Content::kDeleted, {}});
  entry.payloads.push_back({journal::PayloadOf::kDeletion, 76'800, "SEALED"});
  return entry;
}

std::map<std::string, std::string> Written() {
  std::map<std::string, std::string> all;
  journal::EncodeFileHeader(Header(), &all["file-header"]);
  journal::EncodeEntry(OfACommit(), &all["commit"]);
  journal::Entry part = Part(300, 300, true, true);
  part.stamp = kStamp;
  part.rows = {{store::Table::kHold, "key", journal::Content::kValue, "row"},
               {store::Table::kKeyShare, "key", journal::Content::kThere, {}}};
  journal::EncodeEntry(part, &all["snapshot"]);
  std::string held;
  journal::JoinEntry("ENTRY", &held);
  journal::JoinEntry("ANOTHER", &held);
  journal::AppendFrame(7, 300, held, &all["frame"]);
  std::map<std::string, std::string> named;
  for (const auto& [name, bytes] : all) named["journal/" + name] = base::Hex(bytes);
  return named;
}

TEST(JournalFormatDocument, SaysWhatIsWritten) {
  const std::string document = ReadDocument(CONSENT_JOURNAL_FORMAT);
  const auto written = Written();
  const std::vector<std::string> differences = FormatDifferences(document, written, "journal/");
  for (const std::string& name : differences) ADD_FAILURE() << name << " is " << written.at(name);
  EXPECT_EQ(CountFormatDigits(document, written, "journal/") > 0, differences.empty());
}

}  // namespace
}  // namespace consent::test
