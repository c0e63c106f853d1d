"""examples/event_host: an HTTP server with one loop, on the event-driven half."""

import concurrent.futures
import http.client
import os
import pathlib
import signal
import socket
import struct
import subprocess
import time

import pytest
from conftest import HERE
from servers import serving

SOME = os.urandom(3_000_000)
BIG = 64 * 1024 * 1024
# The bytes that may be on their way to a client that does not read: the credit, and two socket
# buffers.
AHEAD = 16 * 1024 * 1024


@pytest.fixture
def server(build, way, environment, tmp_path):
    with serving(build("event_host", way), environment, tmp_path / "log") as running:
        yield running


def wait_for(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_page_and_its_headers(server):
    response, content = server.ask("/hello")
    assert (response.status, content) == (200, b"Hello world!")
    assert response.headers["Content-Length"] == "12"
    response, content = server.ask("/hello", method="HEAD")
    assert (response.headers["Content-Length"], content) == ("12", b"")


def test_environ(server):
    content = server.ask("/environ?a=b%20c", headers={"X-Name": "me", "X_Name": "evil"})[1]
    environ = dict(line.split("=", 1) for line in content.decode().splitlines())
    assert environ["REQUEST_URI"] == "/environ?a=b%20c"
    assert environ["PATH_INFO"] == "/environ"
    assert environ["QUERY_STRING"] == "a=b%20c"
    assert environ["SERVER_PORT"] == str(server.url.port)
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert environ["HTTP_X_NAME"] == "me"
    assert "CONTENT_LENGTH" not in environ


def test_twenty_clients_at_once(server):
    def client(number):
        body = bytes([number]) * 100_000
        return all(server.ask("/echo", "POST", body)[1] == body for _ in range(5))

    with concurrent.futures.ThreadPoolExecutor(20) as clients:
        assert all(clients.map(client, range(20)))


def test_clients_that_wait_do_not_hold_the_loop(server):
    silent = [server.send(b"GET /hello HTTP/1.1\r\nHost:") for _ in range(20)]
    assert server.ask("/hello")[1] == b"Hello world!"
    for connection in silent:
        connection.sendall(b" a\r\n\r\n")
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.read() == b"Hello world!"
        connection.close()


def test_a_response_streams(server):
    connection = server.connect()
    connection.request("GET", "/stream")
    response = connection.getresponse()
    assert response.read(3) == b"one"
    server.ask("/open")
    assert response.read() == b"two"
    connection.close()


def test_a_slow_reader_stops_only_its_own_application(server):
    connection = server.connect()
    connection.request("GET", "/big")
    response = connection.getresponse()
    assert len(response.read(1000)) == 1000

    def produced():
        return int(server.ask("/produced")[1])

    counts = [0]
    wait_for(lambda: counts.append(produced()) or counts[-1] == counts[-2])
    assert counts[-1] < AHEAD
    assert len(response.read()) == BIG - 1000
    assert produced() == BIG
    connection.close()


def test_bodies_come_back_whole(server):
    assert server.ask("/echo", "POST", SOME)[1] == SOME
    assert server.ask("/echo", "POST", b"")[1] == b""


def test_an_upload_streams(server):
    connection = server.send(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\na")
    assert server.ask("/uploading")[1] == b"now"
    connection.sendall(b"bcd")
    response = http.client.HTTPResponse(connection)
    response.begin()
    assert response.read() == b"4"
    connection.close()


def test_an_unread_upload_does_not_cost_the_response(server):
    connection = server.send(b"POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n")
    connection.sendall(SOME)
    response = http.client.HTTPResponse(connection)
    response.begin()
    assert response.read() == b"Hello world!"
    connection.close()


def test_half_an_upload_raises(server):
    connection = server.send(b"POST /broken HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\na")
    assert server.ask("/uploading")[1] == b"now"
    connection.close()
    assert server.ask("/why")[1] == b"now"


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_client_that_leaves_ends_its_application(server, reset):
    descriptors = pathlib.Path(f"/proc/{server.process.pid}/fd")
    before = len(list(descriptors.iterdir()))
    connection = server.send(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
    assert connection.recv(15) == b"HTTP/1.0 200 Fi"
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    assert server.ask("/left")[1] == b"now"
    wait_for(lambda: len(list(descriptors.iterdir())) == before)


def test_an_exception_is_500(server):
    assert server.ask("/fail")[0].status == 500
    assert "ValueError: before the head" in server.log.read_text()


@pytest.mark.parametrize("path", ["/truncate", "/short"])
def test_a_truncated_response_does_not_look_whole(server, path):
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        server.ask(path)
    assert server.ask("/hello")[1] == b"Hello world!"


@pytest.mark.parametrize(
    "head, status",
    [
        (b"GET /hello%00.txt HTTP/1.1\r\n", b"400"),
        (b"GET /%4 HTTP/1.1\r\n", b"400"),
        (b"OPTIONS * HTTP/1.1\r\n", b"400"),
        (b"GET /a/.. HTTP/1.1\r\n", b"400"),
        (b"GET /\r\n", b"400"),
        (b"G(T / HTTP/1.1\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nA : b\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nA: b\r\n folded\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nA: b\nB: c\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nA: \0\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nContent-Length: +1\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", b"501"),
        (b"GET / HTTP/2.0\r\n", b"505"),
        (b"GET / HTTP/1.1\r\n" + 65 * b"A: b\r\n", b"431"),
        (b"GET /" + 20_000 * b"a" + b" HTTP/1.1\r\n", b"431"),
    ],
)
def test_an_invalid_head_is_refused(server, head, status):
    connection = server.send(head + b"\r\n")
    assert connection.recv(12) == b"HTTP/1.0 " + status
    connection.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_with_any_clients(server, number):
    idle = server.send(b"")
    endless = server.send(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
    assert endless.recv(15) == b"HTTP/1.0 200 Fi"
    server.stop(number)
    assert idle.recv(1) == b""
    idle.close()
    endless.close()
    with pytest.raises(ConnectionRefusedError):
        server.send(b"")


def test_ctrl_c_ends_the_server_while_an_application_sleeps(server):
    connection = server.send(b"GET /sleep HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_for(lambda: "it sleeps" in server.log.read_text())
    server.stop(signal.SIGINT)
    connection.close()


def test_an_application_that_cannot_be_imported(build):
    command = [build("event_host", "c"), str(HERE / "apps/web.py"), "no_such_name"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "event_host: the application" in done.stderr
    assert done.returncode == 1
