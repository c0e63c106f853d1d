"""HTTP/2: streams side by side, and ends that cannot be mistaken."""

import json

import pytest

import streams
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
    streams.assert_side_by_side(connection)


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
    streams.assert_goes_on(connection)


@pytest.mark.parametrize("size", [*streams.SIZES, 1_000_000])
def test_post(connection, size):
    streams.assert_body_arrives(connection, size)


def test_unread_body(connection):
    streams.assert_body_may_stay_unread(connection)


def test_ten_megabytes_twice(connection):
    both = [connection.send("/large/generator"), connection.send("/large/list")]
    sizes = [len(connection.response(stream).body) for stream in both]
    assert sizes == [10 << 20] * 2, "side by side"


def test_pieces_arrive_one_by_one(connection, gate):
    streams.assert_pieces_arrive_one_by_one(connection, gate)


@streams.TRUNCATED
def test_truncation_resets_the_stream(connection, way):
    streams.assert_truncation_resets_the_stream(connection, way)


def test_less_than_stated_resets_the_stream(server, connection):
    response = connection.ask("/short")
    assert response.body == b"hello", "what there is, is sent"
    assert response.reset and not response.ended, "and then the stream is reset"
    server.wait_log("WSGI0204", "GET /short")
    streams.assert_goes_on(connection)


def test_error_before_headers(connection):
    streams.assert_error_before_headers(connection)


@pytest.mark.not_inline("the application waits")
def test_reset_by_the_client(server, connection, gate):
    stop = gate()
    stream = connection.send(f"/wait/block?{stop.query}")
    stop.wait()
    connection.reset(stream)
    server.wait_access("/wait/block", " 499 ")
    stop.shut()
    streams.assert_goes_on(connection)


def test_reset_while_streaming(connection, server):
    for _ in range(5):
        stream = connection.send("/large/endless?50")
        connection.wait(stream, lambda response: len(response.body) > 100_000)
        connection.reset(stream)
    streams.assert_goes_on(connection)
    assert len(server.ask("/large/one").body) == 10 << 20, "as does the worker"
