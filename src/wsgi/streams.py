"""The classes of wsgi.input and wsgi.errors. Runs in the same namespace as python/streams.py.

"applications must not attempt to close these streams, even if they possess close() methods" (PEP
3333). Frameworks and the wrappers of io nevertheless call close(), so it does nothing.
"""


class Input(io.BufferedIOBase):
    __slots__ = ("_reader",)
    mode = "rb"
    name = "<wsgi.input>"

    def __init__(self, reader):
        self._reader = reader

    def read(self, size=-1, /):
        return self._reader.read(size)

    def read1(self, size=-1, /):
        return self._reader.read1(size)

    def peek(self, size=0, /):
        return self._reader.peek()

    def readline(self, size=-1, /):
        return self._reader.readline(size)

    def readlines(self, hint=-1, /):
        return self._reader.readlines(hint)

    def readable(self):
        return True

    def seekable(self):
        return self._reader.seekable()

    def seek(self, offset, whence=0, /):
        return self._reader.seek(offset, whence)

    def tell(self):
        return self._reader.tell()

    def close(self):
        pass

    def __repr__(self):
        return "<wsgi.Input>"

    def __del__(self):
        pass


class Errors(io.TextIOBase):
    __slots__ = ("_log",)
    encoding = "utf-8"
    errors = "backslashreplace"
    line_buffering = True
    mode = "w"
    name = "<wsgi.errors>"
    write_through = True

    def __init__(self, log):
        self._log = log

    def write(self, text, /):
        return self._log.write_text(text)

    def flush(self):
        self._log.flush()

    def close(self):
        self.flush()

    def writable(self):
        return True

    def fileno(self):
        return LOG

    @property
    def buffer(self):
        return LogByteStream(self._log)

    def detach(self):
        return self.buffer

    def reconfigure(self, **options):
        pass

    def __repr__(self):
        return "<wsgi.Errors>"

    def __del__(self):
        pass
