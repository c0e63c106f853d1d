"""A small HTTP/3 client on one UDP socket: several streams, with hints and resets."""

import socket
import ssl
import time

from aioquic.h3.connection import H3Connection as Layer
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, HandshakeCompleted, StreamReset

from client import TIMEOUT
from h2client import Stream

CANCELLED = 0x10C
SERVER = [(b":scheme", b"https"), (b":authority", b"h3.test")]


class H3Connection:
    """One connection to 127.0.0.1. Every wait on it ends after TIMEOUT with an exception."""

    def __init__(self, port):
        self.address = ("127.0.0.1", port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.quic = QuicConnection(
            configuration=QuicConfiguration(
                alpn_protocols=["h3"], verify_mode=ssl.CERT_NONE, server_name="localhost"
            )
        )
        self.layer = None
        self.streams = {}
        self.quic.connect(self.address, now=time.monotonic())
        self._until(lambda: self.layer, "the handshake")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.quic.close()
        self._flush()
        self.socket.close()

    def send(self, path, method="GET", headers=(), body=None):
        """Sends a request and returns its stream."""
        stream = self.quic.get_next_available_stream_id()
        self.streams[stream] = Stream()
        fields = [(b":method", method.encode()), (b":path", path.encode()), *SERVER]
        fields += [(name.encode(), value.encode()) for name, value in headers]
        self.layer.send_headers(stream, fields, end_stream=body is None)
        if body is not None:
            self.layer.send_data(stream, body, end_stream=True)
        self._flush()
        return stream

    def reset(self, stream):
        """Tells the server that the client stops reading a stream."""
        self.quic.stop_stream(stream, CANCELLED)
        self._flush()

    def ask(self, path, **how):
        return self.response(self.send(path, **how))

    def response(self, stream):
        """Waits for the end of a stream."""
        return self.wait(stream, lambda response: response.ended or response.reset)

    def wait(self, stream, condition):
        """Waits until `condition` holds for what has arrived on a stream."""
        response = self.streams[stream]
        self._until(lambda: condition(response), f"stream {stream}")
        return response

    def _flush(self):
        for datagram, _ in self.quic.datagrams_to_send(now=time.monotonic()):
            self.socket.sendto(datagram, self.address)

    def _until(self, condition, what):
        end = time.monotonic() + TIMEOUT
        while not condition():
            assert time.monotonic() < end, f"waited {TIMEOUT} s for {what}"
            self._flush()
            # The time at which QUIC must send something again, if nothing arrives before.
            timer = self.quic.get_timer() or end
            self.socket.settimeout(max(min(timer, end) - time.monotonic(), 0.001))
            try:
                datagram = self.socket.recv(1 << 16)
            except TimeoutError:
                self.quic.handle_timer(now=time.monotonic())
            else:
                self.quic.receive_datagram(datagram, self.address, now=time.monotonic())
            while event := self.quic.next_event():
                self._take(event)

    def _take(self, event):
        if isinstance(event, HandshakeCompleted):
            self.layer = Layer(self.quic)
        elif isinstance(event, ConnectionTerminated):
            raise AssertionError(f"the server ended the connection: {event.reason_phrase}")
        elif isinstance(event, StreamReset) and event.stream_id in self.streams:
            self.streams[event.stream_id].reset = True
        if self.layer:
            for inner in self.layer.handle_event(event):
                self._take_http(inner)

    def _take_http(self, event):
        response = self.streams.get(event.stream_id)
        if isinstance(event, HeadersReceived):
            fields = [(name.decode(), value.decode("latin-1")) for name, value in event.headers]
            plain = [field for field in fields if field[0][0] != ":"]
            status = int(dict(fields)[":status"])
            if status == 103:
                response.hints.append(plain)
            else:
                response.status, response.headers = status, plain
        elif isinstance(event, DataReceived):
            response.body += event.data
        response.ended = response.ended or event.stream_ended
