"""A small HTTP/1.1 client on a raw socket, which can do what polite clients cannot.

It pipelines, sends chunked bodies piece by piece, half-closes, and reads a response chunk by chunk.
If a server ends a response too early, the client raises. It does not return a shorter body.
"""

import socket
import ssl

TIMEOUT = 15.0


class Truncated(Exception):
    """The connection ended before the response did. `response` has what arrived before that."""

    def __init__(self, response):
        super().__init__(f"the response ended early, after {len(response.body)} bytes of body")
        self.response = response


class Closed(Exception):
    """The connection ended before the first byte of a response."""


class Response:
    """A status line, the header fields as they were sent, and the body."""

    def __init__(self, version, status, reason, headers):
        self.version, self.status, self.reason, self.headers = version, status, reason, headers
        self.pieces = []

    @property
    def body(self):
        """The bytes of the body that have arrived."""
        return b"".join(self.pieces)

    def all(self, name):
        """All values of a header field, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name):
        """The only value of a header field, or None."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} was sent {len(values)} times"
        return values[0] if values else None

    @property
    def chunked(self):
        return self.header("Transfer-Encoding") == "chunked"

    @property
    def text(self):
        return self.body.decode()


def request_bytes(path, method="GET", headers=(), body=None, version="HTTP/1.1", host="localhost"):
    """The bytes of a request. `body` adds its Content-Length."""
    lines = [f"{method} {path} {version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


class Connection:
    """One TCP connection to 127.0.0.1. Every wait on it ends after TIMEOUT with an exception."""

    def __init__(self, port, receive_buffer=None, tls=False):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_request(self, path, **how):
        self.send(request_bytes(path, **how))

    def send_chunk(self, data):
        """One chunk of a chunked request body; empty data is the last."""
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def echo(self, path, pieces):
        """Sends a chunked body. Each piece must come back before the client sends the next one."""
        self.send_request(path, method="POST", headers=[("Transfer-Encoding", "chunked")])
        response = None
        for piece in pieces:
            self.send_chunk(piece)
            response = response or self.read_head()
            got = b""
            while len(got) < len(piece):
                got += self.read_chunk(response)
            assert got == piece, "each piece must come back before the next is sent"
        self.send_chunk(b"")
        assert self.read_chunk(response) == b"", "the response must end with the request"

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def ask(self, path, method="GET", **how):
        """Sends a request and reads its whole response."""
        self.send_request(path, method=method, **how)
        return self.read_response(method)

    def read_response(self, method="GET"):
        response = self.read_head()
        if _has_body(method, response.status):
            response.pieces.extend(self.pieces(response))
        return response

    def read_head(self):
        """The status line and header fields of the next response."""
        lines = self._read_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, status, *reason = lines[0].split(" ", 2)
        headers = [tuple(line.split(": ", 1)) for line in lines[1:] if line]
        return Response(version, int(status), "".join(reason), headers)

    def pieces(self, response):
        """The body: its chunks, or all bytes of its length."""
        if response.chunked:
            while True:
                chunk = self.read_chunk(response)
                if not chunk:
                    return
                yield chunk
        elif response.header("Content-Length") is not None:
            yield self._read_exactly(int(response.header("Content-Length")), response)
        else:
            yield self.read_to_end()

    def read_chunk(self, response):
        """One chunk; b"" for the last one."""
        try:
            size = int(self._read_until(b"\r\n"), 16)
        except Closed:
            raise Truncated(response) from None
        data = self._read_exactly(size + 2, response)
        assert data[size:] == b"\r\n", "a chunk must end with a line break"
        return data[:size]

    def skip(self, size):
        """Reads this number of bytes, and drops them."""
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        left, block = size - len(taken), bytearray(1 << 20)
        while left:
            if isinstance(self.socket, ssl.SSLSocket):
                count = self.socket.recv_into(block, min(left, len(block)))
            else:
                # Linux does not even copy the bytes.
                count = self.socket.recv_into(block, min(left, len(block)), socket.MSG_TRUNC)
            if not count:
                raise Closed(f"the connection ended {left} bytes early")
            left -= count

    def read_to_end(self):
        """All bytes until the server closes the connection."""
        while self._receive():
            pass
        data, self.buffer = self.buffer, b""
        return data

    def is_closed(self):
        """Waits for the next byte, and returns whether the connection ended instead."""
        return not self.buffer and not self._receive()

    def _read_until(self, mark):
        while mark not in self.buffer:
            if not self._receive():
                raise Closed(f"the connection ended after {self.buffer!r}")
        found, self.buffer = self.buffer.split(mark, 1)
        return found

    def _read_exactly(self, size, response):
        pieces, have = [self.buffer], len(self.buffer)
        while have < size:
            data = self._read_socket()
            if not data:
                response.pieces += pieces
                raise Truncated(response)
            pieces.append(data)
            have += len(data)
        data = b"".join(pieces)
        self.buffer = data[size:]
        return data[:size]

    def _receive(self):
        data = self._read_socket()
        self.buffer += data
        return bool(data)

    def _read_socket(self):
        try:
            return self.socket.recv(1 << 16)
        except ConnectionResetError:
            return b""


def _has_body(method, status):
    return method != "HEAD" and status not in (204, 304) and status >= 200
