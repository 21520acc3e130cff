// The metrics of review grants.
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "consent/v1/review_service.pb.h"
#include "daemon/app/gauges.h"
#include "daemon/app/services.h"
#include "daemon/ops/families.h"

namespace consent::app {
namespace {

using ops::SeriesSink;
using service::ReviewCounts;
using Use = ReviewCounts::Use;

constexpr std::pair<Use, const char*> kUses[] = {
    {Use::kOpen, "open"}, {Use::kRedeem, "redeem"}, {Use::kSubmit, "submit"}, {Use::kRenew, "renew"}};

void SetEnds(const ReviewCounts::Given& given, SeriesSink& series) {
  for (int outcome = v1::ReviewOutcome_MIN + 1; outcome <= v1::ReviewOutcome_MAX; ++outcome) {
    series.Set({ops::Label<v1::ReviewOutcome>(outcome)},
               static_cast<double>(given.ended[static_cast<size_t>(outcome)]));
  }
  series.Set({"not_recorded"},
             static_cast<double>(given.ended[static_cast<size_t>(domain::ReviewOutcome::kNotRecorded)]));
  series.Set({"expired"}, static_cast<double>(given.expired));
  series.Set({"restricted"}, static_cast<double>(given.replaced));
}

void SetRefusedLeases(const ReviewCounts& reviews, SeriesSink& series) {
  for (const domain::Reason reason : domain::kReasonsInOrder) {
    const bool allows = reason == domain::Reason::kConsent || reason == domain::Reason::kDefault;
    if (reason == domain::Reason::kNone || allows) continue;
    series.Set({ops::Label(reason)}, static_cast<double>(reviews.refused_leases(reason)));
  }
  for (int refusal = v1::GRANT_REFUSAL_GRANTED; refusal <= v1::GrantRefusal_MAX; ++refusal) {
    series.Set({ops::Label<v1::GrantRefusal>(refusal)},
               static_cast<double>(reviews.refused_leases(static_cast<domain::LeaseRefusal>(refusal))));
  }
}

void SetRefusedUses(const ReviewCounts& reviews, SeriesSink& series) {
  for (const auto& [use, name] : kUses) {
    const auto set = [&, use = use, name = name](domain::GrantEnd end, std::string cause) {
      series.Set({name, std::move(cause)}, static_cast<double>(reviews.refused_uses(use, end)));
    };
    for (int end = v1::GrantEnd_MIN + 1; end <= v1::GrantEnd_MAX; ++end) {
      if (end == v1::GRANT_END_RENEWED_BEFORE && use != Use::kRenew) continue;
      set(static_cast<domain::GrantEnd>(end), ops::Label<v1::GrantEnd>(end));
    }
    set(domain::GrantEnd::kOtherGrant, "other_grant");
  }
  constexpr const char* kTokens[] = {"token_foreign", "token_over", "token_replaced", "token_redeemed"};
  static_assert(std::size(kTokens) == ReviewCounts::kTokenEnds);
  for (size_t end = 0; end < ReviewCounts::kTokenEnds; ++end) {
    series.Set({"redeem", kTokens[end]},
               static_cast<double>(reviews.refused_tokens(static_cast<domain::TokenEnd>(end))));
  }
}

}  // namespace

void DefineReviewGauges(const GaugeSources& sources, ops::MetricRegistry& registry) {
  const auto given = std::make_shared<ReviewCounts::Given>();
  const ReviewCounts& reviews = sources.core.reviews;
  registry.AtScrape([given, &reviews, &core = sources.core] { *given = reviews.Count(core.time); });
  registry.Gauge("consentd_review_grants_open", "Review grants that nobody has ended and whose time is not over.",
                 WhenReady(sources.core, [given] { return given->open; }));
  registry.Counter("consentd_review_grants_given_total", "Review grants that were given.",
                   [given] { return static_cast<double>(given->given); });
  registry.Counter("consentd_review_grants_ended_total", "Review grants that came to their end, by what ended them.",
                   {"by"}, [given](SeriesSink& series) { SetEnds(*given, series); });
  registry.Counter("consentd_review_leases_refused_total", "Recordings that got no review grant, by the first reason.",
                   {"reason"}, [&reviews](SeriesSink& series) { SetRefusedLeases(reviews, series); });
  registry.Counter("consentd_review_uses_total", "Uses of review grants that were allowed.", {"use"},
                   [given](SeriesSink& series) {
                     for (const auto& [use, name] : kUses) {
                       series.Set({name}, static_cast<double>(given->uses[static_cast<size_t>(use)]));
                     }
                   });
  registry.Counter("consentd_review_uses_refused_total", "Uses of review grants that were refused, by their cause.",
                   {"use", "cause"}, [&reviews](SeriesSink& series) { SetRefusedUses(reviews, series); });
  registry.Counter("consentd_review_uses_after_restriction_total",
                   "Uses that were allowed although the grant's subject or policy had changed before them: must be 0.",
                   {"use"}, [&reviews](SeriesSink& series) {
                     for (const auto& [use, name] : kUses) {
                       series.Set({name}, static_cast<double>(reviews.uses_after_restriction(use)));
                     }
                   });
}

}  // namespace consent::app
