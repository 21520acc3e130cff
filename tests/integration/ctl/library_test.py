"""The library as other programs get it: installed into a folder of its own, and found there by CMake and by pkg-config.

CONSENT_LIBRARY_WHOLE=1 also compiles each header alone, and builds the example inside foreign projects, from the sources, which takes minutes.
"""

import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

from daemon import CONSENTCTL, SOURCE, DaemonTest

BUILD = pathlib.Path(os.environ["CONSENT_BUILD"])
CMAKE = os.environ["CMAKE"]
CXX = os.environ["CXX"]
RECORDINGS = pathlib.Path(os.environ.get("CONSENT_RECORDINGS", SOURCE.parent / "shared" / "recordings" / "fsdd.jsonl"))
WHOLE = os.environ.get("CONSENT_LIBRARY_WHOLE") == "1"
SPEAKERS = {"george": "GR", "jackson": "US", "lucas": "DE", "nicolas": "BE", "theo": "US", "yweweler": "DE"}
AGREED = ("george", "jackson", "lucas")


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def without_arguments(name):
    """The qualified name of a demangled one."""
    name = name.replace("[abi:cxx11]", "")
    while re.search(r"<[^<>]*>|\([^()]*\)", name):
        name = re.sub(r"<[^<>]*>|\([^()]*\)", "", name)
    return name.removesuffix(" const").split()[-1]


def install(prefix):
    for component in ("library", "development"):
        run(CMAKE, "--install", BUILD, "--prefix", prefix, "--component", component)


class Installed(unittest.TestCase):
    """One prefix for all tests."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.TemporaryDirectory(prefix="library_test_")
        cls.root = pathlib.Path(cls.folder.name)
        cls.prefix = cls.root / "prefix"
        install(cls.prefix)
        cls.shared_object = next(cls.prefix.glob("lib*/**/libconsent.so.0"))
        cls.include = cls.prefix / "include"

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()
        super().tearDownClass()

    def environment(self):
        return {**os.environ, "PKG_CONFIG_PATH": str(self.shared_object.parent / "pkgconfig"), "LD_LIBRARY_PATH": str(self.shared_object.parent)}


class Library(Installed):
    def test_its_name_and_what_it_needs(self):
        dynamic = run("readelf", "-dW", self.shared_object)
        self.assertIn("Library soname: [libconsent.so.0]", dynamic)
        self.assertNotRegex(dynamic, "RPATH|RUNPATH")
        needed = re.findall(r"NEEDED.*\[(.*)\]", dynamic)
        self.assertTrue([name for name in needed if name.startswith("libgrpc++")], needed)
        self.assertFalse([name for name in needed if re.search("rocksdb|prometheus|spdlog|systemd|consent", name)], needed)

    def test_it_exports_what_its_headers_mark_and_nothing_else(self):
        marked = set()
        for header in (self.include / "consent").glob("*.h"):
            text = re.sub(r"//.*|#define.*", "", header.read_text())
            marked |= set(re.findall(r"CONSENT_EXPORT (\w+) (?:final )?[{:]", text))  # classes
            for declaration in re.findall(r"CONSENT_EXPORT ([^;{]*?)[;{]", text, re.S):
                marked.update(re.findall(r"(\w+)\(", declaration)[:1])
        self.assertLessEqual({"Answer", "Client", "RecordingLineReader", "ErrorOf", "Name", "FromEnvironment"}, marked)
        used = set()
        for line in run("nm", "-D", "--defined-only", "-C", self.shared_object).splitlines():
            name = without_arguments(line.split(maxsplit=2)[2].partition("@")[0])
            if name == "CONSENT_0":
                continue
            self.assertTrue(name.startswith("consent::"), line)
            part = [word for word in name.split("::")[1:] if word in marked]
            self.assertTrue(part, f"{name} is exported, and no header marks it")
            used.update(part)
        self.assertEqual(used, marked, "marked, and not exported")

    def test_the_headers_compile_without_the_tree(self):
        """All in one go, the last first; with CONSENT_LIBRARY_WHOLE each alone, too."""
        headers = sorted((self.include / "consent").glob("*.h"), reverse=True)
        self.assertEqual({header.name for header in headers}, {path.name for path in (SOURCE / "client" / "include" / "consent").glob("*.h")})
        for these in [headers] + ([[header] for header in headers] if WHOLE else []):
            with self.subTest([header.name for header in these]):
                run(CXX, "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I", self.include,
                    *(part for header in these for part in ("-include", header)), "-x", "c++", os.devnull)

    def test_an_older_standard_is_refused_in_words(self):
        done = subprocess.run([CXX, "-std=c++17", "-fsyntax-only", "-I", str(self.include), "-include", "consent/client.h", "-x", "c++", os.devnull],
                              capture_output=True, text=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("C++20", done.stderr)

    def test_the_protos_are_whole(self):
        protos = self.prefix / "share" / "consent" / "proto"
        self.assertTrue((protos / "consent" / "v1" / "service_config.json").is_file())
        names = [path.relative_to(protos) for path in protos.rglob("*.proto")]
        self.assertEqual(len(names), len(list((SOURCE / "proto").rglob("*.proto"))))
        run("protoc", "-I", protos, f"--descriptor_set_out={os.devnull}", *names)

    def test_a_program_may_have_generated_the_protos_itself(self):
        """Two copies of a descriptor in one process end it before main: the library has none."""
        protos = self.prefix / "share" / "consent" / "proto"
        out = self.root / "own"
        out.mkdir()
        run("protoc", "-I", protos, f"--cpp_out={out}", "consent/v1/errors.proto", "consent/v1/roles.proto", "google/rpc/status.proto")
        (out / "main.cc").write_text("""
