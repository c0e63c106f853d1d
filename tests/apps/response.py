"""Answers in every shape that PEP 3333 allows.

/list /tuple /generator /iterator   three pieces: one, two, three
/one             a list of one piece            /empty_list      no piece at all
/empty_chunks    empty pieces around full ones  /only_empty      nothing but empty pieces
/written         "a" and "b" by write(), then "c"
/written_only    "a" by write(), then nothing
/late            start_response inside a generator, with 404
/late_empty      an empty piece first, then start_response
/replaced        exc_info replaces 200 by 500, before anything was sent
/empty_then_replaced  the same after an empty piece was yielded
/raised_again    exc_info after the first piece was sent: start_response raises it
/status?LINE     the status line LINE and the body "body"
/long            five bytes stated, eleven given
/short           eleven bytes stated, five given
/stated          Content-Length from a generator
/cookies         two Set-Cookie fields          /charset         a Content-Type with a charset
/fields          Date, Server, ETag, Last-Modified, Location and Cache-Control of its own
/no_type         no Content-Type                /latin1          a header with é
/hop             Connection and Transfer-Encoding of its own
/closed          how often close() was called on the iterators of /iterator, and by whose thread
"""

import sys
import threading
from urllib.parse import unquote

closed = []
TEXT = ("Content-Type", "text/plain")


class Pieces:
    """An iterator with close()."""

    def __init__(self, *pieces):
        self.pieces = iter(pieces)
        self.thread = threading.get_ident()

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.pieces)

    def close(self):
        closed.append("same thread" if threading.get_ident() == self.thread else "another thread")


def app(environ, start_response):
    return ENDPOINTS[environ["PATH_INFO"].strip("/")](environ, start_response)


def fixed(iterable, *headers, status="200 OK"):
    """An endpoint that answers with the same pieces each time."""

    def endpoint(environ, start_response):
        start_response(status, [TEXT, *headers])
        return iterable()

    return endpoint


def written(environ, start_response):
    write = start_response("200 OK", [TEXT])
    write(b"a")
    write(b"b")
    return [b"c"]


def written_only(environ, start_response):
    start_response("200 OK", [TEXT])(b"a")
    return []


def late(environ, start_response):
    start_response("404 Not Found", [TEXT, ("X-Late", "yes")])
    yield b"late"


def late_empty(environ, start_response):
    yield b""
    start_response("200 OK", [TEXT])
    yield b"late"


def failure():
    try:
        raise KeyError("the reason")
    except KeyError:
        return sys.exc_info()


def replaced(environ, start_response):
    start_response("200 OK", [TEXT, ("X-Old", "yes")])
    start_response("500 Oops", [TEXT, ("X-New", "yes")], failure())
    return [b"replaced"]


def empty_then_replaced(environ, start_response):
    start_response("200 OK", [TEXT, ("X-Old", "yes")])
    yield b""
    start_response("500 Oops", [TEXT, ("X-New", "yes")], failure())
    yield b"replaced"


def raised_again(environ, start_response):
    start_response("200 OK", [TEXT])
    yield b"sent "
    try:
        start_response("500 Oops", [TEXT], failure())
    except KeyError as error:
        yield f"raised {error}".encode()


def status(environ, start_response):
    start_response(unquote(environ["QUERY_STRING"]), [TEXT])
    return [b"body"]


def show_closed(environ, start_response):
    start_response("200 OK", [TEXT])
    return [repr(closed).encode()]


def fields(environ, start_response):
    own = [
        ("Date", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("Server", "its own"),
        ("ETag", '"abc"'),
        ("Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("Location", "/elsewhere"),
        ("Cache-Control", "no-store"),
        ("Cache-Control", "private"),
    ]
    start_response("200 OK", [TEXT, *own])
    return [b"fields"]


def no_type(environ, start_response):
    start_response("200 OK", [])
    return [b"no type"]


def three():
    return (word for word in (b"one", b"two", b"three"))


ENDPOINTS = {
    "list": fixed(lambda: [b"one", b"two", b"three"]),
    "tuple": fixed(lambda: (b"one", b"two", b"three")),
    "generator": fixed(three),
    "iterator": fixed(lambda: Pieces(b"one", b"two", b"three")),
    "one": fixed(lambda: [b"one"]),
    "empty_list": fixed(lambda: []),
    "empty_chunks": fixed(lambda: iter([b"", b"one", b"", b"two", b""])),
    "only_empty": fixed(lambda: iter([b"", b""])),
    "written": written,
    "written_only": written_only,
    "late": late,
    "late_empty": late_empty,
    "replaced": replaced,
    "empty_then_replaced": empty_then_replaced,
    "raised_again": raised_again,
    "status": status,
    "long": fixed(lambda: iter([b"hello", b" world"]), ("Content-Length", "5")),
    "short": fixed(lambda: iter([b"hello"]), ("Content-Length", "11")),
    "stated": fixed(three, ("Content-Length", "11")),
    "cookies": fixed(lambda: [b""], ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2; Path=/")),
    "charset": lambda environ, start_response: (
        start_response("200 OK", [("Content-Type", "text/html; charset=koi8-r")]) and [b"text"]
    ),
    "fields": fields,
    "no_type": no_type,
    "latin1": fixed(lambda: [b"text"], ("X-Name", "caf\xe9")),
    "hop": fixed(lambda: three(), ("Connection", "close"), ("Transfer-Encoding", "chunked")),
    "closed": show_closed,
}
