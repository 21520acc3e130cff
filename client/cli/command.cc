#include "client/cli/command.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "client/cli/exit_codes.h"
#include "client/cli/lines/import_lines.h"
#include "client/cli/output.h"
#include "client/cli/printable.h"
#include "daemon/base/bounds.h"
#include "daemon/base/bytes.h"
#include "daemon/base/hash.h"
#include "daemon/base/ids.h"
#include "daemon/base/nearest_name.h"
#include "daemon/base/utf8.h"
#include "daemon/domain/types.h"

namespace consent::cli {

absl::StatusOr<std::unique_ptr<Client>> Cli::Connect() const {
  ClientOptions options = ClientOptions::FromEnvironment();
  const auto prefer = [](const std::string& given, std::string* option) {
    if (!given.empty()) *option = given;
  };
  prefer(endpoint, &options.endpoint);
  prefer(ca_file, &options.ca_file);
  prefer(certificate_file, &options.certificate_file);
  prefer(key_file, &options.key_file);
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

std::string Listed(const std::vector<std::string_view>& names) {
  std::string text;
  for (const std::string_view name : names) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

void RefuseName(const std::string& flag, const std::string& text, const std::vector<std::string_view>& known) {
  std::string why = "must be one of " + Listed(known);
  if (const auto nearest = base::NearestName(text, known)) why.append("; did you mean ").append(*nearest).append("?");
  throw CLI::ValidationError(flag, why);
}

namespace {

// CLI11 puts the flag's name before the text of its errors.
std::string WithoutFlag(const std::string& flag, const std::string& what) {
  const std::string prefix = flag + ": ";
  return what.rfind(prefix, 0) == 0 ? what.substr(prefix.size()) : what;
}

}  // namespace

CLI::Option* AddTime(CLI::App* app, const std::string& flag, std::optional<Time>* out, const std::string& help,
                     TimeForm form) {
  return app
      ->add_option_function<std::string>(
          flag,
          [flag, out, form](const std::string& text) {
            *out = ReadTime(text, form, SystemTime());
            if (!out->has_value()) throw CLI::ValidationError(flag, "must be " + TimeForms(form));
          },
          help)
      ->type_name("TIME");
}

CLI::Option* AddForce(CLI::App* app, bool* force, const std::string& files) {
  return app->add_flag("--force", *force, "Replace what the files of " + files + " hold");
}

void AddPage(CLI::App* app, int* page_size, std::string* page_token, const std::string& what) {
  *page_size = base::kDefaultPageSize;
  AddNumber(app, "--page-size", page_size, 1, base::kMaxPageSize, what + " to show, 1 to 1000 (default 100)");
  AddText(app, "--page", page_token, 0, base::kMaxTokenBytes,
          "Where the page before ended, as printed there; with the same other options");
}

void CheckTextFlag(const std::string& flag, const std::string& text, size_t least, size_t most) {
  if (text.size() < least || text.size() > most) {
    throw CLI::ValidationError(flag, "must have " + std::to_string(least) + " to " + std::to_string(most) + " bytes");
  }
  if (!base::IsUtf8(text)) throw CLI::ValidationError(flag, "must be UTF-8");
}

void CheckId(const std::string& flag, const std::string& text) {
  CheckTextFlag(flag, text, 1, base::kMaxIdBytes);
  WarnOfOddId(flag, text);
}

bool CheckOrLeaveOut(LeftOut* left_out, const std::string& flag, const std::function<void()>& check) {
  if (left_out == nullptr) {
    check();
    return true;
  }
  try {
    check();
  } catch (const CLI::ValidationError& wrong) {
    left_out->Add(flag, WithoutFlag(flag, wrong.what()));
    return false;
  }
  return true;
}

int64_t ReadNumber(const std::string& flag, const std::string& text, int64_t least, int64_t most) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    throw CLI::ValidationError(flag,
                               "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return number;
}

CLI::Option* NotEmpty(CLI::Option* option) {
  return option->check(
      [](const std::string& text) { return text.empty() ? std::string("must not be empty") : std::string(); });
}

CLI::Option* AddText(CLI::App* app, const std::string& flag, std::string* out, size_t least, size_t most,
                     const std::string& help) {
  return app->add_option_function<std::string>(
      flag,
      [flag, out, least, most](const std::string& text) {
        CheckTextFlag(flag, text, least, most);
        *out = text;
      },
      help);
}

CLI::Option* AddBytes32(CLI::App* app, const std::string& flag,
                        std::function<void(const std::array<uint8_t, 32>&)> take, const std::string& help) {
  return app
      ->add_option_function<std::string>(
          flag,
          [flag, take = std::move(take)](const std::string& text) {
            base::Digest bytes{};
            // In lower case, as `sha256sum` prints them: one value has one text.
            if (!base::FromHex(text, bytes.data(), bytes.size()) || base::Hex(base::View(bytes)) != text) {
              throw CLI::ValidationError(flag, "must be 64 digits in hexadecimal, in lower case");
            }
            take(bytes);
          },
          help)
      ->type_name("HEX");
}

CLI::Option* AddUncheckedText(CLI::App* app, const std::string& flag, std::string* out, const std::string& help) {
  return AddText(app, flag, out, 0, SIZE_MAX, help);
}

CLI::Option* AddRegion(CLI::App* app, const std::string& flag, std::string* out, bool subdivisions,
                       const std::string& help) {
  return app->add_option_function<std::string>(
      flag,
      [flag, out, subdivisions](const std::string& text) {
        domain::Region region;
        if (!domain::Region::Parse(text, &region) || (!subdivisions && text.size() != 2)) {
          throw CLI::ValidationError(
              flag, subdivisions ? "must be a country such as DE, or with a subdivision such as US-CA, in upper case"
                                 : "must be a country such as DE, in upper case");
        }
        *out = text;
      },
      help);
}

namespace {

void AddRequestIdUpTo(size_t most, CLI::App* app, RequestId* id) {
  app->add_option_function<std::string>(
         "--request-id",
         [id, most](const std::string& text) {
           CheckTextFlag("--request-id", text, 1, text.empty() ? base::kMaxRequestIdBytes : most);
           *id = RequestId(text);
         },
         "A name for this call: repeated with it within 72 hours it is answered and not done again (default: a random "
         "one)")
      ->type_name("ID");
}

}  // namespace

void AddRequestId(CLI::App* app, RequestId* id) { AddRequestIdUpTo(base::kMaxRequestIdBytes, app, id); }

void AddUncheckedRequestId(CLI::App* app, RequestId* id) { AddRequestIdUpTo(SIZE_MAX, app, id); }

void AddEvidence(CLI::App* app, Evidence* evidence, LeftOut* left_out) {
  AddUncheckedText(app, "--notice", &evidence->notice_version, "Version of the notice that the user saw")
      ->group("Evidence");
  AddUncheckedText(app, "--language", &evidence->notice_language, "Language in which it was shown, for example en")
      ->group("Evidence");
  AddName(app, "--channel", &evidence->channel, "How the user spoke")->group("Evidence");
  AddName(app, "--actor", &evidence->actor, "Who decided")->group("Evidence");
  AddUncheckedId(app, "--guardian", &evidence->guardian, "The guardian, where the actor is GUARDIAN", left_out)
      ->group("Evidence");
  AddUncheckedText(app, "--reference", &evidence->reference, "A reference of yours, for example a ticket")
      ->group("Evidence");
}

void AddTextLanguage(CLI::App* app, CallOptions* options) {
  AddText(app, "--language", &options->language, 0, base::kMaxLanguageBytes,
          "In which texts are shown, for example de; the nearest that there is");
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

void AddSelection(CLI::App* app, Selection* selection) {
  AddName(app, "--selection", selection, "Why it is asked about; goes on record beside a yes (default OTHER)");
}

void AddEtag(CLI::App* app, Etag* etag, const std::string& where_from, LeftOut* left_out) {
  app->add_option_function<std::string>(
         "--etag",
         [etag, left_out](const std::string& text) {
           if (CheckOrLeaveOut(left_out, "--etag", [&] {
                 CheckTextFlag("--etag", text, 0, left_out == nullptr ? base::kMaxTokenBytes : SIZE_MAX);
               })) {
             *etag = Etag(text);
           }
         },
         "What `" + where_from +
             "` printed; needed for whatever allows more. It is never fetched for you: it says which "
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

void LeftOut::Add(const std::string& flag, const std::string& why) {
  parts_.push_back({flag, false, false, "NOT_SENT", why});
}

std::vector<SettingTarget> LeftOut::Targets(const std::string& flag, const std::vector<std::string>& texts) {
  std::vector<SettingTarget> targets;
  for (const std::string& text : texts) {
    if (IsName(flag, text)) targets.push_back(ParseTarget(text));
  }
  return targets;
}

std::vector<SettingTarget> LeftOut::Controls(const std::string& flag, const std::vector<std::string>& texts) {
  std::vector<SettingTarget> targets;
  for (const std::string& text : texts) {
    if (IsName(flag, text)) targets.push_back({text, Purpose::kUnset, false});
  }
  return targets;
}

bool LeftOut::IsName(const std::string& flag, const std::string& text) {
  if (!text.empty() && text.size() <= base::kMaxNameBytes && base::IsUtf8(text)) return true;
  Add(flag, "must have 1 to " + std::to_string(base::kMaxNameBytes) + " bytes of UTF-8");
  return false;
}

std::vector<RetentionChange> LeftOut::RetentionOf(const Scope& scope, const std::optional<std::string>& text) {
  if (!text.has_value()) return {};
  const absl::StatusOr<Retention> retention = ParseRetention(*text);
  if (retention.ok()) return {{scope, *retention}};
  Add("--retention", std::string(retention.status().message()));
  return {};
}

void LeftOut::Settle(bool restricts) const {
  if (!restricts && !parts_.empty()) throw CLI::ValidationError(parts_.front().part, parts_.front().refused_message);
}

bool Restricts(const std::vector<SettingChange>& changes, const std::vector<RetentionChange>& retention) {
  return std::any_of(changes.begin(), changes.end(),
                     [](const SettingChange& change) { return change.turn == Switch::kOff; }) ||
         std::any_of(retention.begin(), retention.end(), [](const RetentionChange& change) {
           return change.retention.kind != Retention::Kind::kUntilDeleted;
         });
}

}  // namespace consent::cli
