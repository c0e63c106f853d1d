"""Reads uploads while they arrive. A gate (see wait.py) is the path in the query string.

/echo         sends every piece back as it comes, by read1()
/echo_lines   the same, line by line
/echo_fives   the same, by read(5)
/first        waits at the gate, then reads; answers [length, CRC-32]
/second       reads one byte, waits at the gate, then reads the rest; the same answer
/count        reads pieces of 64 KB; the same answer
/whole        reads all at once; the same answer
/recorded     reads as /count does, and adds the result, also an exception, to the list of /seen
/recorded_at_gate  the same after one byte and the gate
/partly       reads five bytes and answers with them
/late_unread  sends a piece, waits at the gate, sends another; reads nothing
/fails        reads five bytes and raises
/length       [CONTENT_LENGTH, read(-1)]
/seen         the list of /recorded, and the paths that clients requested
"""

import zlib
from urllib.parse import unquote

TEXT = [("Content-Type", "text/plain")]
seen = []
paths = []


def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path != "/seen":
        paths.append(path)
    body = environ["wsgi.input"]
    if path == "/fails":
        raise ValueError(body.read(5))
    if path in STREAMS:
        start_response("200 OK", TEXT)
        return STREAMS[path](body, environ["QUERY_STRING"])
    shown = repr(ENDPOINTS[path](body, environ)).encode()
    start_response("200 OK", TEXT)
    return [shown]


def gate(query):
    with open(unquote(query), "rb") as pipe:
        pipe.read()


def echo(body, query):
    yield from iter(body.read1, b"")


def echo_lines(body, query):
    yield from body


def echo_fives(body, query):
    yield from iter(lambda: body.read(5), b"")


def late_unread(body, query):
    yield b"first"
    gate(query)
    yield b"second"


def count(body, *_):
    length, total = 0, 0
    for piece in iter(lambda: body.read(65536), b""):
        length += len(piece)
        total = zlib.crc32(piece, total)
    return [length, total]


def whole(body, environ):
    data = body.read(-1)
    return [len(data), zlib.crc32(data)]


def first(body, environ):
    gate(environ["QUERY_STRING"])
    return count(body)


def second(body, environ):
    byte = body.read(1)
    gate(environ["QUERY_STRING"])
    length, total = count(body)
    return [length + len(byte), total]


def recorded(body, environ):
    try:
        result = count(body)
    except Exception as error:
        result = f"{type(error).__name__}: {error}"
    seen.append(result)
    return result


def recorded_at_gate(body, environ):
    body.read(1)
    gate(environ["QUERY_STRING"])
    return recorded(body, environ)


STREAMS = {
    "/echo": echo,
    "/echo_fives": echo_fives,
    "/echo_lines": echo_lines,
    "/late_unread": late_unread,
}
ENDPOINTS = {
    "/first": first,
    "/second": second,
    "/count": count,
    "/whole": whole,
    "/recorded": recorded,
    "/recorded_at_gate": recorded_at_gate,
    "/partly": lambda body, environ: body.read(5),
    "/length": lambda body, environ: [environ.get("CONTENT_LENGTH"), body.read(-1)],
    "/seen": lambda body, environ: {"seen": seen, "paths": paths},
}
