"""Bodies that are read while they arrive: over HTTP/2 and TLS, with subrequests, very large."""

import os
import ssl
import subprocess
import zlib

import pytest

from client import Connection
from h2client import H2Connection
from server import wait_for

pytestmark = pytest.mark.not_inline("nginx buffers every body with wsgi_threads 0")

CONF = """
    client_max_body_size 0;
    wsgi_request_buffering off;
    location / { wsgi_app @APPS@/upload.py app; }
    location /buffered/ {
        wsgi_request_buffering on; wsgi_app @APPS@/upload.py app; wsgi_script_name /buffered;
    }
    location /brief/ {
        wsgi_app @APPS@/upload.py app; wsgi_script_name /brief; client_body_timeout 300ms;
    }
    location /slow_ssi/ {
        ssi on; ssi_types text/plain; wsgi_app @PREFIX@/page.py slow;
    }
    location /with_ssi/ {
        ssi on; ssi_types text/plain; wsgi_app @PREFIX@/page.py app;
    }
    location /guarded/ {
        auth_request /auth/length; wsgi_app @APPS@/upload.py app; wsgi_script_name /guarded;
    }
    location /auth/ { wsgi_app @APPS@/upload.py app; wsgi_script_name /auth; }
    location /failing/ {
        error_page 500 @instead; wsgi_app @APPS@/upload.py app; wsgi_script_name /failing;
    }
    location @instead { wsgi_app @PREFIX@/page.py instead; }
"""
TLS = """
    server {
        listen 127.0.0.1:@OTHER_PORT@ ssl http2;
        ssl_certificate @PREFIX@/cert.pem; ssl_certificate_key @PREFIX@/key.pem;
        client_max_body_size 0; wsgi_request_buffering off;
        location / { wsgi_app @APPS@/upload.py app; }
    }
"""
PAGE = """
def app(environ, start_response):
    body = environ["wsgi.input"]
    first = body.read(5)
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield first + b'|<!--# include virtual="/length" -->|'
    yield body.read()


def slow(environ, start_response):
    body = environ["wsgi.input"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield body.read(5) + b'|<!--# include virtual="/first?%s" -->|' % environ["QUERY_STRING"].encode()
    yield body.read()


def instead(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr([environ.get("CONTENT_LENGTH"), environ["wsgi.input"].read()]).encode()]
"""
CHUNKED = [("Transfer-Encoding", "chunked")]
LARGE = bytes(range(256)) * (4 << 12)
MIB = 1 << 20
UPLOAD = int(os.environ.get("WSGI_UPLOAD_MIB", "256"))


@pytest.fixture(scope="module")
def server(module_nginx):
    prepared = module_nginx.prepare(CONF, http=TLS, files=[("page.py", PAGE)])
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    where = ["-keyout", prepared.prefix / "key.pem", "-out", prepared.prefix / "cert.pem"]
    subprocess.run([*command.split(), *where], check=True, capture_output=True)
    return prepared.start()


@pytest.fixture
def connection(server):
    with H2Connection(server.h2_port) as connection:
        yield connection


def seen(server):
    return eval(server.ask("/seen").body)["seen"]


def broken_off(server, before):
    """Waits until /recorded has a result, and returns whether its upload broke off."""
    wait_for(lambda: len(seen(server)) > before, "the application to record what it read")
    return "OSError" in seen(server)[-1]


def test_pieces_over_http2(connection):
    stream = connection.send("/echo", method="POST", open_body=True)
    expected = b""
    for piece in (b"one", b"two", b"three" * 1000):
        connection.send_piece(stream, piece)
        expected += piece
        connection.wait(stream, lambda response: len(response.body) == len(expected))
    connection.end(stream)
    response = connection.response(stream)
    assert (response.status, response.body) == (200, expected), "each piece before the next"


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 1_000_000])
def test_bodies_of_all_sizes_over_http2(connection, size):
    body = LARGE[:size]
    assert eval(connection.ask("/count", method="POST", body=body).body) == [size, zlib.crc32(body)]


def test_content_length_over_http2(connection):
    stated = connection.ask("/length", method="POST", body=b"abc", headers=[("content-length", "3")])
    assert eval(stated.body) == ["3", b"abc"], "as stated"
    assert eval(connection.ask("/length", method="POST", body=b"abc").body) == [None, b"abc"]


def test_http2_sender_is_throttled(server, connection, gate):
    stop = gate()
    stream = connection.send(f"/second?{stop.query}", method="POST", open_body=True)
    connection.send_piece(stream, b"x")
    stop.wait()
    sent = connection.send_until_stuck(stream, LARGE)
    assert sent < len(LARGE) // 2, "the server must not open the window for unread bytes"
    other = connection.ask("/count", method="POST", body=LARGE)
    assert eval(other.body)[0] == len(LARGE), "another stream of the connection goes on"
    stop.shut()
    connection.send_piece(stream, LARGE[sent:])
    connection.end(stream)
    assert eval(connection.response(stream).body)[0] == len(LARGE) + 1, "all of it must arrive"


