#include "client/cli/command.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/src/default_endpoint.h"
#include "client/src/import_lines.h"
#include "client/src/utf8.h"
#include "daemon/base/bounds.h"
#include "daemon/base/ids.h"
#include "daemon/base/time.h"
#include "daemon/domain/types.h"

namespace consent::cli {

absl::StatusOr<std::unique_ptr<Client>> Cli::Connect() const {
  ClientOptions options;
  options.endpoint = endpoint;
  options.deadline = std::chrono::milliseconds(static_cast<int64_t>(timeout_seconds * 1000));
  return Client::Create(std::move(options));
}

int Cli::WithClient(const std::function<int(Client&)>& with) const {
  auto client = Connect();
  if (client.ok()) return with(**client);
  PrintError(client.status(), json);
  return kUsage;
}

std::string UpperName(std::string text) {
  for (char& c : text) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

namespace {

std::optional<Time> ParseTime(const std::string& text) {
  base::Instant instant;
  if (!base::ParseRfc3339(text, &instant)) return std::nullopt;
  return Time(std::chrono::microseconds(instant.micros));
}

}  // namespace

CLI::Option* AddTime(CLI::App* app, const std::string& flag, std::optional<Time>* out, const std::string& help) {
  return app
      ->add_option_function<std::string>(
          flag,
          [flag, out](const std::string& text) {
            *out = ParseTime(text);
            if (!out->has_value()) throw CLI::ValidationError(flag, "must be a time such as 2024-05-01T12:00:00Z (RFC 3339)");
          },
          help)
      ->type_name("TIME");
}

CLI::Option* AddBoundary(CLI::App* app, const std::string& flag, std::optional<Time>* out, const std::string& help) {
  return app
      ->add_option_function<std::string>(
          flag,
          [flag, out](const std::string& text) {
            *out = ParseTime(text);
            if (!out->has_value()) *out = ParseTime(text + "T00:00:00Z");
            if (!out->has_value()) {
              throw CLI::ValidationError(flag, "must be a date such as 2024-05-01 or a time such as 2024-05-01T12:00:00Z (RFC 3339)");
            }
          },
          help + " (a date: its first instant, UTC)")
      ->type_name("DATE|TIME");
}

void CheckTextFlag(const std::string& flag, const std::string& text, size_t least, size_t most) {
  if (text.size() < least || text.size() > most) {
    throw CLI::ValidationError(flag, "must have " + std::to_string(least) + " to " + std::to_string(most) + " bytes");
  }
  if (!IsUtf8(text)) throw CLI::ValidationError(flag, "must be UTF-8");
}

void CheckId(const std::string& flag, const std::string& text) {
  CheckTextFlag(flag, text, 1, base::kMaxIdBytes);
  WarnOfOddId(flag, text);
}

CLI::Option* AddText(CLI::App* app, const std::string& flag, std::string* out, size_t least, size_t most, const std::string& help) {
  return app->add_option_function<std::string>(
      flag,
      [flag, out, least, most](const std::string& text) {
        CheckTextFlag(flag, text, least, most);
        *out = text;
      },
      help);
}

CLI::Option* AddUncheckedText(CLI::App* app, const std::string& flag, std::string* out, const std::string& help) {
  return AddText(app, flag, out, 0, SIZE_MAX, help);
}

CLI::Option* AddRegion(CLI::App* app, const std::string& flag, std::string* out, bool subdivisions, const std::string& help) {
  return app->add_option_function<std::string>(
      flag,
      [flag, out, subdivisions](const std::string& text) {
        domain::Region region;
        if (!domain::Region::Parse(text, &region) || (!subdivisions && text.size() != 2)) {
          throw CLI::ValidationError(flag, subdivisions ? "must be a country such as DE, or with a subdivision such as US-CA, in upper case"
                                                        : "must be a country such as DE, in upper case");
        }
        *out = text;
      },
      help);
}

void AddRequestId(CLI::App* app, RequestId* id) {
  app->add_option_function<std::string>(
         "--request-id",
         [id](const std::string& text) {
           CheckTextFlag("--request-id", text, 1, base::kMaxRequestIdBytes);
           *id = RequestId(text);
         },
         "A name for this call: repeated with it within 72 hours it is answered and not done again (default: a random one)")
      ->type_name("ID");
}

bool ParseDuration(const std::string& text, std::chrono::seconds* out) {
  constexpr size_t kMostDigits = 9;
  constexpr int64_t kMostSeconds = int64_t{100'000} * 86'400;
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || digits > kMostDigits) return false;
  const std::string unit = text.substr(digits);
  const int64_t factor = unit == "s" ? 1 : unit == "min" ? 60 : unit == "h" ? 3'600 : unit == "d" ? 86'400 : 0;
  const int64_t seconds = std::stoll(text.substr(0, digits)) * factor;
  if (factor == 0 || seconds > kMostSeconds) return false;
  *out = std::chrono::seconds(seconds);
  return true;
}

void AddEvidence(CLI::App* app, Evidence* evidence) {
  AddUncheckedText(app, "--notice", &evidence->notice_version, "Version of the notice that the user saw")->group("Evidence");
  AddUncheckedText(app, "--language", &evidence->notice_language, "Language in which it was shown, for example en")->group("Evidence");
  AddName(app, "--channel", &evidence->channel, "How the user spoke")->group("Evidence");
  AddName(app, "--actor", &evidence->actor, "Who decided")->group("Evidence");
  AddId(app, "--guardian", &evidence->guardian, "The guardian, where the actor is GUARDIAN")->group("Evidence");
  AddUncheckedText(app, "--reference", &evidence->reference, "A reference of yours, for example a ticket")->group("Evidence");
}

void AddScope(CLI::App* app, Scope* scope) {
  CLI::Option* profile = AddId(app, "--profile", &scope->profile, "For this profile instead of the account");
  AddId(app, "--device", &scope->device, "For this device instead of the account")->excludes(profile);
}

void AddPlace(CLI::App* app, Place* place) {
  AddRegion(app, "--country", &place->country, false, "Where it would be used, for example RO");
  AddText(app, "--site", &place->site, 0, base::kMaxNameBytes, "At which site");
  AddName(app, "--reviewer", &place->reviewer, "Who would listen");
}

void AddEtag(CLI::App* app, Etag* etag, const std::string& where_from) {
  app->add_option_function<std::string>(
         "--etag",
         [etag](const std::string& text) {
           CheckTextFlag("--etag", text, 0, base::kMaxTokenBytes);
           *etag = Etag(text);
         },
         "What `" + where_from + "` printed; needed for whatever allows more. It is never fetched for you: it says which "
         "state was looked at before deciding.")
      ->type_name("ETAG");
}

SettingTarget ParseTarget(const std::string& text) {
  SettingTarget target;
  if (text == "all") {
    target.all = true;
  } else if (!ParseName(text, &target.purpose)) {
    target.control = text;
  }
  return target;
}

void LeftOut::Add(const std::string& flag, const std::string& why) { parts_.push_back({flag, false, false, "NOT_SENT", why}); }

std::vector<SettingTarget> LeftOut::Targets(const std::string& flag, const std::vector<std::string>& texts) {
  std::vector<SettingTarget> targets;
  for (const std::string& text : texts) {
    if (!text.empty() && text.size() <= base::kMaxNameBytes && IsUtf8(text)) {
      targets.push_back(ParseTarget(text));
    } else {
      Add(flag, "must have 1 to " + std::to_string(base::kMaxNameBytes) + " bytes of UTF-8");
    }
  }
  return targets;
}

std::vector<RetentionChange> LeftOut::RetentionOf(const Scope& scope, const std::string& text) {
  if (text.empty()) return {};
  const absl::StatusOr<Retention> retention = ParseRetention(text);
  if (retention.ok()) return {{scope, *retention}};
  Add("--retention", std::string(retention.status().message()));
  return {};
}

void LeftOut::Settle(bool restricts) const {
  if (!restricts && !parts_.empty()) throw CLI::ValidationError(parts_.front().part, parts_.front().refused_message);
}

bool Restricts(const std::vector<SettingChange>& changes, const std::vector<RetentionChange>& retention) {
  return std::any_of(changes.begin(), changes.end(), [](const SettingChange& change) { return change.turn == Switch::kOff; }) ||
         std::any_of(retention.begin(), retention.end(),
                     [](const RetentionChange& change) { return change.retention.kind != Retention::Kind::kUntilDeleted; });
}

int Run(int argc, const char* const* argv) {
  CLI::App app("consentctl: read and change what users chose, ask whether recordings may be used, have them deleted or held, and tell a "
               "subject what is known.", "consentctl");
  Cli cli;
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(ExitCodesHelp());
  app.add_option("--endpoint", cli.endpoint,
                 "Where consentd listens: unix:/path, 127.0.0.1:port, [::1]:port. Default: " + DefaultEndpoint())
      ->envname("CONSENT_ENDPOINT");
  app.add_option("--timeout", cli.timeout_seconds, "Seconds that one call may take, repetitions included (default 10)")
      ->check(CLI::Range(0.001, 3600.0))
      ->type_name("SECONDS");
  app.add_flag("--json", cli.json, "Print one JSON object");
  AddSubject(app, cli);
  AddSettings(app, cli);
  AddCheck(app, cli);
  AddReportRecording(app, cli);
  AddPolicy(app, cli);
  AddClock(app, cli);
  AddImport(app, cli);
  AddFilter(app, cli);
  AddDelete(app, cli);
  AddRequests(app, cli);
  AddSystems(app, cli);
  AddTasks(app, cli);
  AddWorker(app, cli);
  AddHolds(app, cli);
  AddExportSubject(app, cli);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    app.exit(error);
    return kUsage;
  }
  return cli.action();
}

}  // namespace consent::cli
