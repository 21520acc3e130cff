// Judges damaged copies in processes of their own: the engine checks itself with assertions, and one that fails ends
// the process.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include "tests/fault/store/scenario.h"

namespace consent::test {

// What judge.cc is told, and how. Only for the two ends of one pipe.
std::string EncodeAcknowledged(const Acknowledged& acknowledged);
// False where the bytes are not what EncodeAcknowledged wrote.
bool DecodeAcknowledged(std::string_view bytes, Acknowledged* out);

// One for as many copies as one likes. Not thread-safe.
class JudgeProcess {
 public:
  // Writes a file into `folder`, for the process to read.
  JudgeProcess(const std::string& program, const std::filesystem::path& folder, const Acknowledged& acknowledged);
  ~JudgeProcess();
  JudgeProcess(const JudgeProcess&) = delete;
  JudgeProcess& operator=(const JudgeProcess&) = delete;

  // As Judge; and kStopped where the process that looked was ended by a failed assertion. kLost where it ended in any
  // other way.
  Judgement Ask(const std::filesystem::path& copy);

 private:
  pid_t process_ = -1;
  FILE* questions_ = nullptr;
  FILE* answers_ = nullptr;
};

}  // namespace consent::test
