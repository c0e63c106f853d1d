"""Reads wsgi.input by the operations that X-Program names, and io.BytesIO by the same operations.

X-Program is in hexadecimal. X-Whole is the complete body, of which a client that leaves sends a
part.
"""

import io
import sys

from program import Program, mismatch

SIZES = [0, 1, 2, 3, 5, 9, 100, 4095, 65535, 65536, 65537, 200000, None, -1, -7, sys.maxsize]


def readinto(stream, size):
    buffer = bytearray(size)
    count = stream.readinto(buffer)
    return count, bytes(buffer)


def lines(stream, count):
    found = []
    for line in stream:
        found.append(line)
        if len(found) == count:
            break
    return found


OPERATIONS = [
    lambda stream, size: stream.read(size),
    lambda stream, size: stream.readline(size),
    lambda stream, size: stream.readlines(size),
    lambda stream, size: lines(stream, size),
    lambda stream, size: readinto(stream, min(size or 0, 70000) % 70001),
    lambda stream, size: stream.read(),
    lambda stream, size: stream.readline(),
    lambda stream, size: next(stream, "the end"),
]


def read1(ours, oracle, size):
    """read1 may return less than there is, but must not return an empty result before the end."""
    got = ours.read1(size)
    enough = got or size == 0 or oracle.tell() == len(oracle.getvalue())
    return enough and got == oracle.read(len(got))


def run(program, ours, oracle):
    """None, or the difference."""
    while program:
        kind, size = program.byte() % 9, program.choose(*SIZES)
        if kind == 8:
            if not read1(ours, oracle, size):
                return f"read1({size}) at {oracle.tell()}"
            continue
        before = oracle.tell()
        got, wanted = OPERATIONS[kind](ours, size), OPERATIONS[kind](oracle, size)
        if got != wanted:
            return f"operation {kind}, size {size} at {before}: {ascii(got):.50}"
    return None


def stays_broken(ours):
    """After half an upload each read must raise, however often the application reads."""
    for read in (ours.read, ours.readline, ours.readlines, lambda: next(ours), lambda: ours.read(1)):
        try:
            return f"after OSError: {ascii(read()):.50}"
        except OSError:
            pass
    return None


def app(environ, start_response):
    program = Program(bytes.fromhex(environ["HTTP_X_PROGRAM"]))
    oracle = io.BytesIO(bytes.fromhex(environ["HTTP_X_WHOLE"]) * int(environ["HTTP_X_TIMES"]))
    ours = environ["wsgi.input"]
    said = b"whole"
    try:
        difference = run(program, ours, oracle)
    except OSError:
        said, difference = b"broken", stays_broken(ours)
    if difference:
        mismatch(environ, difference)
    start_response("200 OK", [])
    return [said]