def test_http2_upload_that_ends_before_it_is_read(connection, gate):
    stop = gate()
    stream = connection.send(f"/first?{stop.query}", method="POST", open_body=True)
    stop.wait()
    connection.send_piece(stream, b"whole")
    connection.end(stream)
    connection.ask("/seen")
    stop.shut()
    assert eval(connection.response(stream).body) == [5, zlib.crc32(b"whole")], "complete"


def test_http2_upload_shorter_than_stated(server, connection, gate):
    before = len(seen(server))
    stop = gate()
    length = [("content-length", "10")]
    stream = connection.send(
        f"/recorded_at_gate?{stop.query}", method="POST", headers=length, open_body=True
    )
    connection.send_piece(stream, b"short")
    stop.wait()
    connection.end(stream)
    stop.shut()
    assert connection.response(stream).status == 400, "nginx refuses it"
    assert broken_off(server, before), "read() must raise"


def test_http2_reset_within_the_body(server, connection):
    before = len(seen(server))
    stream = connection.send("/recorded", method="POST", open_body=True)
    connection.send_piece(stream, b"half")
    wait_for(
        lambda: "/recorded" in eval(server.ask("/seen").body)["paths"], "the application to begin"
    )
    connection.reset(stream)
    assert broken_off(server, before), "half an upload must not look complete"
    server.wait_access("POST /recorded HTTP/2.0", " 499 ")


def test_http2_client_that_stops_sending_is_timed_out(server, connection):
    before = len(seen(server))
    stream = connection.send("/brief/recorded", method="POST", open_body=True)
    connection.send_piece(stream, b"half")
    assert broken_off(server, before), "client_body_timeout holds"
    assert connection.response(stream).reset, "the stream must end"


def test_an_http2_body_may_stay_unread(connection):
    for _ in range(3):
        response = connection.ask("/partly", method="POST", body=LARGE[:60_000])
        assert eval(response.body) == LARGE[:5], "the rest stays unread"
        stream = connection.send("/late_unread?/dev/null", method="POST", open_body=True)
        assert connection.response(stream).body == b"firstsecond", "all of it stays unread"


def test_pieces_over_tls(server):
    context = ssl.create_default_context(cafile=server.prefix / "cert.pem")
    with Connection(server.other_port) as connection:
        connection.socket = context.wrap_socket(connection.socket, server_hostname="localhost")
        connection.echo("/echo", [b"one", b"two" * 1000, b"three"])
        response = connection.ask("/count", "POST", body=LARGE)
        assert eval(response.body) == [len(LARGE), zlib.crc32(LARGE)], "much, too"


def test_a_subrequest_within_an_upload(server):
    with server.connect() as connection:
        connection.send_request("/with_ssi/", method="POST", headers=CHUNKED)
        connection.send_chunk(b"first, and more")
        connection.send_chunk(b"")
        body = connection.read_response().body
    assert body.startswith(b"first|") and body.endswith(b"|, and more"), "the body is complete"
    assert body.split(b"|")[1].endswith(b"b'']"), "the subrequest gets no part of it"


def test_a_body_that_arrives_during_a_subrequest(server, gate):
    stop = gate()
    with server.connect() as connection:
        connection.send_request(f"/slow_ssi/?{stop.query}", method="POST", headers=CHUNKED)
        connection.send_chunk(b"first")
        stop.wait()
        connection.send_chunk(b", and more")
        connection.send_chunk(b"")
        server.ask("/seen")
        stop.shut()
        assert connection.read_response().body == b"first|[0, 0]|, and more", "no byte is lost"


def test_auth_request_before_an_upload(server):
    assert eval(server.ask("/guarded/length", "POST", body=b"whole").body) == ["5", b"whole"]


def test_an_error_page_of_an_upload_gets_no_body(server):
    response = server.ask("/failing/fails", "POST", body=b"x" * 100_000)
    assert eval(response.body) in (["0", b""], [None, b""]), "a part must not look complete"
    server.wait_log("ValueError")


@pytest.mark.parametrize("way", ["", "/buffered"], ids=["streamed", "buffered"])
def test_very_large_body(server, way):
    piece = LARGE[:MIB]
    assert server.ask(f"{way}/count", "POST", body=piece * 4).status == 200, "to warm up"
    before, total = server.reset_peak_memory(), 0
    with server.connect() as connection:
        connection.socket.settimeout(120)
        length = [("Content-Length", str(UPLOAD * MIB))]
        connection.send_request(f"{way}/count", method="POST", headers=length)
        for _ in range(UPLOAD):
            connection.send(piece)
            total = zlib.crc32(piece, total)
        assert eval(connection.read_response().body) == [UPLOAD * MIB, total], "every byte"
    grown = server.peak_memory() - before
    print(f"{UPLOAD} MiB: the worker grew from {before >> 10} KiB by {grown >> 10} KiB")
    assert grown < MIB, f"the worker grew by {grown} bytes"
