"""Applications for nginx's own thread; none of them waits.

/facts           wsgi.multithread, and whether this is the process's first thread
/endless         blocks of 64 KiB without end, counts those made
/written         16 MiB by write(), then "end"
/context?WORD    sets a contextvar to WORD, then gives 40 blocks that begin with its value
/context         the value of the contextvar
/busy            computes for 20 ms, then answers "done"
/ticking?N       N bytes, and computes a millisecond for each
/ticked          how many bytes /ticking has made
/counts          how many blocks /endless has made, and how often it was closed
"""

import contextvars
import os
import threading
import time

BLOCK = b"x" * 65536
TEXT = [("Content-Type", "text/plain")]
counts = {"made": 0, "closed": 0, "ticked": 0}
word = contextvars.ContextVar("word", default="none")


class Endless:
    def __iter__(self):
        return self

    def __next__(self):
        counts["made"] += 1
        return BLOCK

    def close(self):
        counts["closed"] += 1


def remembered(mine):
    token = word.set(mine)
    for _ in range(40):
        yield word.get().ljust(65536).encode()
    word.reset(token)


def compute(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def ticking(count):
    for _ in range(count):
        compute(0.001)
        counts["ticked"] += 1
        yield b"."


def app(environ, start_response):
    path = environ["PATH_INFO"]
    write = start_response("200 OK", TEXT)
    if path == "/facts":
        on_first = threading.get_native_id() == os.getpid()
        return [f"{environ['wsgi.multithread']} {on_first}".encode()]
    if path == "/busy":
        compute(0.02)
        return [b"done"]
    if path == "/ticking":
        return ticking(int(environ["QUERY_STRING"]))
    if path == "/ticked":
        return [str(counts["ticked"]).encode()]
    if path == "/endless":
        return Endless()
    if path == "/context":
        mine = environ["QUERY_STRING"]
        return remembered(mine) if mine else [word.get().encode()]
    if path == "/written":
        for _ in range(256):
            write(BLOCK)
        return [b"end"]
    return [f"{counts['made']} {counts['closed']}".encode()]
