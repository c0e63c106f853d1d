"""Takes too long, in every way in which an application can.

/wait            waits until /release, in Event.wait()
/stream          sends "first", then waits in the same way
/spin            computes until /release
/stubborn        computes until /release, and catches every Exception in that time
/hold            sleeps for three seconds in C code that keeps the GIL
/pipe            returns a pipe, whose path is the query string: from then on no Python code runs
/release         ends the waiting of all
/begun           how often /spin has begun to compute
/raised          how often RequestTimeout was raised, and where
/pid, /threads   the process, and how many threads of the pool it has
/block           waits at the gate whose path is the query string, then answers "passed"
"""

import ctypes
import os
import threading
from pathlib import Path
from urllib.parse import unquote

import libwsgi

released = threading.Event()
begun = []
raised = []
TEXT = [("Content-Type", "text/plain")]


def wait(query):
    released.wait()
    return b"waited"


def stream(query):
    yield b"first"
    released.wait()


def compute():
    while not released.is_set():
        pass


def spin(query):
    begun.append("spin")
    try:
        # Not in the loop: since 3.12 an interrupt at its jump back has no "finally" around it.
        compute()
    finally:
        if not released.is_set():
            raised.append("spin")
    return b"spun"


def stubborn(query):
    while not released.is_set():
        try:
            spin(query)
        except Exception:
            raised.append("an Exception")
    return b"stubborn"


def hold(query):
    ctypes.PyDLL(None).sleep(3)
    return b"held"


def release(query):
    released.set()
    return b"released"


def block(query):
    with open(unquote(query), "rb") as pipe:
        pipe.read()
    return b"passed"


def threads(query):
    names = [comm.read_text() for comm in Path("/proc/self/task").glob("*/comm")]
    return b"%d" % sum(name.strip()[5:].isdigit() for name in names)


ENDPOINTS = {
    "wait": wait,
    "spin": spin,
    "stubborn": stubborn,
    "hold": hold,
    "release": release,
    "block": block,
    "begun": lambda query: " ".join(begun).encode(),
    "raised": lambda query: " ".join(raised).encode(),
    "pid": lambda query: b"%d" % os.getpid(),
    "threads": threads,
    "bases": lambda query: repr(libwsgi.RequestTimeout.__mro__).encode(),
}


def app(environ, start_response):
    name, query = environ["PATH_INFO"].strip("/"), environ["QUERY_STRING"]
    if name == "stream":
        start_response("200 OK", TEXT)
        return stream(query)
    if name == "pipe":
        start_response("200 OK", TEXT)
        return open(unquote(query), "rb", buffering=0)
    body = ENDPOINTS[name](query)
    start_response("200 OK", TEXT)
    return [body]
