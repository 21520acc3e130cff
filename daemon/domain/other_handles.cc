#include "daemon/domain/other_handles.h"

#include <algorithm>
#include <vector>

namespace consent::domain {
namespace {

base::Bytes16 ScopeOver(const base::HandleLayer& layer, ScopeKind kind, const base::Bytes16& handle) {
  switch (kind) {
    case ScopeKind::kAccount:
      break;
    case ScopeKind::kProfile:
      return layer.Over(base::ProfileHandle{handle}).bytes;
    case ScopeKind::kDevice:
      return layer.Over(base::DeviceHandle{handle}).bytes;
  }
  return handle;
}

void PutOver(const base::HandleLayer& layer, std::vector<base::RecordingHandle>* recordings) {
  for (base::RecordingHandle& recording : *recordings) recording = layer.Over(recording);
  std::sort(recordings->begin(), recordings->end());
}

}  // namespace

ScopeRef Over(const base::HandleLayer& layer, const ScopeRef& scope) {
  return {scope.kind, ScopeOver(layer, scope.kind, scope.handle)};
}

void PutOver(const base::HandleLayer& layer, SubjectFacts* facts) {
  for (ScopeFacts& scope : facts->scopes) {
    scope.handle = ScopeOver(layer, scope.kind, scope.handle);
    scope.guardian = layer.Over(scope.guardian);
  }
  for (Tombstone& tombstone : facts->tombstones) {
    tombstone.handle = ScopeOver(layer, tombstone.scope, tombstone.handle);
  }
  for (Hold& hold : facts->holds) hold.handle = ScopeOver(layer, hold.scope, hold.handle);
  facts->joined_into = layer.Over(facts->joined_into);
  for (JoinedFrom& from : facts->joined_from) from.subject = layer.Over(from.subject);
}

void PutOver(const base::HandleLayer& layer, RecordingFacts* facts) {
  for (base::ProfileHandle& profile : facts->profiles) profile = layer.Over(profile);
  facts->device = layer.Over(facts->device);
}

void PutOver(const base::HandleLayer& layer, Selector* selector) {
  selector->scope = Over(layer, selector->scope);
  PutOver(layer, &selector->recordings);
  if (selector->kind == SelectorKind::kDraft) selector->draft.recording = layer.Over(selector->draft.recording);
}

void PutOver(const base::HandleLayer& layer, HeldPart* held) {
  held->scope = Over(layer, held->scope);
  PutOver(layer, &held->recordings);
}

}  // namespace consent::domain
