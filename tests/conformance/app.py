"""The one application that all servers serve: it hands each request to the one that its path names.

The cyclic garbage collector is off, so that what goes away does so because nothing refers to it.
"""

import gc
import os

import rows_body  # noqa: F401
import rows_environ  # noqa: F401
import rows_files  # noqa: F401
import rows_framing  # noqa: F401
import rows_headers  # noqa: F401
import rows_input  # noqa: F401
import rows_start_response  # noqa: F401
import rows_survival  # noqa: F401
from battery import APPLICATIONS

gc.disable()


def alive(environ, start_response):
    """/, and every path that is nobody's: which process this is."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"alive in %d" % os.getpid()]


def application(environ, start_response):
    path = environ["PATH_INFO"]
    name = path[: path.index("/", 1)] if "/" in path[1:] else path
    return APPLICATIONS.get(name, alive)(environ, start_response)
