#include "client/cli/examples.h"

#include <cstddef>
#include <string>

namespace consent::cli {
namespace {

constexpr size_t kExamples = 2;

// Of subjects, their settings, and questions about recordings.
constexpr Example kPeople[] = {
    {"", "consentctl settings get ann", "What is in force for ann"},
    {"", "consentctl settings opt-out ann --all", "Turn everything off at once"},
    {"subject set", "consentctl subject set ann --region DE --profile ann-voice:adult", "Register ann with her voice"},
    {"subject set", "consentctl subject set ann --profile kid:child:guardian=ann --etag ETAG",
     "Add a child, after `subject get` printed the etag"},
    {"subject get", "consentctl subject get ann", "Who lives behind the account, and the etag"},
    {"subject get", "consentctl --json subject get ann", "The same for a program"},
    {"settings get", "consentctl settings get ann --language de", "What is in force, with the texts in German"},
    {"settings get", "consentctl --json settings get ann", "The same for a program, times to the microsecond"},
    {"settings set", "consentctl settings set ann --off help_improve", "Turn a control off, which needs nothing more"},
    {"settings set",
     "consentctl settings set ann --on help_improve --self-profile ann-voice \\\n"
     "    --etag ETAG --notice 2026-01 --language en --channel app --actor self",
     "Turn it on, for the account and the adult who says so"},
    {"settings opt-out", "consentctl settings opt-out ann --all", "Turn everything off at once"},
    {"settings opt-out", "consentctl settings opt-out --file accounts.jsonl --purpose advertising",
     "Turn one purpose off for each account of a file"},
    {"settings history", "consentctl settings history ann", "Who changed what when, newest first"},
    {"settings history", "consentctl settings history ann --page-size 10", "The last ten changes"},
    {"settings at", "consentctl settings at ann 2026-03-01T12:00:00Z", "What was in force at noon of that day"},
    {"settings at", "consentctl settings at ann -30d --language de", "30 days ago, with the texts in German"},
    {"settings opt-outs", "consentctl settings opt-outs --from 2026-10 --to 2026-11", "Who said no in October"},
    {"settings opt-outs", "consentctl settings opt-outs --from -30d --to now --limit 100", "In the last 30 days"},
    {"check",
     "consentctl check --purpose human-review --account ann --recording r1 \\\n"
     "    --captured-at 2026-06-20T19:00:00Z --country DE --reviewer employee",
     "May it be listened to here? 0: yes, 10: no"},
    {"check", "consentctl check --disposition --account ann --recording r1 --captured-at 2026-06-20T19:00:00Z",
     "Must it be purged? 11: keep, 12: hold, 13: purge"},
    {"report-recording", "consentctl report-recording ann r1 --flag accidental", "It was recorded by accident"},
    {"report-recording", "consentctl report-recording ann r1 --flag safety", "A person in it may be in danger"},
    {"export-subject", "consentctl export-subject ann --output ann.json", "All that is held about ann, as a file"},
    {"export-subject", "consentctl export-subject ann --text", "The same as tables for people"},
    {"subject join",
     "consentctl subject join ann-old ann --from-etag ETAG --into-etag ETAG --channel support --actor agent --yes",
     "Two accounts of one person become one"},
    {"subject join", "consentctl subject join ann ann-2 --into-is-new --from-etag ETAG --channel support --actor agent",
     "The account gets another id"},
    {"children due", "consentctl children due --due notice", "Whose guardians have to be told"},
    {"children due", "consentctl children due --account ann", "What is due for the children of one account"},
    {"children notice", "consentctl children notice ann kid --channel support --actor system --reference letter-4711",
     "The guardian was told, by letter"},
    {"children notice", "consentctl children notice ann kid", "The guardian was told"},
    {"children keep", "consentctl children keep ann kid --etag ETAG --channel support --actor guardian",
     "The guardian keeps the profile"},
    {"children keep", "consentctl children keep ann kid --at -2h --etag ETAG --channel app --actor system",
     "The child was active two hours ago"},
    {"flags list", "consentctl flags list", "Recordings whose person may be in danger"},
    {"flags list", "consentctl flags list --overdue", "Those that nobody took up in time"},
    {"flags acknowledge", "consentctl flags acknowledge ann r1", "It is yours"},
    {"flags acknowledge", "consentctl flags acknowledge ann r1 --note 'the night desk calls at eight'", "And how"},
    {"flags handle", "consentctl flags handle ann r1 --note 'called the family'", "Somebody looks after the person"},
    {"flags handle", "consentctl flags handle ann r1 --note 'false alarm, listened' --channel support --actor system",
     "The same, with who says so"},
};

// Of review grants.
constexpr Example kReviews[] = {
    {"reviews lease",
     "consentctl reviews lease ten.jsonl --purpose human-review --country RO --site cluj --reviewer employee \\\n"
     "    --listener anna-7 --selection random",
     "Anna may listen to each of them once"},
    {"reviews lease",
     "consentctl reviews lease one.jsonl --purpose human-review --country RO --reviewer employee --listener anna-7 "
     "--json",
     "The same for a program"},
    {"reviews open", "consentctl reviews open GRANT 3 audio", "What the audio store gives the bytes out for"},
    {"reviews open", "consentctl reviews open GRANT 3 audio --json", "The same for a program"},
    {"reviews redeem", "consentctl reviews redeem audio TOKEN", "What to give out, this once"},
    {"reviews redeem", "consentctl reviews redeem audio TOKEN --json", "The same for a program"},
    {"reviews submit",
     "consentctl reviews submit GRANT 3 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
     "Anna has written down what she heard; `sha256sum` makes the digest of it"},
    {"reviews submit",
     "consentctl reviews submit GRANT 3 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 --json",
     "The same for a program"},
    {"reviews end", "consentctl reviews end GRANT 3 safety", "A person may be in danger; see `flags list`"},
    {"reviews end", "consentctl reviews end GRANT 3 skipped", "Anna would rather not"},
    {"reviews renew", "consentctl reviews renew GRANT 3", "Another 30 minutes"},
    {"reviews renew", "consentctl reviews renew GRANT 3 --json", "The same for a program"},
    {"reviews revoke", "consentctl reviews revoke --listener anna-7 --reason 'left the company'",
     "Whatever Anna still has is over"},
    {"reviews revoke", "consentctl reviews revoke --all --reason 'clips are passed round'", "Nobody listens any more"},
    {"reviews list", "consentctl reviews list --state live", "Who may listen right now"},
    {"reviews list", "consentctl reviews list --page-size 1000", "The latest grant of each recording, by the thousand"},
    {"reviews heard", "consentctl reviews heard ann", "What of ann was heard, and when"},
    {"reviews heard", "consentctl reviews heard ann --json", "The same for her data export"},
    {"reviews population", "consentctl reviews population 2026-11-30T07 DE=120000 FR=80000",
     "What was recorded in that hour; said again, it takes the place of that"},
    {"reviews population", "consentctl reviews population 2026-11-30T08 DE=5000 --json", "Of a single country"},
    {"reviews rates", "consentctl reviews rates", "Which part of this month's utterances people listened to"},
    {"reviews rates", "consentctl reviews rates --month 2026-10 --json", "The same of October for a program"},
    {"reviews key", "consentctl reviews key", "For the audio store"},
    {"reviews key", "consentctl reviews key --json", "The same for a program"},
};

// Of files and of what is deleted, held and purged.
constexpr Example kData[] = {
    {"import", "consentctl import people.jsonl --state import.state --refused refused.jsonl",
     "Bring in who agreed to what; the same command goes on after a stop"},
    {"import", "consentctl import people.jsonl --dry-run", "Say what would not count, and write nothing"},
    {"filter",
     "consentctl filter recordings.jsonl --purpose human-review --country DE \\\n"
     "    --reviewer employee --refused no.jsonl > yes.jsonl",
     "Let through what people may listen to, and say why not of the rest"},
    {"filter", "consentctl filter recordings.jsonl --purpose model-training --set wake=BUTTON > yes.jsonl",
     "The same for a model, for lines that do not say how they began"},
    {"delete", "consentctl delete ann --from 2026-03 --to 2026-03 --verified", "All that ann said in March"},
    {"delete", "consentctl delete ann --today --time-zone Europe/Bucharest", "What was said today, where ann lives"},
    {"requests list", "consentctl requests list ann", "How far the requests of one account have come"},
    {"requests list", "consentctl requests list --state received,in-progress --due-before +7d",
     "What is due within a week"},
    {"requests show", "consentctl requests show DELETION", "One request, with each data system's part"},
    {"requests show", "consentctl requests show DELETION --language de", "The same, with how to appeal in German"},
    {"requests confirm-receipt", "consentctl requests confirm-receipt DELETION --channel email",
     "The user was told by email just now"},
    {"requests confirm-receipt", "consentctl requests confirm-receipt DELETION --channel letter --at -3h",
     "The user was told by a letter three hours ago"},
    {"requests verify", "consentctl requests verify DELETION", "Who asked may ask: purging begins"},
    {"requests verify", "consentctl requests verify DELETION --only-begun", "It is being found out who asked"},
    {"requests deny", "consentctl requests deny DELETION --reason 'not the account holder'", "Nothing is deleted"},
    {"requests deny", "consentctl requests deny DELETION --reason 'who asked did not answer' --reference ticket-7",
     "The same, with a reference of yours"},
    {"requests extend", "consentctl requests extend DELETION", "Move the due time, once"},
    {"requests extend", "consentctl requests extend DELETION --reference ticket-7", "With a reference of yours"},
    {"requests cancel", "consentctl requests cancel DELETION --etag ETAG --channel support --actor self",
     "The user does not want it any more"},
    {"requests cancel", "consentctl requests cancel DELETION --etag ETAG --channel app --actor self",
     "The same, said in the app"},
    {"requests appeal", "consentctl requests appeal DELETION --kind appeal", "Somebody appeals against a denial"},
    {"requests appeal", "consentctl requests appeal DELETION --kind complaint --at -1d",
     "Somebody complained a day ago"},
    {"requests acknowledge-appeal", "consentctl requests acknowledge-appeal DELETION", "They were told now"},
    {"requests acknowledge-appeal", "consentctl requests acknowledge-appeal DELETION --at 2026-11-27T10:00:00Z",
     "They were told at that time"},
    {"requests answer-appeal", "consentctl requests answer-appeal DELETION --outcome granted --answer 'we were wrong'",
     "It is granted"},
    {"requests answer-appeal",
     "consentctl requests answer-appeal DELETION --outcome rejected --answer 'no proof was sent'", "It is rejected"},
    {"requests report", "consentctl requests report --from 2026-10 --to 2026-11", "The figures of October"},
    {"requests report", "consentctl requests report --from 2026-01 --to 2027-01 --by quarter --html > report.html",
     "A year by quarters, as a page for people"},
    {"requests sample", "consentctl requests sample --n 25 --seed 4711 --from 2026-10 --to 2026-11",
     "Draw 25 requests of October"},
    {"requests sample", "consentctl requests sample --n 5 --seed 4711 --from -90d --to now --state completed",
     "Five that were completed lately"},
    {"requests overdue", "consentctl requests overdue", "All that are past their due time"},
    {"requests overdue", "consentctl --json requests overdue --limit 100", "The first hundred, for a program"},
    {"systems register",
     "consentctl systems register audio --kind audio --matches-by account,recording-id \\\n    --sweep-days 7",
     "A store of audio that is swept every week"},
    {"systems register",
     "consentctl systems register texts --kind transcripts \\\n"
     "    --matches-by account,recording-id --checks-on-ingest",
     "A store of transcripts that asks about each item that arrives"},
    {"systems retention", "consentctl systems retention audio --sweep-days 7", "It is swept every week"},
    {"systems retention", "consentctl systems retention audio --attested-by dpo --attested-until +180d",
     "The officer says for half a year that it deletes by itself"},
    {"systems list", "consentctl systems list", "All data systems, and which is overdue"},
    {"systems list", "consentctl --json systems list", "The same for a program"},
    {"systems retire", "consentctl systems retire texts", "It holds nothing any more"},
    {"systems retire", "consentctl systems retire texts --reason 'disks were destroyed'",
     "It still has tasks, which end as EXEMPT"},
    {"tasks list", "consentctl tasks list audio", "What the data system still has to delete"},
    {"tasks list", "consentctl tasks list audio --min-failures 3", "What does not get done"},
    {"tasks retry", "consentctl tasks retry audio --min-failures 5", "Try all that is stuck at once: audio is mended"},
    {"tasks retry", "consentctl tasks retry audio TASK", "Try one at once, as `tasks list` names it"},
    {"worker", "consentctl worker audio -- /usr/local/bin/erase-audio", "Do the deletions of a data system"},
    {"worker", "consentctl worker audio --once --show-errors -- sh -c 'cat >&2'",
     "Show the tasks that there are, and end"},
    {"sweep", "consentctl sweep audio inventory.jsonl --state audio.sweep -- /usr/local/bin/erase-audio",
     "Ask about all that a store has, and purge what must go"},
    {"sweep", "consentctl sweep audio inventory.jsonl --set wake=BUTTON -- /usr/local/bin/erase-audio",
     "The same for lines that do not say how they began"},
    {"holds place", "consentctl holds place ann --authority 'District Court, 12-345' --reason discovery",
     "Keep all of ann's recordings"},
    {"holds place",
     "consentctl holds place ann --authority 'District Court' --reason discovery \\\n"
     "    --from 2026-03-01 --to 2026-03-07 --review +90d",
     "Those of one week, to be looked at again in 90 days"},
    {"holds release",
     "consentctl holds release HOLD --etag ETAG --authority 'District Court' \\\n"
     "    --reason settled --channel support --actor system",
     "What waited for it is purged"},
    {"holds release",
     "consentctl holds release HOLD --etag ETAG --authority 'District Court' \\\n"
     "    --reason settled --channel support --actor system --yes",
     "The same in a script"},
    {"holds review", "consentctl holds review HOLD --until +90d --reason 'the case goes on'",
     "It goes on; look again in 90 days"},
    {"holds review", "consentctl holds review HOLD --until 2027-03-01 --reason 'the case goes on'", "Look on that day"},
    {"holds list", "consentctl holds list --account ann", "The holds of one account, and their etags"},
    {"holds list", "consentctl holds list --past-review", "Those that nobody has looked at in time"},
};

// Of the daemon, its policy and its records.
constexpr Example kDaemon[] = {
    {"policy show", "consentctl policy show", "The rules in force, and what is suspended"},
    {"policy show", "consentctl policy show --version 2026-01", "Those of an earlier version"},
    {"policy list", "consentctl policy list", "Which policy was activated when, and by whom"},
    {"policy list", "consentctl --json policy list --page-size 1", "The last one, for a program"},
    {"policy diff", "consentctl policy diff next.json", "What a file would allow more and less"},
    {"policy diff", "consentctl --timeout 120 policy diff next.json --count-seconds 90", "Count subjects for longer"},
    {"policy activate", "consentctl policy activate next.json", "Put a file in force that only restricts"},
    {"policy activate",
     "consentctl policy activate next.json \\\n    --loosens 'regimes[\"us\"].default_rule: OPT_IN becomes OPT_OUT'",
     "One that loosens, each word of it as `policy diff` prints it"},
    {"policy suspend", "consentctl policy suspend human-review --reason 'incident 12'", "Stop a purpose everywhere"},
    {"policy suspend", "consentctl policy suspend advertising --region US-CA --reason 'court order'", "In one region"},
    {"policy resume", "consentctl policy resume human-review --reason 'incident 12 is over' --etag ETAG",
     "Lift it, after `policy show` printed the etag"},
    {"policy resume", "consentctl policy resume advertising --region US-CA --reason lifted --etag ETAG --yes",
     "In one region, in a script"},
    {"approvals list", "consentctl approvals list", "What waits for a second person"},
    {"approvals list", "consentctl approvals list --all", "Those that have ended, too"},
    {"approvals show", "consentctl approvals show PROPOSAL", "All that would be done"},
    {"approvals show", "consentctl --json approvals show PROPOSAL", "With the policy file"},
    {"approvals approve", "consentctl approvals approve PROPOSAL", "Do what somebody else proposed"},
    {"approvals approve", "consentctl approvals approve PROPOSAL --yes", "The same in a script"},
    {"approvals withdraw", "consentctl approvals withdraw PROPOSAL", "Take it back, or refuse it"},
    {"approvals withdraw", "consentctl --json approvals withdraw PROPOSAL", "The same for a program"},
    {"backup create", "consentctl backup create /var/backups/consentd", "Take a backup into a folder"},
    {"backup create", "consentctl backup create - | cat > backup.tar", "As a tar stream, for what keeps streams"},
    {"backup verify", "consentctl backup verify /var/backups/consentd/20261129T183000Z-3f2a9c1d",
     "Is every file as the manifest says?"},
    {"backup verify", "consentctl --json backup verify /var/backups/consentd/20261129T183000Z-3f2a9c1d",
     "The same for a program"},
    {"backup list", "consentctl backup list /var/backups/consentd", "How old they are; 51: one is too old"},
    {"backup list", "consentctl backup list /var/backups/consentd --keep-days 14", "Which are two weeks old"},
    {"backup prune", "consentctl backup prune /var/backups/consentd", "Remove those that are too old by the policy"},
    {"backup prune", "consentctl backup prune /var/backups/consentd --keep-days 14 --yes", "Those of over two weeks"},
    {"clock show", "consentctl clock show", "The daemon's clock, and whether it is in doubt"},
    {"clock show", "consentctl --json clock show", "The same for a program"},
    {"clock confirm", "consentctl clock confirm 2026-03-01T12:00:00Z", "It is noon by another clock"},
    {"clock confirm", "consentctl clock confirm 2026-03-01T13:00:00+01:00", "The same in another zone"},
    {"keys show", "consentctl keys show", "Which master keys there are, and what may be dropped"},
    {"keys show", "consentctl --json keys show", "The same for a program"},
    {"keys rewrap", "consentctl keys rewrap", "After consentd keys add-master: everything comes under the new key"},
    {"keys rewrap", "consentctl --json keys rewrap", "The same for a program"},
    {"status", "consentctl status", "What needs a person, and what to do"},
    {"status", "consentctl --endpoint consent.example:7443 status", "The same of a daemon elsewhere"},
    {"decisions verify", "consentctl decisions verify /var/lib/consentd.decisions",
     "Check the whole log against the daemon"},
    {"decisions verify", "consentctl decisions verify --from 2026-10 --to 2026-11 /var/lib/consentd.decisions",
     "Who could hear what in October, any of it after a no?"},
    {"decisions find", "consentctl decisions find --account ann /var/lib/consentd.decisions",
     "Who could use what of ann's"},
    {"decisions find", "consentctl decisions find --account ann --recording r1 --from -30d /var/lib/consentd.decisions",
     "One recording, in the last 30 days"},
    {"decisions explain", "consentctl decisions explain --account ann --record 7 /var/lib/consentd.decisions",
     "Why record 7 said yes"},
    {"decisions explain",
     "consentctl decisions explain --account ann --record 7 --entry 2 \\\n"
     "    --language de /var/lib/consentd.decisions",
     "Its third yes, with titles in German"},
    {"certs dev", "consentctl certs dev tls", "A CA and a certificate for each role, in a new folder"},
    {"certs dev", "consentctl certs dev tls --host consent.example", "For a daemon on another host"},
    {"help", "consentctl help settings set", "What `settings set` takes"},
    {"help", "consentctl help exit-codes", "What each exit code means"},
    {"completion", "consentctl completion bash > ~/.local/share/bash-completion/completions/consentctl",
     "Complete commands, options and their values in bash"},
    {"completion", "consentctl completion zsh > ~/.zfunc/_consentctl", "The same in zsh, for a folder of fpath"},
    {"version", "consentctl version", "Which version this is"},
    {"version", "consentctl --json version", "The same for a program"},
};

bool IsBelow(std::string_view command, std::string_view group) {
  return command.size() > group.size() && command.compare(0, group.size(), group) == 0 && command[group.size()] == ' ';
}

}  // namespace

const std::vector<Example>& Examples() {
  static const auto* const all = [] {
    auto* examples = new std::vector<Example>;
    for (const Example& example : kPeople) examples->push_back(example);
    for (const Example& example : kReviews) examples->push_back(example);
    for (const Example& example : kData) examples->push_back(example);
    for (const Example& example : kDaemon) examples->push_back(example);
    return examples;
  }();
  return *all;
}

std::vector<Example> ExamplesOf(std::string_view command) {
  std::vector<Example> own;
  std::vector<Example> below;
  for (const Example& example : Examples()) {
    if (example.command == command) own.push_back(example);
    const bool is_first = below.empty() || std::string_view(below.back().command) != example.command;
    if (IsBelow(example.command, command) && is_first && below.size() < kExamples) below.push_back(example);
  }
  // A group of one command has both of it.
  if (own.empty() && below.size() == 1) return ExamplesOf(below.front().command);
  return own.empty() ? below : own;
}

}  // namespace consent::cli
