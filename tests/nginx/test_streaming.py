"""Responses that stream: the client gets each piece when it is yielded, through any filter."""

import zlib

import pytest

import client

CONF = """
    listen 127.0.0.1:@OTHER_PORT@ ssl;
    ssl_certificate @PREFIX@/cert.pem;
    ssl_certificate_key @PREFIX@/key.pem;
    location /zip/ { gzip on; gzip_min_length 1; gzip_types *;
                     wsgi_app @APPS@/wait.py app; wsgi_script_name /zip; }
    location / { wsgi_app @APPS@/wait.py app; }
    location /large/ { wsgi_app @APPS@/large.py app; wsgi_script_name /large; }
"""


@pytest.fixture(scope="module")
def server(module_nginx):
    prepared = module_nginx.prepare(CONF)
    prepared.make_certificate()
    return prepared.start()


def test_pieces_arrive_one_by_one(server, gate):
    stop = gate()
    with server.connect() as connection:
        connection.send_request(f"/stream?{stop.query}")
        response = connection.read_head()
        assert connection.read_chunk(response) == b"first", "the first piece is sent at once"
        stop.open()
        assert connection.read_chunk(response) == b"second", "the second when it is yielded"
        assert connection.read_chunk(response) == b"", "then the end"


def test_written_pieces_arrive_one_by_one(server, gate):
    stop = gate()
    with server.connect() as connection:
        connection.send_request(f"/written?{stop.query}")
        response = connection.read_head()
        assert connection.read_chunk(response) == b"first", "write() sends at once"
        stop.open()
        assert list(connection.pieces(response)) == [b"second"], "then the iterable"


@pytest.mark.not_inline("each stream waits for its gate")
def test_two_streams_at_once_go_on_separately(server, gate):
    stops = [gate(), gate()]
    connections = [server.connect(), server.connect()]
    responses = []
    for connection, stop in zip(connections, stops):
        connection.send_request(f"/stream?{stop.query}")
        responses.append(connection.read_head())
        assert connection.read_chunk(responses[-1]) == b"first", "both have begun"
    for connection, stop, response in reversed(list(zip(connections, stops, responses))):
        stop.open()
        assert connection.read_chunk(response) == b"second", "each goes on by itself"
        connection.close()


def test_requests_behind_a_stream_are_answered(server, gate):
    stop = gate()
    with server.connect() as connection:
        target = f"/stream?{stop.query}"
        connection.send(client.request_bytes(target) + client.request_bytes("/large/made") * 2)
        response = connection.read_head()
        assert connection.read_chunk(response) == b"first", "the stream has begun"
        stop.open()
        assert list(connection.pieces(response)) == [b"second"], "the stream ends"
        for _ in range(2):
            assert connection.read_response().status == 200, "then the waiting requests"


def test_pieces_arrive_one_by_one_over_http_1_0(server, gate):
    stop = gate()
    with server.connect() as connection:
        connection.send_request(f"/stream?{stop.query}", version="HTTP/1.0")
        connection.read_head()
        received = connection.buffer or connection.socket.recv(5)
        assert received == b"first", "the first piece is sent at once, without chunks"
        connection.buffer = b""
        stop.open()
        assert connection.read_to_end() == b"second", "then the second"


def test_pieces_arrive_one_by_one_through_gzip(server, gate):
    stop = gate()
    with server.connect() as connection:
        connection.send_request(f"/zip/stream?{stop.query}", headers=[("Accept-Encoding", "gzip")])
        response = connection.read_head()
        assert response.header("Content-Encoding") == "gzip", "the response is compressed"
        plain, text = zlib.decompressobj(31), b""
        while text != b"first":
            text += plain.decompress(connection.read_chunk(response))
        stop.open()
        rest = b"".join(connection.pieces(response))
        assert plain.decompress(rest) == b"second", "the first has arrived before"


def test_pieces_arrive_one_by_one_through_tls(server, gate):
    stop = gate()
    with server.connect(server.other_port, tls=True) as connection:
        connection.send_request(f"/stream?{stop.query}")
        response = connection.read_head()
        assert connection.read_chunk(response) == b"first", "the first piece is sent at once"
        stop.open()
        assert list(connection.pieces(response)) == [b"second"], "the second when it is yielded"
