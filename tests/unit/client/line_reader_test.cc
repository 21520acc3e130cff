// Lines from descriptors: every kind of end, over-long lines, slow input.
#include "client/lines/line_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <vector>

namespace consent {
namespace {

using Result = LineReader::Result;

class LineReaderTest : public ::testing::Test {
 protected:
  LineReaderTest() { EXPECT_EQ(::pipe(ends_), 0); }
  ~LineReaderTest() override {
    ::close(ends_[0]);
    CloseInput();
  }
  void Put(const std::string& text) {
    ASSERT_EQ(::write(ends_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void CloseInput() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }
  // All lines of `text` with a bound of 8 bytes; over-long ones appear as "!".
  std::vector<std::string> Lines(const std::string& text) {
    Put(text);
    CloseInput();
    LineReader reader(ends_[0], 8);
    std::vector<std::string> lines;
    std::string line;
    for (;;) {
      const Result result = reader.Next(&line);
      if (result == Result::kEnd) return lines;
      lines.push_back(result == Result::kTooLong ? "!" : line);
      EXPECT_EQ(reader.number(), lines.size());
    }
  }
  int ends_[2] = {-1, -1};
};

using Strings = std::vector<std::string>;

TEST_F(LineReaderTest, Empty) { EXPECT_EQ(Lines(""), Strings{}); }
TEST_F(LineReaderTest, LastLineWithAndWithoutEnd) { EXPECT_EQ(Lines("a\nb"), (Strings{"a", "b"})); }
TEST_F(LineReaderTest, EmptyLinesCount) { EXPECT_EQ(Lines("\n\na\n"), (Strings{"", "", "a"})); }
TEST_F(LineReaderTest, CarriageReturns) { EXPECT_EQ(Lines("a\r\nb\rc\r\n\r\nd\r"), (Strings{"a", "b\rc", "", "d\r"})); }
TEST_F(LineReaderTest, TheBoundIsExact) {
  EXPECT_EQ(Lines("12345678\n123456789\n12345678\r\nx\n"), (Strings{"12345678", "!", "12345678", "x"}));
}
TEST_F(LineReaderTest, AnOverlongLastLine) { EXPECT_EQ(Lines("a\n123456789"), (Strings{"a", "!"})); }
TEST_F(LineReaderTest, NulsAreBytes) { EXPECT_EQ(Lines(std::string("a\0b\n", 4)), (Strings{std::string("a\0b", 3)})); }

TEST_F(LineReaderTest, TheCopyGetsEveryByteAsItIs) {
  const std::string text = "a\r\n\n" + std::string(100, 'x') + "\n  \nlast\r";
  Put(text);
  CloseInput();
  std::string copied;
  LineReader reader(ends_[0], 8, {}, [&copied](std::string_view bytes) {
    copied += bytes;
    return true;
  });
  std::string line;
  while (reader.Next(&line) != Result::kEnd) EXPECT_EQ(copied, text) << "before the first line is given";
  EXPECT_EQ(reader.number(), 5U);
}

TEST_F(LineReaderTest, NothingIsGivenThatCouldNotBeCopied) {
  Put("a\nb\n");
  LineReader reader(ends_[0], 8, {}, [](std::string_view) { return false; });
  std::string line;
  EXPECT_EQ(reader.Next(&line), Result::kCopyFailed);
}

TEST_F(LineReaderTest, AnOverlongLineOverManyBlocksIsPassedOver) {
  LineReader reader(ends_[0], 8);
  std::string line;
  const std::string block(4096, 'x');
  for (int i = 0; i < 64; ++i) {
    Put(block);
    EXPECT_EQ(reader.Next(&line, std::chrono::milliseconds(0)), Result::kIdle);
  }
  Put("\nok\n");
  EXPECT_EQ(reader.Next(&line), Result::kTooLong);
  EXPECT_EQ(reader.Next(&line), Result::kLine);
  EXPECT_EQ(line, "ok");
  EXPECT_EQ(reader.number(), 2u);
}

TEST_F(LineReaderTest, IdleLosesNothing) {
  LineReader reader(ends_[0], 64);
  std::string line;
  EXPECT_EQ(reader.Next(&line, std::chrono::milliseconds(0)), Result::kIdle);
  Put("first half, ");
  EXPECT_EQ(reader.Next(&line, std::chrono::milliseconds(0)), Result::kIdle);
  Put("second half\n");
  EXPECT_EQ(reader.Next(&line, std::chrono::milliseconds(0)), Result::kLine);
  EXPECT_EQ(line, "first half, second half");
  CloseInput();
  EXPECT_EQ(reader.Next(&line, std::chrono::milliseconds(0)), Result::kEnd);
  EXPECT_EQ(reader.Next(&line), Result::kEnd);
}

TEST(LineReaderErrorTest, ABadDescriptorIsAnError) {
  LineReader reader(-1, 8);
  std::string line;
  EXPECT_EQ(reader.Next(&line), Result::kError);
}

TEST_F(LineReaderTest, TheSignEndsWaitingAndLosesNoLine) {
  int sign[2];
  ASSERT_EQ(::pipe(sign), 0);
  std::atomic<bool> asked{false};
  LineReader reader(ends_[0], 8, {&asked, sign[0]});
  std::string line;
  Put("one\ntwo\n");
  EXPECT_EQ(reader.Next(&line), Result::kLine);
  asked = true;
  ASSERT_EQ(::write(sign[1], "x", 1), 1);
  EXPECT_EQ(reader.Next(&line), Result::kStopped);
  EXPECT_EQ(reader.number(), 1u) << "the second line is still to come";
  asked = false;
  EXPECT_EQ(reader.Next(&line), Result::kLine);
  EXPECT_EQ(line, "two");
  asked = true;
  EXPECT_EQ(reader.Next(&line), Result::kStopped) << "nothing comes, and it does not wait";
  ::close(sign[0]);
  ::close(sign[1]);
}

}  // namespace
}  // namespace consent
