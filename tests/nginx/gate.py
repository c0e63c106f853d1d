"""A gate: an application waits there until the test opens it.

It is a named pipe. The application opens it for reading (see apps/wait.py). That blocks until the
test opens the pipe for writing, so the test learns that the application waits. When the test closes
the pipe, the application passes. A gate needs no thread of the server.
"""

import os
from urllib.parse import quote

from server import wait_for


class Gate:
    """One place to wait at, for one request at a time."""

    def __init__(self, path):
        self.path = path
        self.end = None
        os.mkfifo(path)
        os.chmod(path, 0o666)

    @property
    def query(self):
        """The query of a URL that names the gate."""
        return quote(str(self.path))

    def reached(self):
        """Whether an application waits at the gate now."""
        if self.end is None:
            try:
                self.end = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                return False
        return True

    def wait(self):
        """Waits until an application waits at the gate."""
        wait_for(self.reached, f"an application to reach the gate {self.path.name}")
        return self

    def open(self):
        """Lets one application pass, which waits there or will come."""
        self.wait()
        self.shut()

    def shut(self):
        if self.end is not None:
            os.close(self.end)
            self.end = None

    def remove(self):
        """Opens the gate for the rest of the test: all applications pass, now and later."""
        free = self.path.with_suffix(".free")
        free.touch()
        waiting = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        os.replace(free, self.path)
        self.shut()
        os.close(waiting)
