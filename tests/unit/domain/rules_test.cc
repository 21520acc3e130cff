#include "daemon/domain/rules.h"

#include <gtest/gtest.h>

namespace consent::domain {
namespace {

// No policy drops a notice in use, but one nobody consented to may go: the numbers then have gaps.
TEST(FindNotice, ByNumberAlsoBehindGaps) {
  Rules rules;
  for (const NoticeNumber number : {1, 2, 5, 6}) {
    Notice notice;
    notice.number = number;
    rules.notices.push_back(notice);
  }
  for (const NoticeNumber number : {1, 2, 5, 6}) {
    const Notice* found = rules.FindNotice(number);
    ASSERT_NE(found, nullptr) << number;
    EXPECT_EQ(found->number, number);
  }
  for (const NoticeNumber number : {0, 3, 4, 7, 65535}) EXPECT_EQ(rules.FindNotice(number), nullptr) << number;
  EXPECT_EQ(Rules{}.FindNotice(NoticeNumber{1}), nullptr);
}

}  // namespace
}  // namespace consent::domain
