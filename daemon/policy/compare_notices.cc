// Controls and notices: what stored choices refer to.
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/policy/differences.h"
#include "daemon/policy/reading.h"

namespace consent::policy {
namespace {

using base::Instant;
using Kind = DifferenceKind;

std::string Names(domain::PurposeSet purposes) {
  std::vector<std::string> names;
  for (const domain::Purpose p : domain::kAllPurposes) {
    if (purposes.Has(p)) names.push_back(v1::Purpose_Name(static_cast<v1::Purpose>(p)));
  }
  return Listed(names);
}

std::string TimeText(Instant t) { return t == base::kEndOfTime ? "never" : base::FormatRfc3339(t); }

template <typename Entries, typename Key>
auto ByName(const Entries& entries, Key key) {
  std::map<std::string, decltype(&entries.Get(0))> map;
  for (const auto& entry : entries) map.emplace(key(entry), &entry);
  return map;
}

// One notice in two policies.
class NoticeComparison {
 public:
  NoticeComparison(std::string path, domain::NoticeNumber number, Differences* out)
      : path_(std::move(path)), number_(number), out_(out) {}

  void Breaks(const char* field, std::string what) {
    out_->push_back({path_ + field, std::move(what), Kind::kBreaksStored, number_, 0});
  }
  void Plain(const char* field, std::string what, Kind kind) {
    out_->push_back({path_ + field, std::move(what), kind, 0, 0});
  }
  void Flag(const char* field, bool from, bool to) {
    if (!from && to) Breaks(field, "turned on");
    if (from && !to) Plain(field, "turned off", Kind::kRestriction);
  }
  void Fields(const v1::Notice& from, const v1::Notice& to) {
    const domain::PurposeSet before = ToPurposeSet(from.purposes());
    const domain::PurposeSet after = ToPurposeSet(to.purposes());
    Languages(from, to);
    if (const auto gained = Without(after, before); !gained.Empty()) Breaks(".purposes", "gains " + Names(gained));
    if (const auto lost = Without(before, after); !lost.Empty()) {
      Plain(".purposes", "loses " + Names(lost), Kind::kRestriction);
    }
    Flag(".says_people_listen", from.says_people_listen(), to.says_people_listen());
    Flag(".covers_past", from.covers_past(), to.covers_past());
    Time(".valid_from", ToInstant(from.valid_from()), ToInstant(to.valid_from()), true);
    Lifetime(from.consent_lifetime_months(), to.consent_lifetime_months());
    CompareNoticeTexts(from, to, path_ + ".texts", number_, out_);
  }
  // `earlier_breaks`: an earlier time permits more; else a later one does.
  void Time(const char* field, Instant from, Instant to, bool earlier_breaks) {
    if (from == to) return;
    std::string what = absl::StrCat(TimeText(from), " becomes ", TimeText(to));
    if ((to < from) == earlier_breaks) return Breaks(field, std::move(what));
    Plain(field, std::move(what), Kind::kRestriction);
  }

 private:
  void Languages(const v1::Notice& from, const v1::Notice& to) {
    const std::set<std::string> before(from.languages().begin(), from.languages().end());
    const std::set<std::string> after(to.languages().begin(), to.languages().end());
    std::vector<std::string> gained;
    std::vector<std::string> lost;
    for (const std::string& tag : after) {
      if (before.count(tag) == 0) gained.push_back(tag);
    }
    for (const std::string& tag : before) {
      if (after.count(tag) == 0) lost.push_back(tag);
    }
    if (!gained.empty()) Plain(".languages", "gains " + Listed(gained), Kind::kLoosening);
    if (!lost.empty()) Plain(".languages", "loses " + Listed(lost), Kind::kRestriction);
  }
  void Lifetime(int from, int to) {
    if (from == to) return;
    std::string what = absl::StrCat(from, " becomes ", to, to == 0 ? ": no end" : "");
    const bool longer = from != 0 && (to == 0 || to > from);
    if (longer) return Breaks(".consent_lifetime_months", std::move(what));
    Plain(".consent_lifetime_months", std::move(what), Kind::kRestriction);
  }

