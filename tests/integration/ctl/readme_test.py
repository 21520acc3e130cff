"""The README's first minute, typed word by word by somebody new: its shell blocks in order, in one shell, in an empty home.

Only what the machine would not allow beside other tests is put elsewhere: where the programs lie, the ports, and the name of a host that is not there.
"""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(os.environ["CONSENT_SOURCE"])
PROGRAMS = {pathlib.Path(os.environ[name]).parent for name in ("CONSENTD", "CONSENTCTL")}
SECTIONS = ("Your own recordings, in a minute", "From other hosts, over TLS", "Delete, and know that it is gone", "Let people listen")
PATIENCE = 120


def blocks(page):
    """(section, text) of each shell block of SECTIONS, in the page's order."""
    found, section = [], None
    for part in re.split(r"^(## [^\n]*|```\n.*?^```)$", page, flags=re.MULTILINE | re.DOTALL):
        if part.startswith("## "):
            section = part[3:]
        elif part.startswith("```\n") and section in SECTIONS:
            found.append((section, part[4:-3]))
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ReadmeTest(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="rd-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)

    def typed(self, texts):
        """What each block printed, both outputs together, when all of them were typed into one shell."""
        script = self.home / "typed.sh"
        script.write_text("".join(f"echo '@@{number}'\n{text}\n" for number, text in enumerate(texts)) + "echo \"@@end $?\"\nkill %%\nwait\n", encoding="utf-8")
        environment = {"PATH": os.pathsep.join([*map(str, PROGRAMS), os.environ["PATH"]]), "HOME": str(self.home), "LANG": "C.UTF-8",
                       "CONSENTD_METRICS_LISTEN": "127.0.0.1:0", "CONSENTD_LOG_FORMAT": "json"}
        for name in ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                environment[name] = os.environ[name]
        with subprocess.Popen(["bash", "-m", str(script)], cwd=self.home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              text=True, start_new_session=True) as shell:
            try:
                printed, _ = shell.communicate(timeout=PATIENCE)
            finally:
                # The daemons are jobs of their own; whoever is left belongs to this session.
                subprocess.run(["pkill", "-KILL", "-s", str(shell.pid)], check=False)
                if shell.poll() is None:
                    shell.send_signal(signal.SIGKILL)
        parts = re.split(r"^@@(?:\d+|end \d+)$\n?", printed, flags=re.MULTILINE)[1:]
        self.assertEqual(len(parts), len(texts) + 1, printed)
        return parts, int(re.search(r"^@@end (\d+)$", printed, re.MULTILINE)[1])

    def test_each_block_does_what_the_page_says(self):
        found = blocks((ROOT / "README.md").read_text(encoding="utf-8"))
        self.assertEqual([section for section, _ in found], [SECTIONS[0]] * 4 + [SECTIONS[1]] * 2 + [SECTIONS[2], SECTIONS[3]])
        port = free_port()
        texts = [text.replace("export PATH=$PWD/.build/release/bin:$PATH\n", "").replace("7443", str(port)).replace(f"consent.example:{port}", f"localhost:{port}")
                 .replace("deploy/examples/", f"{ROOT}/deploy/examples/") for _, text in found]
        # "Within seconds": who types it too early types it again.
        asked = "consentctl requests list george"
        texts = [text.replace(asked, f"until {asked} | grep COMPLETED; do sleep 0.1; done; {asked}") for text in texts]
        # The other host has the files that it was given beside it, and no others; it comes last, because it has a shell of its own.
        other = texts.pop(5)
        for name in ("ca.pem", "sampler.pem", "sampler-key.pem"):
            other = re.sub(rf"(?<![-\w]){re.escape(name)}", f"~/consent-trial/tls/{name}", other)
        texts.append(other)
        (_, imported, filtered, one_tap, over_tls, deleted, heard, elsewhere, _), _ = self.typed(texts)
        self.assertIn("george", (self.home / "people.jsonl").read_text())
        self.assertEqual((self.home / "eligible.jsonl").read_text().count("\n"), 1)
        self.assertNotIn("george", (self.home / "eligible.jsonl").read_text())
        self.assertEqual((self.home / "why-not.jsonl").read_text().count("\n"), 1)
        self.assertRegex(filtered, r"(?m)^0$")
        self.assertRegex(one_tap, r"help_improve\s+ON\b")
        self.assertRegex(over_tls, r"(?m)^0$")
        self.assertIn("ROLE_REQUIRED", over_tls)
        self.assertIn("COMPLETED", deleted)
        self.assertIn("PURGE", deleted)
        self.assertIn("erase what george said until", deleted)
        self.assertRegex(heard, r"redeemed\s+anna\s+r3\s+SOURCE\b")
        self.assertEqual(re.findall(r"(?m)^redeemed\t|MEDIA_TOKEN_REFUSED", heard)[:2], ["redeemed\t", "MEDIA_TOKEN_REFUSED"])
        self.assertEqual(len(re.findall(r"(?m)^redeemed\t", heard)), 1, "once")
        self.assertRegex(heard, r"heard\s+\S+\s+HUMAN_REVIEW\s+DE\s+EMPLOYEE\s+SKIPPED")
        self.assertRegex(heard, r"rate\s+HUMAN_REVIEW\s+DE\s+1\s+500\s+2000\.0")
        # What was deleted and opted out is refused there, too, and nothing of it is printed.
        self.assertNotIn('"recording_id"', elsewhere)
        self.assertRegex(elsewhere, r"WITHDRAWN|REFUSED|DELETED")
        for part in (imported, filtered, one_tap, over_tls, deleted, heard, elsewhere):
            self.assertNotRegex(part, r"command not found|wrong command line|No such file|NO_ANSWER|cannot be reached|not a known", part)


if __name__ == "__main__":
    unittest.main()
