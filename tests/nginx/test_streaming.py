"""Responses that stream: each piece is sent when it is yielded, and slow readers cost little."""

import hashlib

import pytest

import client

CONF = """
    location / { wsgi_app @APPS@/wait.py app; }
    location /large/ { wsgi_app @APPS@/large.py app; wsgi_script_name /large; }
"""
PIECE = bytes(range(256)) * 256
TEN_MEGABYTES = hashlib.sha256(PIECE * 160).hexdigest()


@pytest.fixture(scope="module")
def server(module_nginx):
    return module_nginx(CONF)


def test_pieces_arrive_one_by_one(server, gate):
    stop = gate()
    with server.connect() as connection:
        connection.send_request(f"/stream?{stop.query}")
        response = connection.read_head()
        assert connection.read_chunk(response) == b"first", "the first piece is sent at once"
        stop.open()
        assert connection.read_chunk(response) == b"second", "the second when it is yielded"
        assert connection.read_chunk(response) == b"", "and then the end"


def test_two_streams_at_once(server, gate):
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


def test_requests_behind_a_stream(server, gate):
    stop = gate()
    with server.connect() as connection:
        target = f"/stream?{stop.query}"
        connection.send(client.request_bytes(target) + client.request_bytes("/large/made") * 2)
        response = connection.read_head()
        assert connection.read_chunk(response) == b"first", "the stream has begun"
        stop.open()
        assert list(connection.pieces(response)) == [b"second"], "it is read to its end"
        for _ in range(2):
            assert connection.read_response().status == 200, "and then who waited behind it"


def test_pieces_to_http_1_0(server, gate):
    stop = gate()
    with server.connect() as connection:
        connection.send_request(f"/stream?{stop.query}", version="HTTP/1.0")
        connection.read_head()
        received = connection.buffer or connection.socket.recv(5)
        assert received == b"first", "the first piece is sent at once, without chunks"
        connection.buffer = b""
        stop.open()
        assert connection.read_to_end() == b"second", "and the second"


@pytest.mark.parametrize("shape", ["list", "one", "small", "generator"])
def test_ten_megabytes(server, shape):
    with server.connect() as connection:
        body = connection.ask(f"/large/{shape}").body
        assert hashlib.sha256(body).hexdigest() == TEN_MEGABYTES, "every byte, in order"
        assert connection.ask("/closed").status == 200, "and the connection goes on"


def digest(connection):
    """Reads a response, and says what its body comes to."""
    response = connection.read_head()
    total = hashlib.sha256()
    for chunk in connection.pieces(response):
        total.update(chunk)
    return total.hexdigest()


@pytest.mark.parametrize("shape", ["list", "one", "generator", "small"])
def test_slow_reader(server, shape):
    with server.connect(receive_buffer=4096) as connection:
        connection.send_request(f"/large/{shape}")
        assert server.ask("/closed").status == 200, "others are answered meanwhile"
        assert digest(connection) == TEN_MEGABYTES, "every byte, in order"


def made(server):
    return int(server.ask("/large/made").body)


def test_memory_for_a_slow_reader_is_bounded(nginx):
    server = nginx(CONF, http="wsgi_buffer_size 1m;")
    (worker,) = server.workers()
    server.ask("/large/endless?8")
    before = server.memory(worker)
    with server.connect(receive_buffer=4096) as connection:
        connection.send_request("/large/endless?200")
        response = connection.read_head()
        received = len(connection.read_chunk(response))
        stood_still = settle(lambda: made(server))
        assert stood_still < 200 * 16, "the application waits for the reader"
        grown = server.memory(worker) - before
        assert grown < 12 << 20, f"the worker grew by {grown >> 20} MB for one slow reader"
        received += sum(len(chunk) for chunk in connection.pieces(response))
        assert received == 200 << 20, "and then it gets everything"


def settle(value):
    """Asks until two answers in a row are the same."""
    last = value()
    while True:
        again = value()
        if again == last:
            return last
        last = again


def test_two_slow_readers_and_others(server):
    slow = [server.connect(receive_buffer=4096) for _ in range(2)]
    for connection in slow:
        connection.send_request("/large/generator")
    for _ in range(20):
        assert server.ask("/closed").status == 200, "slow readers do not stop others"
    for connection in slow:
        assert digest(connection) == TEN_MEGABYTES, "and lose nothing"
        connection.close()
