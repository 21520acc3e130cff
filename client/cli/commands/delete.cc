// consentctl delete.
#include <algorithm>

#include "client/cli/command.h"
#include "client/cli/commands/bulk.h"
#include "client/cli/confirm.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"
#include "client/cli/render/render_deletion.h"
#include "client/cli/times.h"
#include "daemon/base/bounds.h"

namespace consent::cli {
namespace {

struct DeleteFlags {
  NewDeletionRequest order;
  bool everything = false;
  TimeRange range;
  bool today = false;
  SpokenDay day;
  std::vector<RecordingId> recordings;
  ProfileId profile;
  DeviceId device;
  // With these, profile and device narrow them down.
  std::vector<Purpose> purpose_copies;
  ProfileId voice_id_of;
  bool close_account = false;
  bool verified = false;
  bool verifying = false;
  bool yes = false;
  BulkFlags bulk;
};

bool HasRange(const DeleteFlags& flags) { return flags.range.from.has_value() || flags.range.to.has_value(); }

// How many kinds of selector are said.
int64_t KindsOf(const DeleteFlags& flags) {
  const bool copies = !flags.purpose_copies.empty();
  const std::vector<bool> kinds = {flags.everything,
                                   HasRange(flags),
                                   flags.today,
                                   !flags.recordings.empty(),
                                   !flags.profile.empty() && !copies,
                                   !flags.device.empty() && !copies,
                                   copies,
                                   !flags.voice_id_of.empty(),
                                   flags.close_account};
  return std::count(kinds.begin(), kinds.end(), true);
}

// Throws unless exactly one kind is said.
void CheckOneKind(const DeleteFlags& flags) {
  if (KindsOf(flags) == 1) return;
  throw CLI::ValidationError(
      "delete",
      "needs exactly one of --everything, --from with --to, --today, --recording, --profile, --device, "
      "--purpose-copies, --voice-id and --close-account: it says what is to be deleted");
}

DeletionSelector SelectorOf(const DeleteFlags& flags) {
  CheckOneKind(flags);
  if (!flags.today && (flags.day.spoken_at.has_value() || !flags.day.time_zone.empty())) {
    throw CLI::ValidationError("--time-zone",
                               "belongs to --today, as --spoken-at does; give --today, or neither of both");
  }
  if (flags.everything) return Everything{};
  if (HasRange(flags)) {
    // An open end would delete more than somebody who forgot it meant.
    if (!flags.range.from.has_value()) {
      throw CLI::ValidationError("--to", "needs --from; 1970-01-01T00:00:00Z is before everything");
    }
    if (!flags.range.to.has_value())
      throw CLI::ValidationError("--from", "needs --to; `--to now` is the end of all that there is");
    return flags.range;
  }
  if (flags.today) {
    if (flags.day.time_zone.empty()) {
      throw CLI::ValidationError("--today", "needs --time-zone: where the user's day began");
    }
    SpokenDay day = flags.day;
    if (!day.spoken_at.has_value()) day.spoken_at = SystemTime();
    return day;
  }
  if (!flags.purpose_copies.empty()) {
    if (!flags.profile.empty() && !flags.device.empty()) {
      throw CLI::ValidationError("--purpose-copies", "takes --profile or --device, not both");
    }
    return PurposeCopies{flags.purpose_copies, {flags.profile, flags.device}};
  }
  if (!flags.voice_id_of.empty()) return VoiceIdOf{flags.voice_id_of};
  if (flags.close_account) return AccountClosure{};
  if (!flags.profile.empty()) return flags.profile;
  if (!flags.device.empty()) return flags.device;
  if (flags.recordings.size() > kMaxDeletedRecordings) {
    throw CLI::ValidationError("--recording", "at most " + std::to_string(kMaxDeletedRecordings) + " in one request");
  }
  return flags.recordings;
}

// What is asked before it, on a terminal.
std::string QuestionOf(const DeleteFlags& flags) {
  const std::string of =
      flags.bulk.file.empty() ? "of " + flags.order.account_id.value() : "of each account of the file";
  if (flags.close_account) return "This closes the account " + of + ", which cannot be undone once it is verified.";
  return "This has recordings " + of + " deleted" +
         (flags.verified ? ", and purging begins at once." : " once it is verified; until then nothing of it is used.");
}

int RunDelete(const Cli& cli, const NewDeletionRequest& order) {
  return cli.WithClient([&](Client& client) {
    const auto done = client.CreateDeletionRequest(order);
    if (!done.ok()) return PrintError(done.status(), cli.json);
    Report report;
    report.json = {{"created", done->created},
                   {"revision", done->revision.value()},
                   {"account_closed", done->account_closed},
                   {"request", DeletionJson(done->request)}};
    report.tables = DeletionTables(done->request);
    Table created("created", {"NEW REQUEST", "ACCOUNT CLOSED"});
    created.Add({done->created ? "yes" : "no: a request for the same was there", YesNo(done->account_closed)});
    report.tables.push_back(created);
    TellNewSubject(done->subject_is_new, &report);
    TellUnusable(done->unusable, &report);
    return Print(report, cli, done->unusable.empty() ? kDone : kPartlyRefused);
  });
}

int RunFile(const Cli& cli, const DeleteFlags& flags) {
  const NewDeletionRequest& order = flags.order;
  BulkJob job;
  job.read = [&flags](std::string_view line) {
    return ReadDeletionLine(
        line, {flags.order.selector, flags.order.requester, flags.order.verification, flags.order.evidence});
  };
  return RunBulk(cli, flags.bulk, std::move(job),
                 {{"command", "delete"},
                  {"selector", SelectorJson(order.selector)},
                  {"requester", static_cast<int>(order.requester)},
                  {"verification", static_cast<int>(order.verification)},
                  {"evidence", EvidenceJson(order.evidence)}});
}

void AddSelector(CLI::App* app, DeleteFlags* flags) {
  app->add_flag("--everything", flags->everything, "All that was captured until now")->group("What");
  AddTime(app, "--from", &flags->range.from, "Captured from then on; with --to", TimeForm::kFirst)->group("What");
  AddTime(app, "--to", &flags->range.to, "Captured until then, not in the future; with --from", TimeForm::kLast)
      ->group("What");
  app->add_flag("--today", flags->today, "From the first instant of the day on which it was said; with --time-zone")
      ->group("What");
  AddText(app, "--time-zone", &flags->day.time_zone, 1, base::kMaxNameBytes, "The user's, such as Europe/Bucharest")
      ->group("What");
  AddTime(app, "--spoken-at", &flags->day.spoken_at, "When it was said (default: now, by this machine's clock)")
      ->group("What");
  AddIds(app, "--recording", &flags->recordings, "A recording; several times, at most 1,000")->group("What");
  AddId(app, "--profile", &flags->profile, "All of this speaker that was captured until now")->group("What");
  AddId(app, "--device", &flags->device, "All of this device that was captured until now")->group("What");
  AddNames(app, "--purpose-copies", &flags->purpose_copies,
           "What was made of recordings for these purposes, not the audio itself; of the account, or with --profile or "
           "--device of that")
      ->group("What");
  AddId(app, "--voice-id", &flags->voice_id_of, "What was learnt to know this profile's voice by")->group("What");
  app->add_flag("--close-account", flags->close_account,
                "CLOSES THE ACCOUNT once it is verified: everything goes, whenever it was captured, choices and "
                "profiles included. Nobody is asked again. The account_id is refused from then on, until `subject set "
                "--create-new` starts it anew.")
      ->group("What");
}

}  // namespace

void AddDelete(CLI::App& parent, Cli& cli) {
  CLI::App* app = parent.add_subcommand("delete",
                                        "Request that recordings are deleted. Nothing that it selects may be used from "
                                        "now on; purging begins once it is verified: "
                                        "with --verified now, else by `requests verify`. While a request for the same "
                                        "recordings or the same --from and --to is "
                                        "open, that one is printed and nothing new is written.");
  auto flags = std::make_shared<DeleteFlags>();
  flags->order.requester = Actor::kSelf;
  const CLI::Option* account = AddId(app, "account", &flags->order.account_id, "Whose recordings; or --file");
  AddSelector(app, flags.get());
  AddName(app, "--requester", &flags->order.requester, "Who asks (default SELF)");
  CLI::Option* verified = app->add_flag("--verified", flags->verified, "Who asks is known and may ask: purging begins");
  app->add_flag("--verifying", flags->verifying, "It is being found out who asks")->excludes(verified);
  AddYes(app, &flags->yes);
  AddUncheckedRequestId(app, &flags->order.request_id);
  AddEvidence(app, &flags->order.evidence);
  AddBulk(
      app, &flags->bulk,
      "account_id, selector as `requests show` prints it unless one is said here, and where it differs from what is "
      "said here verified, requester, channel, actor, reference");
  app->callback([&cli, flags, app, account] {
    NewDeletionRequest& order = flags->order;
    const bool from_file = TakesFile(app, flags->bulk, account, {"--request-id"});
    const bool lines_say = from_file && KindsOf(*flags) == 0;
    if (from_file && flags->today && !flags->day.spoken_at.has_value()) {
      throw CLI::ValidationError("--today", "with --file needs --spoken-at: a run that goes on must mean the same day");
    }
    if (!lines_say) order.selector = SelectorOf(*flags);
    order.verification = flags->verified    ? Verification::kVerified
                         : flags->verifying ? Verification::kUnderWay
                                            : Verification::kPending;
    cli.action = [&cli, flags, from_file] {
      if (!IsConfirmed(QuestionOf(*flags), flags->yes)) return static_cast<int>(kStopped);
      return from_file ? RunFile(cli, *flags) : RunDelete(cli, flags->order);
    };
  });
}

}  // namespace consent::cli
