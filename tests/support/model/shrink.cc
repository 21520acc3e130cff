#include "tests/support/model/shrink.h"

#include <vector>

namespace consent::model {
namespace {

using Step = std::function<void(Case*)>;
using Steps = std::vector<Step>;

template <typename List>
void EraseAt(List* list, size_t index) {
  if (index < list->size()) list->erase(list->begin() + static_cast<std::ptrdiff_t>(index));
}

// A step that sets one member to what a default-constructed value has.
template <typename Get>
void Reset(Steps* steps, Get get) {
  steps->push_back([get](Case* c) {
    auto& value = get(c);
    value = std::decay_t<decltype(value)>{};
  });
}

void StepsForScope(const Case& c, size_t index, Steps* steps) {
  const auto scope = [index](Case* x) -> domain::ScopeFacts& { return x->subject.scopes[index]; };
  for (size_t p = 0; p < domain::kPurposes; ++p) {
    if (c.subject.scopes[index].choices[p] == domain::PurposeChoice()) continue;
    Reset(
        steps, [=](Case * x) -> auto& { return scope(x).choices[p]; });
    Reset(
        steps, [=](Case * x) -> auto& { return scope(x).choices[p].refused_from; });
    Reset(
        steps, [=](Case * x) -> auto& { return scope(x).choices[p].copies_owed_until; });
    Reset(
        steps, [=](Case * x) -> auto& { return scope(x).choices[p].imported; });
    Reset(
        steps, [=](Case * x) -> auto& { return scope(x).choices[p].renewed; });
    Reset(
        steps, [=](Case * x) -> auto& { return scope(x).choices[p].has_ended; });
    Reset(
        steps, [=](Case * x) -> auto& { return scope(x).choices[p].end_was_expiry; });
    Reset(
        steps, [=](Case * x) -> auto& { return scope(x).choices[p].inherited; });
    Reset(
        steps, [=](Case * x) -> auto& { return scope(x).choices[p].was_suspended; });
    Reset(
        steps, [=](Case * x) -> auto& { return scope(x).choices[p].unconfirmed; });
    Reset(
        steps, [=](Case * x) -> auto& { return scope(x).choices[p].copies_forgiven; });
    Reset(
        steps, [=](Case * x) -> auto& { return scope(x).choices[p].by_guardian; });
  }
  Reset(
      steps, [=](Case * x) -> auto& { return scope(x).refused_all_since; });
  for (size_t i = 0; i < c.subject.scopes[index].refused_controls.size(); ++i) {
    steps->push_back([=](Case* x) { EraseAt(&scope(x).refused_controls, i); });
  }
  Reset(
      steps, [=](Case * x) -> auto& { return scope(x).retention; });
  Reset(
      steps, [=](Case * x) -> auto& { return scope(x).purge_floor; });
  Reset(
      steps, [=](Case * x) -> auto& { return scope(x).default_from; });
  Reset(
      steps, [=](Case * x) -> auto& { return scope(x).guardian; });
  Reset(
      steps, [=](Case * x) -> auto& { return scope(x).guardian_since; });
  Reset(
      steps, [=](Case * x) -> auto& { return scope(x).last_active; });
  Reset(
      steps, [=](Case * x) -> auto& { return scope(x).inactivity_notice; });
  steps->push_back([=](Case* x) { scope(x).registered = true; });
  Reset(
      steps, [=](Case * x) -> auto& { return scope(x).age.born_before; });
  steps->push_back([=](Case* x) { scope(x).age = {domain::AgeKind::kAdult, {}, {}}; });
}

void StepsForSubject(const Case& c, Steps* steps) {
  steps->push_back([](Case* x) { x->subject.scopes.resize(1); });
  for (size_t i = 1; i < c.subject.scopes.size(); ++i) {
    steps->push_back([i](Case* x) { EraseAt(&x->subject.scopes, i); });
  }
  for (size_t i = 0; i < c.subject.scopes.size(); ++i) StepsForScope(c, i, steps);
  for (size_t i = 0; i < c.subject.tombstones.size(); ++i) {
    steps->push_back([i](Case* x) { EraseAt(&x->subject.tombstones, i); });
  }
  for (size_t i = 0; i < c.subject.former_regions.size(); ++i) {
    steps->push_back([i](Case* x) { EraseAt(&x->subject.former_regions, i); });
  }
  for (size_t i = 0; i < c.subject.holds.size(); ++i) {
    steps->push_back([i](Case* x) { EraseAt(&x->subject.holds, i); });
  }
  steps->push_back([](Case* x) { x->subject.registered = true; });
  Reset(
      steps, [](Case * x) -> auto& { return x->subject.has_recording_marks; });
  Reset(
      steps, [](Case * x) -> auto& { return x->subject.revision; });
  Reset(
      steps, [](Case * x) -> auto& { return x->subject.region; });
  Reset(
      steps, [](Case * x) -> auto& { return x->subject.default_from; });
  Reset(
      steps, [](Case * x) -> auto& { return x->subject.default_denied; });
  Reset(
      steps, [](Case * x) -> auto& { return x->lag; });
  Reset(
      steps, [](Case * x) -> auto& { return x->doubtful; });
  Reset(
      steps, [](Case * x) -> auto& { return x->behind; });
  Reset(
      steps, [](Case * x) -> auto& { return x->subject.closed_at; });
  Reset(
      steps, [](Case * x) -> auto& { return x->subject.reopened_at; });
  Reset(
      steps, [](Case * x) -> auto& { return x->subject.restored_at; });
  Reset(
      steps, [](Case * x) -> auto& { return x->subject.join; });
}

void StepsForRules(const Case& c, Steps* steps) {
  Reset(
      steps, [](Case * x) -> auto& { return x->rules.safety.hold; });
  Reset(
      steps, [](Case * x) -> auto& { return x->grants; });
  for (size_t i = 0; i < c.rules.review_caps.size(); ++i) {
    steps->push_back([i](Case* x) { EraseAt(&x->rules.review_caps, i); });
  }
  for (size_t i = 0; i < c.rules.suspensions.size(); ++i) {
    steps->push_back([i](Case* x) { EraseAt(&x->rules.suspensions, i); });
    steps->push_back([i](Case* x) { x->rules.suspensions[i].region = domain::Region(); });
  }
  for (size_t i = 0; i < c.rules.notices.size(); ++i) {
    steps->push_back([i](Case* x) { EraseAt(&x->rules.notices, i); });
    const auto notice = [i](Case* x) -> domain::Notice& { return x->rules.notices[i]; };
    steps->push_back([=](Case* x) { notice(x).says_people_listen = true; });
    steps->push_back([=](Case* x) { notice(x).superseded_from = base::kEndOfTime; });
    Reset(
        steps, [=](Case * x) -> auto& { return notice(x).covers_past; });
    Reset(
        steps, [=](Case * x) -> auto& { return notice(x).consent_lifetime_months; });
    Reset(
        steps, [=](Case * x) -> auto& { return notice(x).valid_from; });
  }
  for (size_t i = 0; i < c.rules.controls.size(); ++i) {
    steps->push_back([i](Case* x) { EraseAt(&x->rules.controls, i); });
  }
  for (const auto& entry : c.rules.regions) {
    const domain::Region region = entry.first;
    steps->push_back([region](Case* x) { x->rules.regions.erase(region); });
  }
  Reset(
      steps, [](Case * x) -> auto& { return x->rules.restored_at; });
  Reset(
      steps, [](Case * x) -> auto& { return x->rules.ages_of_consent; });
  Reset(
      steps, [](Case * x) -> auto& { return x->rules.default_uncertainty; });
  for (size_t i = 0; i < c.rules.regimes.size(); ++i) {
    const auto regime = [i](Case* x) -> domain::Regime& { return x->rules.regimes[i]; };
    steps->push_back([=](Case* x) { regime(x).countries.any = regime(x).any_site = true; });
    steps->push_back([=](Case* x) { regime(x).employees = regime(x).contractors = true; });
    steps->push_back([=](Case* x) { regime(x).countries.named.clear(); });
    steps->push_back([=](Case* x) { regime(x).other_countries.clear(); });
    steps->push_back([=](Case* x) { regime(x).sites.clear(); });
    Reset(
        steps, [=](Case * x) -> auto& { return regime(x).false_wake_ttl; });
    Reset(
        steps, [=](Case * x) -> auto& { return regime(x).child_notice_period; });
    Reset(
        steps, [=](Case * x) -> auto& { return regime(x).child_inactive_months; });
  }
}

void StepsForRecording(const Case& c, Steps* steps) {
  for (size_t i = 0; i < c.recording.profiles.size(); ++i) {
    steps->push_back([i](Case* x) { EraseAt(&x->recording.profiles, i); });
  }
  Reset(
      steps, [](Case * x) -> auto& { return x->recording.device; });
  steps->push_back([](Case* x) {
    x->recording.has_region = false;
    x->recording.region = domain::Region();
  });
  steps->push_back([](Case* x) {
    x->recording.has_uncertainty = true;
    x->recording.uncertainty = domain::Span{0};
  });
  Reset(
      steps, [](Case * x) -> auto& { return x->recording.ingested_at; });
  steps->push_back([](Case* x) { x->recording.wake = domain::Wake::kIntended; });
  steps->push_back([](Case* x) { x->recording.kind = domain::Kind::kCommand; });
  steps->push_back([](Case* x) { x->recording.speakers = domain::Speakers::kOne; });
  steps->push_back([](Case* x) { x->recording.identity = domain::Identity::kMatched; });
  steps->push_back([](Case* x) { x->recording.age = domain::SpeakerAge::kAdult; });
  Reset(
      steps, [](Case * x) -> auto& { return x->recording.artefact; });
  Reset(
      steps, [](Case * x) -> auto& { return x->recording.made_for; });
  Reset(
      steps, [](Case * x) -> auto& { return x->recording.flags; });
  Reset(
      steps, [](Case * x) -> auto& { return x->marks; });
  Reset(
      steps, [](Case * x) -> auto& { return x->marks.flags; });
  Reset(
      steps, [](Case * x) -> auto& { return x->marks.on_hold; });
  Reset(
      steps, [](Case * x) -> auto& { return x->marks.safety_since; });
  Reset(
      steps, [](Case * x) -> auto& { return x->purpose; });
  Reset(
      steps, [](Case * x) -> auto& { return x->place; });
}

}  // namespace

Case Shrink(Case c, const std::function<bool(const Case&)>& fails) {
  const auto size = [](const Case& x) { return Dump(x).size(); };
  for (bool smaller = true; smaller;) {
    smaller = false;
    Steps steps;
    steps.push_back([](Case* x) { x->known = false; });
    StepsForSubject(c, &steps);
    StepsForRules(c, &steps);
    StepsForRecording(c, &steps);
    for (const Step& step : steps) {
      Case candidate = c;
      step(&candidate);
      if (Dump(candidate) == Dump(c) || size(candidate) > size(c) + 40 || !fails(candidate)) continue;
      // Steps name things by position, so after one was taken out the list of steps is made anew.
      const bool shape_changed = candidate.subject.scopes.size() != c.subject.scopes.size() ||
                                 candidate.rules.notices.size() != c.rules.notices.size() ||
                                 candidate.rules.suspensions.size() != c.rules.suspensions.size();
      c = candidate;
      smaller = true;
      if (shape_changed) break;
    }
  }
  return c;
}

}  // namespace consent::model
