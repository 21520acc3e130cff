// Shows texts that people are shown, and appeals.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/cli/output.h"
#include "consent/deletion.h"
#include "consent/settings.h"

namespace consent::cli {

Json ShownTextJson(const ShownText& text);
Json ShownTextsJson(const std::vector<ShownText>& texts);
Table ShownTextsTable(const std::vector<ShownText>& texts);
// Hashes of texts, in hexadecimal.
Json HashesJson(const std::vector<std::string>& hashes);
std::string HashesText(const std::vector<std::string>& hashes);

Json AppealsJson(const std::vector<Appeal>& appeals);
// Those of one request.
Table AppealsTable(const std::vector<Appeal>& appeals);
Json HowToAppealJson(const std::optional<HowToAppeal>& how);
Table HowToAppealTable(const std::optional<HowToAppeal>& how);

}  // namespace consent::cli
