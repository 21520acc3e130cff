#include "client/cli/manual/manual_page.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace consent::cli {
namespace {

// The code point of UTF-8 at `*at`, which is moved behind it.
uint32_t NextCodePoint(const std::string& text, size_t* at) {
  const auto byte = [&text](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(text[i])); };
  const uint32_t first = byte((*at)++);
  const size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
  uint32_t code = more == 0 ? first : first & (0x3fU >> more);
  for (size_t i = 0; i < more && *at < text.size(); ++i) code = code << 6 | (byte((*at)++) & 0x3fU);
  return code;
}

// Text of roff in which nothing is a request or an escape. A hyphen stays one that can be copied into a shell.
std::string Escape(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const uint32_t code = NextCodePoint(text, &at);
    switch (code) {
      case '\\':
        out += "\\e";
        break;
      case '-':
        out += "\\-";
        break;
      case '\'':
        out += "\\(aq";
        break;
      case '^':
        out += "\\(ha";
        break;
      case '~':
        out += "\\(ti";
        break;
      case '`':
        out += "\\(ga";
        break;
      case '\n':
        out += ' ';
        break;
      default:
        out += code < 0x80 ? std::string(1, static_cast<char>(code)) : absl::StrFormat("\\[u%04X]", code);
    }
  }
  return out;
}

// A line of text; what stands in backticks is bold.
std::string Line(const std::string& text) {
  std::string out;
  bool is_code = false;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t tick = std::min(text.find('`', begin), text.size());
    out += Escape(text.substr(begin, tick - begin));
    if (tick < text.size()) {
      is_code = !is_code;
      out += is_code ? "\\fB" : "\\fR";
    }
    begin = tick + 1;
  }
  if (is_code) out += "\\fR";
  return absl::StrCat(out.rfind('.', 0) == 0 ? "\\&" : "", out, "\n");
}

std::string Bold(const std::string& text) { return absl::StrCat("\\fB", Escape(text), "\\fR"); }
std::string Italic(const std::string& text) { return absl::StrCat("\\fI", Escape(text), "\\fR"); }

std::string Heading(const std::string& name) { return absl::StrCat(".SH ", name, "\n"); }

std::string Entries(const std::vector<std::pair<std::string, std::string>>& rows) {
  std::string text;
  for (const auto& [name, what] : rows) absl::StrAppend(&text, ".TP\n", Bold(name), "\n", Line(what));
  return text;
}

std::string OptionEntries(const std::vector<ManualOption>& options) {
  std::string text;
  for (const ManualOption& option : options) {
    const bool is_operand = option.names.front()[0] != '-';
    absl::StrAppend(&text, ".TP\n", absl::StrJoin(option.names, ", ", [&](std::string* out, const std::string& name) {
      absl::StrAppend(out, is_operand ? Italic(name) : Bold(name));
    }));
    if (!option.value.empty() && !is_operand) absl::StrAppend(&text, " ", Italic(option.value));
    std::string about = option.about;
    if (!about.empty() && about.back() != '.') about += '.';
    if (option.is_required && !is_operand) about += " Needed.";
    if (!option.environment.empty()) about += " Else `" + option.environment + "` of the environment.";
    absl::StrAppend(&text, "\n", Line(about));
  }
  return text;
}

std::string Synopsis(const std::string& program, const ManualCommand& command) {
  std::string text = Bold(absl::StrCat(program, command.path.empty() ? "" : " ", command.path));
  for (const ManualOption& option : command.options) {
    if (option.is_required) absl::StrAppend(&text, " ", Bold(option.names.front()), " ", Italic(option.value));
  }
  text += " [" + Italic("OPTIONS") + "]";
  for (const ManualOption& operand : command.operands) {
    const std::string name = absl::StrCat(Italic(operand.names.front()), operand.may_repeat ? " ..." : "");
    absl::StrAppend(&text, " ", operand.kind == ValueKind::kCommand ? "\\-\\- " : "",
                    operand.is_required ? name : absl::StrCat("[", name, "]"));
  }
  if (!command.commands.empty()) absl::StrAppend(&text, " ", Italic("COMMAND"));
  return text + "\n";
}

// The command with all below it: what each does, its operands and options.
std::string CommandText(const std::string& program, const ManualCommand& command) {
  std::string text = absl::StrCat(".SS ", Escape(absl::StrCat(program, " ", command.path)), "\n");
  absl::StrAppend(&text, ".PP\n", Synopsis(program, command), ".PP\n", Line(command.about),
                  OptionEntries(command.operands), OptionEntries(command.options));
  for (const ManualCommand& below : command.commands) text += CommandText(program, below);
  return text;
}

void AppendExamples(const ManualCommand& command, std::string* text) {
  for (const ManualExample& example : command.examples) {
    absl::StrAppend(text, ".PP\n", Line(example.what), ".PP\n.EX\n", "    ", Escape(example.line), "\n.EE\n");
  }
  for (const ManualCommand& below : command.commands) AppendExamples(below, text);
}

bool Takes(const ManualCommand& command, const std::string& option) {
  return std::any_of(command.options.begin(), command.options.end(),
                     [&](const ManualOption& one) { return one.names.front() == option; }) ||
         std::any_of(command.commands.begin(), command.commands.end(),
                     [&](const ManualCommand& below) { return Takes(below, option); });
}

