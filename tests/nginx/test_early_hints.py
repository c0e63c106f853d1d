"""wsgi.early_hints: responses 103 if nginx can send them (since 1.29.0), else no hints."""

import pytest

import built
from h2client import H2Connection

pytestmark = pytest.mark.not_inline("with wsgi_threads 0 there are no hints")

APP = "wsgi_app @APPS@/hints.py app; "
CONF = f"""
    location / {{ {APP} early_hints $wanted; }}
    location /off/ {{ {APP} wsgi_script_name /off; }}
    location /ignore/ {{ {APP} early_hints 1; wsgi_script_name /ignore; wsgi_ignore_client_abort on; }}
    location /hide/ {{ {APP} early_hints 1; wsgi_script_name /hide; wsgi_hide_header Link; }}
"""
# A client with this header gets no hints.
HTTP = """
    map $http_x_without $wanted { "" 1; default 0; }
    server {
        listen 127.0.0.1:@OTHER_PORT@ sndbuf=4k;
        location / { wsgi_app @APPS@/hints.py app; early_hints 1; }
    }
"""
CSS = ("Link", "</a.css>; rel=preload; as=style")
JS = ("Link", "</b.js>; rel=preload; as=script")

can = pytest.mark.skipif(not built.EARLY_HINTS, reason="nginx can send hints since 1.29.0")


@pytest.fixture(scope="module")
def server(module_nginx):
    # With `wsgi_threads 0` there are no hints.
    return module_nginx(CONF, http=HTTP + "wsgi_threads 8;")


def test_early_hints_is_absent_if_nginx_cannot_send_them(nginx):
    server = nginx(f"location / {{ {APP} }}")
    assert server.ask("/key").body == b"False", "the directive early_hints is not set"


@can
def test_early_hints_is_present_if_nginx_sends_them(server):
    assert server.ask("/key").body == b"True", "nginx would send a hint"
    assert server.ask("/off/key").body == b"False", "the directive early_hints is not set here"
    without = [("X-Without", "1")]
    assert server.ask("/key", headers=without).body == b"False", "this client gets no hints"
    assert server.ask("/key", version="HTTP/1.0").body == b"False", "HTTP/1.0 has no 1xx"


@can
def test_early_hints_is_absent_on_the_thread_of_nginx(nginx):
    server = nginx(f"location / {{ {APP} early_hints 1; }}", http="wsgi_threads 0;")
    assert server.ask("/key").body == b"False", "a hint would come together with the response"


@can
def test_hints_come_before_the_response(server):
    with server.connect() as connection:
        connection.send_request("/one")
        hints = connection.read_head()
        assert (hints.status, hints.reason) == (103, "Early Hints")
        assert hints.headers == [CSS, JS], "only the fields of the application"
        response = connection.read_response()
        assert (response.status, response.body) == (200, b"hinted")
        assert response.all("Link") == [], "only its own fields"
        assert response.header("X-Final") == "1"
        assert connection.ask("/key").body == b"True", "the connection must go on"


@can
def test_hints_are_sent_at_once(server, gate):
    stop = gate()
    with server.connect() as connection:
        connection.send_request(f"/gate?{stop.query}")
        assert connection.read_head().headers == [CSS], "while the application runs"
        stop.open()
        assert connection.read_head().headers == [JS], "a second hint"
        assert connection.read_response().body == b"hinted"


@can
def test_hints_after_the_head_are_dropped(server):
    response = server.ask("/late")
    assert (response.status, response.body) == (200, b"firstsecond"), "without a hint in it"


@can
def test_an_application_may_fail_after_a_hint(server):
    with server.connect() as connection:
        connection.send_request("/fails")
        assert connection.read_head().status == 103
        assert connection.read_response().status == 500, "the response may still be an error"


@can
def test_a_hint_with_a_line_break_is_refused(server):
    body = server.ask("/refused").text
    assert "control character 0x0d" in body, "with the rules of the response's headers"


@can
def test_hidden_headers_are_not_hinted(server):
    assert server.ask("/hide/one").status == 200, "the client gets no hidden field early"


@can
def test_a_request_by_head_gets_hints(server):
    with server.connect() as connection:
        connection.send_request("/one", method="HEAD")
        assert connection.read_head().status == 103
        response = connection.read_response("HEAD")
        assert (response.status, response.body) == (200, b""), "as without a hint"


@can
def test_a_slow_client_gets_all_hints(server):
    with server.connect(server.other_port, receive_buffer=2048) as connection:
        connection.send_request("/many?40")
        hints = [connection.read_head() for _ in range(40)]
        assert [int(hint.header("X-Number")) for hint in hints] == list(range(40)), "all, in order"
        assert connection.read_response().body == b"hinted"


@can
@pytest.mark.parametrize("place", ["", "/ignore"])
def test_a_client_leaves_between_hints(server, gate, place):
    stop = gate()
    with server.connect() as connection:
        connection.send_request(f"{place}/gate?{stop.query}")
        assert connection.read_head().status == 103
        stop.wait()
    if not place:
        server.wait_access("/gate", " 499 ")
    stop.open()
    assert server.ask("/key").body == b"True", "the worker must go on"


@can
def test_hints_over_http_2(server, gate):
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
        assert link not in dict(response.headers), "the response has only its own fields"
