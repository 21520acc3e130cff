# complete.zsh SCRIPT-FOLDER LINE: what zsh offers where a user presses the key behind LINE; one a line. A zsh of its own on a terminal
# (zpty) is asked, as a user would.
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; zstyle ':completion:*' list-packed no; LISTMAX=1000; stty cols 200 rows 500"
# The key lists, has the list drawn at once, and then leaves a mark: where it is read, all is there.
zpty -w shell "show() { zle list-choices; zle -R; print -r -- 'do''ne' }; zle -N show; bindkey '^X^L' show"
# The prompt is there once the line editor reads keys; before that the terminal itself would take them.
zpty -w shell "PS1='rea''dy>'"
zpty -r -m shell seen '*ready>*' || exit 1
zpty -w -n shell "$2"$'\C-x\C-l'
zpty -r -m shell seen '*done*' || exit 1
zpty -d shell
print -r -- "$seen"
