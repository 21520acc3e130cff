// consentctl reviews lease|open|redeem|submit|end|renew: what review tools and data systems do.
#include "client/cli/commands/reviews.h"

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/command.h"
#include "client/cli/exit_codes.h"
#include "client/cli/files.h"
#include "client/cli/output.h"
#include "client/cli/render/render.h"
#include "consent/recording_lines.h"
#include "consent/reviews.h"
#include "daemon/base/bounds.h"

namespace consent::cli {
namespace {

// The recordings of a file, each a line as `filter` reads it. InvalidArgument: a line that cannot be read, or too few
// or too many of them. NotFound: the file cannot be read.
absl::StatusOr<std::vector<Recording>> ReadRecordings(int input) {
  RecordingLineReader reader(input);
  std::vector<Recording> recordings;
  for (;;) {
    const RecordingLineReader::Result result = reader.Next();
    if (result == RecordingLineReader::Result::kEnd) break;
    if (result == RecordingLineReader::Result::kRecording && !(reader.line().place == Place{})) {
      return absl::InvalidArgumentError("line " + std::to_string(reader.number()) +
                                        ": says where it would be heard: say that by --country, --site and --reviewer");
    }
    if (result == RecordingLineReader::Result::kProblem) {
      return absl::InvalidArgumentError("line " + std::to_string(reader.number()) + ": " +
                                        std::string(reader.problem().message()));
    }
    if (result != RecordingLineReader::Result::kRecording) return absl::NotFoundError("the file cannot be read");
    recordings.push_back(reader.line().recording);
    if (recordings.size() > kMaxLeases) break;
  }
  if (recordings.empty() || recordings.size() > kMaxLeases) {
    return absl::InvalidArgumentError("a lease is of 1 to 10 recordings: give so many lines");
  }
  return recordings;
}

// What stands in the way of one recording; empty where there is a grant.
std::string RefusalText(const LeaseResult& result) {
  if (result.grant.has_value()) return "";
  if (!result.error.ok()) return ErrorOf(result.error).reason.empty() ? "NO_ANSWER" : ErrorOf(result.error).reason;
  return std::string(Name(result.refusal));
}

Json LeaseJson(const Recording& recording, const LeaseResult& result) {
  Json json = {{"recording_id", recording.recording_id.value()}};
  if (result.grant.has_value()) {
    json["grant"] = {{"grant_id", result.grant->name.grant_id},
                     {"fence", result.grant->name.fence},
                     {"pseudonym", result.grant->pseudonym},
                     {"media_handle", result.grant->media_handle},
                     {"expires_at", TimeText(result.grant->expires_at)}};
  } else {
    json["refusal"] = RefusalText(result);
    json["reasons"] = NamesJson(result.reasons);
  }
  return json;
}

int PrintLeases(const std::vector<Recording>& recordings, const std::vector<LeaseResult>& results, const Cli& cli) {
  Report report;
  report.json = {{"results", Json::array()}};
  Table granted("grant", {"RECORDING", "GRANT", "FENCE", "PSEUDONYM", "MEDIA", "EXPIRES"});
  Table refused("refused", {"RECORDING", "REFUSAL", "WHY"});
  bool all = true;
  for (size_t i = 0; i < results.size(); ++i) {
    const LeaseResult& result = results[i];
    report.json["results"].push_back(LeaseJson(recordings[i], result));
    if (result.grant.has_value()) {
      const ReviewGrant& grant = *result.grant;
      granted.Add({recordings[i].recording_id.value(), grant.name.grant_id, std::to_string(grant.name.fence),
                   grant.pseudonym, grant.media_handle, TimeText(grant.expires_at)});
    } else {
      all = false;
      refused.Add({recordings[i].recording_id.value(), RefusalText(result), NamesText(result.reasons)});
    }
  }
  report.tables = {granted, refused};
  return Print(report, cli, all ? kDone : kPartlyRefused);
}

int RunLease(const Cli& cli, const std::string& file, ReviewOrder* order) {
  const absl::StatusOr<Descriptor> input = OpenInput(file);
  if (!input.ok()) return FileError(input.status());
  absl::StatusOr<std::vector<Recording>> recordings = ReadRecordings(input->get());
  if (absl::IsNotFound(recordings.status())) return FileError(recordings.status());
  if (!recordings.ok()) {
    std::fprintf(stderr, "consentctl: %s\n", std::string(recordings.status().message()).c_str());
    return kUnreadable;
  }
  order->recordings = *std::move(recordings);
  return cli.WithClient([&](Client& client) {
    const auto results = client.reviews().Lease(*order);
    if (!results.ok()) return PrintError(results.status(), cli.json);
    return PrintLeases(order->recordings, *results, cli);
  });
}

void AddLease(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "lease",
      "Ask for grants, so that one person may listen to each recording once, within 30 minutes. A recording that gets "
      "none is told with why; then it ends with 22.");
  auto file = std::make_shared<std::string>();
  auto order = std::make_shared<ReviewOrder>();
  NotEmpty(app->add_option("file", *file, "1 to 10 recordings, lines as for `filter`; - for standard input"))
      ->required()
      ->type_name("FILE");
  AddName(app, "--purpose", &order->purpose, "What they would be heard for")->required();
  AddPlace(app, &order->place);
  AddText(app, "--listener", &order->reviewer, 1, base::kMaxNameBytes,
          "Who would listen, by a name that your tool gives; 1 to 64 bytes")
      ->required();
  AddSelection(app, &order->selection);
  app->callback(
      [&cli, file, order] { cli.action = [&cli, file, order] { return RunLease(cli, *file, order.get()); }; });
}

void AddOpen(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "open",
      "Before each play: ask whether it still may be, and get what the data system gives the bytes out for. Good once, "
      "for 120 seconds, or 10 where the data system cannot call.");
  auto grant = std::make_shared<GrantName>();
  auto audience = std::make_shared<std::string>();
  AddGrantName(app, grant.get());
  AddText(app, "system", audience.get(), 1, base::kMaxNameBytes, "The data system that is to give the bytes out")
      ->required();
  app->callback([&cli, grant, audience] {
    cli.action = [&cli, grant, audience] {
      return cli.WithClient([&](Client& client) {
        const MediaPass pass = client.reviews().Open(*grant, *audience);
        if (!pass.error().ok()) return PrintError(pass.error(), cli.json);
        if (!pass.MayPlay()) return PrintError(absl::UnavailableError("the answer came too late to be used"), cli.json);
        Report report;
        report.json = {{"media_token", pass.token()}};
        Table table("opened", {"MEDIA TOKEN"});
        table.Add({pass.token()});
        report.tables = {table};
        return Print(report, cli, kDone);
      });
    };
  });
}

