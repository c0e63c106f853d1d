"""Files for wsgi.file_wrapper. read() returns the content of some of them, and not of others."""

import bz2
import functools
import gzip
import io
import lzma
import tempfile


def digits():
    file = tempfile.NamedTemporaryFile()
    file.write(b"0123456789")
    file.flush()
    file.seek(3)
    return file


KEPT = digits()
DIGITS = KEPT.name


class Letters(io.FileIO):
    """A file whose read() returns letters instead of its digits."""

    def read(self, size=-1):
        return bytes(byte + 49 for byte in super().read(size))


class Half:
    """Returns half of a file. All methods except read() are the file's."""

    def __init__(self, file):
        self.file, self.left = file, 5

    def __getattr__(self, name):
        return getattr(self.file, name)

    def read(self, size=-1):
        data = self.file.read(min(size, self.left))
        self.left -= len(data)
        return data


def compressed(module):
    file = tempfile.NamedTemporaryFile()
    file.write(module.compress(b"0123456789"))
    file.flush()
    return module.open(file.name)


def lettered(file, name="read"):
    """Gives the file a method of its own that hides one of its class."""
    original = getattr(file, name)

    @functools.wraps(original)
    def letters(size=-1):
        return bytes(byte + 49 for byte in original(size))

    setattr(file, name, letters)
    return file


def begun(file):
    """Puts bytes into the file's buffer that are not in the file yet."""
    file.seek(0)
    file.write(b"abc")
    return file


def wrapped(environ, start_response):
    """Returns a file wrapper of the value of X-File, with blocks of X-Size bytes, or 4.

    With X-Read, returns the iterable that PEP 3333 requires the wrapper to be like.
    """
    file = eval(environ["HTTP_X_FILE"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    if "HTTP_X_READ" in environ:
        return iter(lambda: file.read(4), b"")
    return environ["wsgi.file_wrapper"](file, eval(environ.get("HTTP_X_SIZE", "4")))
