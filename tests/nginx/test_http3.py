"""HTTP/3, where nginx was built with it: the protocol is nginx's, the request is the application's."""

import json

import pytest

import built
import streams

if built.HTTP_3:
    from h3client import H3Connection

pytestmark = pytest.mark.skipif(not built.HTTP_3, reason="this nginx was built without HTTP/3")

HTTP = """
    server {
        listen 127.0.0.1:@OTHER_PORT@ quic;
        ssl_certificate @PREFIX@/cert.pem;
        ssl_certificate_key @PREFIX@/key.pem;
        location / { wsgi_app @APPS@/response.py app; }
        location = /environ { wsgi_app @APPS@/environ.py app; }
        location /errors/ { wsgi_app @APPS@/errors.py app; wsgi_script_name /errors; }
        location /input/ { wsgi_app @APPS@/input.py app; wsgi_script_name /input; }
        location /large/ { wsgi_app @APPS@/large.py app; wsgi_script_name /large; }
        location /wait/ { wsgi_app @APPS@/wait.py app; wsgi_script_name /wait; }
        location /hints/ {
            wsgi_app @APPS@/hints.py app;
            wsgi_script_name /hints;
            @HINTS@
        }
    }
"""


@pytest.fixture(scope="module")
def server(module_nginx):
    hints = "early_hints 1;" if built.EARLY_HINTS else ""
    server = module_nginx.prepare(http=HTTP.replace("@HINTS@", hints))
    server.make_certificate()
    return server.start()


@pytest.fixture
def connection(server):
    with H3Connection(server.other_port) as connection:
        yield connection


def test_several_streams(connection):
    streams.assert_side_by_side(connection)


def test_environ(server, connection):
    headers = [("cookie", "a=1"), ("cookie", "b=2"), ("x-name", "value")]
    response = connection.ask("/environ?a=b", headers=headers)
    environ = {key: value for key, (_, value) in json.loads(response.body).items()}
    assert environ["SERVER_PROTOCOL"] == "HTTP/3.0", "the protocol is nginx's name for it"
    assert environ["HTTP_HOST"] == "h3.test", ":authority is the host"
    assert environ["SERVER_NAME"] == "h3.test", "and the server's name"
    assert (environ["wsgi.url_scheme"], environ["HTTPS"]) == ("https", "on"), "always with TLS"
    assert environ["SERVER_PORT"] == str(server.other_port)
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/environ", "a=b")
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert environ["HTTP_COOKIE"] == "a=1; b=2", "split cookies are put together"
    assert environ["HTTP_X_NAME"] == "value"
    assert not [key for key in environ if ":" in key], "pseudo-fields are no keys"


def test_head(connection):
    # Without a length: the client takes the one of HEAD for that of a body which is missing.
    response = connection.ask("/generator", method="HEAD")
    assert (response.status, response.body) == (200, b""), "HEAD has no body"
    streams.assert_goes_on(connection)


@pytest.mark.parametrize("size", streams.SIZES)
def test_post(connection, size):
    streams.assert_body_arrives(connection, size)


def test_unread_body(connection):
    streams.assert_body_may_stay_unread(connection)


def test_a_megabyte(connection):
    response = connection.response(connection.send("/large/generator?1"))
    assert len(response.body) >= 1 << 20, "all of it"


def test_pieces_arrive_one_by_one(connection, gate):
    streams.assert_pieces_arrive_one_by_one(connection, gate)


@streams.TRUNCATED
def test_truncation_resets_the_stream(connection, way):
    streams.assert_truncation_resets_the_stream(connection, way)


def test_error_before_headers(connection):
    streams.assert_error_before_headers(connection)


def test_client_that_leaves(server, gate):
    stop = gate()
    with H3Connection(server.other_port) as connection:
        connection.send(f"/wait/block?{stop.query}")
        stop.wait()
    # Whatever the status is: with a connection that was closed nginx knows of none.
    server.wait_access("/wait/block")
    stop.shut()
    with H3Connection(server.other_port) as another:
        assert another.ask("/one").body == b"one", "the worker goes on"


def test_stream_that_the_client_stops(server, connection):
    stream = connection.send("/large/endless?50")
    connection.wait(stream, lambda response: len(response.body) > 100_000)
    connection.reset(stream)
    server.wait_access("/large/endless", " 499 ")
    streams.assert_goes_on(connection, "the other streams go on")


@pytest.mark.skipif(not built.EARLY_HINTS, reason="nginx can since 1.29.0")
def test_early_hints(connection, gate):
    stop = gate()
    stream = connection.send(f"/hints/gate?{stop.query}")
    css = ("link", "</a.css>; rel=preload; as=style")
    response = connection.wait(stream, lambda response: response.hints)
    assert response.hints == [[css]], "at once"
    stop.open()
    response = connection.response(stream)
    assert len(response.hints) == 2, "before the response"
    assert (response.status, bytes(response.body)) == (200, b"hinted")
    assert "link" not in dict(response.headers), "which has only its own fields"
