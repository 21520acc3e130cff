#include "tests/unit/rekey/answers.h"

#include <utility>

#include "daemon/base/hash.h"
#include "daemon/base/random_id.h"
#include "daemon/domain/facts_codec.h"
#include "daemon/domain/other_handles.h"
#include "daemon/service/rows/hold_rows.h"
#include "daemon/service/rows/sweep_rows.h"
#include "daemon/service/rows/task_rows.h"
#include "tests/unit/rekey/walk.h"

namespace consent::test {
namespace {

using domain::Purpose;

class Asking {
 public:
  Asking(World& world, const base::HandleLayer* over) : world_(world), over_(over) {}

  std::vector<std::string> All() {
    for (const std::string& account : AllWalkIds().accounts) {
      Checks(account);
      Settings(account);
      History(account);
    }
    Requests();
    Holds();
    Tasks();
    Rest();
    return std::move(lines_);
  }

 private:
  void Say(const std::string& line) { lines_.push_back(line); }
  std::string FactsOf(domain::SubjectFacts facts) const {
    if (over_ != nullptr) domain::PutOver(*over_, &facts);
    facts.beside.clear();
    std::string bytes;
    domain::EncodeFacts(facts, &bytes);
    return base::Hex(bytes);
  }
  std::string ScopeOf(const domain::ScopeRef& scope) const {
    const domain::ScopeRef shown = over_ != nullptr ? domain::Over(*over_, scope) : scope;
    return std::to_string(static_cast<int>(shown.kind)) + base::Hex(base::View(shown.handle));
  }
  template <typename H>
  std::string HandleOf(const H& handle) const {
    return base::Hex(base::View((over_ != nullptr ? over_->Over(handle) : handle).bytes));
  }
  std::string PayloadOf(const service::Payload& payload) const {
    std::string text = payload.evidence + "|" + payload.caller + "|" + payload.account_id + "|" + payload.recording_id +
                       "|" + payload.note;
    for (const auto& [scope, name] : payload.names) text += " " + ScopeOf(scope) + "=" + name;
    for (const auto& [guardian, name] : payload.guardians) text += " " + HandleOf(guardian) + "=" + name;
    for (const auto& [account, name] : payload.accounts) text += " " + HandleOf(account) + "=" + name;
    for (const domain::ShownText& shown : payload.shown) text += " " + shown.name + base::Hex(base::View(shown.sha256));
    return text;
  }

  void Ask(const std::string& account, const std::string& what, const Recording& recording) {
    for (const Purpose purpose : {Purpose::kNone, Purpose::kHumanReview, Purpose::kModelTraining}) {
      const domain::Decision decision = world_.Check(account, recording, purpose);
      std::string missing;
      decision.missing.ForEach(
          [&](domain::MissingFact fact) { missing += std::to_string(static_cast<int>(fact)) + " "; });
      Say(account + " " + what + ": " + Text(decision) + " of " + std::to_string(decision.revision) + " until " +
          std::to_string(decision.good_until.micros) + " missing " + missing);
    }
  }
  void Checks(const std::string& account) {
    const base::Instant now = world_.clock.Now();
    for (const base::Span age : {base::Seconds(30), base::Hours(5), base::Days(20), base::Days(200)}) {
      const std::string old = std::to_string(age.micros);
      for (const std::string& id : AllWalkIds().recordings) Ask(account, id + old, Recording(now - age).Id(id));
      for (const std::string& id : AllWalkIds().devices) Ask(account, id + old, Recording(now - age).On(id));
      for (const std::string& id : AllWalkIds().profiles) Ask(account, id + old, Recording(now - age).Spoken({id}));
      Ask(account, "copy" + old, Recording(now - age).Copy(domain::Artefact::kReviewCopy, Purpose::kHumanReview));
      Ask(account, "wake" + old, Recording(now - age).Wake(domain::Wake::kAccidental));
    }
  }

  void Settings(const std::string& account) {
    Say(account + " is known: " + (world_.Known(account) ? "yes " : "no ") + FactsOf(world_.Facts(account)));
    const auto view = world_.reads().GetOrNobody(world_.Handle(account));
    if (!view.ok()) return Say(account + " cannot be read: " + ReasonOf(view));
    service::Payload names;
    names.names = view->names;
    names.guardians = view->guardians;
    names.account_id = view->account_id;
    Say(account + " settings: " + FactsOf(view->facts) + " " + PayloadOf(names) + " at " +
        std::to_string(view->revision.sequence) + " of " + std::to_string(view->revision.partition.number));
  }

