// The words of `consentctl decisions`, and what its commands share.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/command.h"
#include "client/cli/engines/decision_files.h"

namespace consent::cli {

// `decisions find`; in decisions_find.cc.
void AddDecisionsFind(CLI::App* decisions, Cli& cli);
// `decisions explain`; in decisions_explain.cc.
void AddDecisionsExplain(CLI::App* decisions, Cli& cli);

// The daemons whose stores wrote the files: --endpoint's and those of --daemon.
void AddDaemons(CLI::App* app, std::vector<std::string>* endpoints);
// --from and --to.
void AddPeriod(CLI::App* app, Period* period, const std::string& what);
// Throws CLI::ValidationError where nothing lies between them; once both were read.
void CheckPeriod(const Period& period);
// Connects to all of them and runs `with`; prints the error where that fails.
int WithDaemons(const Cli& cli, const std::vector<std::string>& endpoints,
                const std::function<int(const std::vector<Client*>&)>& with);

// How the reading of the log's files ends: prints what is wrong.
// Says on standard error where reading was stopped, and returns kStopped.
int PrintStopped(const absl::Status& status);
int PrintReadError(const absl::Status& status, bool as_json);

}  // namespace consent::cli
