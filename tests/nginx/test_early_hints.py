"""wsgi.early_hints: responses 103, where nginx can send them (1.29.0), and silence elsewhere."""

import pytest

import built
from h2client import H2Connection

pytestmark = pytest.mark.not_inline("nothing is hinted with wsgi_threads 0")

APP = "wsgi_app @APPS@/hints.py app; "
CONF = f"""
    location / {{ {APP} early_hints $wanted; }}
    location /off/ {{ {APP} wsgi_script_name /off; }}
    location /ignore/ {{ {APP} early_hints 1; wsgi_script_name /ignore; wsgi_ignore_client_abort on; }}
    location /hide/ {{ {APP} early_hints 1; wsgi_script_name /hide; wsgi_hide_header Link; }}
"""
# A client that says so wants none.
HTTP = """
    map $http_x_without $wanted { "" 1; default 0; }
    server {
        listen 127.0.0.1:@OTHER_PORT@ sndbuf=4k;
        location / { wsgi_app @APPS@/hints.py app; early_hints 1; }
    }
"""
CSS = ("Link", "</a.css>; rel=preload; as=style")
JS = ("Link", "</b.js>; rel=preload; as=script")

can = pytest.mark.skipif(not built.EARLY_HINTS, reason="nginx can since 1.29.0")


@pytest.fixture(scope="module")
def server(module_nginx):
    # With `wsgi_threads 0` there is nothing to hint.
    return module_nginx(CONF, http=HTTP + "wsgi_threads 8;")


def test_absent_where_nginx_cannot(nginx):
    server = nginx(f"location / {{ {APP} }}")
    assert server.ask("/key").body == b"False", "nobody sends them: the directive is not set"


@can
def test_present_where_nginx_sends_them(server):
    assert server.ask("/key").body == b"True", "nginx would send them"
    assert server.ask("/off/key").body == b"False", "here early_hints is not set"
    without = [("X-Without", "1")]
    assert server.ask("/key", headers=without).body == b"False", "this client wants none"
    assert server.ask("/key", version="HTTP/1.0").body == b"False", "HTTP/1.0 has no 1xx"


@can
def test_absent_on_the_thread_of_nginx(nginx):
    server = nginx(f"location / {{ {APP} early_hints 1; }}", http="wsgi_threads 0;")
    assert server.ask("/key").body == b"False", "it would be sent with the response"


@can
def test_hints_come_before_the_response(server):
    with server.connect() as connection:
        connection.send_request("/one")
        hints = connection.read_head()
        assert (hints.status, hints.reason) == (103, "Early Hints")
        assert hints.headers == [CSS, JS], "the application's fields and no others"
        response = connection.read_response()
        assert (response.status, response.body) == (200, b"hinted")
        assert response.all("Link") == [], "the response has only its own fields"
        assert response.header("X-Final") == "1"
        assert connection.ask("/key").body == b"True", "and the connection goes on"


@can
def test_hints_are_sent_at_once(server, gate):
    stop = gate()
    with server.connect() as connection:
        connection.send_request(f"/gate?{stop.query}")
        assert connection.read_head().headers == [CSS], "while the application is at work"
        stop.open()
        assert connection.read_head().headers == [JS], "as often as it likes"
        assert connection.read_response().body == b"hinted"


@can
def test_late_hints_are_dropped(server):
    response = server.ask("/late")
    assert (response.status, response.body) == (200, b"firstsecond"), "nothing is in between"


@can
def test_application_that_fails_after_a_hint(server):
    with server.connect() as connection:
        connection.send_request("/fails")
        assert connection.read_head().status == 103
        assert connection.read_response().status == 500, "the response may still be an error"


@can
def test_a_header_that_would_be_two(server):
    body = server.ask("/refused").text
    assert "control character 0x0d" in body, "checked as the headers of the response are"


@can
def test_hidden_headers_are_not_hinted(server):
    assert server.ask("/hide/one").status == 200, "what nobody is to see, nobody gets early"


@can
def test_head_request(server):
    with server.connect() as connection:
        connection.send_request("/one", method="HEAD")
        assert connection.read_head().status == 103
        response = connection.read_response("HEAD")
        assert (response.status, response.body) == (200, b""), "as without a hint"


@can
def test_slow_client(server):
    with server.connect(server.other_port, receive_buffer=2048) as connection:
        connection.send_request("/many?40")
        hints = [connection.read_head() for _ in range(40)]
        assert [int(hint.header("X-Number")) for hint in hints] == list(range(40)), "all, in order"
        assert connection.read_response().body == b"hinted"


@can
@pytest.mark.parametrize("place", ["", "/ignore"])
def test_client_that_leaves_between_hints(server, gate, place):
    stop = gate()
    with server.connect() as connection:
        connection.send_request(f"{place}/gate?{stop.query}")
        assert connection.read_head().status == 103
        stop.wait()
    if not place:
        server.wait_access("/gate", " 499 ")
    stop.open()
    assert server.ask("/key").body == b"True", "the worker goes on"


@can
def test_http_2(server, gate):
    stop = gate()
    with H2Connection(server.h2_port) as connection:
        stream = connection.send(f"/gate?{stop.query}")
        link = CSS[0].lower()
        response = connection.wait(stream, lambda response: response.hints)
        assert response.hints == [[(link, CSS[1])]], "at once"
        stop.open()
        response = connection.response(stream)
        assert response.hints[1:] == [[(link, JS[1])]], "before the response"
        assert (response.status, bytes(response.body)) == (200, b"hinted")
        assert link not in dict(response.headers), "which has only its own fields"