  void History(const std::string& account) {
    store::Sequence from = 0;
    do {
      const auto page = world_.reads().History(world_.Handle(account), 20, from);
      if (!page.ok()) return Say(account + " history: " + ReasonOf(page));
      for (const service::HistoryItem& item : page->items) Entry(account, item);
      from = page->next;
    } while (from != 0);
  }
  void Entry(const std::string& account, const service::HistoryItem& item) {
    std::string text = account + " entry " + std::to_string(static_cast<int>(item.row.kind)) + " at " +
                       std::to_string(item.revision.sequence) + " " + std::to_string(item.time.micros) + " " +
                       PayloadOf(item.payload);
    for (const domain::FactChange& change : item.row.changes) {
      text += " " + std::to_string(static_cast<int>(change.what)) + ScopeOf(change.scope) +
              std::to_string(static_cast<int>(change.to));
    }
    Say(text);
    const auto past = world_.reads().At(world_.Handle(account), item.time);
    Say(account + " then: " + (past.ok() ? FactsOf(past->view.facts) : ReasonOf(past)));
  }

  void Requests() {
    const auto page = world_.deletions().List({}, 1000, {});
    if (!page.ok()) return Say("requests: " + ReasonOf(page));
    for (const service::DeletionView& view : page->requests) {
      service::DeletionRow row{view.request, {}};
      if (over_ != nullptr) {
        row.request.subject = over_->Over(row.request.subject);
        domain::PutOver(*over_, &row.request.selector);
      }
      Say("request " + std::to_string(view.place.partition.number) + "/" + std::to_string(view.place.number) + " " +
          base::IdText(view.request.id) + " " + base::Hex(service::EncodeDeletionRow(row)) +
          (view.on_hold != domain::OnHold::kNo ? " held " : " ") +
          (view.payload ? view.payload->account_id + " " + view.payload->selector : ""));
      const auto found = world_.deletions().Find(view.request.id);
      Say(found.ok() && found->number == view.place.number ? "found" : "not found");
    }
  }
  void Holds() {
    service::HoldsFilter filter;
    filter.include_released = true;
    const auto page = world_.holds().List(filter, 1000, {});
    if (!page.ok()) return Say("holds: " + ReasonOf(page));
    for (const service::HoldView& view : page->holds) {
      service::HoldRow row = view.row;
      row.sealed.clear();
      if (over_ != nullptr) {
        row.subject = over_->Over(row.subject);
        domain::PutOver(*over_, &row.held);
      }
      const auto found = world_.holds().Find(row.id);
      Say("hold " + std::to_string(view.place.sequence) + " " + base::IdText(row.id) + " " +
          base::Hex(service::EncodeHoldRow(row)) + " " + (view.payload ? view.payload->account_id : "") +
          (found.ok() ? " found " : " not found ") + std::to_string(view.leases_out.size()));
    }
  }
  void Tasks() {
    for (uint16_t number = 0; number < world_.store().partition_count(); ++number) {
      (void)world_.store().Scan({number}, store::Table::kTask, "", "", SIZE_MAX,
                                [&](std::string_view key, std::string_view value) {
                                  Say("task " + base::Hex(key) + " " + base::Hex(value));
                                  return true;
                                });
    }
    const auto lag = world_.erasures().Lag();
    Say("lag " + (lag.ok() ? std::to_string(lag->keys) + " " + std::to_string(lag->bytes) : ReasonOf(lag)));
  }

  void Rest() {
    const auto flags = world_.safety_flags().List({}, false, 1000, {});
    if (!flags.ok()) return Say("flags: " + ReasonOf(flags));
    for (const service::SafetyFlagView& flag : flags->flags) {
      Say("flag " + flag.account_id + " " + flag.recording_id + " " + std::to_string(flag.reported_at.micros));
    }
    const auto children = world_.children_due().List({}, 1000, {});
    Say("children due: " + (children.ok() ? std::to_string(children->accounts.size()) : ReasonOf(children)));
    const auto audio = world_.systems().Find("audio");
    Say("audio " + (audio.ok() ? base::Hex(service::EncodeSystemRow(*audio)) : ReasonOf(audio)));
    if (audio.ok()) Say("promise " + base::Hex(service::EncodeSweepRow(world_.sweeps().Of(*audio).row)));
    const auto policy = world_.admin().Get("");
    Say("policy " + (policy.ok() ? std::to_string(policy->suspensions.size()) : ReasonOf(policy)));
    const auto page = world_.reads().Choices({}, 1000, {});
    if (!page.ok()) return Say("choices: " + ReasonOf(page));
    for (const service::ChoiceItem& item : page->items) {
      Say("choice " + item.account_id + " " + std::to_string(item.entry.time.micros) + PayloadOf(item.entry.payload));
    }
  }

  World& world_;
  const base::HandleLayer* const over_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> Answers(World& world, const base::HandleLayer* over) { return Asking(world, over).All(); }

}  // namespace consent::test
