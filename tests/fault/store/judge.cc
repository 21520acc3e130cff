// judge ACKNOWLEDGED: reads folders from standard input, one a line, and answers each with a line: the number of its
// verdict and a text. Each is looked at by a process of its own, made before anything of the engine's runs in this one.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "tests/fault/store/judge_process.h"

namespace {

using consent::test::Acknowledged;
using consent::test::Judgement;
using consent::test::Verdict;

constexpr unsigned kPatienceSeconds = 120;

void Answer(Judgement judgement) {
  std::replace(judgement.text.begin(), judgement.text.end(), '\n', ' ');
  std::cout << static_cast<int>(judgement.verdict) << " " << judgement.text << std::endl;
}

// `status`: of a process that did not answer.
Judgement Ended(int status) {
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) {
    return {Verdict::kStopped, "a failed assertion, printed above"};
  }
  return {Verdict::kLost, "the process that looked ended with status " + std::to_string(status)};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  std::ifstream in(argv[1], std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  Acknowledged acknowledged;
  if (!consent::test::DecodeAcknowledged(bytes, &acknowledged)) return 65;
  const rlimit no_core_files{};
  setrlimit(RLIMIT_CORE, &no_core_files);
  for (std::string folder; std::getline(std::cin, folder);) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(kPatienceSeconds);
      Answer(consent::test::Judge(folder, acknowledged));
      _exit(0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) return 70;
    if (status != 0) Answer(Ended(status));
  }
  return 0;
}
