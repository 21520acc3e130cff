#include "client/cli/manual/completion.h"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace consent::cli {
namespace {

void ForEach(const ManualCommand& command, const std::function<void(const ManualCommand&)>& see) {
  see(command);
  for (const ManualCommand& below : command.commands) ForEach(below, see);
}

std::string Names(const std::vector<ManualCommand>& commands) {
  return absl::StrJoin(commands, " ", [](std::string* out, const ManualCommand& c) { absl::StrAppend(out, c.name); });
}

std::string Names(const std::vector<ManualOption>& options) {
  return absl::StrJoin(options, " ", [](std::string* out, const ManualOption& option) {
    absl::StrAppend(out, absl::StrJoin(option.names, " "));
  });
}

std::string BashKind(const ManualOption& option) {
  switch (option.kind) {
    case ValueKind::kNone:
      return "none";
    case ValueKind::kText:
      return "text";
    case ValueKind::kChoice:
      return absl::StrCat("words ", absl::StrJoin(option.choices, " "));
    case ValueKind::kFile:
      return "file";
    case ValueKind::kFolder:
      return "folder";
    case ValueKind::kCommand:
      return "command";
  }
  return "text";
}

// What is offered where: one case for each command, option and operand.
std::string BashTables(const ManualCommand& program) {
  std::string commands;
  std::string options;
  std::string values;
  std::string operands;
  ForEach(program, [&](const ManualCommand& command) {
    const std::string path = command.path.empty() ? "" : absl::StrCat(" ", command.path);
    if (!command.commands.empty())
      absl::StrAppend(&commands, "    '", path, "') REPLY='", Names(command.commands), "' ;;\n");
    absl::StrAppend(&options, "    '", path, "') REPLY='", Names(command.options), "' ;;\n");
    for (const ManualOption& option : command.options) {
      for (const std::string& name : option.names) {
        absl::StrAppend(command.path.empty() ? &operands : &values, "    ", command.path.empty() ? "*" : "", "'", path,
                        " ", name, "') REPLY='", BashKind(option), "' ;;\n");
      }
    }
  });
  // Those of the program count after every command, unless the command has one of that name.
  values += operands;
  operands.clear();
  ForEach(program, [&](const ManualCommand& command) {
    for (size_t i = 0; i < command.operands.size(); ++i) {
      absl::StrAppend(&operands, "    ' ", command.path, " ", i, "') REPLY='", BashKind(command.operands[i]), "' ;;\n");
    }
  });
  const auto table = [&](const char* name, const char* what, const std::string& cases) {
    return absl::StrCat("_", program.name, "_", name, "() {\n  REPLY=''\n  case ", what, " in\n", cases,
                        "  esac\n}\n\n");
  };
  return absl::StrCat(table("commands", "$1", commands), table("options", "$1", options),
                      table("value", "\"$1 $2\"", values), table("operand", "\"$1 $2\"", operands));
}

constexpr char kBashRest[] = R"sh(_PROGRAM_offer() {
  case $1 in
    file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
    folder) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
    command) mapfile -t COMPREPLY < <(compgen -c -- "$2") ;;
    words\ *)
      local words=${1#words }
      # Names are taken in capitals, too.
      if [[ $2 == [[:upper:]]* ]]; then words=${words^^}; words=${words//-/_}; fi
      mapfile -t COMPREPLY < <(compgen -W "$words" -- "$2")
      ;;
  esac
}

_PROGRAM() {
  local cur=${COMP_WORDS[COMP_CWORD]} path='' option='' word i REPLY operands=0
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    # Readline cuts words at = and at colons: `--cert=FILE`, `unix:/path`.
    if [[ $word == = ]]; then continue; fi
    if [[ $word == : ]]; then ((i++)); continue; fi
    if [[ $option ]]; then option=''; continue; fi
    case $word in
      --) _PROGRAM_offer "$([[ $((i + 1)) == "$COMP_CWORD" ]] && echo command || echo file)" "$cur"; return ;;
      -*)
        _PROGRAM_value "$path" "$word"
        [[ $REPLY == none || -z $REPLY ]] || option=$word
        ;;
      *)
        _PROGRAM_commands "$path"
        if ((operands == 0)) && [[ " $REPLY " == *" $word "* ]]; then path+=" $word"; else ((++operands)); fi
        ;;
    esac
  done
  if [[ $cur == = ]]; then cur=''; fi
  if [[ $option ]]; then
    _PROGRAM_value "$path" "$option"
    _PROGRAM_offer "$REPLY" "$cur"
  elif [[ $cur == -* ]]; then
    local all
    _PROGRAM_options "$path"; all=$REPLY
    _PROGRAM_options ''
    mapfile -t COMPREPLY < <(compgen -W "$all $REPLY" -- "$cur")
  else
    _PROGRAM_commands "$path"
    if [[ $REPLY && $operands == 0 ]]; then
      _PROGRAM_offer "words $REPLY" "$cur"
    else
      _PROGRAM_operand "$path" "$operands"
      _PROGRAM_offer "$REPLY" "$cur"
    fi
  fi
}

