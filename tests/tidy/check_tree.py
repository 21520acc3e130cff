#!/usr/bin/python3
"""Checks what compilers do not: the shape of the tree, sizes, include directions and words that must not be in it.

Usage: check_tree.py [ROOT]. Prints one line per finding and exits 1 if there is any.
"""

import pathlib
import re
import subprocess
import sys

TOP = {"CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "client", "daemon", "deploy", "proto", "tests"}
MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 80
MAX_TEST_LINES = 130

# Which of our folders each folder may include. Headers named here one by one are the exceptions, with the reason in the README.
LAYERS = {
    "daemon/base": set(),
    "daemon/domain": {"daemon/base"},
    "daemon/policy": {"daemon/base", "daemon/domain"},
    "daemon/wire": {"daemon/base", "daemon/domain", "daemon/policy", "daemon/service/rows/change_row.h", "daemon/service/subject/check_eligibility.h",
                    "daemon/service/subject/read_subject.h", "daemon/service/registry/policy_admin.h"},
    "daemon/store": {"daemon/base"},
    "daemon/service": {"daemon/base", "daemon/domain", "daemon/policy", "daemon/store/store.h", "daemon/wire/errors.h", "daemon/wire/selector.h"},
    "daemon/rpc": {"daemon/base", "daemon/domain", "daemon/policy", "daemon/wire", "daemon/service"},
    "daemon/ops": {"daemon/base", "daemon/domain", "daemon/service/rows/change_row.h", "daemon/rpc/observer.h", "daemon/store/rocksdb/rocks_store.h"},
    "daemon/app": None,  # the composition root may include all
    "client": {"daemon/base", "daemon/domain", "daemon/policy", "daemon/wire"},
}
GRPC_ALLOWED = ("daemon/rpc/", "daemon/app/", "daemon/ops/health", "client/src/", "tests/")
BOOST_ALLOWED = ("daemon/ops/http.cc",)
ROCKSDB_ALLOWED = ("daemon/store/rocksdb/", "tests/")
PROTO_FORBIDDEN = ("daemon/base/", "daemon/domain/", "daemon/store/", "client/include/")

INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.M)
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


class Checker:
    def __init__(self, root):
        self.root = root
        self.files = tracked(root)
        self.findings = []

    def find(self, path, line, text):
        where = path.relative_to(self.root) if isinstance(path, pathlib.Path) else path
        self.findings.append(f"{where}:{line}: {text}")

    def run(self):
        self.check_top()
        self.check_readmes()
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
        return self.findings

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
        folders = {path.parent for path in self.files if path.suffix in {".cc", ".h", ".proto"}}
        for folder in sorted(folders):
            relative = self.name(folder)
            if re.match(r"^(daemon/.*|client(/.*)?)$", relative) and not any(
                    (parent / "README.md").is_file() for parent in [folder, *self.near_parents(folder)]):
                self.find(folder, 1, "has no README.md")
        for relative in ("proto", "daemon", "client", "deploy", "tests", "."):
            if not (self.root / relative / "README.md").is_file():
                self.find(self.root / relative, 1, "has no README.md")

    def near_parents(self, folder):
        """Folders deep inside one target are described by the target's README."""
        parts = folder.relative_to(self.root).parts
        return [self.root.joinpath(*parts[:i]) for i in range(len(parts) - 1, 1 if parts[0] == "daemon" else 0, -1)]

    def check_text(self, path, text):
        if path == pathlib.Path(__file__).resolve():
            return
        for number, line in enumerate(text.splitlines(), 1):
            for pattern, what in FORBIDDEN_TEXT:
                if pattern.search(line):
                    self.find(path, number, f"holds {what}: {line.strip()[:80]}")

    def check_size(self, path, text):
        lines = text.count("\n")
        if lines > MAX_FILE_LINES:
            self.find(path, lines, f"has {lines} lines, at most {MAX_FILE_LINES} are allowed")

    def check_functions(self, path, text):
        limit = MAX_TEST_LINES if self.name(path).startswith("tests/") else MAX_FUNCTION_LINES
        lines = text.splitlines()
        for start, line in enumerate(lines):
            match = FUNCTION_START.match(line)
            if not match:
                continue
            # The head may end on a continued line; what closes the body stands two columns left of its first line.
            first = next((body for body in lines[start + 1:] if body.strip() and not body.startswith("#")), "")
            width = len(first) - len(first.lstrip())
            closing = " " * (width if first.lstrip().startswith("}") else max(width - 2, 0)) + "}"
            for end in range(start + 1, len(lines)):
                if lines[end].startswith(closing) and (len(lines[end]) == len(closing) or lines[end][len(closing)] in " ;,)"):
                    if end - start + 1 > limit:
                        self.find(path, start + 1, f"function of {end - start + 1} lines, at most {limit} are allowed")
                    break

    def check_includes(self, path, text):
        name = self.name(path)
        if "#pragma once" not in text and path.suffix == ".h":
            self.find(path, 1, "has no #pragma once")
        for match in INCLUDE.finditer(text):
            included = match.group(1)
            line = text.count("\n", 0, match.start()) + 1
            if included.startswith(("grpcpp/", "grpc/")) and not name.startswith(GRPC_ALLOWED):
                self.find(path, line, f"includes {included}: gRPC stays in rpc, app, ops/health and the client's connection")
            if included.startswith("rocksdb/") and not name.startswith(ROCKSDB_ALLOWED):
                self.find(path, line, f"includes {included}: RocksDB stays in store/rocksdb")
            if included.startswith("boost/") and name not in BOOST_ALLOWED:
                self.find(path, line, f"includes {included}: Boost stays in ops/http.cc")
            if (included.startswith("google/protobuf/") or ".pb.h" in included) and name.startswith(PROTO_FORBIDDEN):
                self.find(path, line, f"includes {included}: this folder knows no protobuf")
            self.check_layer(path, name, line, included)

    def check_layer(self, path, name, line, included):
        if not included.startswith(("daemon/", "client/", "tests/")):
            return
        layer = next((layer for layer in sorted(LAYERS, key=len, reverse=True) if name.startswith(layer + "/")), None)
        if layer is None or LAYERS[layer] is None or included.startswith(layer + "/"):
            return
        allowed = any(included == entry or included.startswith(entry + "/") for entry in LAYERS[layer])
        if not allowed:
            self.find(path, line, f"includes {included}: {layer} may include {', '.join(sorted(LAYERS[layer])) or 'nothing of ours'}")

    def check_built(self):
        """Every source is named in a build file, so that none is dead and no test is forgotten."""
        build = "\n".join(path.read_text() for path in self.files if path.name == "CMakeLists.txt")
        for path in self.files:
            if path.suffix == ".cc" and not re.search(rf"(?<![\w/]){re.escape(path.name)}\b|/{re.escape(path.name)}\b", build):
                self.find(path, 1, "is in no CMakeLists.txt")
            if path.suffix == ".py" and path.name.startswith("test_") and path.name not in build and path.stem not in build:
                self.find(path, 1, "is in no CMakeLists.txt")


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2])
    findings = Checker(root.resolve()).run()
    print("\n".join(findings) if findings else "the tree keeps its rules")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
