"""A small HTTP/2 client with prior knowledge: several streams, and resets in both directions."""

import socket

import h2.config
import h2.connection
import h2.events
import h2.settings

from client import TIMEOUT, Closed

SERVER = [(":scheme", "http"), (":authority", "h2.test")]


class Stream:
    """The response of one stream, as far as it has arrived."""

    def __init__(self):
        self.status, self.headers, self.body = None, [], bytearray()
        self.ended = self.reset = False
        self.hints = []  # the fields of each response 103


class H2Connection:
    """One connection to 127.0.0.1. Every wait on it ends after TIMEOUT with an exception.

    `window`: the number of bytes that the server may send before the client opens its window.
    """

    def __init__(self, port, window=65535):
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        config = h2.config.H2Configuration(client_side=True, header_encoding="latin-1")
        self.h2 = h2.connection.H2Connection(config)
        self.streams = {}
        self.pinged = False
        own = {h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window}
        self.h2.local_settings = h2.settings.Settings(client=True, initial_values=own)
        self.h2.initiate_connection()
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def send(self, path, method="GET", headers=(), body=None, open_body=False):
        """Begins a request and returns its stream. It sends the body, unless it is open."""
        stream = self.h2.get_next_available_stream_id()
        self.streams[stream] = Stream()
        fields = [(":method", method), (":path", path), *SERVER, *headers]
        self.h2.send_headers(stream, fields, end_stream=body is None and not open_body)
        self.flush()
        if body is not None:
            self.send_piece(stream, body)
            if not self.is_over(stream):
                self.end(stream)
        return stream

    def send_together(self, path, count):
        """Begins all requests with one send, and returns their streams."""
        streams = []
        for _ in range(count):
            stream = self.h2.get_next_available_stream_id()
            self.streams[stream] = Stream()
            fields = [(":method", "GET"), (":path", path), *SERVER]
            self.h2.send_headers(stream, fields, end_stream=True)
            streams.append(stream)
        self.flush()
        return streams

    def send_piece(self, stream, body):
        """Sends the next bytes of a body that `end` will end. Waits until the server takes them, or
        has
        answered."""
        while body and not self.is_over(stream):
            window = self.h2.local_flow_control_window(stream)
            size = min(window, self.h2.max_outbound_frame_size, len(body))
            if size == 0:
                self._receive()
                continue
            self.h2.send_data(stream, body[:size])
            self.flush()
            body = body[size:]

    def send_until_stuck(self, stream, body):
        """Sends the bytes that fit into the server's window, and returns their number."""
        sent = 0
        while sent < len(body):
            window = self.h2.local_flow_control_window(stream)
            size = min(window, self.h2.max_outbound_frame_size, len(body) - sent)
            if size:
                self.h2.send_data(stream, body[sent : sent + size])
                self.flush()
                sent += size
            elif not self._ping_changes_window(stream):
                break
        return sent

    def ping(self):
        """Sends a ping. Its answer comes after all that the server sent before it."""
        self.h2.ping(b"anything")
        self.flush()
        self.pinged = True
        while self.pinged:
            self._receive()

    def _ping_changes_window(self, stream):
        self.ping()
        return self.h2.local_flow_control_window(stream) > 0

    def is_over(self, stream):
        return self.streams[stream].ended or self.streams[stream].reset

    def end(self, stream):
        self.h2.end_stream(stream)
        self.flush()

    def open_window(self, stream, size):
        """Lets the server send `size` bytes more, if the stream is not over."""
        if not self.is_over(stream):
            self.h2.increment_flow_control_window(size, stream)
            self.flush()

    def reset(self, stream):
        self.h2.reset_stream(stream, 8)
        self.flush()

    def ask(self, path, **how):
        return self.response(self.send(path, **how))

    def response(self, stream):
        """Waits for the end of a stream."""
        return self.wait(stream, lambda _: self.is_over(stream))

    def wait(self, stream, condition):
        """Waits until `condition` holds for what has arrived on a stream."""
        response = self.streams[stream]
        while not condition(response):
            self._receive()
        return response

    def _receive(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise Closed("the server closed the connection")
        for event in self.h2.receive_data(data):
            self._take(event)
        self.flush()

    def _take(self, event):
        response = self.streams.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.ResponseReceived):
            response.status = int(dict(event.headers)[":status"])
            response.headers = [field for field in event.headers if field[0][0] != ":"]
        elif isinstance(event, h2.events.InformationalResponseReceived):
            response.hints.append([field for field in event.headers if field[0][0] != ":"])
        elif isinstance(event, h2.events.DataReceived):
            response.body += event.data
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            response.ended = True
        elif isinstance(event, h2.events.StreamReset):
            response.reset = True
        elif isinstance(event, h2.events.PingAckReceived):
            self.pinged = False
        elif isinstance(event, h2.events.ConnectionTerminated):
            raise Closed("the server ends the connection")
