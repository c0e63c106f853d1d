"""Reads wsgi.input in every way that it offers, and answers with the result.

/read            read()                          /read_negative   read(-1)
/read_none       read(None)                      /read_zero       [read(0), read(-1)]
/read_sized      read(3) until it is empty       /read_past       read(-1) and three more reads
/readline        readline() until it is empty    /readline_sized  readline(4) until it is empty
/readlines       readlines()                     /readlines_hint  readlines(1), then read(-1)
/iterate         the lines of iteration          /length          [CONTENT_LENGTH, len(read(-1))]
/digest          the SHA-256 of read(-1)         /digest_pieces   the same, by read(8192)
/unread          reads nothing
/kept            the result of reading the input of the request before

late             an application of its own, which reads after its first piece was sent

PEP 3333 has only read(size), and its validator allows no other. So read() has a path of its own.
"""

import hashlib

kept = []


def app(environ, start_response):
    body = environ["wsgi.input"]
    endpoint = ENDPOINTS[environ["PATH_INFO"].strip("/")]
    shown = endpoint(body, environ)
    kept[:] = [body]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr(shown).encode()]


def until_empty(read):
    return list(iter(read, b""))


def digest(pieces):
    total = hashlib.sha256()
    for piece in pieces:
        total.update(piece)
    return total.hexdigest()


def kept_input(body, environ):
    try:
        return kept[0].read(-1)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def late(environ, start_response):
    """The application for /late: it reads while it answers."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"read: "
    yield environ["wsgi.input"].read(-1)


ENDPOINTS = {
    "read": lambda body, environ: body.read(),
    "read_negative": lambda body, environ: body.read(-1),
    "read_none": lambda body, environ: body.read(None),
    "read_zero": lambda body, environ: [body.read(0), body.read(-1)],
    "read_sized": lambda body, environ: until_empty(lambda: body.read(3)),
    "read_past": lambda body, environ: [body.read(-1), body.read(-1), body.read(5), body.readline()],
    "readline": lambda body, environ: until_empty(body.readline),
    "readline_sized": lambda body, environ: until_empty(lambda: body.readline(4)),
    "readlines": lambda body, environ: body.readlines(),
    "readlines_hint": lambda body, environ: [body.readlines(1), body.read(-1)],
    "iterate": lambda body, environ: list(body),
    "length": lambda body, environ: [environ.get("CONTENT_LENGTH"), len(body.read(-1))],
    "digest": lambda body, environ: digest([body.read(-1)]),
    "digest_pieces": lambda body, environ: digest(iter(lambda: body.read(8192), b"")),
    "unread": lambda body, environ: "not read",
    "kept": kept_input,
}
