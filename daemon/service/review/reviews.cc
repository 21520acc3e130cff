#include "daemon/service/review/reviews.h"

#include <algorithm>
#include <utility>

#include "daemon/base/hash.h"
#include "daemon/base/month.h"
#include "daemon/domain/standards.h"
#include "daemon/service/commit/commit_now.h"
#include "daemon/service/commit/retry.h"
#include "daemon/service/review/late_draft.h"
#include "daemon/service/rows/population_rows.h"
#include "daemon/service/rows/read_errors.h"
#include "daemon/service/rows/subject_rows.h"
#include "daemon/wire/errors.h"

namespace consent::service {
namespace {

using store::Table;

base::Bytes16 Draw(base::Random& random) {
  base::Bytes16 bytes{};
  random.Fill(bytes.data(), bytes.size());
  return bytes;
}

// By the earlier clock, so that no clock that is ahead ends days and months early.
base::Instant Earlier(const base::Now& now) { return now.earliest.IsSet() ? now.earliest : now.wall; }

base::Date Today(const base::Now& now) {
  return base::Date{static_cast<int32_t>(Earlier(now).micros / base::Days(1).micros)};
}

LeaseRefusal RefusalOf(domain::MayHear may) {
  switch (may) {
    case domain::MayHear::kYes:
      break;
    case domain::MayHear::kRecently:
      return LeaseRefusal::kHeardRecently;
    case domain::MayHear::kOften:
      return LeaseRefusal::kHeardOften;
  }
  return LeaseRefusal::kNone;
}

const char* WordOf(domain::TokenEnd end) {
  switch (end) {
    case domain::TokenEnd::kNone:
      break;
    case domain::TokenEnd::kOver:
      return "over";
    case domain::TokenEnd::kReplaced:
      return "replaced";
    case domain::TokenEnd::kRedeemed:
      return "redeemed";
  }
  return "";
}

// The rows of a grant that takes the place of `before`, whose hearing stays and whose id leads nowhere unless it was
// heard.
std::vector<store::Write> RowsOfLease(const Core& core, const std::string& key, const StoredRow<GrantRow>& before,
                                      const GrantRow& row, const std::vector<domain::Hearing>& hearings,
                                      const store::Stamp& stamp) {
  const std::string subject_key = core.SubjectKey(row.subject);
  std::vector<store::Write> writes;
  if (before.bytes.has_value() && before.row.grant.opened_at.IsSet()) {
    writes.push_back({Table::kReview, HeardKey(subject_key, stamp.sequence), EncodeHeardRow(HeardOf(before.row))});
  } else if (before.bytes.has_value()) {
    writes.push_back({Table::kReview, GrantIdKey(before.row.grant.id), std::nullopt});
  }
  writes.push_back({Table::kReview, key, EncodeGrantRow(row)});
  writes.push_back({Table::kReview, GrantIdKey(row.grant.id), key});
  writes.push_back({Table::kReview, HearingsKey(subject_key), EncodeHearings(hearings)});
  return writes;
}

GrantRow RowOf(const LeaseOrder& order, const LeaseItem& item, base::RecordingHandle recording) {
  GrantRow row;
  row.subject = item.subject;
  row.recording = recording;
  row.facts = item.facts;
  row.purpose = order.purpose;
  row.place = order.place;
  row.selection = order.selection;
  row.reviewer = order.reviewer;
  return row;
}

// As they were named when the grant was given.
absl::StatusOr<domain::MediaIds> OpenIds(const Core& core, const GrantRow& row) {
  const auto key = PayloadKeyOf(core, row.subject);
  if (!key.ok()) return key.status();
  absl::StatusOr<Payload> ids = OpenPayload(*key, row.sealed, row.subject);
  if (!ids.ok()) return ids.status();
  return domain::MediaIds{std::move(ids->account_id), std::move(ids->recording_id), row.facts.artefact};
}

// By its own numbers: it may have another reviewer, site and purpose than who asks now.
absl::StatusOr<bool> IsLive(const Core& core, const StoredRow<GrantRow>& stored) {
  if (!stored.bytes.has_value()) return false;
  const absl::StatusOr<domain::ReviewNumbers> numbers = ReadNumbers(core, stored.row);
  if (!numbers.ok()) return numbers.status();
  const domain::ReviewGrant& grant = stored.row.grant;
  return StateOf(grant, *numbers, core.time.IsOver(grant.until)) == domain::GrantState::kLive;
}

// The ids, as the tool named them, under the account's key.
absl::StatusOr<std::string> SealIds(const Core& core, const LeaseItem& item) {
  const auto key = PayloadKeyOf(core, item.subject);
  if (!key.ok()) return key.status();
  Payload payload;
  payload.account_id = item.account_id;
  payload.recording_id = item.recording_id;
  base::Digest unused{};
  return SealPayload(*key, payload, item.subject, core.random, &unused);
}

}  // namespace

std::string PseudonymOf(const Core& core, const domain::ReviewGrant& grant) {
  const std::string month = base::Month::Of(grant.given_at).ToText();
  return base::Hex(base::View(core.keys.DiskHash("pseudonym " + month, base::View(grant.id.bytes))));
}

LeaseAnswer Reviews::Lease(const LeaseOrder& order, const LeaseItem& item, const Caller& caller) {
  LeaseAnswer answer;
  GrantPermits permits(caps_, caller);
  const absl::Status leased = RetryOnConflict([&] {
    answer = LeaseAnswer{};
    permits.GiveBack();
    return TryToLease(order, item, caller, permits, &answer);
  });
  answer.error = leased;
  if (leased.ok() && answer.refusal != LeaseRefusal::kNone) {
    core_.reviews.NoteRefusedLease(answer.refusal, answer.decision.FirstReason());
  }
  return answer;
}

absl::StatusOr<domain::Decision> Reviews::AskCaps(const Grounds& grounds, const GrantRow& row,
                                                  const std::vector<domain::Hearing>& hearings, GrantPermits& permits) {
  domain::GrantCounts counts;
  counts.selection = row.selection;
  uint64_t& of_account = counts.given[static_cast<size_t>(domain::CapKind::kAccount)];
  of_account = CountHearings(hearings, Today(grounds.now));
  const domain::ReviewCaps* caps = grounds.rules->FindReviewCaps(row.purpose);
  if (caps != nullptr && of_account < caps->per_account) {
    const domain::Region country = RateRegion(&grounds.group.facts, row.facts);
    std::vector<CapName> names = {ReviewerCap(row.reviewer), SelectionCap(row.purpose, row.selection),
                                  SiteCap(row.place.site), DayCap(row.purpose)};
    // A rate of all is any number, so nobody counts it.
    if (PartsPerMillion(*caps, country) != domain::kWholePopulation) {
      const auto utterances = LoadPopulation(core_, {country, base::Month::Of(Earlier(grounds.now))});
      if (!utterances.ok()) return utterances.status();
      counts.population = *utterances;
      names.push_back(RateCap(row.purpose, country));
    }
    const absl::Status taken = permits.Take(names, *caps, country, Earlier(grounds.now), &counts);
    if (!taken.ok()) return taken;
  }
  return DecideGrant(grounds, row, counts);
}

absl::StatusOr<store::Outcome> Reviews::TryToLease(const LeaseOrder& order, const LeaseItem& item, const Caller& caller,
                                                   GrantPermits& permits, LeaseAnswer* answer) {
  GrantRow row = RowOf(order, item, core_.hasher.Recording(item.recording_id));
  absl::StatusOr<Grounds> grounds = ReadGrounds(core_, row);
  if (!grounds.ok()) return grounds.status();
  answer->rules = grounds->rules;
  answer->now = grounds->now;
  answer->head = grounds->head;
  answer->decision = grounds->decision;
  const auto refuse = [answer](LeaseRefusal refusal) {
    answer->refusal = refusal;
    return store::Outcome::kCommitted;
  };
  if (grounds->is_joined) {
    return wire::MakeError(v1::ERROR_REASON_ACCOUNT_JOINED, "the account was joined into another one: name that one");
  }
  if (!grounds->IsEligible()) return refuse(LeaseRefusal::kNotEligible);
  const store::Partition partition = core_.PartitionOf(row.subject);
  const std::string key = GrantKey(core_.RecordingKey(row.subject, row.recording), row.facts.artefact);
  const absl::StatusOr<StoredRow<GrantRow>> before = LoadGrant(core_, partition, key);
  if (!before.ok()) return before.status();
  const absl::StatusOr<bool> is_live = IsLive(core_, *before);
  if (!is_live.ok()) return is_live.status();
  if (*is_live) return refuse(LeaseRefusal::kGranted);
  absl::StatusOr<StoredRow<std::vector<domain::Hearing>>> hearings = LoadHearings(core_, row.subject);
  if (!hearings.ok()) return hearings.status();
  const base::Bytes16 reviewer = ReviewerTag(row.reviewer);
  const base::Date today = Today(grounds->now);
  const LeaseRefusal heard = RefusalOf(CheckHearing(hearings->row, reviewer, today));
  if (heard != LeaseRefusal::kNone) return refuse(heard);
  const absl::StatusOr<domain::Decision> with_caps = AskCaps(*grounds, row, hearings->row, permits);
  if (!with_caps.ok()) return with_caps.status();
  answer->decision = *with_caps;
  if (with_caps->eligibility != domain::Eligibility::kEligible) return refuse(LeaseRefusal::kNotEligible);
  NoteHearing(reviewer, today, &hearings->row);
  absl::StatusOr<std::string> sealed = SealIds(core_, item);
  if (!sealed.ok()) return sealed.status();
  row.sealed = *std::move(sealed);
  row.grant = GiveGrant(before->row.grant, {base::GrantId::Draw(core_.random, partition.number), Draw(core_.random),
                                            grounds->now.wall, core_.time.After(domain::kGrantLife), grounds->numbers});
  std::vector<store::Precondition>& preconditions = grounds->preconditions;
  preconditions.push_back({Table::kReview, key, before->bytes, grounds->seen});
  preconditions.push_back({Table::kReview, HearingsKey(core_.SubjectKey(row.subject)), hearings->bytes, grounds->seen});
  preconditions.push_back({Table::kReview, GrantIdKey(row.grant.id), std::nullopt, grounds->seen});
  const store::CommitResult result = CommitNow(core_, partition, preconditions, [&](const store::Stamp& stamp) {
    return store::Change{RowsOfLease(core_, key, *before, row, hearings->row, stamp),
                         PlainEvent(ChangeKind::kReviewChanged, grounds->rules->version, {}, caller.identity)};
  });
  answer->grant = row.grant;
  if (result.outcome == store::Outcome::kCommitted || result.outcome == store::Outcome::kUnknown) permits.Keep();
  return result.outcome;
}

absl::Status Reviews::Refuse(ReviewCounts::Use use, domain::GrantEnd end, const domain::Decision& decision) {
  core_.reviews.NoteRefusedUse(use, end);
  return EndStatus(end, decision);
}

absl::Status Reviews::RefuseToken(domain::TokenEnd end, const char* why) {
  core_.reviews.NoteRefusedToken(end);
  return wire::MakeError(v1::ERROR_REASON_MEDIA_TOKEN_REFUSED,
                         "the media token gives nothing out: open the grant again for another one", {{"why", why}});
}

// One more of its country was heard. Adds the row that counts it, in the grant's partition, and what it was.
absl::StatusOr<std::vector<store::Write>> CountHeard(const Core& core, const GrantRow& row, Grounds* grounds) {
  const store::Partition partition = core.PartitionOf(row.subject);
  domain::Region country = RateRegion(&grounds->group.facts, row.facts);
  if (!domain::IsAssigned(country) && !domain::IsUserAssigned(country)) country = {};
  const HeardCount of{country, base::Month::Of(Earlier(grounds->now)), row.purpose};
  const std::string key = HeardCountKey(of);
  absl::StatusOr<std::string> bytes = core.store.Get(partition, Table::kReview, key);
  if (!bytes.ok() && !absl::IsNotFound(bytes.status())) return StoreUnreadable();
  uint64_t heard = 0;
  if (bytes.ok() && !DecodeHeardCount(*bytes, &heard)) return DamagedRow("a count of reviews");
  absl::StatusOr<std::vector<store::Write>> writes = std::vector<store::Write>();
  if (!bytes.ok()) writes = DropOldCounts(core, partition, kHeardCounts, of.month);
  if (!writes.ok()) return writes.status();
  writes->push_back({Table::kReview, key, EncodeHeardCount(heard + 1)});
  std::optional<std::string> expected;
  if (bytes.ok()) expected = *std::move(bytes);
  grounds->preconditions.push_back({Table::kReview, key, std::move(expected)});
  return writes;
}

// GRANT_NOT_FOUND; those of ReadGrounds.
absl::StatusOr<GrantUse> ReadUse(const Core& core, const domain::GrantName& name) {
  GrantUse use;
  absl::StatusOr<std::string> key = FindGrant(core, name.id);
  if (!key.ok()) return key.status();
  use.key = *std::move(key);
  use.partition = store::Partition{name.id.partition()};
  absl::StatusOr<StoredRow<GrantRow>> stored = LoadGrant(core, use.partition, use.key);
  if (!stored.ok()) return stored.status();
  if (!stored->bytes.has_value()) return NoSuchGrant();
  use.stored = *std::move(stored);
  absl::StatusOr<Grounds> grounds = ReadGrounds(core, use.stored.row);
  if (!grounds.ok()) return grounds.status();
  use.grounds = *std::move(grounds);
  const domain::ReviewGrant& grant = use.stored.row.grant;
  use.end = MayUse(grant, name, {use.grounds.numbers, core.time.IsOver(grant.until), use.grounds.IsEligible()});
  return use;
}

// Commits the grant as `use` has it now; `was_opened`: before the use.
absl::StatusOr<store::Outcome> CommitUse(Core& core, GrantUse& use, bool was_opened, const Caller& caller) {
  const GrantRow& row = use.stored.row;
  Grounds& grounds = use.grounds;
  absl::StatusOr<std::vector<store::Write>> writes = std::vector<store::Write>();
  if (row.grant.opened_at.IsSet() && !was_opened) writes = CountHeard(core, row, &grounds);
  if (!writes.ok()) return writes.status();
  writes->push_back({Table::kReview, use.key, EncodeGrantRow(row)});
  grounds.preconditions.push_back({Table::kReview, use.key, use.stored.bytes});
  return CommitNow(core, use.partition, grounds.preconditions,
                   [&](const store::Stamp&) {
                     return store::Change{
                         *writes, PlainEvent(ChangeKind::kReviewChanged, grounds.rules->version, {}, caller.identity)};
                   })
      .outcome;
}

template <typename Step>
absl::Status Reviews::Use(const domain::GrantName& name, const Caller& caller, Step step) {
  return RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    absl::StatusOr<GrantUse> use = ReadUse(core_, name);
    if (!use.ok()) return use.status();
    const bool was_opened = use->stored.row.grant.opened_at.IsSet();
    const absl::StatusOr<bool> changed = step(use->end, use->grounds, &use->stored.row);
    if (!changed.ok()) return changed.status();
    return *changed ? CommitUse(core_, *use, was_opened, caller) : store::Outcome::kCommitted;
  });
}