#include <cstdio>
#include "consent/client.h"
#include "consent/names.h"
#include "consent/v1/errors.pb.h"
#include "consent/v1/roles.pb.h"
#include "google/rpc/status.pb.h"
int main() {
  google::rpc::Status status;
  status.set_code(5);
  consent::ClientOptions options;
  options.endpoint = "unix:/nowhere/socket";
  const auto client = consent::Client::Create(options);
  std::printf("%d %s %s %s\\n", client.ok(), consent::v1::Role_Name(consent::v1::ROLE_STORE).c_str(),
              std::string(consent::Name(consent::Purpose::kHumanReview)).c_str(), status.GetDescriptor()->full_name().c_str());
}
""")
        flags = shlex.split(run("pkg-config", "--cflags", "--libs", "consent", "protobuf", env=self.environment()))
        run(CXX, "-std=c++20", "-I", out, *(out.rglob("*.cc")), "-o", out / "program", *flags)
        self.assertEqual(run(out / "program", env=self.environment()), "1 ROLE_STORE HUMAN_REVIEW google.rpc.Status\n")


class Example(Installed, DaemonTest):
    def check(self, program):
        """It passes on what `consentctl filter` does, and says the same about what it cannot read."""
        lines = RECORDINGS.read_text() if RECORDINGS.is_file() else "".join(
            json.dumps({"recording_id": f"r{number}", "account_id": speaker, "captured_at": "2020-07-01T16:19:56Z", "wake": "BUTTON", "kind": "COMMAND",
                        "speakers": "ONE", "identity": "NOT_RUN", "age": "ADULT"}) + "\n" for number in range(500) for speaker in SPEAKERS)
        self.assertEqual(lines.count("\n"), 3000)
        lines += '{"account_id": "george"}\n\n[]\n' + lines.splitlines()[0].replace("{", '{"country": "US", ', 1)
        wanted = subprocess.run([CONSENTCTL, "--endpoint", self.daemon.endpoint, "filter", "--keep-ids", "--purpose", "human-review",
                                 "--country", "DE", "--reviewer", "employee"], input=lines, capture_output=True, text=True, check=False)
        done = subprocess.run([program], input=lines, capture_output=True, text=True, check=False,
                              env={**self.environment(), "CONSENT_ENDPOINT": self.daemon.endpoint})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, wanted.stdout)
        self.assertGreaterEqual(done.stdout.count("\n"), 1500)
        self.assertEqual(done.stderr.splitlines(), [line for line in wanted.stderr.splitlines() if re.match(r"line \d", line)])
        self.assertEqual(done.stderr.count("\n"), 2)
        # Without a daemon: no line, and no silence.
        done = subprocess.run([program], input=lines, capture_output=True, text=True, check=False,
                              env={**self.environment(), "CONSENT_ENDPOINT": f"unix:{self.root}/nobody"})
        self.assertEqual((done.returncode, done.stdout), (20, ""))
        self.assertIn("no answer", done.stderr)

    def test_both_ways_to_build_it(self):
        for speaker, region in SPEAKERS.items():
            self.register(speaker, region)
        for speaker in AGREED:
            self.consent(speaker, "2026-01-past")
        with self.subTest("cmake"):
            out = self.root / "cmake"
            run(CMAKE, "-S", SOURCE / "client" / "examples", "-B", out, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DCMAKE_CXX_COMPILER={CXX}")
            run(CMAKE, "--build", out, "--target", "consent_example_filter_recordings")
            self.check(out / "consent_example_filter_recordings")
        with self.subTest("pkg-config, by the README's line"):
            line = re.search(r"^(c\+\+ .*pkg-config.*)$", (SOURCE / "client" / "README.md").read_text(), re.M).group(1)
            run("sh", "-c", line.replace("c++", CXX, 1).replace("client/examples", str(SOURCE / "client" / "examples")), cwd=self.root, env=self.environment())
            self.check(self.root / "filter_recordings")


CALLER = """
cmake_minimum_required(VERSION 3.25)
project(caller LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 14)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
enable_testing()
{take}
add_executable(own own.cc)
add_executable(filter filter_recordings.cc)
target_link_libraries(filter PRIVATE consent::client)
if(CMAKE_CXX_STANDARD STREQUAL "14" AND NOT CMAKE_POSITION_INDEPENDENT_CODE)
  message(STATUS "the caller is as it was")
