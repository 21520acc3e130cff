#include "client/cli/engines/status_review.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <utility>

#include "client/cli/render/render.h"

namespace consent::cli {
namespace {

using Span = std::chrono::microseconds;

// To the second.
std::string At(const std::optional<Time>& time) {
  if (!time.has_value()) return "never";
  return TimeText(std::chrono::floor<std::chrono::seconds>(*time));
}

std::string Lasting(Span span) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(span).count();
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 2 * 3'600) return std::to_string(seconds / 60) + " min";
  if (seconds < 2 * 86'400) return std::to_string(seconds / 3'600) + " h";
  return std::to_string(seconds / 86'400) + " days";
}

std::string Bytes(int64_t bytes) {
  constexpr double kMiB = 1 << 20;
  const double mib = static_cast<double>(bytes) / kMiB;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", mib < 1024 ? mib : mib / 1024, mib < 1024 ? "MiB" : "GiB");
  return text.data();
}

std::string Count(int64_t count, const std::string& what) { return std::to_string(count) + " " + what; }

// Writes the lines of one status.
class Review {
 public:
  explicit Review(const DaemonStatus& status) : status_(status), now_(status.read_at.value_or(Time{})) {}

  std::vector<StatusLine> Run() {
    Good("serving", "version " + status_.version + ", since " + At(status_.started_at));
    AddPolicy();
    AddCalendars();
    AddPurposes();
    AddClock();
    AddIndex();
    AddStore();
    for (const DaemonStatus::Disk& disk : status_.disks) AddDisk(disk);
    AddDecisionLog();
    AddVerification();
    AddFiles();
    AddRequests();
    AddSystems();
    AddPeople();
    AddErasure();
    return std::move(lines_);
  }

 private:
  void Good(std::string what, std::string state) { lines_.push_back({std::move(what), std::move(state), false, {}}); }
  void Line(std::string what, std::string state, bool needs_person, std::string next) {
    lines_.push_back({std::move(what), std::move(state), needs_person, needs_person ? std::move(next) : std::string()});
  }
  // How long ago that was; below zero where it lies ahead, and where there is none.
  Span Since(const std::optional<Time>& time) const { return time.has_value() ? now_ - *time : Span(-1); }
  Span Until(const std::optional<Time>& time) const { return time.has_value() ? *time - now_ : Span::max(); }

  void AddPolicy() {
    Good("policy", status_.policy.version + ", in force since " + At(status_.policy.activated_at));
    if (!status_.policy.waiting.has_value()) return;
    const WaitingPolicy& waiting = *status_.policy.waiting;
    const bool is_readable = !waiting.version.empty();
    std::string next = "consentctl policy diff FILE, then consentctl policy activate FILE --loosens WORDS";
    if (status_.policy.activation_takes_two) {
      next += ", which proposes it; then a second person: consentctl approvals approve ID";
    }
    Line("policy file", (is_readable ? waiting.version : "unreadable") + ", not in force: " + waiting.why, true,
         is_readable ? next : "consentd policy validate FILE");
  }

  void AddCalendars() {
    const auto first = std::min_element(status_.policy.calendars.begin(), status_.policy.calendars.end(),
                                        [](const auto& a, const auto& b) { return a.ends_at < b.ends_at; });
    if (first == status_.policy.calendars.end()) return;
    const bool is_near = Until(first->ends_at) < kCalendarWarning;
    Line("holidays", "of " + first->regime + " known until " + At(first->ends_at), is_near,
         "add later ones to the policy, then consentctl policy activate FILE");
  }

  // Somebody decided so: it is shown, and nobody is called before it may be forgotten.
  void AddPurposes() {
    if (status_.suspensions.empty()) return Good("purposes", "none is suspended");
    for (const Suspension& one : status_.suspensions) {
      const std::string purpose(Name(one.purpose));
      if (one.purpose == Purpose::kUnset) {
        Line("suspended", "everything since " + At(one.suspended_at) + ": restored without a restriction journal", true,
             "find out what may be lost; then an officer accepts it: consentctl policy resume --restored");
        continue;
      }
      Line("suspended",
           purpose + " " + (one.region.empty() ? "everywhere" : one.region) + " since " + At(one.suspended_at),
           Since(one.suspended_at) > kSuspensionAge,
           "ask whether it is still needed: consentctl policy show, consentctl policy resume " + purpose);
    }
  }

  void AddClock() {
    const ClockState& clock = status_.clock;
    const Span ahead = clock.wall && clock.trusted ? *clock.wall - *clock.trusted : Span(0);
    const std::string seconds = std::to_string(std::chrono::floor<std::chrono::seconds>(ahead).count());
    Line("clock",
         clock.doubtful ? "in doubt, " + seconds + " s ahead of the trusted time: every check is a no" : "trusted",
         clock.doubtful, "consentctl clock show; set it right, or where it is: consentctl clock confirm TIME");
  }

