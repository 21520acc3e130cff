#include "tests/fault/store/judge_process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>

#include "daemon/base/bytes.h"

namespace consent::test {
namespace {

using base::Decoder;
using base::Encoder;

constexpr size_t kMost = size_t{1} << 24;

void PutStamp(Encoder& out, const store::Stamp& stamp) {
  out.Varint(stamp.sequence);
  out.BigEndian(static_cast<uint64_t>(stamp.time.micros), 8);
}

store::Stamp GetStamp(Decoder& in) {
  store::Stamp stamp;
  stamp.sequence = in.Varint();
  stamp.time.micros = static_cast<int64_t>(in.BigEndian(8));
  return stamp;
}

std::pair<store::Table, std::string> GetPlace(Decoder& in) {
  const auto table = static_cast<store::Table>(in.Byte());
  return {table, std::string(in.String(kMost))};
}

store::FeedRow GetFeedRow(Decoder& in) {
  store::FeedRow row;
  row.stamp = GetStamp(in);
  row.event.subject = in.String(kMost);
  row.event.body = in.String(kMost);
  row.event.commitment = in.Array<32>();
  row.chain = in.Array<32>();
  row.erased = in.Byte() != 0;
  return row;
}

}  // namespace

std::string EncodeAcknowledged(const Acknowledged& acknowledged) {
  std::string bytes;
  Encoder out(&bytes);
  out.Varint(acknowledged.rows.size());
  for (const auto& [place, value] : acknowledged.rows) {
    out.Byte(static_cast<uint8_t>(place.first));
    out.String(place.second);
    out.String(value);
  }
  out.Varint(acknowledged.erased.size());
  for (const auto& [table, key] : acknowledged.erased) {
    out.Byte(static_cast<uint8_t>(table));
    out.String(key);
  }
  out.Varint(acknowledged.feed.size());
  for (const store::FeedRow& row : acknowledged.feed) {
    PutStamp(out, row.stamp);
    out.String(row.event.subject);
    out.String(row.event.body);
    out.Raw(base::View(row.event.commitment));
    out.Raw(base::View(row.chain));
    out.Byte(row.erased ? 1 : 0);
  }
  out.Varint(acknowledged.feed_first);
  PutStamp(out, acknowledged.head.stamp);
  out.Raw(base::View(acknowledged.head.chain));
  return bytes;
}

bool DecodeAcknowledged(std::string_view bytes, Acknowledged* out) {
  Decoder in(bytes);
  for (uint64_t left = in.Varint(); in.ok() && left > 0; --left) {
    const auto place = GetPlace(in);
    out->rows[place] = in.String(kMost);
  }
  for (uint64_t left = in.Varint(); in.ok() && left > 0; --left) out->erased.push_back(GetPlace(in));
  for (uint64_t left = in.Varint(); in.ok() && left > 0; --left) out->feed.push_back(GetFeedRow(in));
  out->feed_first = in.Varint();
  out->head.stamp = GetStamp(in);
  out->head.chain = in.Array<32>();
  return in.Done();
}

JudgeProcess::JudgeProcess(const std::string& program, const std::filesystem::path& folder,
                           const Acknowledged& acknowledged) {
  const std::filesystem::path file = folder / "acknowledged";
  std::ofstream(file, std::ios::binary) << EncodeAcknowledged(acknowledged);
  std::array<int, 2> to{};
  std::array<int, 2> from{};
  if (pipe(to.data()) != 0 || pipe(from.data()) != 0) std::abort();
  process_ = fork();
  if (process_ == 0) {
    dup2(to[0], STDIN_FILENO);
    dup2(from[1], STDOUT_FILENO);
    for (const int end : {to[0], to[1], from[0], from[1]}) close(end);
    execl(program.c_str(), program.c_str(), file.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  close(to[0]);
  close(from[1]);
  questions_ = fdopen(to[1], "w");
  answers_ = fdopen(from[0], "r");
}

JudgeProcess::~JudgeProcess() {
  fclose(questions_);  // its end
  fclose(answers_);
  waitpid(process_, nullptr, 0);
}

Judgement JudgeProcess::Ask(const std::filesystem::path& copy) {
  std::array<char, 4096> line{};
  const bool asked = fprintf(questions_, "%s\n", copy.c_str()) > 0 && fflush(questions_) == 0;
  if (!asked || fgets(line.data(), static_cast<int>(line.size()), answers_) == nullptr) {
    ADD_FAILURE() << "the judging process does not answer";
    return {};
  }
  std::string text = line.data();
  if (text.ends_with('\n')) text.pop_back();
  const int verdict = std::atoi(text.c_str());
  const size_t space = text.find(' ');
  return {static_cast<Verdict>(verdict), space == std::string::npos ? "" : text.substr(space + 1)};
}

}  // namespace consent::test
