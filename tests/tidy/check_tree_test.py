#!/usr/bin/python3
"""check_tree.py finds what it is for: each case changes one thing in a copy of the tree and asks for the finding with its names.

Usage: check_tree_test.py [unittest's arguments]. The copy has the files that are in version control or could be, and nothing of a build.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import check_tree  # noqa: E402  (found by the path above)

ROOT = HERE.parents[1]


class Findings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="check_tree_test.")
        cls.root = pathlib.Path(cls.folder.name).resolve()
        for path in check_tree.tracked(ROOT):
            copy = cls.root / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        subprocess.run(["git", "init", "-q", cls.root], check=True)
        cls.before = set(check_tree.Checker(cls.root).run())

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        self.undo = []

    def tearDown(self):
        for path, content in reversed(self.undo):
            if content is None:
                path.unlink()
            else:
                path.write_text(content)

    def write(self, name, text):
        """Writes a file of the copy until the end of the test."""
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        self.undo.append((path, path.read_text() if path.is_file() else None))
        path.write_text(text)

    def remove(self, name):
        path = self.root / name
        self.undo.append((path, path.read_text()))
        path.unlink()

    def append(self, name, text):
        self.write(name, (self.root / name).read_text() + text)

    def edit(self, name, pattern, replacement):
        text, count = re.subn(pattern, replacement, (self.root / name).read_text(), count=1, flags=re.M)
        self.assertEqual(count, 1, f"{name} has no {pattern}")
        self.write(name, text)

    def one_of(self, pattern):
        """A file of the copy, by its name from the root; the shortest one, so that there is room in it."""
        return min((path for path in self.root.glob(pattern)), key=lambda path: path.stat().st_size).relative_to(self.root).as_posix()

    def new(self):
        return set(check_tree.Checker(self.root).run()) - self.before

    def expect(self, *words):
        """There is a new finding with all of `words`."""
        new = self.new()
        self.assertTrue(any(all(word in finding for word in words) for finding in new), f"none of {sorted(new)} has {words}")

    def test_the_untouched_tree_has_none(self):
        self.assertEqual(sorted(self.before), [])

    def test_a_file_is_added_to_a_folder_and_not_to_its_readme(self):
        self.write("daemon/base/added.h", "#pragma once\n")
        self.expect("daemon/base/README.md", "`added`")

    def test_a_file_is_added_to_a_room(self):
        self.write("daemon/service/rows/added.h", "#pragma once\n")
        self.expect("daemon/service/README.md", "`rows/added`")

    def test_a_file_is_moved(self):
        name = self.one_of("daemon/base/*.h")
        stem = pathlib.Path(name).stem
        texts = {path.name: path.read_text() for path in (self.root / "daemon/base").glob(f"{stem}.*")}
        for moved, text in texts.items():
            self.remove(f"daemon/base/{moved}")
            self.write(f"daemon/rpc/{moved}", text)
        self.expect("daemon/base/README.md", f"names `{stem}`", "no such file")
        self.expect("daemon/rpc/README.md", f"does not name `{stem}`")

    def test_a_readme_goes(self):
        self.remove("daemon/domain/README.md")
        self.expect("daemon/README.md", "does not name `domain/types`")

    def test_a_table_of_files_goes(self):
        self.edit("daemon/domain/README.md", r"^\| file \|", "| files |")
        self.expect("daemon/domain/README.md", "has no table of files", "`types`")

    def test_a_table_of_tests_is_not_true(self):
        self.write("tests/fault/shim/added.c", "int added;\n")
        self.expect("tests/fault/shim/README.md", "`added.c`")

    def test_an_include_that_is_not_in_the_table(self):
        name = self.one_of("daemon/base/*.h")
        self.append(name, '#include "daemon/domain/types.h"\n')
        self.expect(name, "includes daemon/domain/types.h", "`base` may include nothing of ours")

    def test_an_include_of_the_clients_headers(self):
        name = self.one_of("daemon/base/*.h")
        self.append(name, '#include "consent/client.h"\n')
        self.expect(name, "includes consent/client.h")

    def test_a_permission_that_nobody_uses(self):
        self.edit("daemon/README.md", r"^(\| `store` \|.*\| )`base` \|$", r"\1`base`, `policy` |")
        self.expect("daemon/README.md", "`store` may include `policy`", "take it out")

    def test_a_permission_upward(self):
        self.edit("daemon/README.md", r"^(\| `domain` \|.*\| )`base` \|$", r"\1`base`, `policy` |")
        self.expect("daemon/README.md", "`domain` may include `policy`", "lowest layer")

    def test_a_row_without_a_folder(self):
        self.edit("client/README.md", r"^\| `src` \|", "| `gone` | nothing | nothing of ours |\n| `src` |")
        self.expect("client/README.md", "`gone`", "no such folder")

    def test_a_folder_without_a_row(self):
        self.write("daemon/service/ninth/added.h", "#pragma once\n")
        self.expect("daemon/README.md", "no row that covers daemon/service/ninth")

    def test_a_room_includes_upward(self):
        lower = self.one_of("daemon/service/state/*.h")
        upper = self.one_of("daemon/service/subject/*.h")
        self.append(lower, f'#include "{upper}"\n')
        self.expect("daemon/service", "circle", "state", "subject", lower)
        self.expect(lower, f"includes {upper}", "`service/state` may include")

    def test_a_row_without_an_example_or_a_fuzzer(self):
        rows = self.one_of("daemon/service/rows/*_rows.h")
        self.append(rows, "std::string EncodeNew(const New& row);\nbool DecodeNew(std::string_view bytes, New* row);\n")
        self.expect(rows, "EncodeNew", "format_document_test.cc")
        self.expect(rows, "DecodeNew", "records_fuzz.cc")

    def test_a_file_of_451_lines(self):
        name = self.one_of("daemon/domain/*.h")
        text = (self.root / name).read_text()
        for lines, found in ((450, False), (451, True)):
            self.write(name, text + "// more\n" * (lines - text.count("\n")))
            with self.subTest(lines=lines):
                self.assertEqual([f for f in self.new() if name in f], [f"{name}:451: has 451 lines, at most 450 are allowed"] if found else [])

    def test_a_function_of_61_lines(self):
        name = self.one_of("client/src/*.cc")
        text = (self.root / name).read_text()
        for lines, found in ((60, False), (61, True)):
            self.write(name, text + "void Long() {\n" + "  Next();\n" * (lines - 2) + "}\n")
            with self.subTest(lines=lines):
                at = text.count("\n") + 1
                self.assertEqual([f for f in self.new() if name in f],
                                 [f"{name}:{at}: function of 61 lines, at most 60 are allowed"] if found else [])


if __name__ == "__main__":
    unittest.main()
