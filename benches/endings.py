"""How programs that start servers end: whatever ends them, the servers end too.

Python turns Ctrl-C into an exception, and `with` and `finally` see to the rest. A terminal that is
closed and `kill` would end it without either.
"""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1  # of <sys/prctl.h>


def end_by_exception():
    """Lets SIGTERM and SIGHUP end this program by an exception, as SIGINT does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))


def end_with_parent():
    """In a child, before it executes: asks the kernel for SIGTERM should this program be killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