  std::string path_;
  domain::NoticeNumber number_;
  Differences* out_;
};

domain::NoticeNumber NumberOf(const State& state, const std::string& version) {
  const auto at = state.notices.find(version);
  return at == state.notices.end() ? domain::NoticeNumber{0} : at->second;
}

Instant TimeOf(const std::map<std::string, Instant>& superseded, const std::string& version) {
  const auto at = superseded.find(version);
  return at == superseded.end() ? base::kEndOfTime : at->second;
}

}  // namespace

void CompareNotices(const PolicyRow& previous, const v1::Policy& to, Differences* out) {
  const v1::Policy& from = previous.document.policy();
  const auto version = [](const v1::Notice& notice) { return notice.version(); };
  const auto before = ByName(from.notices(), version);
  const auto after = ByName(to.notices(), version);
  const auto superseded_before = SupersededFrom(from);
  const auto superseded_after = SupersededFrom(to);
  for (const v1::Notice& notice : from.notices()) {
    NoticeComparison comparison(absl::StrCat("notices[\"", notice.version(), "\"]"),
                                NumberOf(previous.state, notice.version()), out);
    const auto counterpart = after.find(notice.version());
    if (counterpart == after.end()) {
      comparison.Breaks("", "dropped");
      out->back().harmless_unused = true;
      continue;
    }
    comparison.Fields(notice, *counterpart->second);
    comparison.Time(" superseded from", TimeOf(superseded_before, notice.version()),
                    TimeOf(superseded_after, notice.version()), false);
  }
  for (const v1::Notice& notice : to.notices()) {
    if (before.count(notice.version()) != 0) continue;
    const domain::NoticeNumber number = NumberOf(previous.state, notice.version());
    NoticeComparison comparison(absl::StrCat("notices[\"", notice.version(), "\"]"), number, out);
    // Its earlier content is not at hand, so nothing can be said about consents that still refer to it.
    if (number != 0) {
      comparison.Breaks("", "comes back after it had been dropped");
    } else {
      comparison.Plain("", "new", Kind::kLoosening);
    }
  }
}

void CompareControls(const PolicyRow& previous, const v1::Policy& to, Differences* out) {
  const auto name = [](const v1::Control& control) { return control.name(); };
  const auto before = ByName(previous.document.policy().controls(), name);
  const auto after = ByName(to.controls(), name);
  const domain::PurposeSet in_use = InUse(to);
  for (const auto& [control, state] : previous.state.controls) {
    const auto counterpart = after.find(control);
    const bool stays = counterpart != after.end();
    const bool was = before.count(control) != 0;
    const std::string path = absl::StrCat("controls[\"", control, "\"]");
    const domain::PurposeSet listed_before = was ? ToPurposeSet(before.at(control)->purposes()) : domain::PurposeSet{};
    const domain::PurposeSet listed_after =
        stays ? ToPurposeSet(counterpart->second->purposes()) : domain::PurposeSet{};
    // A purpose that goes out of use is never eligible; when it comes back, the refusal must cover it again.
    if (const auto freed = Without(Both(state.covers, in_use), listed_after); !freed.Empty()) {
      std::string what = absl::StrCat(stays ? "no longer covers " : "dropped with ", Names(freed));
      out->push_back({path, std::move(what), Kind::kBreaksStored, 0, state.number});
    } else if (was && !stays) {
      out->push_back({path, "dropped with all its purposes", Kind::kNeutral, 0, 0});
    }
    if (was && stays) CompareControlTexts(*before.at(control), *counterpart->second, path + ".texts", out);
    if (!was && stays) out->push_back({path, "comes back", Kind::kRestriction, 0, 0});
    const auto gained = Without(listed_after, listed_before);
    if (was && !gained.Empty()) {
      // Who turns it on from then on agrees to them, too; the daemon's rule knows no restriction that does so.
      out->push_back({path,
                      "gains " + Names(gained) + "; whoever turns it on agrees to them, refusals of it cover them",
                      Kind::kLoosening, 0, 0});
    }
    const auto retired = Without(Without(listed_before, listed_after), in_use);
    if (stays && !retired.Empty()) {
      out->push_back({path, "loses " + Names(retired) + ", which is out of use", Kind::kNeutral, 0, 0});
    }
  }
  for (const v1::Control& control : to.controls()) {
    if (previous.state.controls.count(control.name()) == 0) {
      out->push_back({absl::StrCat("controls[\"", control.name(), "\"]"), "new", Kind::kNeutral, 0, 0});
    }
  }
}

}  // namespace consent::policy