absl::Status Reviews::TakeBack(const domain::GrantName& name) {
  return Use(name, Caller{""}, [&](domain::GrantEnd, const Grounds&, GrantRow* row) -> absl::StatusOr<bool> {
    if (Meant(row->grant, name) != domain::GrantEnd::kNone) return false;
    EndGrant(domain::ReviewOutcome::kNotRecorded, &row->grant);
    return true;
  });
}

absl::StatusOr<OpenedMedia> Reviews::Open(const domain::GrantName& name, const std::string& audience,
                                          const Caller& caller) {
  const auto key = key_.Get();
  if (!key.ok()) return key.status();
  const std::optional<SystemRow> system = systems_.Find(audience);
  const bool is_offline = system.has_value() && system->offline_key.has_value();
  if (is_offline && !system->IsActive()) {
    return wire::MakeError(v1::ERROR_REASON_SYSTEM_NOT_FOUND, "the data system cannot call and is retired");
  }
  const base::Span life = is_offline ? domain::kOfflineTokenLife : domain::kMediaTokenLife;
  domain::MediaToken token;
  const absl::Status opened =
      Use(name, caller, [&](domain::GrantEnd end, const Grounds& grounds, GrantRow* row) -> absl::StatusOr<bool> {
        if (end != domain::GrantEnd::kNone) return Refuse(ReviewCounts::Use::kOpen, end, grounds.decision);
        // The time of the decision, not that of the answer: from it the life of an offline token bounds what plays on.
        const base::Instant wall = grounds.now.wall;
        token = {core_.tokens.Cover(name.id),
                 name.fence,
                 row->grant.media,
                 Draw(core_.random),
                 wall + life,
                 row->place.site,
                 audience,
                 ""};
        if (is_offline) {
          const absl::StatusOr<domain::MediaIds> ids = OpenIds(core_, *row);
          if (!ids.ok()) return ids.status();
          token.sealed = SealMediaIds(*ids, *system->offline_key, core_.random);
        }
        OpenMedia(wall, {token.nonce, core_.time.After(life), is_offline}, &row->grant);
        return true;
      });
  if (!opened.ok()) return opened;
  return OpenedMedia{SignMediaToken(token, **key), token.not_after, life};
}

