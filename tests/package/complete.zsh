# complete.zsh SCRIPT-FOLDER LINE: what zsh offers where a user presses the key behind LINE; one a line. A zsh of its own on a terminal
# (zpty) is asked, as a user would.
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; zstyle ':completion:*' list-packed no; LISTMAX=1000; stty cols 200 rows 500"
zpty -w shell "bindkey '^X^L' list-choices; print -r -- 'rea''dy'"
zpty -r -m shell seen '*ready*' || exit 1
zpty -w -n shell "$2"$'\C-x\C-l'
# Then a mark of the shell's own that says it is done with the list.
zpty -w -n shell $'\C-u'
zpty -w shell "print -r -- 'do''ne'"
zpty -r -m shell seen '*done*' || exit 1
zpty -d shell
print -r -- "$seen"
