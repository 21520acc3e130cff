// daemon/store/FORMAT.md says what tokens, ids and the rows of ids are.
#include "tests/support/format_document.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "daemon/base/hash.h"
#include "daemon/base/random_id.h"
#include "daemon/service/rows/id_rows.h"
#include "daemon/service/state/tokens.h"
#include "daemon/wire/purge.h"
#include "tests/support/base/seeded_keys.h"

namespace consent::service {
namespace {

constexpr base::Bytes16 kDocumentedStore = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
constexpr base::DeletionId kDocumentedRequest{
    {0x50, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0x01, 0x2c}};
constexpr base::HoldId kDocumentedHold{
    {0x60, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xed, 0x01, 0x2c}};

std::map<std::string, std::string> DocumentedTexts() {
  const Tokens tokens(test::SeededKeys(1), kDocumentedStore);
  return {{"revision", tokens.Encode(Revision{{300}, 300})},
          {"deletion-etag", tokens.Encode(DeletionEtag{kDocumentedRequest, 300})},
          {"hold-etag", tokens.Encode(HoldEtag{kDocumentedHold, 300})},
          {"page-token", tokens.Encode(PageToken{{300}, 300}, "a listing")},
          {"deletion-id", base::IdText(kDocumentedRequest)},
          {"hold-id", base::IdText(kDocumentedHold)},
          {"task-id", wire::TaskIdText(kDocumentedRequest, "audio")}};
}

std::map<std::string, std::string> DocumentedBytes() {
  const store::Write request = PutId(kDocumentedRequest, NumberOf(300));
  const store::Write hold = PutId(kDocumentedHold, 300);
  std::map<std::string, std::string> all = {{"token/deletion-by-id.key", base::Hex(request.key)},
                                            {"token/deletion-by-id.value", base::Hex(*request.value)},
                                            {"token/hold-by-id.key", base::Hex(hold.key)},
                                            {"token/hold-by-id.value", base::Hex(*hold.value)}};
  for (const auto& [name, text] : DocumentedTexts()) all["token/" + name + ".text"] = base::Hex(text);
  return all;
}

TEST(TokensInTheFormatDocument, AreWhatTheCodeWrites) {
  const std::string document = test::ReadDocument(CONSENT_STORE_FORMAT);
  EXPECT_EQ(test::FormatDifferences(document, DocumentedBytes(), "token/"), std::vector<std::string>{});
  for (const auto& [name, text] : DocumentedTexts()) {
    EXPECT_NE(document.find("; " + text + "\n"), std::string::npos) << name << ": " << text << " " << base::Hex(text);
  }
  EXPECT_EQ(static_cast<int>(store::Table::kDeletionById), 17);
  EXPECT_EQ(static_cast<int>(store::Table::kHoldById), 18);
}

// The bytes behind the text, as the document tells them: all but the tag, which needs the key.
TEST(TokensInTheFormatDocument, HaveTheBodyThatItSays) {
  for (const auto& [name, text] : DocumentedTexts()) {
    if (name.ends_with("-id")) continue;
    EXPECT_TRUE(text.starts_with("AQEsAAAAAAAAAS")) << "01 01 2c 00 00 00 00 00 00 01 2c: " << name;
  }
}

}  // namespace
}  // namespace consent::service
