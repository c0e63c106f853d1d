"""Connections: keepalive, pipelining, filters of nginx, and input that is not HTTP."""

import zlib

import pytest

import client

CONF = """
    location /hello { wsgi_app @APPS@/hello.py hello_world; }
    location /count { wsgi_app @APPS@/counter.py first; }
    location /input/ { wsgi_app @APPS@/input.py app; wsgi_script_name /input; }
    location /zip/ {
        gzip on; gzip_min_length 1; gzip_types text/plain application/octet-stream;
        wsgi_app @APPS@/response.py app; wsgi_script_name /zip;
    }
    location /zip/large { gzip on; gzip_types *; wsgi_app @APPS@/large.py app;
                          wsgi_script_name /zip/large; }
    location /page { error_page 500 502 /error.html; wsgi_app @APPS@/errors.py app;
                     wsgi_script_name /page; }
    location = /error.html { return 500 "the page for errors"; }
    location /range { wsgi_app @APPS@/response.py app; wsgi_script_name /range; }
"""


@pytest.fixture(scope="module")
def server(module_nginx):
    return module_nginx(CONF)


def test_a_connection_serves_many_requests(server):
    with server.connect() as connection:
        for _ in range(200):
            assert connection.ask("/hello").body == b"Hello world!", "request after request"


def test_connection_close_ends_the_connection(server):
    with server.connect() as connection:
        response = connection.ask("/hello", headers=[("Connection", "close")])
        assert response.body == b"Hello world!", "the answer must be complete"
        assert connection.is_closed(), "then the connection must end"


def test_pipelined_requests_are_answered_in_order(server):
    with server.connect() as connection:
        requests = [client.request_bytes("/hello")] * 20
        requests[5] = client.request_bytes("/input/read_negative", "POST", body=b"five")
        connection.send(b"".join(requests))
        bodies = [connection.read_response().body for _ in requests]
    assert bodies[5] == b"b'five'", "a body is the body of its own request"
    assert bodies[:5] + bodies[6:] == [b"Hello world!"] * 19, "every request gets its answer"


def test_a_request_may_arrive_byte_by_byte(server):
    with server.connect() as connection:
        for byte in client.request_bytes("/input/read_negative", "POST", body=b"abc"):
            connection.send(bytes([byte]))
        assert connection.read_response().body == b"b'abc'", "the request must be put together"


def test_http_0_9_gets_a_body_without_headers(server):
    with server.connect() as connection:
        connection.send(b"GET /hello\r\n")
        assert connection.read_to_end() == b"Hello world!", "only the body"


def test_gzip_compresses_responses(server):
    with server.connect() as connection:
        for shape in ("list", "generator", "one"):
            response = connection.ask(f"/zip/{shape}", headers=[("Accept-Encoding", "gzip")])
            assert response.header("Content-Encoding") == "gzip", "nginx's filter must work"
            text = zlib.decompress(response.body, 31)
            assert text in (b"onetwothree", b"one"), "and must lose no byte"
        large = connection.ask("/zip/large/generator", headers=[("Accept-Encoding", "gzip")])
        assert len(zlib.decompress(large.body, 31)) == 10 << 20, "also of ten megabytes"


def test_error_page_replaces_the_body_of_a_500(server):
    response = server.ask("/page/raises")
    assert response.status == 500, "the status stays"
    assert response.body == b"the page for errors", "the body is that of error_page"


def test_each_method_reaches_the_application(server):
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"):
        assert server.ask("/hello", method).body == b"Hello world!", f"{method} must be passed on"


MALFORMED = [
    (b"GET /count\x00 HTTP/1.1\r\nHost: a\r\n\r\n", "a NUL in the target"),
    (b"GET /count%00 HTTP/1.1\r\nHost: a\r\n\r\n", "an encoded NUL in the target"),
    (b"GET /count HTTP/1.1\r\n\r\n", "no Host"),
    (b"GET /count HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "two Hosts"),
    (b"GET /count HTTP/9.9\r\nHost: a\r\n\r\n", "an unknown version"),
    (b"GET /count HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", "a stray carriage return"),
    (b"get /count HTTP/1.1\r\nHost: a\r\n\r\n", "a method in small letters"),
    (b"GET count HTTP/1.1\r\nHost: a\r\n\r\n", "a target without a slash"),
    (b"GET /../count HTTP/1.1\r\nHost: a\r\n\r\n", "a path above the root"),
    (b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "a negative length"),
    (b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "a length of letters"),
    (
        b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "two lengths",
    ),
    (
        b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "a length and chunks",
    ),
    (
        b"POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        "a chunk of no size",
    ),
    (b"POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "another coding"),
    (b"GET /count HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", "a huge field"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20, "TLS without TLS"),
]


@pytest.mark.parametrize("bytes_sent", [m[0] for m in MALFORMED], ids=[m[1] for m in MALFORMED])
def test_malformed_requests_do_not_reach_the_application(server, bytes_sent):
    before = int(server.ask("/count").body.split()[1])
    with server.connect() as connection:
        connection.send(bytes_sent)
        answer = connection.read_to_end()
    assert b" 200 " not in answer.split(b"\r\n")[0], "nginx must refuse it"
    after = int(server.ask("/count").body.split()[1])
    assert after == before + 1, "the application must not be called"
