"""Files for wsgi.file_wrapper: those that are what they give, and those that are not."""

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
    """A file whose read() gives letters for its digits."""

    def read(self, size=-1):
        return bytes(byte + 49 for byte in super().read(size))


class Half:
    """Gives half of a file; everything but read() is the file's."""

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
    """The file with a method of its own for one of its class."""
    original = getattr(file, name)

    @functools.wraps(original)
    def letters(size=-1):
        return bytes(byte + 49 for byte in original(size))

    setattr(file, name, letters)
    return file


def begun(file):
    """The file with something in its buffer that is not in the file yet."""
    file.seek(0)
    file.write(b"abc")
    return file


def wrapped(environ, start_response):
    """A file wrapper of what X-File evaluates to, with blocks of X-Size bytes, or 4; with X-Read, what
    PEP 3333 says that it gives."""
    file = eval(environ["HTTP_X_FILE"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    if "HTTP_X_READ" in environ:
        return iter(lambda: file.read(4), b"")
    return environ["wsgi.file_wrapper"](file, eval(environ.get("HTTP_X_SIZE", "4")))
