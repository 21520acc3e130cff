// Which listing a page token belongs to.
#pragma once

#include <string>

#include "daemon/base/bytes.h"
#include "daemon/wire/digest.h"

namespace consent::rpc {

// Method and filter of a listing's request: all of it but the page that it asks for. By value, because those two are
// cleared.
template <typename Request>
std::string ListingOf(Request request) {
  request.clear_page_token();
  request.clear_page_size();
  const base::Digest digest = wire::RequestDigest(request);
  return std::string(base::View(digest));
}

}  // namespace consent::rpc
