#!/usr/bin/python3
"""Checks what compilers do not: the shape of the tree, sizes, include directions, the READMEs' tables and words that must not be in it.

Usage: check_tree.py [ROOT]. Prints one line per finding and exits 1 if there is any.

Two kinds of tables in READMEs are rules here:

- `| folder | what | may include |` in the README of daemon and of client. A row is a folder or a file and covers all below it that no
  longer row covers; rows go from the lowest layer up. The third cell is "nothing of ours", "everything", or rows and single headers in
  backticks, by their path from the README's folder or else from the root. What a row covers may include what the same row covers, those
  headers, and what those rows cover.
- `| file | ...`: the first cells name all sources of the README's folder, and of the folders in it that have no README. `x` stands for
  x.cc, x.h and x.h.in; other sources are named with their suffix. Under daemon and client every source has to be in such a table; under
  tests the tables that are there have to be true.
"""

import functools
import pathlib
import posixpath
import re
import subprocess
import sys

TOP = {"CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "client", "daemon", "deploy", "proto", "tests"}
PRODUCT = ("daemon/", "client/")
MAX_FILE_LINES, MAX_PRODUCT_FILE_LINES = 500, 450
MAX_FUNCTION_LINES, MAX_PRODUCT_FUNCTION_LINES = 130, 60

LAYERED = ("daemon", "client")  # their READMEs have the tables of includes
ROOMS = "daemon/service"
# What is stored has an example in the store's page, and is read without harm whatever its bytes are.
ROWS, EXAMPLES, RECORDS_FUZZER = "daemon/service/rows/", "tests/unit/service/format_document_test.cc", "tests/fuzz/records_fuzz.cc"
MAX_ROOM_LEVELS = 6
GRPC_ALLOWED = ("daemon/rpc/", "daemon/app/", "daemon/ops/health", "client/src/", "tests/")
BOOST_ALLOWED = ("daemon/ops/http.cc",)
ROCKSDB_ALLOWED = ("daemon/store/rocksdb/", "tests/")
PROTO_FORBIDDEN = ("daemon/base/", "daemon/domain/", "daemon/store/", "client/include/")

INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.M)
STEM_SUFFIXES = (".h.in", ".cc", ".h")
NAMED_WITH_SUFFIX = (".c", ".js", ".py", ".sh")
# Words of the machine that the tree was written on, and marks of what is not finished.
FORBIDDEN_TEXT = [
    (re.compile(r"/(work|root|home/[a-z]+|Users)/[A-Za-z._]"), "a path of one machine"),
    (re.compile(r"\b(TODO|FIXME|XXX|HACK)\b"), "an unfinished mark"),
    (re.compile(r"(?<![\w.])(registry\.npmjs\.org|deb\.debian\.org|pypi\.org)"), "a registry's host"),
]
TEXT_SUFFIXES = {".cc", ".h", ".py", ".proto", ".md", ".txt", ".json", ".sh", ".toml", ".service", ".cmake", ".in", ".yaml", ""}
FUNCTION_START = re.compile(r"^( *)(?!(?:if|for|while|switch|else|catch|do|return|namespace|struct|class|enum|union)\b)\S.*\)[^;={}]*\{$|"
                            r"^( *)\S.*[)>] (?:noexcept )?try \{$")


def tracked(root):
    """Files of the tree that are in version control or could be."""
    out = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                         capture_output=True, check=True).stdout
    return sorted(root / name for name in out.decode().split("\0") if name and (root / name).is_file())


def table_rows(text, *heads):
    """Line and cells of each row of the tables whose header begins with `heads`; none where there is no such table: (found, rows)."""
    found, rows, within = False, [], False
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            within = False
        elif within:
            if not set(line) <= set("|-: "):
                rows.append((number, cells))
        elif tuple(cells[:len(heads)]) == heads:
            found = within = True
    return found, rows


def names_in(cell):
    """The names in backticks; None where the cell holds anything else."""
    return re.findall(r"`([^`]+)`", cell) if re.fullmatch(r"`[^`]+`(, `[^`]+`)*", cell) else None


def source_name(name):
    """How a table of files names a source; None of what is none."""
    for suffix in STEM_SUFFIXES:
        if name.endswith(suffix):
            return name[:-len(suffix)]
    return name if name.endswith(NAMED_WITH_SUFFIX) else None


# What hangs on a text alone is found once for each text: check_tree_test.py checks nearly the same tree again and again.
@functools.lru_cache(maxsize=None)
def forbidden_in(text):
    """Line and meaning of each forbidden word."""
    return [(text.count("\n", 0, match.start()) + 1, what) for pattern, what in FORBIDDEN_TEXT for match in pattern.finditer(text)]


