// Which listing a page token belongs to, and reading one.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "daemon/base/bytes.h"
#include "daemon/service/state/tokens.h"
#include "daemon/wire/digest.h"
#include "daemon/wire/errors.h"

namespace consent::rpc {

// Method and filter of a listing's request: all of it but the page that it asks for. By value, because those two are
// cleared.
template <typename Request>
std::string ListingOf(Request request) {
  request.clear_page_token();
  if constexpr (requires { request.clear_page_size(); }) request.clear_page_size();
  const base::Digest digest = wire::RequestDigest(request);
  return std::string(base::View(digest));
}

// Where the listing goes on; empty: from its beginning. INVALID_FIELD where this listing did not give it.
template <typename Request>
absl::StatusOr<service::PageToken> ReadPageToken(const service::Tokens& tokens, const std::string& text,
                                                 const Request& request) {
  if (text.empty()) return service::PageToken{};
  const std::optional<service::PageToken> token = tokens.DecodePage(text, ListingOf(request));
  if (token.has_value()) return *token;
  return wire::FieldError("page_token", "not a token that this listing gave");
}

}  // namespace consent::rpc
