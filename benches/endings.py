"""How programs that start servers end: in whatever way they end, the servers must end too.

Python turns Ctrl-C into an exception, and `with` and `finally` then end the servers. When the
terminal is closed, or by `kill`, the program would end without an exception.
"""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1  # of <sys/prctl.h>


def end_by_exception():
    """Makes SIGTERM and SIGHUP end this program by an exception, as SIGINT does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))


def end_with_parent():
    """In a child, before it executes: asks the kernel to send SIGTERM if this program is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