// Of a command's page: the codes that name no command up to the first semicolon, and those that name this one.
bool Concerns(const std::string& meaning, const ManualCommand& command) {
  if (command.path.empty() || meaning.find('`') >= meaning.find(';')) return true;
  if (meaning.find('`') == std::string::npos) return true;
  return meaning.find("`" + command.path) != std::string::npos ||
         (meaning.find("`--file`") != std::string::npos && Takes(command, "--file"));
}

// One line of whatis(1): up to the first stop.
std::string Whatis(const std::string& about) {
  const size_t end = std::min({about.find(". "), about.find(": "), about.find("; ")});
  std::string line = about.substr(0, end);
  if (!line.empty() && line.back() == '.') line.pop_back();
  if (!line.empty()) line[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(line[0])));
  return line;
}

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// Exit status, examples, and where to read on.
std::string Tail(const ManualCommand& command, const ManualFacts& facts, const std::vector<std::string>& see_also) {
  std::string text = Heading("EXIT STATUS");
  std::vector<std::pair<std::string, std::string>> codes;
  for (const auto& code : facts.exit_codes) {
    if (Concerns(code.second, command)) codes.push_back(code);
  }
  text += Entries(codes);
  std::string examples;
  AppendExamples(command, &examples);
  if (!examples.empty()) absl::StrAppend(&text, Heading("EXAMPLES"), examples);
  if (see_also.empty()) return text;
  return absl::StrCat(text, Heading("SEE ALSO"),
                      absl::StrJoin(see_also, ",\n",
                                    [](std::string* out, const std::string& page) {
                                      const size_t bracket = page.find('(');
                                      absl::StrAppend(out, Bold(page.substr(0, bracket)), page.substr(bracket));
                                    }),
                      "\n");
}

std::string Head(const std::string& name, const ManualFacts& facts, const std::string& whatis) {
  return absl::StrCat(".\\\" Made of the program's command line.\n.TH ", Escape(Upper(name)), " ", facts.section,
                      " \"\" \"consentd ", facts.version, "\" \"consentd\"\n", Heading("NAME"), Escape(name), " \\- ",
                      Line(whatis));
}

ManualPage CommandPage(const ManualCommand& program, const ManualCommand& command, const ManualFacts& facts) {
  const std::string name = absl::StrCat(program.name, "-", command.name);
  std::string text = absl::StrCat(Head(name, facts, Whatis(command.about)), Heading("SYNOPSIS"));
  if (command.commands.empty()) text += Synopsis(program.name, command);
  for (const ManualCommand& below : command.commands) {
    absl::StrAppend(&text, &below == &command.commands.front() ? "" : ".br\n", Synopsis(program.name, below));
  }
  absl::StrAppend(&text, Heading("DESCRIPTION"), Line(command.about));
  const std::string own = OptionEntries(command.operands) + OptionEntries(command.options);
  if (!own.empty()) absl::StrAppend(&text, Heading("OPTIONS"), own);
  if (!command.commands.empty()) text += Heading("COMMANDS");
  for (const ManualCommand& below : command.commands) text += CommandText(program.name, below);
  absl::StrAppend(&text, ".PP\nOptions that every command takes, among them where the daemon is, stand in ",
                  Bold(program.name), "(", facts.section, ").\n");
  std::vector<std::string> see_also = {absl::StrCat(program.name, "(", facts.section, ")")};
  see_also.insert(see_also.end(), facts.see_also.begin(), facts.see_also.end());
  return {absl::StrCat(name, ".", facts.section), absl::StrCat(text, Tail(command, facts, see_also))};
}

ManualPage ProgramPage(const ManualCommand& program, const ManualFacts& facts, bool page_each) {
  const size_t colon = program.about.rfind(program.name + ": ", 0) == 0 ? program.name.size() + 2 : 0;
  std::string about = program.about.substr(colon);
  if (!about.empty()) about[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(about[0])));
  std::string text =
      absl::StrCat(Head(program.name, facts, Whatis(about)), Heading("SYNOPSIS"), Synopsis(program.name, program),
                   Heading("DESCRIPTION"), Line(about), Heading("COMMANDS"));
  for (const ManualCommand& command : program.commands) {
    if (page_each) {
      absl::StrAppend(&text, ".TP\n", Bold(absl::StrCat(program.name, "-", command.name)), "(", facts.section, ")\n",
                      Line(command.about));
    } else {
      text += CommandText(program.name, command);
    }
  }
  absl::StrAppend(&text, Heading("OPTIONS"), OptionEntries(program.options));
  if (!facts.environment.empty()) absl::StrAppend(&text, Heading("ENVIRONMENT"), Entries(facts.environment));
  if (!facts.files.empty()) absl::StrAppend(&text, Heading("FILES"), Entries(facts.files));
  ManualCommand own = program;
  // Each command's examples stand on its own page.
  if (page_each) own.commands.clear();
  return {absl::StrCat(program.name, ".", facts.section), absl::StrCat(text, Tail(own, facts, facts.see_also))};
}

}  // namespace

std::vector<ManualPage> MakeManualPages(const ManualCommand& program, const ManualFacts& facts, bool page_each) {
  std::vector<ManualPage> pages = {ProgramPage(program, facts, page_each)};
  if (!page_each) return pages;
  for (const ManualCommand& command : program.commands) pages.push_back(CommandPage(program, command, facts));
  return pages;
}

}  // namespace consent::cli
