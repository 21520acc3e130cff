# complete.bash SCRIPT COMMAND WORD...: what bash would offer for the last of the words, which may be empty; one a line.
source "$1"
shift
# As readline cuts a line: at blanks, and at = and colons.
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
function=$(complete -p "$1" | sed 's/.* -F \([^ ]*\) .*/\1/')
"$function" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