void AddRedeem(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "redeem",
      "As a data system, before it gives any byte out: burn a media token, and learn what it is for. Whatever else it "
      "ends with, give nothing out.");
  auto system = std::make_shared<std::string>();
  auto token = std::make_shared<std::string>();
  AddText(app, "system", system.get(), 1, base::kMaxNameBytes, "The data system that redeems")->required();
  AddText(app, "token", token.get(), 1, kMaxMediaTokenBytes, "The media token, as `reviews open` prints it")
      ->required();
  app->callback([&cli, system, token] {
    cli.action = [&cli, system, token] {
      return cli.WithClient([&](Client& client) {
        const auto media = client.reviews().Redeem(*system, *token);
        if (!media.ok()) return PrintError(media.status(), cli.json);
        Report report;
        report.json = {{"account_id", media->account_id.value()},
                       {"recording_id", media->recording_id.value()},
                       {"artefact", Name(media->artefact)},
                       {"site", media->site}};
        Table table("redeemed", {"ACCOUNT", "RECORDING", "ARTEFACT", "SITE"});
        table.Add(
            {media->account_id.value(), media->recording_id.value(), std::string(Name(media->artefact)), media->site});
        report.tables = {table};
        return Print(report, cli, kDone);
      });
    };
  });
}

// Prints that a step of a grant is done.
int PrintStep(const absl::Status& status, const char* done, const GrantName& grant, const Cli& cli) {
  if (!status.ok()) return PrintError(status, cli.json);
  Report report;
  report.json = {{done, true}};
  Table table(done, {"GRANT"});
  table.Add({grant.grant_id});
  report.tables = {table};
  return Print(report, cli, kDone);
}

