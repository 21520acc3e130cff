// The environment of client programs, read in this one place.
#include <cstdlib>
#include <string>

#include "consent/client.h"

namespace consent {
namespace {

std::string Variable(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? std::string() : std::string(text);
}

}  // namespace

ClientOptions ClientOptions::FromEnvironment() {
  ClientOptions options;
  options.endpoint = Variable("CONSENT_ENDPOINT");
  options.ca_file = Variable("CONSENT_CA");
  options.certificate_file = Variable("CONSENT_CERT");
  options.key_file = Variable("CONSENT_KEY");
  options.traceparent = Variable("TRACEPARENT");
  return options;
}

}  // namespace consent