complete -F _PROGRAM PROGRAM
)sh";

// As it may stand between brackets or after colons of _arguments, within single quotes.
std::string ZshText(const std::string& text) {
  return absl::StrReplaceAll(text,
                             {{"\\", "\\\\"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}, {"'", "'\\''"}, {"`", "\\`"}});
}

// The first sentence: a menu's line.
std::string Brief(const std::string& about) {
  const size_t end = std::min(about.find(". "), about.find(": "));
  std::string brief = about.substr(0, end);
  if (!brief.empty() && brief.back() == '.') brief.pop_back();
  return brief;
}

std::string ZshValue(const ManualOption& option) {
  const std::string what = ZshText(option.value.empty() ? option.names.front() : option.value);
  switch (option.kind) {
    case ValueKind::kNone:
      return "";
    case ValueKind::kText:
      return absl::StrCat(":", what, ": ");
    case ValueKind::kChoice:
      return absl::StrCat(":", what, ":(", absl::StrJoin(option.choices, " "), ")");
    case ValueKind::kFile:
      return absl::StrCat(":", what, ":_files");
    case ValueKind::kFolder:
      return absl::StrCat(":", what, ":_files -/");
    case ValueKind::kCommand:
      return absl::StrCat(":", what, ":_command_names -e");
  }
  return "";
}

std::string ZshOptions(const std::vector<ManualOption>& options) {
  std::string text;
  for (const ManualOption& option : options) {
    for (const std::string& name : option.names) {
      const bool joins = option.kind != ValueKind::kNone && name.rfind("--", 0) == 0;
      absl::StrAppend(&text, " \\\n    '", option.may_repeat ? "*" : "", name, joins ? "=" : "", "[",
                      ZshText(Brief(option.about)), "]", ZshValue(option), "'");
    }
  }
  return text;
}

std::string ZshFunction(const ManualCommand& program, const ManualCommand& command) {
  const auto name = [&program](const ManualCommand& c) {
    return absl::StrCat("_", program.name, c.path.empty() ? "" : "__", absl::StrReplaceAll(c.path, {{" ", "__"}}));
  };
  std::string globals = ZshOptions(program.options);
  if (!command.path.empty()) globals += ZshOptions(command.options);
  if (command.commands.empty()) {
    std::string operands;
    for (size_t i = 0; i < command.operands.size(); ++i) {
      const ManualOption& operand = command.operands[i];
      const std::string at = operand.may_repeat ? "*" : absl::StrCat(i + 1, operand.is_required ? "" : ":");
      absl::StrAppend(&operands, " \\\n    '", at, ZshValue(operand), "'");
    }
    return absl::StrCat(name(command), "() {\n  _arguments -s", globals, operands, "\n}\n\n");
  }
  std::string menu;
  std::string cases;
  for (const ManualCommand& below : command.commands) {
    absl::StrAppend(&menu, " \\\n        '", below.name, ":", ZshText(Brief(below.about)), "'");
    absl::StrAppend(&cases, "        ", below.name, ") ", name(below), " ;;\n");
  }
  return absl::StrCat(name(command), "() {\n  local curcontext=$curcontext state line\n  local -a menu\n",
                      "  typeset -A opt_args\n  _arguments -C", globals,
                      " \\\n    '1:command:->command' \\\n    '*::argument:->argument' && return\n",
                      "  case $state in\n", "    command)\n      menu=(", menu,
                      ")\n      _describe -t commands command menu\n      ;;\n",
                      "    argument)\n      case $line[1] in\n", cases, "      esac\n      ;;\n  esac\n}\n\n");
}

}  // namespace

std::string BashCompletion(const ManualCommand& program) {
  return absl::StrCat("# bash completion for ", program.name, ", made of its command line.\n\n", BashTables(program),
                      absl::StrReplaceAll(kBashRest, {{"PROGRAM", program.name}}));
}

std::string ZshCompletion(const ManualCommand& program) {
  std::string text = absl::StrCat("#compdef ", program.name, "\n# zsh completion for ", program.name,
                                  ", made of its command line.\n\n");
  ForEach(program, [&](const ManualCommand& command) { text += ZshFunction(program, command); });
  // As a file of fpath it is run when it is first needed, and else it registers itself.
  return absl::StrCat(text, "if [[ $funcstack[1] == _", program.name, " ]]; then\n  _", program.name,
                      " \"$@\"\nelse\n  compdef _", program.name, " ", program.name, "\nfi\n");
}

}  // namespace consent::cli