void AddSubmit(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "submit",
      "The review is done, and the grant over. Where it is refused (GRANT_ENDED, GRANT_LOST), delete what was made of "
      "the recording.");
  auto grant = std::make_shared<GrantName>();
  auto submission = std::make_shared<Submission>();
  AddGrantName(app, grant.get());
  AddBytes32(
      app, "digest", [submission](const std::array<uint8_t, 32>& digest) { submission->digest = digest; },
      "SHA-256 of what was submitted, in hexadecimal as `sha256sum` prints it")
      ->required();
  AddNames(app, "--flag", &submission->flags,
           "What was found; several times. It is stored also where the submission is refused.");
  app->callback([&cli, grant, submission] {
    cli.action = [&cli, grant, submission] {
      return cli.WithClient([&](Client& client) {
        return PrintStep(client.reviews().Submit(*grant, *submission), "submitted", *grant, cli);
      });
    };
  });
}

void AddEnd(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand("end",
                                         "The listener stops. CRITICAL_DATA, SAFETY, CHILD and ACCIDENTAL are stored "
                                         "as flags of the recording, also where "
                                         "the grant is over; after SAFETY see `flags list`.");
  auto grant = std::make_shared<GrantName>();
  auto outcome = std::make_shared<ReviewOutcome>(ReviewOutcome::kUnset);
  AddGrantName(app, grant.get());
  AddName(app, "outcome", outcome.get(), "What came of it, by anything but SUBMITTED")->required();
  app->callback([&cli, grant, outcome] {
    cli.action = [&cli, grant, outcome] {
      return cli.WithClient(
          [&](Client& client) { return PrintStep(client.reviews().End(*grant, *outcome), "ended", *grant, cli); });
    };
  });
}

void AddRenew(CLI::App* parent, Cli& cli) {
  CLI::App* app =
      parent->add_subcommand("renew", "Begin the 30 minutes of a grant anew, once, if it may still be heard");
  auto grant = std::make_shared<GrantName>();
  AddGrantName(app, grant.get());
  app->callback([&cli, grant] {
    cli.action = [&cli, grant] {
      return cli.WithClient([&](Client& client) {
        const auto until = client.reviews().Renew(*grant);
        if (!until.ok()) return PrintError(until.status(), cli.json);
        Report report;
        report.json = {{"expires_at", TimeText(*until)}};
        Table table("renewed", {"GRANT", "EXPIRES"});
        table.Add({grant->grant_id, TimeText(*until)});
        report.tables = {table};
        return Print(report, cli, kDone);
      });
    };
  });
}

}  // namespace

void AddGrantName(CLI::App* app, GrantName* grant) {
  AddText(app, "grant", &grant->grant_id, 1, base::kMaxTokenBytes, "The grant, as `reviews lease` prints it")
      ->required();
  AddNumber(app, "fence", &grant->fence, 1, INT64_MAX, "Its fence, printed beside it")->required();
}

void AddReviews(CLI::App& app, Cli& cli) {
  CLI::App* reviews = app.add_subcommand("reviews", "Review grants: nobody listens to a recording without a fresh yes");
  reviews->require_subcommand(1);
  AddLease(reviews, cli);
  AddOpen(reviews, cli);
  AddRedeem(reviews, cli);
  AddSubmit(reviews, cli);
  AddEnd(reviews, cli);
  AddRenew(reviews, cli);
  AddReviewOversight(reviews, cli);
  AddReviewRates(reviews, cli);
}

}  // namespace consent::cli
