// What the commands of consentctl share. One command, one file.
#pragma once

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/output.h"
#include "client/cli/times.h"
#include "consent/client.h"
#include "consent/names.h"
#include "daemon/base/bounds.h"
#include "daemon/base/ids.h"

namespace consent::cli {

// The global options, and what the chosen command does once the whole line is parsed.
struct Cli : OutputForm {
  std::string endpoint;
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;
  double timeout_seconds = 10;
  std::function<int()> action;

  absl::StatusOr<std::unique_ptr<Client>> Connect() const;
  // Connects and runs `with`; prints the error where that fails.
  int WithClient(const std::function<int(Client&)>& with) const;
};

// Each adds its command, with options, help and action. `cli` outlives `app`.
void AddSubject(CLI::App& app, Cli& cli);
void AddSettings(CLI::App& app, Cli& cli);
void AddCheck(CLI::App& app, Cli& cli);
void AddReportRecording(CLI::App& app, Cli& cli);
void AddPolicy(CLI::App& app, Cli& cli);
void AddClock(CLI::App& app, Cli& cli);
void AddKeys(CLI::App& app, Cli& cli);
void AddBackup(CLI::App& app, Cli& cli);
void AddCompletion(CLI::App& app, Cli& cli);
void AddImport(CLI::App& app, Cli& cli);
void AddFilter(CLI::App& app, Cli& cli);
void AddDecisions(CLI::App& app, Cli& cli);
void AddDelete(CLI::App& app, Cli& cli);
void AddRequests(CLI::App& app, Cli& cli);
void AddSystems(CLI::App& app, Cli& cli);
void AddTasks(CLI::App& app, Cli& cli);
void AddSweep(CLI::App& app, Cli& cli);
void AddChildren(CLI::App& app, Cli& cli);
void AddWorker(CLI::App& app, Cli& cli);
void AddHolds(CLI::App& app, Cli& cli);
void AddApprovals(CLI::App& app, Cli& cli);
void AddFlags(CLI::App& app, Cli& cli);
void AddReviews(CLI::App& app, Cli& cli);
void AddExportSubject(CLI::App& app, Cli& cli);
void AddCerts(CLI::App& app, Cli& cli);
void AddStatus(CLI::App& app, Cli& cli);
void AddHelp(CLI::App& app, Cli& cli);
void AddVersion(CLI::App& app, Cli& cli);

// As typed: "human-review" is HUMAN_REVIEW.
std::string UpperName(std::string text);

// Throws ValidationError: `text` is none of `known`, which are named, with the nearest.
[[noreturn]] void RefuseName(const std::string& flag, const std::string& text,
                             const std::vector<std::string_view>& known);

// The names of an enum, in the order of its numbers.
template <typename Enum>
std::vector<std::string_view> NamesOf() {
  std::vector<std::string_view> names;
  for (int number = 1; FromNumber<Enum>(number) != Enum::kUnset; ++number)
    names.push_back(Name(FromNumber<Enum>(number)));
  return names;
}
// "A, B".
std::string Listed(const std::vector<std::string_view>& names);

// An option that takes an enum's name.
template <typename Enum>
CLI::Option* AddName(CLI::App* app, const std::string& flag, Enum* out, const std::string& help) {
  return app
      ->add_option_function<std::string>(
          flag,
          [flag, out](const std::string& text) {
            if (!ParseName(UpperName(text), out)) RefuseName(flag, text, NamesOf<Enum>());
          },
          help + ": " + Listed(NamesOf<Enum>()))
      ->type_name("NAME");
}

// As AddName, several times or separated by commas.
template <typename Enum>
CLI::Option* AddNames(CLI::App* app, const std::string& flag, std::vector<Enum>* out, const std::string& help) {
  return app
      ->add_option_function<std::vector<std::string>>(
          flag,
          [flag, out](const std::vector<std::string>& texts) {
            out->clear();
            for (const std::string& text : texts) {
              Enum value = Enum::kUnset;
              if (!ParseName(UpperName(text), &value)) RefuseName(flag, text, NamesOf<Enum>());
              out->push_back(value);
            }
          },
          help + ": " + Listed(NamesOf<Enum>()))
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAME");
}

// What cannot be sent and is left out beside a no; see below.
class LeftOut;
// Runs `check`, which throws ValidationError. Where there is `left_out`, notes what it threw there instead; false then.
bool CheckOrLeaveOut(LeftOut* left_out, const std::string& flag, const std::function<void()>& check);

// Throws ValidationError unless `text` is UTF-8 of `least` to `most` bytes, as the daemon takes it.
void CheckTextFlag(const std::string& flag, const std::string& text, size_t least, size_t most);
// The same of an id; warns of one that looks mistaken.
void CheckId(const std::string& flag, const std::string& text);
// An option that takes a text of `least` to `most` bytes.
CLI::Option* AddText(CLI::App* app, const std::string& flag, std::string* out, size_t least, size_t most,
                     const std::string& help);
// As AddText, within whatever bounds the daemon has: it takes a no beside a text that breaks them, and says so.
CLI::Option* AddUncheckedText(CLI::App* app, const std::string& flag, std::string* out, const std::string& help);
// As AddText: `DE`, and with `subdivisions` also `US-CA`.
CLI::Option* AddRegion(CLI::App* app, const std::string& flag, std::string* out, bool subdivisions,
                       const std::string& help);
// An option that takes an id.
template <typename Tag>
CLI::Option* AddId(CLI::App* app, const std::string& flag, Id<Tag>* out, const std::string& help) {
  return app
      ->add_option_function<std::string>(
          flag,
          [flag, out](const std::string& text) {
            CheckId(flag, text);
            *out = Id<Tag>(text);
          },
          help)
      ->type_name("ID");
}

// As AddId, beside what may be a no: an id out of its bounds is the daemon's to refuse, which does the no all the same.
// What is no UTF-8 cannot be sent.
template <typename Tag>
CLI::Option* AddUncheckedId(CLI::App* app, const std::string& flag, Id<Tag>* out, const std::string& help,
                            LeftOut* left_out) {
  return app
      ->add_option_function<std::string>(
          flag,
          [flag, out, left_out](const std::string& text) {
            if (CheckOrLeaveOut(left_out, flag, [&] { CheckTextFlag(flag, text, 0, SIZE_MAX); })) *out = Id<Tag>(text);
          },
          help)
      ->type_name("ID");
}

// An option that takes an id, several times.
template <typename Tag>
CLI::Option* AddIds(CLI::App* app, const std::string& flag, std::vector<Id<Tag>>* out, const std::string& help,
                    LeftOut* left_out = nullptr) {
  return app
      ->add_option_function<std::vector<std::string>>(
          flag,
          [flag, out, left_out](const std::vector<std::string>& texts) {
            out->clear();
            for (const std::string& text : texts) {
              if (CheckOrLeaveOut(left_out, flag, [&] { CheckId(flag, text); })) out->emplace_back(text);
            }
          },
          help)
      ->allow_extra_args(false)
      ->type_name("ID");
}

// Throws ValidationError unless `text` is one in decimal digits within the bounds.
int64_t ReadNumber(const std::string& flag, const std::string& text, int64_t least, int64_t most);
// An option that takes a whole number in decimal digits, from `least` to `most`.
template <typename Number>
CLI::Option* AddNumber(CLI::App* app, const std::string& flag, Number* out, int64_t least, int64_t most,
                       const std::string& help) {
  return app
      ->add_option_function<std::string>(
          flag,
          [flag, out, least, most](const std::string& text) {
            *out = static_cast<Number>(ReadNumber(flag, text, least, most));
          },
          help)
      ->type_name("NUMBER");
}
// What --self-profile reads as where it has no value; the help shows it, and nobody can type it.
inline constexpr char kOnlyAdult[] = "(the only adult)";
// Refuses an empty text, as an unset variable of a shell leaves it.
CLI::Option* NotEmpty(CLI::Option* option);

// 32 bytes, as 64 digits in hexadecimal.
CLI::Option* AddBytes32(CLI::App* app, const std::string& flag,
                        std::function<void(const std::array<uint8_t, 32>&)> take, const std::string& help);
// --request-id.
void AddRequestId(CLI::App* app, RequestId* id);
// Of a command that only restricts: one that is too long is sent, because the daemon restricts without it and says so.
void AddUncheckedRequestId(CLI::App* app, RequestId* id);
// An option that takes a time; see times.h.
CLI::Option* AddTime(CLI::App* app, const std::string& flag, std::optional<Time>* out, const std::string& help,
                     TimeForm form = TimeForm::kMoment);
// Of --to, where it does not lie after --from.
inline constexpr char kEmptyPeriod[] =
    "must lie after --from; the end does not belong to it, so `--from 2026-10 --to 2026-11` is October";
// --page-size and --page of a list of `what` ("Requests").
void AddPage(CLI::App* app, int* page_size, std::string* page_token, const std::string& what);
// --force: what `files` name may be replaced.
CLI::Option* AddForce(CLI::App* app, bool* force, const std::string& files);
// --notice, --language, --channel, --actor, --guardian, --reference.
void AddEvidence(CLI::App* app, Evidence* evidence, LeftOut* left_out = nullptr);
// --language: in which texts are shown.
void AddTextLanguage(CLI::App* app, CallOptions* options);
// --profile, --device.
void AddScope(CLI::App* app, Scope* scope);
// --country, --site, --reviewer.
void AddPlace(CLI::App* app, Place* place);
// --selection.
void AddSelection(CLI::App* app, Selection* selection);
// --etag.
void AddEtag(CLI::App* app, Etag* etag, const std::string& where_from, LeftOut* left_out = nullptr);
// `all`, a purpose's name in upper case, or a control.
SettingTarget ParseTarget(const std::string& text);

// What of a command line cannot be sent. Beside a no it is left out and told as a part that was refused: a no counts
// whatever stands beside it. Else it makes the command line wrong.
class LeftOut {
 public:
  void Add(const std::string& flag, const std::string& why);
  // ParseTarget of each text that the daemon can read as one.
  std::vector<SettingTarget> Targets(const std::string& flag, const std::vector<std::string>& texts);
  // The same where a text is a control's name whatever it is.
  std::vector<SettingTarget> Controls(const std::string& flag, const std::vector<std::string>& texts);
  // Nothing where the option was not given.
  std::vector<RetentionChange> RetentionOf(const Scope& scope, const std::optional<std::string>& text);
  // Throws ValidationError for what is left out, unless the call `restricts` without it.
  void Settle(bool restricts) const;
  void AppendTo(std::vector<PartResult>* results) const {
    results->insert(results->end(), parts_.begin(), parts_.end());
  }

 private:
  bool IsName(const std::string& flag, const std::string& text);
  std::vector<PartResult> parts_;
};
// A change that turns something off, or a retention that ends by itself.
bool Restricts(const std::vector<SettingChange>& changes, const std::vector<RetentionChange>& retention);

}  // namespace consent::cli
