"""HTTP/1.1 as bytes: requests that polite clients do not send, responses read by the letter.

A response that breaks RFC 9112 is `Broken`, one that does not come is `Silent` or `Closed`. One
that ends early is a response, and its `end` states that: it is often what the probe asks for.
"""

import json
import re
import socket

from battery import Fault

STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3}) ([\t\x20-\x7e\x80-\xff]*)")
TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
VALUE = rb"(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?"
FIELD = re.compile(rb"(" + TOKEN + rb"):[ \t]*(" + VALUE + rb")[ \t]*")

COMPLETE, CUT, SILENT = "complete", "cut", "silent"


class Broken(Fault):
    """Bytes that are not HTTP."""


class Silent(Fault):
    """Nothing came in time."""


class Closed(Fault):
    """The connection ended where a response should have begun."""


class Response:
    """A status line, fields, and the body as far as it came.

    `end` is COMPLETE, CUT (the connection ended first) or SILENT (nothing more came, and the
    connection stayed open). `framing` is "none", "length", "chunked" or "close".
    """

    def __init__(self, status, reason, fields):
        self.status, self.reason, self.fields = status, reason, fields
        self.body, self.framing, self.end = b"", "none", COMPLETE

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def field(self, name):
        """The value of a field, or None; several are joined, as RFC 9110 specifies."""
        return ", ".join(self.all(name)) if self.all(name) else None

    def json(self):
        """What an application that answers in JSON says."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Fault(f"answers {self}") from None

    @property
    def is_error(self):
        return self.status >= 500

    def __str__(self):
        body = f"{self.body[:40]!r}" + ("" if self.end == COMPLETE else f", {self.end}")
        return f"{self.status} {self.reason}".strip() + f" with {body}"


class Wire:
    """One connection. No wait on it is longer than `patience` seconds."""

    def __init__(self, client, patience):
        self.socket, self.patience = client, patience
        self.buffer, self.ended, self.was_reset = b"", False, False
        self.sent, self.received = b"", b""
        self.socket.settimeout(patience)

    def send(self, data):
        """Sends; a server that has closed meanwhile is found out by reading."""
        self.sent += data
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        except TimeoutError:
            raise Silent("does not take the request") from None

    def close(self):
        self.socket.close()

    def receive(self):
        """More bytes into the buffer; False at the end. Raises TimeoutError."""
        if self.ended:
            return False
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            data, self.was_reset = b"", True
        self.buffer += data
        self.received += data
        self.ended = not data
        return bool(data)

    def is_open(self):
        """Whether the server keeps the connection, as far as one can see in a moment."""
        self.socket.settimeout(0.2)
        try:
            return self.receive()
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(self.patience)

    def wait_for(self, mark, patience=None):
        """Waits until the bytes of `mark` have come, without taking anything."""
        self.socket.settimeout(patience or self.patience)
        try:
            while mark not in self.buffer:
                if not self.receive():
                    return False
        except TimeoutError:
            return False
        finally:
            self.socket.settimeout(self.patience)
        return True

    def read_rest(self):
        """All that comes until the server closes, and whether it did in time."""
        try:
            while self.receive():
                pass
        except TimeoutError:
            return self._take(len(self.buffer)), False
        return self._take(len(self.buffer)), True

    def read_response(self, method="GET"):
        """The next response that is not interim."""
        interim = []
        while True:
            response = self._read_head(interim)
            if response.status >= 200:
                break
            interim.append(response.status)
        self._frame(response, method)
        return response

    def _take(self, size):
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def _read_head(self, interim):
        after = f" after its {interim[-1]}" if interim else ""
        while b"\r\n\r\n" not in self.buffer:
            try:
                more = self.receive()
            except TimeoutError:
                self._refuse_nonsense()
                raise Silent(f"no answer{after} within {self.patience:g} s") from None
            if not more:
                self._refuse_nonsense()
                how = "resets" if self.was_reset else "closes"
                raise Closed(f"{how} the connection without an answer{after}")
        head = self._take(self.buffer.index(b"\r\n\r\n") + 4)
        return parse_head(head)

    def _refuse_nonsense(self):
        if self.buffer:
            raise Broken(f"sends {self.buffer[:40]!r}")

    def _frame(self, response, method):
        """Reads the body, as RFC 9112, 6.3 specifies."""
        coding, lengths = response.field("Transfer-Encoding"), set(response.all("Content-Length"))
        if method == "HEAD" or response.status in (204, 304):
            return
        if coding and lengths:
            raise Broken("sends Content-Length together with Transfer-Encoding")
        if coding:
            if coding.lower() != "chunked":
                raise Broken(f"sends Transfer-Encoding: {coding}")
            response.framing = "chunked"
            self._read_chunks(response)
        elif lengths:
            length = lengths.pop()
            if lengths or not re.fullmatch(r"\d+", length):
                raise Broken(f"sends Content-Length: {response.field('Content-Length')}")
            response.framing = "length"
            response.body = self._read_exactly(int(length), response)
        else:
            response.framing = "close"
            response.body, closed = self.read_rest()
            response.end = COMPLETE if closed else SILENT

    def _read_exactly(self, size, response):
        while len(self.buffer) < size:
            try:
                if not self.receive():
                    response.end = CUT
                    break
            except TimeoutError:
                response.end = SILENT
                break
        return self._take(size)

    def _read_line(self, response):
        while b"\r\n" not in self.buffer:
            try:
                if not self.receive():
                    response.end = CUT
                    return None
            except TimeoutError:
                response.end = SILENT
                return None
        return self._take(self.buffer.index(b"\r\n") + 2)[:-2]

    def _read_chunks(self, response):
        while True:
            line = self._read_line(response)
            if line is None:
                return
            if not re.fullmatch(rb"[0-9A-Fa-f]+(?:;.*)?", line):
                raise Broken(f"sends {line[:40]!r} for the size of a chunk")
            size = int(line.partition(b";")[0], 16)
            response.body += self._read_exactly(size, response)
            if response.end != COMPLETE:
                return
            ending = self._read_line(response)
            if response.end != COMPLETE:
                return
            if ending:
                raise Broken(f"sends {ending[:40]!r} after a chunk")
            if size == 0:
                return


def parse_head(head):
    first, *lines = head[:-4].split(b"\r\n")
    found = STATUS_LINE.fullmatch(first)
    if not found:
        raise Broken(f"sends the status line {first[:60]!r}")
    fields = []
    for line in lines:
        field = FIELD.fullmatch(line)
        if not field:
            raise Broken(f"sends the header line {line[:60]!r}")
        fields.append((field[1].decode("latin-1"), field[2].decode("latin-1")))
    return Response(int(found[1]), found[2].decode("latin-1"), fields)


def connect(address):
    client = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
    client.settimeout(10)
    client.connect(address)
    if not isinstance(address, str):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client