endif()
"""
TAKES = {"add_subdirectory": "add_subdirectory({source} consentd)",
         "fetch_content": "include(FetchContent)\nFetchContent_Declare(consentd SOURCE_DIR {source})\nFetchContent_MakeAvailable(consentd)"}


class Inside(unittest.TestCase):
    """The tree as a part of somebody else's project."""

    def test_a_project_that_takes_the_sources_in_stays_as_it_is(self):
        for way, take in TAKES.items():
            with self.subTest(way), tempfile.TemporaryDirectory(prefix="library_test_") as folder:
                root = pathlib.Path(folder)
                (root / "CMakeLists.txt").write_text(CALLER.format(take=take.format(source=SOURCE)))
                (root / "own.cc").write_text("int main() {}\n")
                (root / "filter_recordings.cc").write_text((SOURCE / "client" / "examples" / "filter_recordings.cc").read_text())
                said = run(CMAKE, "-S", root, "-B", root / "out", "-G", "Ninja", f"-DCMAKE_CXX_COMPILER={CXX}")
                self.assertIn("the caller is as it was", said)
                commands = {pathlib.Path(entry["file"]).name: entry["command"] for entry in json.loads((root / "out" / "compile_commands.json").read_text())
                            if entry["directory"] == str(root / "out")}
                self.assertRegex(commands["own.cc"], r"-std=(gnu|c)\+\+14")
                self.assertNotRegex(commands["own.cc"], r"-W|-fPIC|-I|-march")
                self.assertRegex(commands["filter_recordings.cc"], r"-std=(gnu|c)\+\+20")
                self.assertNotRegex(commands["filter_recordings.cc"], r"-Werror|-march")
                targets = run("ninja", "-C", root / "out", "-t", "targets", "all")
                for absent in ("bin/consentd:", "bin/consentctl:", "_test:", "gtest"):
                    self.assertNotIn(absent, targets)
                self.assertIn("Total Tests: 0", run("ctest", "--test-dir", root / "out", "-N"))
                if WHOLE:
                    run("nice", CMAKE, "--build", root / "out", "--target", "filter")
                    done = subprocess.run([root / "out" / "filter"], input="", capture_output=True, text=True, check=False)
                    self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
