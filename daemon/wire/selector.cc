#include "daemon/wire/selector.h"

#include "consent/v1/deletion_service.pb.h"
#include "daemon/wire/deletion.h"

namespace consent::wire {

std::string SerialiseSelector(const domain::Selector& selector, const std::string& scope_id) {
  v1::DeletionSelector out;
  switch (selector.kind) {
    case domain::SelectorKind::kPurposeCopies: {
      v1::PurposeCopies& copies = *out.mutable_purpose_copies();
      for (const domain::Purpose purpose : domain::kAllPurposes) {
        if (selector.copies_of.Has(purpose)) copies.add_purposes(static_cast<v1::Purpose>(purpose));
      }
      if (selector.scope.kind == domain::ScopeKind::kProfile) copies.mutable_scope()->set_profile_id(scope_id);
      if (selector.scope.kind == domain::ScopeKind::kDevice) copies.mutable_scope()->set_device_id(scope_id);
      break;
    }
    case domain::SelectorKind::kProfile:
      out.set_profile_id(scope_id);
      break;
    case domain::SelectorKind::kDevice:
      out.set_device_id(scope_id);
      break;
    default:
      WriteCovers(selector, out.mutable_time_range());
      break;
  }
  return out.SerializeAsString();
}

std::string SerialiseDraft(const std::string& recording_id, const base::Digest& digest) {
  v1::DeletionSelector out;
  out.mutable_draft()->set_recording_id(recording_id);
  out.mutable_draft()->set_digest(std::string(base::View(digest)));
  return out.SerializeAsString();
}

std::string WithPurposes(const std::string& selector, domain::PurposeSet purposes) {
  v1::DeletionSelector out;
  if (!out.ParseFromString(selector) || !out.has_purpose_copies()) return selector;
  out.mutable_purpose_copies()->clear_purposes();
  for (const domain::Purpose purpose : domain::kAllPurposes) {
    if (purposes.Has(purpose)) out.mutable_purpose_copies()->add_purposes(static_cast<v1::Purpose>(purpose));
  }
  return out.SerializeAsString();
}

}  // namespace consent::wire
