"""One application for a host that blocks. GATE in the environment is a descriptor: the gate.

/hello  "Hello world!"
/echo   the body, or "OSError"
/read   the body
/two    two blocks
/asks   a block, then waits until the client is gone, then another
/gate   a block, prints a line, waits at the gate, prints another line, then another block
"""

import os
import time


def wait_at_gate():
    os.read(int(os.environ["GATE"]), 1)


def asks(environ):
    yield b"one"
    while not environ["libwsgi.client_disconnected"]():
        time.sleep(0.001)
    yield b"two"


def gate():
    yield b"one"
    print("at the gate")
    wait_at_gate()
    print("through the gate")
    yield b"two"


def echo(environ):
    try:
        return environ["wsgi.input"].read()
    except OSError:
        return b"OSError"


def application(environ, start_response):
    path = environ["PATH_INFO"]
    blocks = {
        "/hello": lambda: [b"Hello world!"],
        "/echo": lambda: [echo(environ)],
        "/read": lambda: [environ["wsgi.input"].read()],
        "/two": lambda: iter([b"one", b"two"]),
        "/asks": lambda: asks(environ),
        "/gate": gate,
    }[path]()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return blocks


def late():
    """A factory that takes its time."""
    wait_at_gate()
    return application
