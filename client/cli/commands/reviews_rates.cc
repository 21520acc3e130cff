// consentctl reviews population|rates: how many utterances there were, and which part of them people listened to.
#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/command.h"
#include "client/cli/commands/reviews.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "consent/reviews.h"

namespace consent::cli {
namespace {

// COUNTRY=COUNT. Which countries there are the daemon says. Throws ValidationError.
PopulationCount ReadCount(const std::string& text) {
  const size_t sign = text.find('=');
  if (sign == std::string::npos) {
    throw CLI::ValidationError("counts", "must be a country and how many, such as DE=120000");
  }
  PopulationCount count{text.substr(0, sign), ReadNumber("counts", text.substr(sign + 1), 0, kMaxUtterances)};
  CheckTextFlag("counts", count.country, 0, SIZE_MAX);
  return count;
}

// Six places, because one of kMaxUtterances is 0.000001 parts per million.
std::string PartsText(double parts_per_million) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6f", parts_per_million);
  return text.data();
}

Report RatesReport(const std::vector<HeardRate>& rates) {
  Report report;
  report.json = {{"rates", Json::array()}};
  Table table("rate", {"PURPOSE", "COUNTRY", "HEARD", "UTTERANCES", "MEASURED", "LOW", "HIGH", "ALLOWED"});
  for (const HeardRate& rate : rates) {
    Json json = {{"purpose", Name(rate.purpose)},
                 {"country", rate.country},
                 {"heard", rate.heard},
                 {"utterances", rate.utterances},
                 {"allowed_parts_per_million", rate.allowed_parts_per_million},
                 {"measured", nullptr}};
    std::vector<std::string> measured(3);
    if (rate.measured.has_value()) {
      const HeardRate::Measured& of = *rate.measured;
      json["measured"] = {{"parts_per_million", of.parts_per_million}, {"low", of.low}, {"high", of.high}};
      measured = {PartsText(of.parts_per_million), PartsText(of.low), PartsText(of.high)};
    }
    report.json["rates"].push_back(json);
    table.Add({std::string(Name(rate.purpose)), rate.country, std::to_string(rate.heard),
               std::to_string(rate.utterances), measured[0], measured[1], measured[2],
               std::to_string(rate.allowed_parts_per_million)});
  }
  report.tables = {table};
  return report;
}

void AddPopulation(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "population",
      "Report how many utterances were recorded in one hour, by country: what the rates of the policy's caps are parts "
      "of. Without it such a rate grants nothing. Say what you alone have seen: what other callers report counts "
      "beside, and what you said before of an hour and country is replaced.");
  auto hour = std::make_shared<std::string>();
  auto counts = std::make_shared<std::vector<PopulationCount>>();
  NotEmpty(AddUncheckedText(app, "hour", hour.get(), "An hour of UTC of the last 35 days, for example 2026-11-30T07"))
      ->required()
      ->type_name("HOUR");
  app->add_option_function<std::vector<std::string>>(
         "counts",
         [counts](const std::vector<std::string>& texts) {
           counts->clear();
           for (const std::string& text : texts) counts->push_back(ReadCount(text));
         },
         "Each country once, with how many there were")
      ->required()
      ->type_name("COUNTRY=COUNT");
  app->callback([&cli, hour, counts] {
    cli.action = [&cli, hour, counts] {
      return cli.WithClient([&](Client& client) {
        const absl::Status status = client.reviews().ReportPopulation(*hour, *counts);
        if (!status.ok()) return PrintError(status, cli.json);
        Report report;
        report.json = {{"reported", true}};
        Table table("reported", {"HOUR", "COUNTRY", "UTTERANCES"});
        for (const PopulationCount& count : *counts) {
          table.Add({*hour, count.country, std::to_string(count.utterances)});
        }
        report.tables = {table};
        return Print(report, cli, kDone);
      });
    };
  });
}

void AddRates(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "rates",
      "Which part of a month's utterances people listened to, by purpose and country: in parts per million, with the "
      "interval that holds the true rate in 95 of 100 such months, and what the policy allows (1000000: any number)");
  auto month = std::make_shared<std::string>();
  NotEmpty(AddUncheckedText(app, "--month", month.get(), "A month of UTC, for example 2026-10 (default: the present)"))
      ->type_name("MONTH");
  app->callback([&cli, month] {
    cli.action = [&cli, month] {
      return cli.WithClient([&](Client& client) {
        const auto rates = client.reviews().ListRates(*month);
        if (!rates.ok()) return PrintError(rates.status(), cli.json);
        return Print(RatesReport(*rates), cli, kDone);
      });
    };
  });
}

}  // namespace

void AddReviewRates(CLI::App* parent, Cli& cli) {
  AddPopulation(parent, cli);
  AddRates(parent, cli);
}

}  // namespace consent::cli
