"""Responses of which the URL determines every byte: /SHAPE?SIZE-PIECE-START[-DELAY]."""

import time

CYCLE = 251
# Without "<": nginx's SSI filter drops a "<" at the end of a page.
TABLE = bytes(max(number % CYCLE, 61) for number in range(CYCLE * 5000))


def known(start, size):
    """The bytes of a response, from position `start`."""
    found = []
    while size > 0:
        offset = start % CYCLE
        piece = TABLE[offset : offset + min(size, len(TABLE) - CYCLE)]
        found.append(piece)
        start, size = start + len(piece), size - len(piece)
    return b"".join(found)


def pieces(size, piece, start, delay):
    for at in range(0, size, piece):
        if delay:
            # An application that takes its time for each block.
            time.sleep(delay)
        yield known(start + at, min(piece, size - at))


def with_empty_ones(blocks):
    for block in blocks:
        yield b""
        yield block


def broken(blocks):
    yield from blocks
    raise ValueError("in the middle")


def log_much(environ):
    for number in range(200):
        print("a line of a log", number, "\n" * (number % 3), file=environ["wsgi.errors"])


def app(environ, start_response):
    shape = environ["PATH_INFO"].rpartition("/")[2]
    if shape == "quick":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"quick"]
    size, piece, start, delay = (int(part) for part in environ["QUERY_STRING"].split("-"))
    blocks = pieces(size, piece, start, delay / 10_000)
    headers = [("Content-Type", "application/octet-stream")]
    if start % 3 == 0:
        headers.append(("Content-Length", str(size + (shape == "broken"))))
    if start % 5 == 0:
        headers.append(("X-Accel-Buffering", "no" if start % 2 else "yes"))
    if start % 7 == 0:
        log_much(environ)
    write = start_response("200 OK", headers)
    if environ["REQUEST_METHOD"] == "POST":
        environ["wsgi.input"].read()
    if shape == "list":
        return list(blocks)
    if shape == "one":
        return [known(start, size)]
    if shape == "empty":
        return with_empty_ones(blocks)
    if shape == "broken":
        return broken(blocks)
    if shape == "written":
        for block in blocks:
            write(block)
        return []
    return blocks