@functools.lru_cache(maxsize=None)
def includes_in(text):
    """Line and name of each include."""
    return [(text.count("\n", 0, match.start()) + 1, match.group(1)) for match in INCLUDE.finditer(text)]


@functools.lru_cache(maxsize=None)
def functions_in(text):
    """First line and length of each function."""
    found = []
    lines = text.splitlines()
    for start, line in enumerate(lines):
        match = FUNCTION_START.match(line) if line.endswith("{") else None
        if not match:
            continue
        # The head may end on a continued line; what closes the body stands two columns left of its first line.
        first = next((body for body in lines[start + 1:] if body.strip() and not body.startswith("#")), "")
        width = len(first) - len(first.lstrip())
        closing = " " * (width if first.lstrip().startswith("}") else max(width - 2, 0)) + "}"
        for end in range(start + 1, len(lines)):
            if lines[end].startswith(closing) and (len(lines[end]) == len(closing) or lines[end][len(closing)] in " ;,)"):
                found.append((start + 1, end - start + 1))
                break
    return found


class Layer:
    """A row of a table of includes. `allowed`: permissions as the row writes them and the paths that they stand for; None: everything."""

    def __init__(self, readme, line, title, name):
        self.readme, self.line, self.title, self.name = readme, line, title, name
        self.allowed, self.used = {}, set()

    def permissions(self):
        return ", ".join(f"`{title}`" for title in self.allowed) or "nothing of ours"


