"""Ends a test that hangs, when it is imported: ctest's own end tells nothing.

Environment: TEST_SECONDS is the life of the process, somewhat shorter than ctest's TIMEOUT; without it there is no end.
"""

import faulthandler
import os
import signal

SECONDS = int(os.environ.get("TEST_SECONDS", "0"))


def ended(_number, _frame):
    """Says where every thread stands and fails the test that runs, whose other failures are then told too."""
    faulthandler.dump_traceback()
    raise AssertionError(f"it hangs: it has not ended within {SECONDS} s")


signal.signal(signal.SIGALRM, ended)
signal.alarm(SECONDS)  # 0: never
