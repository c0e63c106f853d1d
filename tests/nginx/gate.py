"""A gate: where an application waits until the test lets it go on.

It is a named pipe. The application opens it for reading (see apps/wait.py), which blocks until the
test opens it for writing; so the test learns that the application stands there, and closing the
pipe lets it pass. No thread of the server is needed to open a gate.
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
        """What names the gate in a URL, after the `?`."""
        return quote(str(self.path))

    def reached(self):
        """Whether an application stands at the gate now."""
        if self.end is None:
            try:
                self.end = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                return False
        return True

    def wait(self):
        """Waits until an application stands at the gate."""
        wait_for(self.reached, f"an application to reach the gate {self.path.name}")
        return self

    def open(self):
        """Lets the application that stands there, or will come, pass."""
        self.wait()
        self.shut()

    def shut(self):
        if self.end is not None:
            os.close(self.end)
            self.end = None

    def remove(self):
        """Opens the gate for good: who stands there passes, and who comes finds an empty file."""
        free = self.path.with_suffix(".free")
        free.touch()
        waiting = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        os.replace(free, self.path)
        self.shut()
        os.close(waiting)