class Checker:
    def __init__(self, root):
        self.root = root
        self.files = tracked(root)
        self.names = {self.name(path) for path in self.files}
        self.folders = {self.name(folder) for path in self.files for folder in path.relative_to(root).parents for folder in [root / folder]}
        self.findings = []
        self.layers = []
        self.layer_by_name = {}
        self.rooms = {}  # of each room the rooms that it includes, and where
        self.room_count = self.room_levels = self.largest_file = self.longest_function = 0

    def find(self, path, line, text):
        where = path.relative_to(self.root) if isinstance(path, pathlib.Path) else path
        self.findings.append(f"{where}:{line}: {text}")

    def run(self):
        self.check_top()
        self.check_readmes()
        self.read_layers()
        for path in self.files:
            if path.suffix in TEXT_SUFFIXES and "golden" not in path.parts and "corpus" not in path.parts:
                text = path.read_text(errors="replace")
                self.check_text(path, text)
                if path.suffix in {".cc", ".h", ".py"}:
                    self.check_size(path, text)
                if path.suffix in {".cc", ".h"}:
                    self.check_functions(path, text)
                    self.check_includes(path, text)
        self.check_built()
        self.check_rows()
        self.check_layers()
        self.check_rooms()
        self.check_file_tables()
        return self.findings

    def figures(self):
        return (f"{self.room_count} rooms of {ROOMS} on {self.room_levels} levels, no circle, largest file {self.largest_file} lines, "
                f"longest function {self.longest_function}")

    def name(self, path):
        return path.relative_to(self.root).as_posix()

    def check_top(self):
        present = {path.relative_to(self.root).parts[0] for path in self.files}
        for name in sorted(present - TOP):
            if not name.startswith("."):
                self.find(name, 1, "does not belong at the top level")
        for name in sorted(TOP - present):
            self.find(name, 1, "is missing at the top level")

    def check_readmes(self):
        for relative in ("proto", "daemon", "client", "deploy", "tests", "."):
            if not (self.root / relative / "README.md").is_file():
                self.find(self.root / relative, 1, "has no README.md")

    def check_file_tables(self):
        """Each README's tables of files against the sources of its folder and of the folders in it that have no README."""
        readmes = {posixpath.dirname(name) for name in self.names if posixpath.basename(name) == "README.md"}
        sources = {folder: set() for folder in readmes}
        for name in self.names:
            folder = posixpath.dirname(name)
            while folder and folder not in readmes:
                folder = posixpath.dirname(folder)
            source = source_name(posixpath.relpath(name, folder or "."))
            if source and folder.startswith((*LAYERED, "tests")):
                sources[folder].add(source)
        for folder in sorted(readmes):
            if not sources[folder]:
                continue
            readme = self.root / folder / "README.md"
            found, rows = table_rows(readme.read_text(), "file")
            if not found:
                if folder.startswith(LAYERED):
                    self.find(readme, 1, f"has no table of files, which has to name {', '.join(f'`{s}`' for s in sorted(sources[folder]))}")
                continue
            named = set()
            for line, cells in rows:
                names = names_in(cells[0])
                if names is None:
                    self.find(readme, line, f"names files as {cells[0]}: only names in backticks, with commas between them")
                for name in names or []:
                    if name in named:
                        self.find(readme, line, f"names `{name}` twice")
                    elif name not in sources[folder]:
                        self.find(readme, line, f"names `{name}`, and there is no such file")
                    named.add(name)
            for name in sorted(sources[folder] - named):
                self.find(readme, 1, f"does not name `{name}` in its table of files")

    def check_text(self, path, text):
        if self.name(path) == "tests/tidy/check_tree.py":
            return
        for line, what in forbidden_in(text):
            self.find(path, line, f"holds {what}: {text.splitlines()[line - 1].strip()[:80]}")

    def check_size(self, path, text):
        lines = text.count("\n")
        product = self.name(path).startswith(PRODUCT)
        limit = MAX_PRODUCT_FILE_LINES if product else MAX_FILE_LINES
        if lines > limit:
            self.find(path, lines, f"has {lines} lines, at most {limit} are allowed")
        if product:
            self.largest_file = max(self.largest_file, lines)

    def check_functions(self, path, text):
        product = self.name(path).startswith(PRODUCT)
        limit = MAX_PRODUCT_FUNCTION_LINES if product else MAX_FUNCTION_LINES
        for line, length in functions_in(text):
            if length > limit:
                self.find(path, line, f"function of {length} lines, at most {limit} are allowed")
            if product:
                self.longest_function = max(self.longest_function, length)

    def check_includes(self, path, text):
        name = self.name(path)
        if "#pragma once" not in text and path.suffix == ".h":
            self.find(path, 1, "has no #pragma once")
        for line, included in includes_in(text):
            if included.startswith(("grpcpp/", "grpc/")) and not name.startswith(GRPC_ALLOWED):
                self.find(path, line, f"includes {included}: gRPC stays in rpc, app, ops/health and the client's connection")
            if included.startswith("rocksdb/") and not name.startswith(ROCKSDB_ALLOWED):
                self.find(path, line, f"includes {included}: RocksDB stays in store/rocksdb")
            if included.startswith("boost/") and name not in BOOST_ALLOWED:
                self.find(path, line, f"includes {included}: Boost stays in ops/http.cc")
            if (included.startswith("google/protobuf/") or ".pb.h" in included) and name.startswith(PROTO_FORBIDDEN):
                self.find(path, line, f"includes {included}: this folder knows no protobuf")
            self.check_layer(path, name, line, included)

    def target(self, name, included):
        """The file of ours that is included, by its path from the root; None: none of ours."""
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(name), included))
        if beside in self.names:
            return beside
        if f"client/include/{included}" in self.names:
            return f"client/include/{included}"
        return included if included.startswith((*PRODUCT, "tests/")) else None

    def layer_of(self, name):
        """Of the rows that cover it the longest."""
        while name and name not in self.layer_by_name:
            name = posixpath.dirname(name)
        return self.layer_by_name.get(name)

    def read_layers(self):
        """Makes the rows of the tables of includes, lowest first."""
        self.layers = []
        cells_of = {}
        for folder in LAYERED:
            readme = self.root / folder / "README.md"
            found, rows = table_rows(readme.read_text() if readme.is_file() else "", "folder", "what", "may include")
            if not found:
                self.find(readme, 1, "has no table `| folder | what | may include |`")
            for line, cells in rows:
                titles = names_in(cells[0])
                if titles is None or len(titles) != 1 or len(cells) != 3:
                    self.find(readme, line, f"the row of {cells[0]} is not one folder in backticks, what it is, and what it may include")
                    continue
                name = f"{folder}/{titles[0]}"
                if name not in self.names and name not in self.folders:
                    self.find(readme, line, f"has a row for `{titles[0]}`, and there is no such folder")
                    continue
                layer = Layer(readme, line, titles[0], name)
                self.layers.append(layer)
                self.layer_by_name[name] = layer
                cells_of[layer] = cells[2]
        for position, layer in enumerate(self.layers):
            self.read_permissions(layer, position, cells_of[layer])

    def read_permissions(self, layer, position, cell):
        if cell == "everything":
            layer.allowed = None
        if cell in {"everything", "nothing of ours"}:
            return
        if names_in(cell) is None:
            self.find(layer.readme, layer.line, f"`{layer.title}` may include {cell}: say `folder`, `header.h`, nothing of ours, or everything")
        by_name = {other.name: index for index, other in enumerate(self.layers)}
        for title in names_in(cell) or []:
            near = f"{self.name(layer.readme.parent)}/{title}"
            name = near if near in by_name or near in self.names else title
            lower = by_name.get(name)
            if lower is None and name in self.names and (owner := self.layer_of(name)) is not None:
                lower = by_name[owner.name]
            if lower is None:
                self.find(layer.readme, layer.line, f"`{layer.title}` may include `{title}`, which is neither a row nor a header of one")
                continue
            if lower >= position:
                self.find(layer.readme, layer.line, f"`{layer.title}` may include `{title}`, which stands no higher up: rows go from the lowest layer up")
            layer.allowed[title] = name

    def check_layer(self, path, name, line, included):
        target = self.target(name, included)
        layer = self.layer_of(name)
        if target is None or layer is None:
            return
        if name.startswith(ROOMS + "/") and target.startswith(ROOMS + "/"):
            room, other = (there[len(ROOMS) + 1:].split("/")[0] for there in (name, target))
            if room != other:
                self.rooms.setdefault(room, {}).setdefault(other, f"{name}:{line}")
        owner = self.layer_of(target)
        if layer.allowed is None or owner is layer:
            return
        used = {title for title, allowed in layer.allowed.items() if target == allowed or (owner is not None and owner.name == allowed)}
        layer.used |= used
        if not used:
            self.find(path, line, f"includes {included}: `{layer.title}` may include {layer.permissions()}")

    def check_layers(self):
        """After all includes were seen: what no row covers, and permissions that nobody uses."""
        sources = [name for name in self.names if name.startswith(PRODUCT) and name.endswith((".cc", ".h"))]
        for folder in sorted({posixpath.dirname(name) for name in sources if self.layer_of(name) is None}):
            self.find(f"{folder.split('/')[0]}/README.md", 1, f"has no row that covers {folder}")
        for layer in self.layers:
            for title in (title for title in layer.allowed or {} if title not in layer.used):
                self.find(layer.readme, layer.line, f"`{layer.title}` may include `{title}`, which nothing of it does: take it out")

    def check_rooms(self):
        """The rooms' levels by their real includes: one that includes no other is on the first."""
        rooms = sorted({name[len(ROOMS) + 1:].split("/")[0] for name in self.names
                        if name.startswith(ROOMS + "/") and name.endswith((".cc", ".h")) and name.count("/") > ROOMS.count("/") + 1})
        levels = {}

        def level(room, way):
            if room in way:
                circle = [*way[way.index(room):], room]
                if set(circle) not in circles:
                    circles.append(set(circle))
                    where = ", ".join(self.rooms[a][b] for a, b in zip(circle, circle[1:]))
                    self.find(ROOMS, 1, f"rooms include each other in a circle: {' -> '.join(circle)} ({where})")
                return 0
            if room not in levels:
                levels[room] = 1 + max((level(other, [*way, room]) for other in sorted(self.rooms.get(room, {}))), default=0)
            return levels[room]

        circles = []
        self.room_levels = max((level(room, []) for room in rooms), default=0)
        self.room_count = len(rooms)
        if self.room_levels > MAX_ROOM_LEVELS:
            self.find(ROOMS, 1, f"has rooms on {self.room_levels} levels, at most {MAX_ROOM_LEVELS} are allowed")

    def check_rows(self):
        """Each row's encoder is called for an example of store/FORMAT.md, and each decoder is fuzzed."""
        examples, fuzzer = ((self.root / name).read_text() if name in self.names else "" for name in (EXAMPLES, RECORDS_FUZZER))
        for name in sorted(self.names):
            if not (name.startswith(ROWS) and name.endswith(".h")):
                continue
            text = (self.root / name).read_text()
            for kind, codec in re.findall(r"\b(Encode|Decode)(\w+)\(", text):
                where, missing = (EXAMPLES, kind + codec not in examples) if kind == "Encode" else (RECORDS_FUZZER, kind + codec not in fuzzer)
                if missing and not codec.endswith("Key"):
                    self.find(self.root / name, 1, f"{kind}{codec} is not in {where}")

    def check_built(self):
        """Every source is named in a build file, so that none is dead and no test is forgotten."""
        build = "\n".join(path.read_text() for path in self.files if path.name == "CMakeLists.txt")
        built = set(re.findall(r"[\w.-]+", build))
        for path in self.files:
            is_test = path.suffix == ".py" and (path.stem.startswith("test_") or path.stem.endswith("_test"))
            if (path.suffix == ".cc" and path.name not in built) or (is_test and not self.registers(built, path)):
                self.find(path, 1, "is in no CMakeLists.txt")

    @staticmethod
    def registers(built, path):
        """By its name, or by what a loop makes it of: `story` of story_test.py."""
        return not built.isdisjoint({path.name, path.stem, path.stem.removesuffix("_test")})


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2])
    checker = Checker(root.resolve())
    findings = checker.run()
    print("\n".join(findings) if findings else f"the tree keeps its rules: {checker.figures()}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
