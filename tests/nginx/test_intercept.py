"""wsgi_intercept_errors: nginx's error_page replaces an application's own errors."""

import pytest

from server import INLINE, wait_for
from telling import BEHIND, TEXT, WAYS, closing, environ_of, locations, tell

pytestmark = pytest.mark.not_validated("the validator refuses what the applications answer")

PAGES = """
    error_page 404 /page;
    error_page 401 403 /page;
    error_page 302 408 410 /page;
    error_page 418 =200 /page;
    error_page 500 @named;
    error_page 503 https://elsewhere.test/;
    location /page { internal; return 200 "the page"; }
    location @named { wsgi_app @APPS@/environ.py app; }
"""


@pytest.fixture(scope="module")
def server(module_nginx):
    return module_nginx(PAGES + locations("%_intercept_errors on;"), http=BEHIND)


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


@pytest.mark.parametrize("status", ["404 Not Found", "403 No", "410 Gone", "302 Found"])
def test_a_page_replaces_the_answer_of_the_application(server, way, status):
    headers = [TEXT, ["X-Own", "1"], ["Location", "/elsewhere"], ["Set-Cookie", "a=1"]]
    response = tell(server, way, status=status, headers=headers)
    assert (response.status, response.text) == (int(status[:3]), "the page"), "the status stays"
    assert response.header("X-Own") is None, "no header of the application"
    assert response.header("Location") is None and response.header("Set-Cookie") is None, "none"


def test_a_page_may_have_a_status_of_its_own(server, way):
    response = tell(server, way, status="418 Teapot")
    assert (response.status, response.text) == (200, "the page"), "as error_page says"


def test_a_page_may_be_on_another_server(server, way):
    response = tell(server, way, status="503 Busy")
    assert response.status == 302, "a redirect"
    assert response.header("Location") == "https://elsewhere.test/", "the address of error_page"


def test_an_application_may_make_the_page(server, way):
    response = tell(server, way, "POST", with_body=b"form", status="500 Oops")
    assert response.status == 500, "a named location keeps the status"
    assert environ_of(response)["REQUEST_METHOD"] == "POST", "a named location keeps the request"


def test_head_gets_the_length_of_the_page(server, way):
    response = tell(server, way, "HEAD", status="404 Not Found")
    assert (response.status, response.body) == (404, b""), "no body"
    assert response.header("Content-Length") == str(len("the page")), "the page's length"


def test_www_authenticate_is_kept_for_401(server, way):
    challenges = ['Basic realm="one"', 'Bearer realm="two"']
    headers = [TEXT, *(["WWW-Authenticate", value] for value in challenges)]
    response = tell(server, way, status="401 Who", headers=headers)
    assert (response.status, response.text) == (401, "the page")
    asked = response.all("WWW-Authenticate")
    assert asked and asked == challenges[: len(asked)], "the header stays"
    assert way == "proxy" or asked == challenges, "each of them; an old proxy_pass keeps only one"
    response = tell(server, way, status="403 No", headers=headers)
    assert response.header("WWW-Authenticate") is None, "not for 403"


@pytest.mark.parametrize("status", ["400 Bad", "502 Bad", "200 OK", "204 No", "301 Moved"])
def test_a_status_without_a_page_is_not_intercepted(server, way, status):
    response = tell(server, way, status=status, headers=[TEXT, ["X-Own", "1"]])
    assert response.status == int(status[:3]) and response.header("X-Own") == "1", "unchanged"
    assert response.text == ("" if status[:3] == "204" else "the application"), "with its body"


def test_timeout_is_not_intercepted(server):
    response = tell(server, "wsgi", status="408 Slow")
    assert (response.status, response.text) == (408, "the application"), "nginx would only close"


def test_an_error_wins_over_x_accel_redirect(server, way):
    headers = [TEXT, ["X-Accel-Redirect", "/page"]]
    response = tell(server, way, status="404 Not Found", headers=headers)
    assert response.status == 404, "X-Accel-Redirect has no effect"


@pytest.mark.parametrize("shape", ["pieces", "endless"])
def test_the_application_s_body_is_dropped_and_closed(nginx, shape):
    threads = "" if INLINE else "wsgi_threads 1;"
    server = nginx(PAGES + locations("%_intercept_errors on;"), http=threads + BEHIND)
    with closing(server) as closed:
        for _ in range(3):
            assert tell(server, "wsgi", shape=shape, status="404 None").text == "the page"
        wait_for(lambda: closed() == 3, "close() of each, by the only thread")
    assert not server.log_lines("WSGI0208"), "no client left"


def test_by_default_errors_are_the_application_s(nginx):
    server = nginx(PAGES + locations(), http=BEHIND)
    for way in WAYS:
        response = tell(server, way, status="404 Not Found")
        assert response.text == "the application", "without error_page"


def test_a_location_inherits_the_directive_or_sets_it(nginx):
    off = "location /wsgi/off/ { wsgi_app @APPS@/told.py app; wsgi_intercept_errors off; }"
    server = nginx(PAGES + locations() + off, http="wsgi_intercept_errors on;" + BEHIND)
    assert tell(server, "wsgi", status="404 Not Found").text == "the page", "on, from http"
    response = server.ask("/wsgi/off/?%7B%22status%22:%22404%20Gone%22%7D")
    assert response.text == "the application", "off, from the location"
