"""Clients that send a request and then leave, in each possible way."""

import socket
import struct

from h2client import H2Connection

WAYS = ["close", "half-close", "reset", "h2 reset", "h2 close"]


class Leaver:
    """One request of a client that has not left yet. The client reads little of the response."""

    def __init__(self, server, way, path, body=None, unfinished=False, method=None):
        self.way = way
        method = method or ("GET" if body is None else "POST")
        if unfinished:
            self.begin(server, path, body)
            return
        if way.startswith("h2"):
            self.connection = H2Connection(server.h2_port)
            self.stream = self.connection.send(path, method=method, body=body)
        else:
            self.connection = server.connect(receive_buffer=4096)
            self.connection.send_request(path, method=method, body=body)

    def begin(self, server, path, body):
        """Sends a request and the beginning of its body."""
        stated = [("content-length", str(len(body) + 100_000))]
        if self.way.startswith("h2"):
            self.connection = H2Connection(server.h2_port)
            self.stream = self.connection.send(path, "POST", stated, open_body=True)
            self.connection.send_piece(self.stream, body)
        else:
            self.connection = server.connect()
            self.connection.send_request(path, method="POST", headers=stated)
            self.connection.send(body)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.socket.close()

    def wait_piece(self):
        """Waits until the response has begun, and a part of its body has arrived."""
        if self.way.startswith("h2"):
            self.connection.wait(self.stream, lambda response: response.body)
        else:
            self.connection.read_chunk(self.connection.read_head())

    def wait_body(self, body):
        """Waits until all of a body of a known length has arrived."""
        if self.way.startswith("h2"):
            self.connection.wait(self.stream, lambda response: response.body == body)
        else:
            assert self.connection.read_response().body == body

    def leave(self):
        if self.way == "half-close":
            self.connection.half_close()
        elif self.way == "h2 reset":
            self.connection.reset(self.stream)
        else:
            if self.way == "reset":
                # To linger for zero seconds makes close() send a reset.
                linger = struct.pack("ii", 1, 0)
                self.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.socket.close()
