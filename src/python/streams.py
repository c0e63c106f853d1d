"""The streams of an application: classes that derive from io's, around objects of the library.

None of them can be closed or detached, since the server and other requests use what is below.
"""

import io
import os

LOG = 2  # the descriptor of the log, for the children of an application


class Log:
    """What the binary streams to the log have in common. `_sink` takes bytes."""

    __slots__ = ()
    mode = "wb"

    def __init__(self, sink):
        self._sink = sink

    def write(self, data, /):
        return self._sink.write(data)

    def flush(self):
        self._sink.flush()

    def close(self):
        self.flush()

    def writable(self):
        return True

    def fileno(self):
        return LOG

    @property
    def name(self):
        return self._sink.name

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name!r}>"

    def __del__(self):
        pass


class LogRawStream(Log, io.RawIOBase):
    __slots__ = ("_sink",)

    def readinto(self, buffer, /):
        raise io.UnsupportedOperation("the log cannot be read")


class LogByteStream(Log, io.BufferedIOBase):
    __slots__ = ("_sink",)

    @property
    def raw(self):
        return LogRawStream(self._sink)

    def detach(self):
        return self.raw


class LogStream(io.TextIOWrapper):
    """sys.stdout and sys.stderr. It keeps nothing: lines are put together below it, by thread."""

    mode = "w"

    def __init__(self, sink):
        options = {"encoding": "utf-8", "errors": "backslashreplace", "newline": "\n"}
        super().__init__(LogByteStream(sink), line_buffering=True, write_through=True, **options)

    def reconfigure(self, **options):
        super().reconfigure(**{**options, "write_through": True})

    def flush(self):
        super().flush()
        self.buffer._sink.end_line()

    def close(self):
        self.flush()

    def detach(self):
        self.flush()
        return LogByteStream(self.buffer._sink)

    def __repr__(self):
        return f"<LogStream name={self.name!r} mode='w' encoding={self.encoding!r}>"

    def __del__(self):
        pass


class EmptyByteStream(io.BufferedReader):
    """What is below sys.stdin."""

    def __init__(self):
        super().__init__(io.FileIO(os.devnull))

    def close(self):
        pass

    def detach(self):
        return self

    def __del__(self):
        pass


class EmptyStream(io.TextIOWrapper):
    """sys.stdin. `exit()` closes it, and so does what wraps it; it stays open for others."""

    mode = "r"

    def __init__(self):
        super().__init__(EmptyByteStream(), encoding="utf-8")

    @property
    def name(self):
        return "<stdin>"

    def close(self):
        pass

    def detach(self):
        return self.buffer

    def __repr__(self):
        return f"<EmptyStream name={self.name!r} mode='r' encoding={self.encoding!r}>"

    def __del__(self):
        pass
