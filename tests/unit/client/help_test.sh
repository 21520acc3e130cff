#!/bin/sh
# Every command of the built consentctl prints its help and ends with 0; nonsense ends with 64.
set -eu
ctl=$1

help() {
  text=$("$ctl" "$@" --help) || { echo "consentctl $* --help failed" >&2; exit 1; }
  case $text in *"Examples:"*) ;; *) echo "consentctl $* --help says nothing" >&2; exit 1 ;; esac
}

help
for command in check report-recording import filter subject settings policy delete requests systems tasks worker holds export-subject; do help "$command"; done
for command in set get; do help subject "$command"; done
for command in get set opt-out history at; do help settings "$command"; done
for command in show suspend resume; do help policy "$command"; done
for command in list show verify deny extend cancel report; do help requests "$command"; done
for command in register list retire; do help systems "$command"; done
for command in lease open redeem submit end renew revoke list heard population rates key; do help reviews "$command"; done
for command in place release list; do help holds "$command"; done
help tasks list
help tasks retry
"$ctl" help exit-codes | grep -q 'Exit codes' || { echo "the exit codes are not documented" >&2; exit 1; }

wrong() {
  code=0
  "$ctl" "$@" >/dev/null 2>&1 || code=$?
  [ "$code" = 64 ] || { echo "consentctl $*: ended with $code, not 64" >&2; exit 1; }
}

wrong
wrong nonsense
wrong filter
wrong filter --purpose NONSENSE
wrong filter --purpose HUMAN_REVIEW --set account_id=x
wrong filter --purpose HUMAN_REVIEW --country DE --set country=RO
wrong settings opt-out a
wrong settings set a
wrong settings set a --retention 3y
wrong settings at a yesterday
wrong check --purpose HUMAN_REVIEW
wrong check --account a --recording r
wrong report-recording a r
wrong subject set a --profile p:teenager
wrong delete a
wrong delete a --everything --device d
wrong delete a --close-account --everything
wrong holds place a
wrong export-subject a --force
wrong requests deny d
wrong systems register s --kind audio --matches-by account --latest-arrival 3m
wrong tasks
wrong worker s --once
wrong worker s --metrics-file counts.txt -- true
wrong worker s --accepts nothing -- true
wrong tasks retry
wrong tasks retry s d/s --min-failures 2
wrong --timeout 0 policy show
wrong --endpoint example.com:443 policy show
echo "consentctl explains itself"
