"""Row 19: wsgi.file_wrapper."""

import io
import tempfile

from battery import Absent, application, need, note, probe
from rows_body import closed_once

TEXT = ("Content-Type", "text/plain")


class FileLike:
    """What a file wrapper may be given: read(), and no descriptor."""

    def __init__(self, environ, data):
        self.environ, self.file = environ, io.BytesIO(data)

    def read(self, size=-1):
        return self.file.read(size)

    def close(self):
        note(self.environ, "closed")


def some_file(data=b"0123456789"):
    file = tempfile.TemporaryFile()
    file.write(data)
    file.seek(0)
    return file


@application
def wraps(environ, start_response):
    """Each query is a way to give a file."""
    wrapper = environ.get("wsgi.file_wrapper")
    if not wrapper:
        start_response("200 OK", [TEXT, ("X-None", "yes")])
        return [b""]
    way = environ["QUERY_STRING"]
    headers = [TEXT]
    file = FileLike(environ, b"0123456789") if way == "like" else some_file()
    if way in ("moved", "short"):
        file.seek(4)
    if way == "read":
        file.read(4)
    if way == "short":
        headers.append(("Content-Length", "3"))
    start_response("200 OK", headers)
    return wrapper(file, 4)


def wrapped(talk, way, expected):
    wire = talk.connect()
    response = talk.ask(f"wraps?{way}", wire=wire)
    if response.field("X-None"):
        raise Absent("has no wsgi.file_wrapper")
    need(response.body == expected, f"answers {response}, not {expected!r}")
    need(response.end == "complete", f"leaves the response {response.end}")
    if not wire.ended:
        wire.send(talk.bytes("alive", fields=[("Connection", "close")]))
        rest, _ = wire.read_rest()
        need(not rest or rest.startswith(b"HTTP/1.1 "), f"sends {rest[:30]!r} after the end")


@probe(19, "file_wrapper sends a file")
def a_file(talk):
    wrapped(talk, "whole", b"0123456789")


@probe(19, "file_wrapper begins at the current position")
def a_file_that_was_read(talk):
    wrapped(talk, "moved", b"456789")
    wrapped(talk, "read", b"456789")


@probe(19, "file_wrapper ends with Content-Length")
def a_file_and_a_length(talk):
    wrapped(talk, "short", b"456")


@probe(19, "file_wrapper takes an object that only reads, and closes it")
def a_file_like_object(talk):
    wrapped(talk, "like", b"0123456789")
    closed_once(talk, "for a file-like object")
