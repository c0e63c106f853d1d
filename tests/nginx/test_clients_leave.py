"""Clients that leave: while they wait, while the application runs, while it answers."""

import socket
import struct

import pytest

from server import wait_for

CONF = """
    location / { wsgi_app @APPS@/wait.py app; }
    location /large/ { wsgi_app @APPS@/large.py app; wsgi_script_name /large; }
"""


def test_client_leaves_the_queue(nginx, gate):
    server = nginx(CONF, http="wsgi_threads 1;")
    stop, never = gate(), gate()
    with server.connect() as first:
        first.send_request(f"/block?{stop.query}")
        stop.wait()
        leaving = server.connect()
        leaving.send_request(f"/block?{never.query}")
        leaving.close()
        server.wait_access(never.path.name, " 499 ")
        stop.shut()
        assert first.read_response().body == b"passed", "the others are not disturbed"
    assert server.ask("/started").text == stop.path.name, "the application is not run for nobody"


def test_client_leaves_a_running_application(nginx, gate):
    server = nginx(CONF, http="wsgi_threads 1;")
    stop = gate()
    leaving = server.connect()
    leaving.send_request(f"/block?{stop.query}")
    stop.wait()
    leaving.close()
    server.wait_access("GET /block", " 499 ")
    stop.shut()
    assert server.ask("/started").text == stop.path.name, "the thread is free for the next"


def test_client_half_closes(nginx, gate):
    server = nginx(CONF, http="wsgi_threads 1;")
    stop = gate()
    with server.connect() as leaving:
        leaving.send_request(f"/block?{stop.query}")
        stop.wait()
        leaving.half_close()
        server.wait_access("GET /block", " 499 ")
    stop.shut()
    assert server.ask("/started").status == 200, "as nginx's other modules have it"


def test_client_leaves_a_stream(nginx, gate):
    server = nginx(CONF)
    stop = gate()
    leaving = server.connect()
    leaving.send_request(f"/stream?{stop.query}")
    leaving.read_chunk(leaving.read_head())
    stop.wait()
    leaving.close()
    stop.shut()
    wait_for(lambda: server.ask("/closed").body == b"1", "close() to be called")


def test_client_leaves_within_a_large_response(nginx):
    server = nginx(CONF, http="wsgi_threads 2; wsgi_buffer_size 256k;")
    for _ in range(10):
        leaving = server.connect(receive_buffer=4096)
        leaving.send_request("/large/endless?100")
        leaving.read_head()
        leaving.close()
    assert len(server.ask("/large/one").body) == 10 << 20, "the threads are free for the next"


@pytest.mark.parametrize("shape", ["list", "one", "small"])
def test_clients_come_and_go(nginx, shape):
    server = nginx(CONF, workers=2)
    for _ in range(30):
        leaving = server.connect(receive_buffer=4096)
        leaving.send_request(f"/large/{shape}")
        leaving.close()
    assert server.ask("/closed").status == 200, "the workers go on"


def test_reset_by_peer(nginx, gate):
    server = nginx(CONF)
    stop = gate()
    leaving = server.connect()
    # To linger for zero seconds makes close() send a reset.
    leaving.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    leaving.send_request(f"/block?{stop.query}")
    stop.wait()
    leaving.close()
    server.wait_access("GET /block", " 499 ")
    stop.shut()
    assert server.ask("/started").status == 200, "the next request works"


def test_clients_leave_a_long_queue(nginx, gate):
    server = nginx(CONF, http="wsgi_threads 1;")
    stop = gate()
    first = server.connect()
    first.send_request(f"/block?{stop.query}")
    stop.wait()
    waiting = [server.connect() for _ in range(100)]
    for connection in waiting:
        connection.send_request("/closed")
    for connection in waiting[::2]:
        connection.close()
    wait_for(lambda: server.access_log().count(" 499 ") == 50, "nginx to see them leave")
    stop.shut()
    assert first.read_response().body == b"passed", "who runs is answered"
    for connection in waiting[1::2]:
        assert connection.read_response().body == b"0", "and everyone who stayed"
        connection.close()
