"""HTTP/3, if nginx was built with it: the application gets the same requests as over HTTP/1.1."""

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


def test_several_streams_at_once(connection):
    streams.assert_side_by_side(connection)


def test_environ_over_http3(server, connection):
    headers = [("cookie", "a=1"), ("cookie", "b=2"), ("x-name", "value")]
    response = connection.ask("/environ?a=b", headers=headers)
    environ = {key: value for key, (_, value) in json.loads(response.body).items()}
    assert environ["SERVER_PROTOCOL"] == "HTTP/3.0", "nginx's name for the protocol"
    assert environ["HTTP_HOST"] == "h3.test", ":authority is the host"
    assert environ["SERVER_NAME"] == "h3.test", "the server's name"
    assert (environ["wsgi.url_scheme"], environ["HTTPS"]) == ("https", "on"), "always with TLS"
    assert environ["SERVER_PORT"] == str(server.other_port)
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/environ", "a=b")
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert environ["HTTP_COOKIE"] == "a=1; b=2", "split cookies must be joined"
    assert environ["HTTP_X_NAME"] == "value"
    assert not [key for key in environ if ":" in key], "pseudo-fields are not keys"


def test_head_has_no_body(connection):
    # Without a length: the client takes the length of a HEAD for that of a missing body.
    response = connection.ask("/generator", method="HEAD")
    assert (response.status, response.body) == (200, b""), "no body"
    streams.assert_goes_on(connection)


@pytest.mark.parametrize("size", streams.SIZES)
def test_a_body_arrives(connection, size):
    streams.assert_body_arrives(connection, size)


def test_a_body_may_stay_unread(connection):
    streams.assert_body_may_stay_unread(connection)


def test_a_megabyte_arrives(connection):
    response = connection.response(connection.send("/large/generator?1"))
    assert len(response.body) >= 1 << 20, "all of it"


def test_pieces_arrive_one_by_one(connection, gate):
    streams.assert_pieces_arrive_one_by_one(connection, gate)


@streams.TRUNCATED
def test_truncation_resets_the_stream(connection, way):
    streams.assert_truncation_resets_the_stream(connection, way)


def test_an_error_before_the_headers_is_a_500(connection):
    streams.assert_error_before_headers(connection)


def test_a_client_leaves_the_connection(server, gate):
    stop = gate()
    with H3Connection(server.other_port) as connection:
        connection.send(f"/wait/block?{stop.query}")
        stop.wait()
    # With any status: nginx has none for a closed connection.
    server.wait_access("/wait/block")
    stop.shut()
    with H3Connection(server.other_port) as another:
        assert another.ask("/one").body == b"one", "the worker must go on"


def test_a_client_stops_a_stream(server, connection):
    stream = connection.send("/large/endless?50")
    connection.wait(stream, lambda response: len(response.body) > 100_000)
    connection.reset(stream)
    server.wait_access("/large/endless", " 499 ")
    streams.assert_goes_on(connection, "the other streams must go on")


@pytest.mark.skipif(not built.EARLY_HINTS, reason="nginx can send hints since 1.29.0")
def test_early_hints_over_http3(connection, gate):
    stop = gate()
    stream = connection.send(f"/hints/gate?{stop.query}")
    css = ("link", "</a.css>; rel=preload; as=style")
    response = connection.wait(stream, lambda response: response.hints)
    assert response.hints == [[css]], "at once"
    stop.open()
    response = connection.response(stream)
    assert len(response.hints) == 2, "before the response"
    assert (response.status, bytes(response.body)) == (200, b"hinted")
    assert "link" not in dict(response.headers), "the response has only its own fields"
