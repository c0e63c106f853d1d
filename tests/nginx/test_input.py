"""wsgi.input: bodies of every size and framing, read in every way, buffered by nginx and not."""

import hashlib

import pytest

from server import INLINE

CONF = """
    client_max_body_size 20m;
    client_body_buffer_size 8k;
    location / { wsgi_app @APPS@/input.py app; }
    location /small_limit/ {
        client_max_body_size 10; wsgi_app @APPS@/input.py app; wsgi_script_name /small_limit;
    }
    location = /late { wsgi_app @APPS@/input.py late; }
"""
BODY = b"one\ntwo\nthree"
CHUNKED = [("Transfer-Encoding", "chunked")]


# Without threads buffering is always on.
@pytest.fixture(scope="module", params=["on"] if INLINE else ["on", "off"])
def buffering(request):
    return request.param


@pytest.fixture(scope="module")
def server(module_nginx, buffering):
    return module_nginx(CONF, http=f"wsgi_request_buffering {buffering};")


def read(server, way, body=BODY, headers=()):
    response = server.ask(way, "POST", body=body, headers=headers)
    assert response.status == 200, f"{way} answers"
    return eval(response.body)


def send_chunked(connection, path, *chunks):
    connection.send_request(path, method="POST", headers=CHUNKED)
    for chunk in (*chunks, b""):
        connection.send_chunk(chunk)
    return connection.read_response()


WAYS = [
    ("/read", BODY, "read() returns all"),
    ("/read_negative", BODY, "read(-1) returns all"),
    ("/read_none", BODY, "read(None) returns all"),
    ("/read_zero", [b"", BODY], "read(0) returns empty bytes without consuming input"),
    ("/read_sized", [b"one", b"\ntw", b"o\nt", b"hre", b"e"], "read(n) returns n bytes"),
    ("/read_past", [BODY, b"", b"", b""], "after the end read() returns empty bytes"),
    ("/readline", [b"one\n", b"two\n", b"three"], "readline() keeps the line break"),
    ("/readline_sized", [b"one\n", b"two\n", b"thre", b"e"], "readline(n) stops after n bytes"),
    ("/readlines", [b"one\n", b"two\n", b"three"], "readlines() returns every line"),
    ("/iterate", [b"one\n", b"two\n", b"three"], "iteration gives every line"),
    ("/length", ["13", 13], "CONTENT_LENGTH is the length"),
]


@pytest.mark.parametrize("way, expected, sentence", WAYS, ids=[way[0] for way in WAYS])
def test_each_way_to_read_a_body(server, way, expected, sentence):
    assert read(server, way) == expected, sentence


@pytest.mark.parametrize("way, expected, sentence", WAYS, ids=[way[0] for way in WAYS])
def test_each_way_to_read_a_chunked_body(server, buffering, way, expected, sentence):
    if way == "/length" and buffering == "off":
        expected = [None, 13]  # the length is not known before the end
    with server.connect() as connection:
        response = send_chunked(connection, way, b"one\nt", b"wo\nthre", b"e")
    assert eval(response.body) == expected, sentence


def test_readlines_obeys_its_hint(server):
    lines, rest = read(server, "/readlines_hint")
    assert lines == [b"one\n"], "readlines(1) must stop after returning one entry"
    assert rest == b"two\nthree", "read() must return the rest"


@pytest.mark.parametrize("way", ["/read", "/read_negative", "/readline", "/readlines", "/iterate"])
def test_without_a_body_read_returns_nothing(server, way):
    assert not eval(server.ask(way).body), "there is nothing to read"


def test_without_a_body_there_is_no_content_length(server):
    assert eval(server.ask("/length").body) == [None, 0], "the client stated no length"
    assert read(server, "/length", b"") == ["0", 0], "the client stated zero"


@pytest.mark.parametrize("size", [8191, 8192, 8193, 100_000, 10_000_000])
@pytest.mark.parametrize("way", ["/digest", "/digest_pieces"])
def test_a_large_body_is_complete(server, size, way):
    body = bytes(n % 251 for n in range(1009)) * (size // 1009 + 1)
    body = body[:size]
    expected = hashlib.sha256(body).hexdigest()
    assert read(server, way, body) == expected, "in memory or in a file"


def test_a_large_chunked_body_is_complete(server, buffering):
    pieces = [bytes([n % 256]) * 5000 for n in range(200)]
    with server.connect() as connection:
        digest = eval(send_chunked(connection, "/digest", *pieces).body)
        length = eval(send_chunked(connection, "/length", *pieces).body)
    assert digest == hashlib.sha256(b"".join(pieces)).hexdigest(), "the chunks are joined"
    stated = "1000000" if buffering == "on" else None
    assert length == [stated, 1000000], "CONTENT_LENGTH is their sum, if it is known"


def test_lines_of_a_body_in_a_file(server):
    body = b"".join(b"line %d\n" % n for n in range(20000))
    assert read(server, "/readlines", body) == body.splitlines(True), "all lines"


def test_a_body_in_many_packets_is_joined(server):
    with server.connect() as connection:
        connection.send(b"POST /read_negative HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
        for piece in (b"abc", b"def", b"ghi"):
            connection.send(piece)
        assert eval(connection.read_response().body) == b"abcdefghi", "all packets"


def test_an_application_may_read_while_it_answers(server):
    response = server.ask("/late", "POST", body=BODY)
    assert response.body == b"read: " + BODY, "after the headers were sent"


@pytest.mark.parametrize("size", [10, 100_000])
def test_an_unread_body_does_not_disturb_the_next_request(server, size):
    with server.connect() as connection:
        for _ in range(3):
            response = connection.ask("/unread", "POST", body=b"GET / HTTP/1.1\r\n" * size)
            assert response.body == b"'not read'", "an application need not read the body"
        assert connection.ask("/read_negative", "POST", body=b"x").body == b"b'x'", "the next body"


def test_the_input_of_an_earlier_request_raises(server):
    read(server, "/unread", b"secret")
    said = read(server, "/kept", b"mine")
    assert isinstance(said, str), "reading it must raise"
    assert "wsgi.input" in said and "secret" not in said, "the error must name the object"


def test_a_body_above_nginx_s_limit_is_a_413(server):
    response = server.ask("/small_limit/read", "POST", body=b"x" * 11)
    assert response.status == 413, "nginx refuses it, and the application does not run"


def test_expect_100_continue_is_answered(server):
    with server.connect() as connection:
        expect = [("Expect", "100-continue"), ("Content-Length", "3")]
        connection.send_request("/read_negative", method="POST", headers=expect)
        assert connection.read_head().status == 100, "the client may send the body"
        connection.send(b"abc")
        assert connection.read_response().body == b"b'abc'", "the application reads it"


def test_a_client_leaves_within_the_body(server, buffering):
    connection = server.connect()
    connection.send(b"POST /read_negative HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
    connection.close()
    server.wait_access("POST /read_negative", " 400 " if buffering == "on" else " 499 ")
    assert read(server, "/read_negative") == BODY, "the next request must work"