absl::StatusOr<RedeemedMedia> Reviews::Redeem(std::string_view text, std::string_view system, const Caller& caller) {
  const auto key = key_.Get();
  if (!key.ok()) return key.status();
  const std::optional<domain::SignedMediaToken> read = domain::ReadMediaToken(text, (*key)->public_key());
  if (!read.has_value()) return RefuseToken(domain::TokenEnd::kNone, "unreadable");
  if (!read->is_signed) return RefuseToken(domain::TokenEnd::kNone, "signature");
  const domain::MediaToken& token = read->token;
  if (token.audience != system) return RefuseToken(domain::TokenEnd::kNone, "audience");
  const std::optional<SystemRow> registered = systems_.Find(system);
  const bool cannot_call = registered.has_value() && registered->offline_key.has_value();
  if (token.IsOffline() || cannot_call) return RefuseToken(domain::TokenEnd::kNone, "offline");
  RedeemedMedia redeemed;
  const domain::GrantName name{core_.tokens.Cover(token.grant), token.fence};
  const absl::Status status =
      Use(name, caller, [&](domain::GrantEnd end, const Grounds& grounds, GrantRow* row) -> absl::StatusOr<bool> {
        if (end != domain::GrantEnd::kNone) return Refuse(ReviewCounts::Use::kRedeem, end, grounds.decision);
        const domain::TokenEnd burned =
            domain::RedeemToken(token.nonce, core_.time.IsOver(row->grant.token_until), &row->grant);
        if (burned != domain::TokenEnd::kNone) return RefuseToken(burned, WordOf(burned));
        absl::StatusOr<domain::MediaIds> ids = OpenIds(core_, *row);
        if (!ids.ok()) return ids.status();
        redeemed = {*std::move(ids), row->place.site};
        return true;
      });
  if (!status.ok()) return status;
  return redeemed;
}

