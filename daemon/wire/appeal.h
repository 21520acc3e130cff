// Appeals and complaints about deletion requests, to the protos.
#pragma once

#include <string_view>

#include "consent/v1/deletion_service.pb.h"
#include "daemon/base/time.h"
#include "daemon/domain/deletion.h"
#include "daemon/domain/rules.h"

namespace consent::wire {

// All of the request, with what is late at `now`. Pure; thread-safe.
void WriteAppeals(const domain::DeletionRequest& request, base::Instant now, v1::DeletionRequest* out);

// Of a denied request: what `rules` tell in `language` (domain::ChooseText) to whoever was denied under its regime, or,
// where they do not have it any more, under that of an unknown region. Of any other nothing.
void WriteHowToAppeal(const domain::DeletionRequest& request, const domain::Rules& rules, std::string_view language,
                      v1::DeletionRequest* out);

}  // namespace consent::wire