  void AddIndex() {
    const DaemonStatus::Index& index = status_.index;
    Line("index",
         Count(index.subjects, "of at most ") + Count(index.max_subjects, "subjects") +
             (index.complete ? "" : ", and not all: checks of the others read the disk"),
         !index.complete, "start consentd with a larger --index-max-subjects");
  }

  void AddStore() {
    const DaemonStatus::Store& store = status_.store;
    std::string state = Bytes(store.table_bytes) + " of table files, " + Count(store.commits_waiting, "commits wait");
    if (store.writes_stopped) state += ", writes stand still";
    if (store.background_errors > 0) state += ", " + Count(store.background_errors, "background errors");
    Line("store", state, store.writes_stopped || store.background_errors > 0,
         "journalctl -u consentd; look at its disk");
  }

  void AddDisk(const DaemonStatus::Disk& disk) {
    const int64_t wanted =
        disk.folder == "data" ? std::max(kLeastFreeBytes, status_.store.table_bytes) : kLeastFreeBytes;
    const bool few_inodes = disk.free_inodes.has_value() && *disk.free_inodes < kLeastFreeInodes;
    std::string state = Bytes(disk.free_bytes) + " free of " + Bytes(disk.size_bytes);
    if (disk.free_bytes < wanted) state += ", at least " + Bytes(wanted) + " are needed";
    if (few_inodes) state += ", " + Count(*disk.free_inodes, "inodes free");
    Line("disk " + disk.folder, state, disk.free_bytes < wanted || few_inodes, "make room on the disk of this folder");
  }

  void AddDecisionLog() {
    const DaemonStatus::DecisionLog& log = status_.decision_log;
    if (!log.on) {
      return Line("decision log", "off: no yes is on record", true, "start consentd without --decision-log=off");
    }
    std::string state = Count(log.records, "records since the start");
    if (log.refused_records > 0) state += ", " + Count(log.refused_records, "not written, so that a yes became a no");
    if (!log.writing) {
      return Line("decision log", state + "; cannot be written: yeses become noes", true,
                  "journalctl -u consentd; make room on the disk of the decision log");
    }
    if (log.missing_records > 0) state += ", " + Count(log.missing_records, "were missing at the start");
    Line("decision log", state, log.missing_records > 0, "consentctl decisions verify FOLDER");
  }

  void AddVerification() {
    if (!status_.decision_log.on) return;
    if (!status_.verification.has_value()) {
      return Line("verification", "never", Since(status_.started_at) > kFirstVerification,
                  "consentctl decisions verify --report FOLDER");
    }
    const DaemonStatus::Verification& last = *status_.verification;
    const int64_t wrong = last.yes_after_no + last.not_given + last.log_problems;
    std::string state = At(last.reported_at) + ", " + Count(last.yeses, "yeses");
    if (wrong == 0) state += ", nothing wrong";
    if (last.yes_after_no > 0) state += ", " + Count(last.yes_after_no, "AFTER A NO");
    if (last.not_given > 0) state += ", " + Count(last.not_given, "that the rule does not give");
    if (last.log_problems > 0) state += ", " + Count(last.log_problems, "gaps or changed records");
    if (wrong == 0 && last.last_wrong_at.has_value())
      state += "; the last that found something: " + At(last.last_wrong_at);
    if (wrong > 0) return Line("verification", state, true, "consentctl decisions verify FOLDER, which names each");
    Line("verification", state, Since(last.reported_at) > kVerificationAge,
         "consentctl decisions verify --report FOLDER");
  }

  void AddFiles() {
    const auto refused = [](int64_t count) {
      return count == 0 ? std::string() : "; " + Count(count, "later files refused since the start, see the log");
    };
    if (status_.certificates.has_value()) {
      const DaemonStatus::Certificates& tls = *status_.certificates;
      const Span left = std::min(Until(tls.server_ends_at), Until(tls.client_ca_ends_at));
      Line("certificates",
           "server's until " + At(tls.server_ends_at) + ", clients' CA until " + At(tls.client_ca_ends_at) + ", read " +
               At(tls.read_at) + refused(tls.refused_reloads),
           left < kCertificateWarning, "put new ones in place of the files; the daemon reads them within seconds");
    }
    if (status_.callers.has_value()) {
      Good("callers", "read " + At(status_.callers->read_at) + refused(status_.callers->refused_reloads));
    }
  }

  void AddRequests() {
    const DaemonStatus::Requests& requests = status_.requests;
    std::string open = Count(requests.open, "open");
    if (requests.oldest_at.has_value()) open += ", the oldest of " + At(requests.oldest_at);
    Line("requests",
         Count(requests.overdue, "overdue, ") + Count(requests.due_in_7_days, "due in 7 days, ") +
             Count(requests.due_in_30_days, "in 30, ") + open,
         requests.overdue > 0, "consentctl requests overdue");
    Line("receipts",
         Count(requests.receipts_overdue, "overdue, ") + Count(requests.receipts_due_in_3_days, "due in 3 days"),
         requests.receipts_overdue > 0,
         "consentctl requests list, those marked CONFIRMATION_OVERDUE; consentctl requests confirm-receipt DELETION");
    const DaemonStatus::Appeals& appeals = status_.appeals;
    const int64_t late = appeals.acknowledgements_overdue + appeals.answers_overdue;
    Line("appeals",
         Count(appeals.open, "open, ") + Count(appeals.acknowledgements_overdue, "to acknowledge overdue, ") +
             Count(appeals.answers_overdue, "to answer overdue"),
         late > 0, "consentctl requests list --open-appeal");
  }

