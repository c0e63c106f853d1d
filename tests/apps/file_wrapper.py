"""Answers with wsgi.file_wrapper. The query string is the path of a file.

/whole           the file                       /offset          the file after its first ten bytes
/buffered        the file after readline()      /length          five bytes, by Content-Length
/length_offset   five bytes after the first ten /bytes           a BytesIO after its first ten bytes
/no_fileno       an object with read() alone    /sized           the file, with a block size of 3
/iterated        the application iterates over the wrapper
/end             the file's last ten bytes
/endless         an object whose read() gives bytes without end
/pipe            the read end of a pipe         /closed          how many files have been closed
"""

import io
import os
from urllib.parse import unquote

closed = []


class Reader:
    """A file-like object that has only read() and close()."""

    def __init__(self, data):
        self.data = io.BytesIO(data)

    def read(self, size=-1):
        return self.data.read(size)

    def close(self):
        closed.append("reader")


class Endless(Reader):
    def __init__(self):
        super().__init__(b"")

    def read(self, size=-1):
        return b"more" * 1000


def noted(path):
    """A file that notes its close()."""
    file = io.FileIO(path)

    def close():
        closed.append("file")
        io.FileIO.close(file)

    file.close = close
    return file


def pipe(data):
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    return open(reading, "rb")


def skipped(file, size):
    file.read(size)
    return file


def end(file):
    file.seek(-10, os.SEEK_END)
    return file


def buffered(path):
    file = open(path, "rb")
    file.readline()
    return file


def app(environ, start_response):
    path, name = unquote(environ["QUERY_STRING"]), environ["PATH_INFO"].strip("/")
    headers = [("Content-Type", "application/octet-stream")]
    if name.startswith("length"):
        headers.append(("Content-Length", "5"))
    start_response("200 OK", headers)
    if name == "closed":
        return [repr(closed).encode()]
    wrap = environ["wsgi.file_wrapper"]
    if name == "sized":
        return wrap(open(path, "rb"), 3)
    wrapped = wrap(FILES[name](path))
    return (piece for piece in wrapped) if name == "iterated" else wrapped


FILES = {
    "whole": noted,
    "iterated": noted,
    "length": noted,
    "end": lambda path: end(noted(path)),
    "offset": lambda path: skipped(noted(path), 10),
    "length_offset": lambda path: skipped(noted(path), 10),
    "buffered": buffered,
    "bytes": lambda path: skipped(io.BytesIO(b"0123456789and the rest"), 10),
    "no_fileno": lambda path: Reader(b"and the rest"),
    "endless": lambda path: Endless(),
    "pipe": lambda path: pipe(b"through a pipe"),
}
