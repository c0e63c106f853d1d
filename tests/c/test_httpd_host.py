"""examples/httpd_host: an HTTP server with threads, on the blocking half."""

import concurrent.futures
import http.client
import os
import signal
import subprocess

import pytest
from conftest import HERE
from servers import serving

SOME = os.urandom(3_000_000)


@pytest.fixture
def server(build, way, environment, tmp_path):
    with serving(build("httpd_host", way), environment, tmp_path / "log") as running:
        yield running


def test_a_page_and_its_headers(server):
    response, content = server.ask("/hello")
    assert (response.status, content) == (200, b"Hello world!")
    assert response.headers["Content-Length"] == "12"
    assert response.headers["X-Tab"] == "a b"
    assert server.ask("/hello", method="HEAD")[0].headers["Content-Length"] == "12"


def test_environ(server):
    response, content = server.ask("/environ?a=b%20c", headers={"X-Name": "me", "X_Name": "evil"})
    environ = dict(line.split("=", 1) for line in content.decode().splitlines())
    assert environ["REQUEST_URI"] == "/environ?a=b%20c"
    assert environ["QUERY_STRING"] == "a=b%20c"
    assert environ["SERVER_PORT"] == str(server.url.port)
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert environ["HTTP_X_NAME"] == "me"
    assert environ["wsgi.multithread"] == "True"
    assert "CONTENT_LENGTH" not in environ


def test_bodies_come_back_whole(server):
    assert server.ask("/echo", "POST", SOME)[1] == SOME
    assert server.ask("/echo", "POST", iter([SOME, SOME]), encode_chunked=True)[1] == SOME + SOME
    assert server.ask("/echo", "POST", b"")[1] == b""


def test_a_connection_serves_many_requests(server):
    connection = server.connect()
    for number in range(10):
        connection.request("POST", "/echo", body=str(number))
        assert connection.getresponse().read() == str(number).encode()
    connection.close()


def test_a_response_streams(server):
    connection = server.connect()
    connection.request("GET", "/stream")
    response = connection.getresponse()
    assert response.read(3) == b"one"
    server.ask("/open")
    assert response.read() == b"two"
    connection.close()


def test_an_upload_streams(server):
    connection = server.send(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\na")
    assert server.ask("/uploading")[1] == b"now"
    connection.sendall(b"bcd")
    response = http.client.HTTPResponse(connection)
    response.begin()
    assert response.read() == b"4"
    connection.close()


def test_an_exception_is_500(server):
    assert server.ask("/fail")[0].status == 500
    assert "ValueError: before the head" in server.log.read_text()


@pytest.mark.parametrize("path", ["/truncate", "/short"])
def test_a_truncated_response_does_not_look_whole(server, path):
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        server.ask(path)
    assert server.ask("/hello")[1] == b"Hello world!"


def test_many_clients_at_once(server):
    def client(number):
        body = bytes([number]) * 10_000
        return all(server.ask("/echo", "POST", body)[1] == body for _ in range(10))

    with concurrent.futures.ThreadPoolExecutor(16) as clients:
        assert all(clients.map(client, range(16)))


def test_a_client_that_leaves_ends_its_application(server):
    connection = server.send(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
    assert connection.recv(15) == b"HTTP/1.1 200 OK"
    connection.close()
    assert server.ask("/left")[1] == b"now"


def test_half_an_upload_raises(server):
    connection = server.send(b"POST /broken HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\na")
    assert server.ask("/uploading")[1] == b"now"
    connection.close()
    assert server.ask("/why")[1] == b"now"


@pytest.mark.parametrize("target", [b"/hello%00.txt", b"*"])
def test_an_invalid_path_is_400(server, target):
    connection = server.send(b"OPTIONS " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    assert connection.recv(12) == b"HTTP/1.1 400"
    connection.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_while_a_client_is_connected(server, number):
    connection = server.connect()
    connection.request("GET", "/hello")
    assert connection.getresponse().read() == b"Hello world!"
    server.stop(number)
    connection.close()


def test_an_application_that_cannot_be_imported(build):
    command = [build("httpd_host", "c"), str(HERE / "apps/web.py"), "no_such_name"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "httpd_host: the application" in done.stderr
    assert done.returncode == 1
