"""One application that stops where its host requires it.

/hello    "Hello world!"
/first    a block, then waits for /open, then another
/waiting  answers once a /first waits
/open     lets /first and /hints go on
/large    a megabyte in blocks of 16 KB
/page     a block of a megabyte from an iterator, which is the only block
/letters  blocks of one byte without end
/rows     a list of 10000 blocks of 20 bytes
/closed   answers once close() of a /first or a /large was called
/file     16 bytes of this file, from its 4th on, through wsgi.file_wrapper
/body     waits for the body
/echo     the body, or "OSError"
/hints    hints of a and b, waits for /open, hints of c, then "Hello world!"
/fail     raises
/truncate raises after a block
"""

import itertools
import threading

waiting = threading.Event()
opened = threading.Event()
closed = threading.Event()


class Closing:
    """An iterable that sets an event when it is closed."""

    def __init__(self, blocks):
        self.blocks = blocks

    def __iter__(self):
        return iter(self.blocks)

    def close(self):
        closed.set()


def first():
    yield b"one"
    waiting.set()
    opened.wait(60)
    yield b"two"


def truncate():
    yield b"half"
    raise ValueError("after the first block")


def echo(environ):
    try:
        return environ["wsgi.input"].read()
    except OSError:
        return b"OSError"


def hint(early_hints):
    early_hints([("Link", "/a"), ("Link", "/b")])
    opened.wait(60)
    early_hints([("Link", "/c")])


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/fail":
        raise ValueError("before the head")
    if path == "/hints":
        hint(environ["wsgi.early_hints"])
    if path == "/waiting":
        waiting.wait(60)
    if path == "/open":
        opened.set()
    if path == "/closed":
        closed.wait(60)
    if path == "/body":
        environ["wsgi.input"].read(1)
    body = echo(environ) if path == "/echo" else b"Hello world!"
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/first":
        return Closing(first())
    if path == "/large":
        return Closing(b"x" * 16384 for _ in range(64))
    if path == "/page":
        return iter([b"x" * 1048576])
    if path == "/letters":
        return Closing(itertools.repeat(b"x"))
    if path == "/rows":
        return [b"0123456789abcdefghi\n"] * 10000
    if path == "/truncate":
        return truncate()
    if path == "/file":
        file = open(__file__, "rb")
        file.seek(3)
        return environ["wsgi.file_wrapper"](file)
    return [body]
