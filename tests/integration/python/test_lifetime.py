"""A test that hangs ends by itself, and nothing that it had found is lost."""

import os
import subprocess
import sys
import tempfile
import unittest

HANGS = """
import threading
import unittest

import lifetime


class Hangs(unittest.TestCase):

    def test_it(self):
        with self.subTest("before"):
            self.fail("found before it hung")
        threading.Event().wait()


unittest.main()
"""


class Lifetime(unittest.TestCase):

    def test_what_hangs_says_where_and_what_it_had_found(self):
        with tempfile.NamedTemporaryFile("w", suffix=".py") as program:
            program.write(HANGS)
            program.flush()
            ended = subprocess.run([sys.executable, program.name], env={**os.environ, "TEST_SECONDS": "1"}, stderr=subprocess.PIPE, text=True, timeout=60,
                                   check=False)
        self.assertNotEqual(ended.returncode, 0)
        for words in ("found before it hung", "it has not ended within 1 s", "in test_it"):
            self.assertIn(words, ended.stderr)


if __name__ == "__main__":
    unittest.main()
