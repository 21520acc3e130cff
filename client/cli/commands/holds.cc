// consentctl holds place|release|review|list.
#include "client/cli/command.h"
#include "client/cli/confirm.h"
#include "client/cli/exit_codes.h"
#include "client/cli/output.h"
#include "client/cli/render/render_approval.h"
#include "client/cli/render/render_deletion.h"
#include "client/cli/render/render_hold.h"
#include "daemon/base/bounds.h"

namespace consent::cli {
namespace {

struct PlaceFlags {
  PlaceHoldOrder order;
  Scope scope;
  std::vector<RecordingId> recordings;
};

// --authority and --reason; `what` ends "Who …".
template <typename Order>
void AddAuthority(CLI::App* app, Order* order, const std::string& what) {
  AddText(
      app, "--authority", &order->authority, 1, base::kMaxAuthorityBytes,
      "Who " + what + ": a court, an authority, a matter's number; 1 to 128 bytes; kept, and shown to auditors; no ids")
      ->required();
  AddText(app, "--reason", &order->reason, 1, base::kMaxReasonBytes, "Why; 1 to 256 bytes; no ids")->required();
}

HoldSelector SelectorOf(const PlaceFlags& flags) {
  HoldSelector selector{WholeAccount{}, flags.order.selector.captured};
  if (!flags.recordings.empty()) {
    if (flags.scope != Scope{} || selector.captured != TimeRange{}) {
      throw CLI::ValidationError("--recording",
                                 "says all that is held: it takes no --profile, --device, --from or --to beside it");
    }
    if (flags.recordings.size() > kMaxDeletedRecordings) {
      throw CLI::ValidationError("--recording", "at most " + std::to_string(kMaxDeletedRecordings) + " in one hold");
    }
    selector.scope = flags.recordings;
  } else if (!flags.scope.profile.empty()) {
    selector.scope = flags.scope.profile;
  } else if (!flags.scope.device.empty()) {
    selector.scope = flags.scope.device;
  }
  const TimeRange& captured = selector.captured;
  if (captured.from.has_value() && captured.to.has_value() && *captured.from > *captured.to) {
    throw CLI::ValidationError("--to", "must not lie before --from");
  }
  return selector;
}

void AddPlaceHold(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "place",
      "From now on nothing that it covers is purged, whatever asks for it, and nothing of it becomes eligible. Without "
      "--profile, --device or --recording it covers the whole account. What was purged before stays purged.");
  auto flags = std::make_shared<PlaceFlags>();
  PlaceHoldOrder& order = flags->order;
  AddId(app, "account", &order.account_id, "Whose recordings")->required();
  AddAuthority(app, &order, "ordered it");
  AddScope(app, &flags->scope);
  AddIds(app, "--recording", &flags->recordings, "A recording; several times, at most 1,000");
  AddTime(app, "--from", &order.selector.captured.from, "Captured from then on (default: from the beginning)",
          TimeForm::kFirst);
  AddTime(app, "--to", &order.selector.captured.to, "Captured until then (default: also what is still to come)",
          TimeForm::kLast);
  AddTime(app, "--review", &order.review_at,
          "By when somebody has to look whether it is still needed; at most 366 days ahead (default: in 180 days)",
          TimeForm::kFirst);
  AddRequestId(app, &order.request_id);
  AddEvidence(app, &order.evidence);
  app->callback([&cli, flags] {
    flags->order.selector = SelectorOf(*flags);
    cli.action = [&cli, flags] {
      return cli.WithClient([&](Client& client) {
        const auto placed = client.PlaceHold(flags->order);
        if (!placed.ok()) return PrintError(placed.status(), cli.json);
        Report report;
        report.json = {{"hold", HoldJson(placed->hold)}, {"revision", placed->revision.value()}};
        report.tables = {HoldsTable({placed->hold})};
        TellNewSubject(placed->subject_is_new, &report);
        return Print(report, cli, kDone);
      });
    };
  });
}

void AddRelease(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand("release",
                                         "What waited for it is purged from now on, unless another hold covers it. It "
                                         "allows more than before, so it needs --etag, "
                                         "--channel and --actor. Where the policy wants two persons for it, this "
                                         "proposes it (`approvals`).");
  auto order = std::make_shared<ReleaseHoldOrder>();
  AddId(app, "hold", &order->hold_id, "The hold, as `holds place` printed it")->required();
  AddAuthority(app, order.get(), "lifted it");
  AddRequestId(app, &order->request_id);
  AddEvidence(app, &order->evidence);
  AddEtag(app, &order->etag, "holds list");
  auto yes = std::make_shared<bool>(false);
  AddYes(app, yes.get());
  app->callback([&cli, order, yes] {
    cli.action = [&cli, order, yes] {
      if (!IsConfirmed("What waited for the hold is purged and cannot be had back.", *yes)) {
        return static_cast<int>(kStopped);
      }
      return cli.WithClient([&](Client& client) {
        const auto released = client.ReleaseHold(*order);
        if (!released.ok()) return PrintError(released.status(), cli.json);
        Report report;
        report.json = {{"hold", HoldJson(released->hold)}};
        if (released->proposal.has_value()) {
          TellProposal(*released->proposal, &report);
          return Print(report, cli, kProposed);
        }
        report.tables = {HoldsTable({released->hold})};
        return Print(report, cli, kDone);
      });
    };
  });
}

void AddReview(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand(
      "review", "Somebody looked at the hold again and it goes on, until the next review at the latest");
  auto order = std::make_shared<ReviewHoldOrder>();
  AddId(app, "hold", &order->hold_id, "The hold, as `holds place` printed it")->required();
  AddTime(app, "--until", &order->review_at, "The next review; at most 366 days ahead", TimeForm::kFirst)->required();
  AddText(app, "--reason", &order->reason, 1, base::kMaxReasonBytes, "Why it goes on; 1 to 256 bytes; no ids")
      ->required();
  AddRequestId(app, &order->request_id);
  AddEvidence(app, &order->evidence);
  app->callback([&cli, order] {
    cli.action = [&cli, order] {
      return cli.WithClient([&](Client& client) {
        const auto reviewed = client.ReviewHold(*order);
        if (!reviewed.ok()) return PrintError(reviewed.status(), cli.json);
        Report report;
        report.json = {{"hold", HoldJson(*reviewed)}};
        report.tables = {HoldsTable({*reviewed})};
        return Print(report, cli, kDone);
      });
    };
  });
}

void AddListHolds(CLI::App* parent, Cli& cli) {
  CLI::App* app = parent->add_subcommand("list", "Holds in the order in which they were placed, and their etags");
  auto query = std::make_shared<HoldQuery>();
  AddId(app, "--account", &query->account_id, "Only of this account; without it of all");
  app->add_flag("--all", query->include_released,
                "Those that were released, too; what they covered is no longer known");
  app->add_flag("--past-review", query->past_review, "Only those in force that nobody has looked at in time");
  AddPage(app, &query->page_size, &query->page_token, "Holds");
  app->callback([&cli, query] {
    cli.action = [&cli, query] {
      return cli.WithClient([&](Client& client) {
        const auto page = client.ListHolds(*query);
        if (!page.ok()) return PrintError(page.status(), cli.json);
        Report report;
        report.json = {{"holds", Json::array()}, {"next_page_token", page->next_page_token}};
        for (const Hold& hold : page->holds) report.json["holds"].push_back(HoldJson(hold));
        report.tables = {HoldsTable(page->holds), NextPageTable(page->next_page_token)};
        return Print(report, cli, kDone);
      });
    };
  });
}

}  // namespace

void AddHolds(CLI::App& app, Cli& cli) {
  CLI::App* holds = app.add_subcommand("holds", "Legal holds: what must be kept although it was to be purged");
  holds->require_subcommand(1);
  AddPlaceHold(holds, cli);
  AddRelease(holds, cli);
  AddReview(holds, cli);
  AddListHolds(holds, cli);
}

}  // namespace consent::cli
