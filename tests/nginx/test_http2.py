"""HTTP/2: several streams at the same time, and streams whose end is clear."""

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


def test_several_streams_at_once(connection):
    streams.assert_side_by_side(connection)


def test_environ_over_http2(connection):
    response = connection.ask("/environ?a=b", headers=[("cookie", "a=1"), ("cookie", "b=2")])
    environ = {key: value for key, (_, value) in json.loads(response.body).items()}
    assert environ["HTTP_HOST"] == "h2.test", ":authority is the host"
    assert environ["SERVER_PROTOCOL"] == "HTTP/2.0", "nginx's name for the protocol"
    assert environ["HTTP_COOKIE"] == "a=1; b=2", "split cookies must be joined"
    assert not [key for key in environ if ":" in key], "pseudo-fields are not keys"


def test_head_has_no_body(connection):
    response = connection.ask("/stated", method="HEAD")
    assert (response.status, response.body) == (200, b""), "no body"
    assert dict(response.headers)["content-length"] == "11", "the length that was stated"
    streams.assert_goes_on(connection)


@pytest.mark.parametrize("size", [*streams.SIZES, 1_000_000])
def test_a_body_arrives(connection, size):
    streams.assert_body_arrives(connection, size)


def test_a_body_may_stay_unread(connection):
    streams.assert_body_may_stay_unread(connection)


def test_ten_megabytes_on_two_streams(connection):
    both = [connection.send("/large/generator"), connection.send("/large/list")]
    sizes = [len(connection.response(stream).body) for stream in both]
    assert sizes == [10 << 20] * 2, "at the same time"


def test_pieces_arrive_one_by_one(connection, gate):
    streams.assert_pieces_arrive_one_by_one(connection, gate)


@streams.TRUNCATED
def test_truncation_resets_the_stream(connection, way):
    streams.assert_truncation_resets_the_stream(connection, way)


def test_less_than_stated_resets_the_stream(server, connection):
    response = connection.ask("/short")
    assert response.body == b"hello", "the given bytes must be sent"
    assert response.reset and not response.ended, "then the stream must be reset"
    server.wait_log("WSGI0204", "GET /short")
    streams.assert_goes_on(connection)


def test_an_error_before_the_headers_is_a_500(connection):
    streams.assert_error_before_headers(connection)


@pytest.mark.not_inline("the application waits")
def test_a_client_resets_a_request(server, connection, gate):
    stop = gate()
    stream = connection.send(f"/wait/block?{stop.query}")
    stop.wait()
    connection.reset(stream)
    server.wait_access("/wait/block", " 499 ")
    stop.shut()
    streams.assert_goes_on(connection)


def test_a_client_resets_a_stream(connection, server):
    for _ in range(5):
        stream = connection.send("/large/endless?50")
        connection.wait(stream, lambda response: len(response.body) > 100_000)
        connection.reset(stream)
    streams.assert_goes_on(connection)
    assert len(server.ask("/large/one").body) == 10 << 20, "the worker must go on"
