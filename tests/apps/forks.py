"""Forks, and answers with the exit code of the child. The path names what the child does:

/raises          raises ValueError                   /ends?N          sys.exit(N)
/exits           exit(3) of C
/says            sys.exit() with a text              /returns         returns a response
/prints          prints a line and a half, without a line break, and flushes
/streams         returns an iterable that is larger than any buffer, and never ends
/writes          start_response() and write(), until that raises; then ends with the error as text
/logs            1.5 MB to wsgi.errors, then os._exit(7)
/opens           opens files until it has the parent's lowest numbers, then logs, prints, returns
/reads           reads wsgi.input
/leaves?FILE     writes to a file, leaves it open, and sys.exit()
/generator       forks inside the iterable
/process/WAY     the same by multiprocessing.Process, with the function that WAY names:
                 returns, ends (sys.exit(3)), raises, thread (waits for a thread that is not a
                 daemon), main (prints which thread is the main one)
/ok              no fork
"""

import contextlib
import ctypes
import itertools
import multiprocessing
import os
import sys
import threading
import time
from urllib.parse import unquote


def raises(query, environ, start_response):
    raise ValueError("on purpose, in a child")


def ends(query, environ, start_response):
    sys.exit(int(query))


def exits(query, environ, start_response):
    ctypes.CDLL(None).exit(3)


def says(query, environ, start_response):
    sys.exit("the last word of a child")


def returns(query, environ, start_response):
    start_response("200 OK", [])
    return [b"the child answers"]


def prints(query, environ, start_response):
    print("one line\nand a half", end=" of a child")
    sys.stdout.flush()
    os._exit(0)


def streams(query, environ, start_response):
    start_response("200 OK", [])
    return (b"x" * 100000 for _ in itertools.count())


def writes(query, environ, start_response):
    write = start_response("200 OK", [])
    try:
        for _ in range(100):
            write(b"x" * 100000)
    except OSError as error:
        sys.exit(f"{type(error).__name__}: {error}")


def logs(query, environ, start_response):
    for _ in range(1500):
        environ["wsgi.errors"].write("e" * 1000 + "\n")
    os._exit(7)


def opens(query, environ, start_response):
    files = [open(f"{query}.{number}", "wb") for number in range(64)]
    environ["wsgi.errors"].write("logged by a child\n")
    print("printed by a child")
    write = start_response("200 OK", [])
    with contextlib.suppress(OSError):
        write(b"x")
    return (b"x" for _ in files)


def reads(query, environ, start_response):
    try:
        body = environ["wsgi.input"].read()
    except OSError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    sys.exit(len(body))


def leaves(query, environ, start_response):
    file = open(query, "w")
    file.write("what a child has written")
    sys.exit()


def waits_for_a_thread():
    threading.Thread(target=lambda: (time.sleep(0.2), os._exit(4))).start()


def says_which_is_the_main_thread():
    current = threading.current_thread()
    sys.exit(5 if current is threading.main_thread() and current.name == "MainThread" else 6)


PROCESSES = {
    "returns": lambda: None,
    "ends": lambda: sys.exit(3),
    "raises": lambda: raises(None, None, None),
    "thread": waits_for_a_thread,
    "main": says_which_is_the_main_thread,
}


def of_process(way):
    process = multiprocessing.get_context("fork").Process(target=PROCESSES[way])
    process.start()
    process.join()
    return process.exitcode


def app(environ, start_response):
    name = environ["PATH_INFO"].strip("/")
    query = unquote(environ["QUERY_STRING"])
    if name == "generator":
        return generator(start_response)
    if name == "ok":
        code = "ok"
    elif name.startswith("process/"):
        code = of_process(name.partition("/")[2])
    else:
        child = os.fork()
        if child == 0:
            return globals()[name](query, environ, start_response)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr(code).encode()]


def generator(start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"begun, "
    child = os.fork()
    if child == 0:
        yield b"by the child, "
        os._exit(9)
    yield repr(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode()
