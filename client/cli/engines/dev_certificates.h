// Certificates for trying things out: a CA, a daemon's and one client's for each role.
#pragma once

#include <string>
#include <vector>

#include "consent/types.h"

namespace consent::cli {

struct NamedPem {
  std::string name;  // of the file, for example "sampler.pem"
  std::string pem;
};

inline constexpr size_t kMostDevHosts = 16;
// A name of letters, digits, hyphens and dots, or an address.
bool IsDevHost(const std::string& host);

// ca.pem; server.pem and server-key.pem, for localhost, 127.0.0.1, ::1 and `hosts` (IsDevHost; at most kMostDevHosts);
// for each role, such as sampler, ROLE.pem and ROLE-key.pem, whose identity is the URI spiffe://consentd.dev/ROLE. All
// valid from an hour before `now`: those of people (auditor, operator, officer) for 23 hours after it, since such
// certificates follow a second factor and live a day at most, all others for 30 days. The CA's key is nowhere: it ends
// with this call, so more certificates need a new CA. Keys: EC P-256.
std::vector<NamedPem> MakeDevCertificates(const std::vector<std::string>& hosts, Time now);

// The identities of those certificates with their roles, as the daemon's --callers file; the data system of those that
// work for one is `audio`.
std::string DevCallersFile();

}  // namespace consent::cli
