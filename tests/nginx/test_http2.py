"""HTTP/2: streams side by side, and ends that cannot be mistaken."""

import json

import pytest

from h2client import H2Connection

CONF = """
    location / { wsgi_app @APPS@/response.py app; }
    location /environ { wsgi_app @APPS@/environ.py app; }
    location /input/ { wsgi_app @APPS@/input.py app; wsgi_script_name /input;
                       client_max_body_size 20m; }
    location /large/ { wsgi_app @APPS@/large.py app; wsgi_script_name /large; }
    location /wait/ { wsgi_app @APPS@/wait.py app; wsgi_script_name /wait; }
    location /errors/ { wsgi_app @APPS@/errors.py app; wsgi_script_name /errors; }
"""


@pytest.fixture(scope="module")
def server(module_nginx):
    return module_nginx(CONF)


@pytest.fixture
def connection(server):
    with H2Connection(server.h2_port) as connection:
        yield connection


def test_several_streams(connection):
    streams = [connection.send(f"/{shape}") for shape in ("list", "generator", "one") * 5]
    bodies = [connection.response(stream).body for stream in streams]
    assert bodies == [b"onetwothree", b"onetwothree", b"one"] * 5, "each stream has its answer"


def test_environ(connection):
    response = connection.ask("/environ?a=b", headers=[("cookie", "a=1"), ("cookie", "b=2")])
    environ = {key: value for key, (_, value) in json.loads(response.body).items()}
    assert environ["HTTP_HOST"] == "h2.test", ":authority is the host"
    assert environ["SERVER_PROTOCOL"] == "HTTP/2.0", "the protocol is nginx's name for it"
    assert environ["HTTP_COOKIE"] == "a=1; b=2", "split cookies are put together"
    assert not [key for key in environ if ":" in key], "pseudo-fields are no keys"


def test_head(connection):
    response = connection.ask("/stated", method="HEAD")
    assert (response.status, response.body) == (200, b""), "HEAD has no body"
    assert dict(response.headers)["content-length"] == "11", "but the length that was stated"
    assert connection.ask("/one").body == b"one", "the connection goes on"


@pytest.mark.parametrize("size", [0, 1, 100_000, 1_000_000])
def test_post(connection, size):
    response = connection.ask("/input/length", method="POST", body=b"x" * size)
    assert eval(response.body) == [str(size), size], "the whole body, with its length"


def test_unread_body(connection):
    response = connection.ask("/input/unread", method="POST", body=b"x" * 50_000)
    assert response.body == b"'not read'", "nobody has to read the body"
    assert connection.ask("/one").body == b"one", "the connection goes on"


def test_ten_megabytes_twice(connection):
    streams = [connection.send("/large/generator"), connection.send("/large/list")]
    sizes = [len(connection.response(stream).body) for stream in streams]
    assert sizes == [10 << 20] * 2, "side by side"


def test_pieces_arrive_one_by_one(connection, gate):
    stop = gate()
    stream = connection.send(f"/wait/stream?{stop.query}")
    connection.wait(stream, lambda response: response.body == b"first")
    stop.open()
    assert connection.response(stream).body == b"firstsecond", "each when it was yielded"


@pytest.mark.parametrize("way", ["raises_after_chunk", "raises_after_length"])
def test_truncation_resets_the_stream(server, connection, way):
    response = connection.response(connection.send(f"/errors/{way}"))
    assert response.reset, "the stream is reset, not ended"
    assert connection.ask("/one").body == b"one", "the other streams go on"


def test_less_than_stated_resets_the_stream(server, connection):
    response = connection.ask("/short")
    assert response.body == b"hello", "what there is, is sent"
    assert response.reset and not response.ended, "and then the stream is reset"
    server.wait_log("WSGI0204", "GET /short")
    assert connection.ask("/one").body == b"one", "the connection goes on"


def test_error_before_headers(connection):
    assert connection.ask("/errors/raises").status == 500, "an exception is a 500"
    assert connection.ask("/one").body == b"one", "the connection goes on"


@pytest.mark.not_inline("the application waits")
def test_reset_by_the_client(server, connection, gate):
    stop = gate()
    stream = connection.send(f"/wait/block?{stop.query}")
    stop.wait()
    connection.reset(stream)
    server.wait_access("/wait/block", " 499 ")
    stop.shut()
    assert connection.ask("/one").body == b"one", "the connection goes on"


def test_reset_while_streaming(connection, server):
    for _ in range(5):
        stream = connection.send("/large/endless?50")
        connection.wait(stream, lambda response: len(response.body) > 100_000)
        connection.reset(stream)
    assert connection.ask("/one").body == b"one", "the connection goes on"
    assert len(server.ask("/large/one").body) == 10 << 20, "as does the worker"