absl::Status Reviews::Submit(const domain::GrantName& name, const base::Digest& digest, const Caller& caller) {
  GrantUse refused;  // where it is refused
  absl::Status done = RetryOnConflict([&]() -> absl::StatusOr<store::Outcome> {
    absl::StatusOr<GrantUse> use = ReadUse(core_, name);
    if (!use.ok()) return use.status();
    domain::ReviewGrant& grant = use->stored.row.grant;
    refused.end = domain::GrantEnd::kNone;
    if (IsSubmitted(grant, name, digest)) return store::Outcome::kCommitted;
    if (use->end == domain::GrantEnd::kNone) {
      domain::SubmitGrant(digest, &grant);
      return CommitUse(core_, *use, grant.opened_at.IsSet(), caller);
    }
    refused = *std::move(use);
    return LeavesDraft(refused.end) ? PurgeLateDraft(core_, refused, digest, caller) : store::Outcome::kCommitted;
  });
  if (!done.ok() || refused.end == domain::GrantEnd::kNone) return done;
  return Refuse(ReviewCounts::Use::kSubmit, refused.end, refused.grounds.decision);
}

absl::StatusOr<base::Instant> Reviews::Renew(const domain::GrantName& name, const Caller& caller) {
  base::Instant until;
  const absl::Status renewed =
      Use(name, caller, [&](domain::GrantEnd end, const Grounds& grounds, GrantRow* row) -> absl::StatusOr<bool> {
        if (end == domain::GrantEnd::kNone) {
          end = domain::RenewGrant(grounds.now.wall, core_.time.After(domain::kGrantLife), &row->grant);
        }
        if (end != domain::GrantEnd::kNone) return Refuse(ReviewCounts::Use::kRenew, end, grounds.decision);
        until = row->grant.expires_at;
        return true;
      });
  if (!renewed.ok()) return renewed;
  return until;
}

absl::StatusOr<base::PublicKey> Reviews::ReadPublicKey() {
  const auto key = key_.Get();
  if (!key.ok()) return key.status();
  return (*key)->public_key();
}

}  // namespace consent::service
