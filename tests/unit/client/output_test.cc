// What goes to terminals and pipes.
#include "client/cli/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "client/cli/exit_codes.h"
#include "client/cli/files.h"
#include "client/src/error_details.h"
#include "consent/error.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace consent::cli {
namespace {

TEST(PrintableTest, ControlCharactersCannotReachATerminal) {
  EXPECT_EQ(Printable("plain äöü 日本"), "plain äöü 日本");
  EXPECT_EQ(Printable("a\x1b[2Jb\tc\nd\x7f"), "a\\x1b[2Jb\\x09c\\x0ad\\x7f");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m"),
            "\\x9b31m");
  EXPECT_EQ(Printable("a\xc2\xa0z"), "a\xc2\xa0z");
  EXPECT_EQ(Printable("\xff|\xe2\x80"), "\\xff|\\xe2\\x80");
}

// U+202E, U+200F, U+200B, U+2028, U+FEFF, U+E0041, and blanks at the ends.
TEST(PrintableTest, WhatHidesOrTurnsTextIsShown) {
  const std::vector<std::pair<std::string, std::string>> cases = {{"a\xe2\x80\xae"
                                                                   "b",
                                                                   "a\\u{202e}b"},
                                                                  {"\xe2\x80\x8f", "\\u{200f}"},
                                                                  {"a\xe2\x80\x8b"
                                                                   "b",
                                                                   "a\\u{200b}b"},
                                                                  {"a\xe2\x80\xa8"
                                                                   "b",
                                                                   "a\\u{2028}b"},
                                                                  {"\xef\xbb\xbf"
                                                                   "a",
                                                                   "\\u{feff}a"},
                                                                  {"\xf3\xa0\x81\x81", "\\u{e0041}"},
                                                                  {"ann\r", "ann\\x0d"},
                                                                  {" ann",
                                                                   "\\x20"
                                                                   "ann"},
                                                                  {"ann ", "ann\\x20"},
                                                                  {"a b", "a b"}};
  for (const auto& [text, shown] : cases) {
    EXPECT_EQ(Printable(text), shown);
    EXPECT_EQ(Oddity(text).empty(), text == shown) << shown;
    const Json json = {{"id", text}};
    const std::string printed = JsonText(json);
    EXPECT_EQ(Json::parse(printed), json) << "for parsers nothing changes";
    for (const char* raw : {"\xe2\x80\xae", "\xe2\x80\x8f", "\xf3\xa0\x81\x81", "\r"}) {
      EXPECT_EQ(printed.find(raw), std::string::npos) << shown;
    }
  }
}

TEST(ErrorTest, SaysReasonAndFields) {
  const absl::Status status = ItemStatus("INVALID_FIELD", "`region` must be like DE");
  EXPECT_EQ(ErrorText(status), "INVALID_FIELD: `region` must be like DE");
  const Json json = ErrorJson(status);
  EXPECT_EQ(json["code"], "INVALID_ARGUMENT");
  EXPECT_EQ(json["reason"], "INVALID_FIELD");
}

// As the daemon sends it: the message says what the first field says.
absl::Status Refused(const std::string& message, const std::vector<FieldViolation>& fields) {
  google::rpc::ErrorInfo info;
  info.set_reason("INVALID_FIELD");
  google::rpc::BadRequest bad;
  for (const FieldViolation& field : fields) {
    auto& violation = *bad.add_field_violations();
    violation.set_field(field.field);
    violation.set_description(field.description);
  }
  google::rpc::Status details;
  details.set_code(static_cast<int>(absl::StatusCode::kInvalidArgument));
  details.set_message(message);
  details.add_details()->PackFrom(info);
  details.add_details()->PackFrom(bad);
  return FromGrpc(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, message, details.SerializeAsString()));
}

TEST(ErrorTest, TellsOneProblemOnce) {
  EXPECT_EQ(ErrorText(Refused("account_id: must be 1 to 128 bytes", {{"account_id", "must be 1 to 128 bytes"}})),
            "INVALID_FIELD: account_id: must be 1 to 128 bytes");
  EXPECT_EQ(ErrorText(Refused("a: is x (and 1 more)", {{"a", "is x"}, {"b[2].c", "is y"}})),
            "INVALID_FIELD: 2 fields cannot be used\n  a: is x\n  b[2].c: is y");
  EXPECT_EQ(ErrorText(Refused("the bytes are no message", {{"", "the bytes are no message"}})),
            "INVALID_FIELD: the bytes are no message");
  EXPECT_EQ(ErrorText(Refused("no field", {})), "INVALID_FIELD: no field");
}

TEST(ExitCodeTest, NoAnswerAndRefusedAreApart) {
  EXPECT_EQ(CodeFor(absl::UnavailableError("")), kNoAnswer);
  EXPECT_EQ(CodeFor(absl::DeadlineExceededError("")), kNoAnswer);
  EXPECT_EQ(CodeFor(absl::InternalError("")), kNoAnswer);
  EXPECT_EQ(CodeFor(absl::NotFoundError("")), kRefused);
  EXPECT_EQ(CodeFor(absl::ResourceExhaustedError("")), kRefused);
  EXPECT_EQ(CodeFor(absl::FailedPreconditionError("")), kRefused);
}

TEST(LineFileTest, AFailedWriteLeavesWholeLines) {
  const std::string path = ::testing::TempDir() + "lines_" + std::to_string(::getpid());
  {
    auto file = LineFile::Open(path);
    ASSERT_TRUE(file.ok());
    EXPECT_TRUE(file->Write("one\nhalf").ok());
  }
  {
    auto file = LineFile::Open(path);
    EXPECT_TRUE(file->KeepFirst(4).ok());
    EXPECT_TRUE(file->Write("two\n").ok());
  }
  std::ifstream read(path);
  std::stringstream text;
  text << read.rdbuf();
  EXPECT_EQ(text.str(), "one\ntwo\n");
  ::unlink(path.c_str());
}

TEST(LineFileTest, NoTwoOfACommandsFilesAreOne) {
  const std::string path = ::testing::TempDir() + "same_" + std::to_string(::getpid());
  const Descriptor first(::open(path.c_str(), O_RDWR | O_CREAT, 0600));
  const Descriptor second(::open(path.c_str(), O_WRONLY));
  const Descriptor null(::open("/dev/null", O_RDWR));
  const absl::Status same = CheckDistinct({{"the input", first.get()}, {"--state", -1}, {"--refused", second.get()}});
  EXPECT_NE(std::string(same.message()).find("the input and --refused"), std::string::npos) << same;
  EXPECT_TRUE(CheckDistinct({{"a", first.get()}, {"b", null.get()}, {"c", null.get()}, {"d", -1}, {"e", -1}}).ok());
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Descriptor reads(ends[0]);
  const Descriptor writes(ends[1]);
  const Descriptor copy(::dup(ends[1]));
  EXPECT_FALSE(CheckDistinct({{"standard output", writes.get()}, {"--refused", copy.get()}}).ok());
  ::unlink(path.c_str());
}

TEST(LineFileTest, AFullDeviceIsToldAndNoneIsNothing) {
  LineFile none;
  EXPECT_TRUE(none.Write("x\n").ok());
  const Descriptor full(::open("/dev/full", O_WRONLY));
  ASSERT_TRUE(full.IsOpen());
  LineFile file(full.get());
  EXPECT_FALSE(file.Write("x\n").ok());
}

}  // namespace
}  // namespace consent::cli
