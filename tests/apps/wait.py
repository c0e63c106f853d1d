"""Waits at gates: named pipes, whose path is the query string. The test opens them from outside.

/block           waits at the gate, then answers "passed"
/stream          sends "first", waits at the gate, sends "second", waits at the gate "<path>2" if
                 there is one, and ends
/written         the same with write(): "first", the gate, and the iterable has "second"
/started         the names of the gates that requests have reached, in order
/closed          how many iterables of /stream have been closed
"""

import os
from urllib.parse import unquote

started = []
closed = []
TEXT = [("Content-Type", "text/plain")]


def gate(path):
    """Waits until the test has opened the pipe for writing, and closed it."""
    with open(path, "rb") as pipe:
        pipe.read()


class Stream:
    def __init__(self, path):
        self.pieces = self.generate(path)

    def __iter__(self):
        return self.pieces

    def generate(self, path):
        yield b"first"
        gate(path)
        yield b"second"
        if os.path.exists(path + "2"):
            gate(path + "2")

    def close(self):
        closed.append(1)


def app(environ, start_response):
    path = unquote(environ["QUERY_STRING"])
    if path:
        started.append(os.path.basename(path))
    if environ["PATH_INFO"] == "/block":
        gate(path)
        start_response("200 OK", TEXT)
        return [b"passed"]
    write = start_response("200 OK", TEXT)
    if environ["PATH_INFO"] == "/stream":
        return Stream(path)
    if environ["PATH_INFO"] == "/written":
        write(b"first")
        gate(path)
        return [b"second"]
    shown = {"/started": " ".join(started), "/closed": str(len(closed))}[environ["PATH_INFO"]]
    return [shown.encode()]