  void AddSystems() {
    size_t quiet = 0;
    for (const DaemonStatus::System& system : status_.systems) quiet += AddSystem(system) ? 0 : 1;
    Good("systems", std::to_string(status_.systems.size()) + ", " + std::to_string(quiet) + " of them in order");
  }

  // Only where it needs a person. True then.
  bool AddSystem(const DaemonStatus::System& system) {
    const auto add = [&](const std::string& state, const std::string& next) {
      Line("system " + system.name, state, true, next);
    };
    const size_t before = lines_.size();
    if (system.stuck_tasks > 0) {
      add(Count(system.stuck_tasks, "tasks failed five times or more, of ") + Count(system.open_tasks, "open"),
          "consentctl tasks list " + system.name + " --min-failures 5");
    }
    const auto seen = std::max({system.worker_seen_at, status_.started_at, system.oldest_task_at});
    if (system.open_tasks > 0 && Since(seen) > kWorkerSilence) {
      add(Count(system.open_tasks, "tasks open, and no worker for ") + Lasting(Since(seen)),
          "start its worker: consentctl worker " + system.name + " -- COMMAND");
    }
    if (system.retention == RetentionState::kMissing || system.retention == RetentionState::kAttestationExpired) {
      add(system.retention == RetentionState::kMissing ? "nobody sees to what has expired"
                                                       : "its attestation ended " + At(system.retention_due_at),
          "consentctl systems retention " + system.name +
              " --attested-by NAME --attested-until TIME, or --sweep-days N");
    }
    if (system.retention == RetentionState::kUnset) {
      add("what it promised is not known here", "use the consentctl of this daemon's version");
    }
    if (system.retention == RetentionState::kSweepOverdue) {
      add("its sweep was due " + At(system.retention_due_at),
          "consentctl sweep " + system.name + " INVENTORY -- COMMAND");
    }
    if (system.sweep_failed > 0) {
      add("its last sweep left " + Count(system.sweep_failed, "recordings that must go"),
          "consentctl sweep " + system.name + " INVENTORY -- COMMAND");
    }
    return lines_.size() > before;
  }

  void AddPeople() {
    const DaemonStatus::Holds& holds = status_.holds;
    std::string state = Count(holds.in_force, "in force");
    if (holds.oldest_at.has_value()) state += ", the oldest of " + At(holds.oldest_at);
    const int64_t past = holds.past_review.value_or(0);
    if (past > 0) state += ", " + Count(past, "past review");
    Line("holds", state, past > 0, "consentctl holds list --past-review");
    const DaemonStatus::Children& children = status_.children;
    Line("children",
         Count(children.notice_due, "whose guardian must be told, ") + Count(children.purge_due, "to purge, ") +
             Count(children.unguarded, "without guardian, of ") + std::to_string(children.profiles),
         children.notice_due > 0, "consentctl children due --due notice");
    if (status_.approvals_open.has_value()) {
      const bool is_one = *status_.approvals_open == 1;
      Line("approvals",
           Count(*status_.approvals_open,
                 is_one ? "loosening waits for a second person" : "loosenings wait for a second person"),
           *status_.approvals_open > 0, "consentctl approvals list");
    }
    if (!status_.safety.has_value()) return;
    std::string flags = Count(status_.safety->open, "reported and not handled");
    if (status_.safety->oldest_at.has_value()) flags += ", the oldest of " + At(status_.safety->oldest_at);
    const auto overdue = [&](int64_t count, const char* what) {
      if (count > 0) flags += ", " + Count(count, what);
    };
    overdue(status_.safety->unacknowledged_overdue, "not acknowledged in time");
    overdue(status_.safety->unhandled_overdue, "not handled in time");
    Line("safety", flags, status_.safety->open > 0, "consentctl flags list");
  }

  void AddErasure() {
    const DaemonStatus::Erasure& erasure = status_.erasure;
    const bool is_late = Since(erasure.oldest_key_at) > kKeysInFiles || Since(erasure.oldest_bytes_at) > kBytesInFiles;
    Line("erasure",
         Count(erasure.keys_waiting, "keys, ") + Count(erasure.bytes_waiting, "other entries to leave the files"),
         is_late, "journalctl -u consentd; the store cannot rewrite its files");
  }

  const DaemonStatus& status_;
  const Time now_;
  std::vector<StatusLine> lines_;
};

}  // namespace

std::vector<StatusLine> ReviewStatus(const DaemonStatus& status) { return Review(status).Run(); }

}  // namespace consent::cli
