#!/bin/sh
# Every command of the built consentctl prints its help and ends with 0; nonsense ends with 2.
set -eu
ctl=$1

help() {
  text=$("$ctl" "$@" --help) || { echo "consentctl $* --help failed" >&2; exit 1; }
  case $text in *"--help"*) ;; *) echo "consentctl $* --help says nothing" >&2; exit 1 ;; esac
}

help
for command in check report-recording import filter subject settings policy; do help "$command"; done
for command in set get; do help subject "$command"; done
for command in get set opt-out history at; do help settings "$command"; done
for command in show suspend resume; do help policy "$command"; done
"$ctl" --help | grep -q 'Exit codes' || { echo "the exit codes are not documented" >&2; exit 1; }

wrong() {
  code=0
  "$ctl" "$@" >/dev/null 2>&1 || code=$?
  [ "$code" = 2 ] || { echo "consentctl $*: ended with $code, not 2" >&2; exit 1; }
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
wrong report-recording a r
wrong subject set a --profile p:teenager
wrong --timeout 0 policy show
wrong --endpoint example.com:443 policy show
echo "consentctl explains itself"
