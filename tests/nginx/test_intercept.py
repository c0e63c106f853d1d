"""wsgi_intercept_errors: what nginx's error_page makes of an application's own errors."""

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
def test_page_in_place_of_the_application(server, way, status):
    headers = [TEXT, ["X-Own", "1"], ["Location", "/elsewhere"], ["Set-Cookie", "a=1"]]
    response = tell(server, way, status=status, headers=headers)
    assert (response.status, response.text) == (int(status[:3]), "the page"), "the status stays"
    assert response.header("X-Own") is None, "no header of the application"
    assert response.header("Location") is None and response.header("Set-Cookie") is None, "none"


def test_page_with_a_status_of_its_own(server, way):
    response = tell(server, way, status="418 Teapot")
    assert (response.status, response.text) == (200, "the page"), "as error_page says"


def test_page_that_is_elsewhere(server, way):
    response = tell(server, way, status="503 Busy")
    assert response.status == 302, "a redirect"
    assert response.header("Location") == "https://elsewhere.test/", "to where error_page says"


def test_page_by_an_application(server, way):
    response = tell(server, way, "POST", with_body=b"form", status="500 Oops")
    assert response.status == 500, "a named location keeps the status"
    assert environ_of(response)["REQUEST_METHOD"] == "POST", "and the request"


def test_head(server, way):
    response = tell(server, way, "HEAD", status="404 Not Found")
    assert (response.status, response.body) == (404, b""), "no body"
    assert response.header("Content-Length") == str(len("the page")), "the length is the page's"


def test_password_is_asked_for(server, way):
    challenges = ['Basic realm="one"', 'Bearer realm="two"']
    headers = [TEXT, *(["WWW-Authenticate", value] for value in challenges)]
    response = tell(server, way, status="401 Who", headers=headers)
    assert (response.status, response.text) == (401, "the page")
    asked = response.all("WWW-Authenticate")
    assert asked and asked == challenges[: len(asked)], "the header stays"
    assert way == "proxy" or asked == challenges, "here each of them, proxy_pass of old kept one"
    response = tell(server, way, status="403 No", headers=headers)
    assert response.header("WWW-Authenticate") is None, "of 403 it does not"


@pytest.mark.parametrize("status", ["400 Bad", "502 Bad", "200 OK", "204 No", "301 Moved"])
def test_status_without_a_page(server, way, status):
    response = tell(server, way, status=status, headers=[TEXT, ["X-Own", "1"]])
    assert response.status == int(status[:3]) and response.header("X-Own") == "1", "it is as it is"
    assert response.text == ("" if status[:3] == "204" else "the application"), "with its body"


def test_timeout_is_not_intercepted(server):
    response = tell(server, "wsgi", status="408 Slow")
    assert (response.status, response.text) == (408, "the application"), "nginx would only close"


def test_redirect_of_an_error(server, way):
    headers = [TEXT, ["X-Accel-Redirect", "/page"]]
    response = tell(server, way, status="404 Not Found", headers=headers)
    assert response.status == 404, "the error comes before X-Accel-Redirect"


@pytest.mark.parametrize("shape", ["pieces", "endless"])
def test_body_is_dropped_and_closed(nginx, shape):
    threads = "" if INLINE else "wsgi_threads 1;"
    server = nginx(PAGES + locations("%_intercept_errors on;"), http=threads + BEHIND)
    with closing(server) as closed:
        for _ in range(3):
            assert tell(server, "wsgi", shape=shape, status="404 None").text == "the page"
        wait_for(lambda: closed() == 3, "close() of each, by the one thread that there is")
    assert not server.log_lines("WSGI0208"), "no client has left"


def test_off(nginx):
    server = nginx(PAGES + locations(), http=BEHIND)
    for way in WAYS:
        response = tell(server, way, status="404 Not Found")
        assert response.text == "the application", "its errors are its own"


def test_inheritance(nginx):
    off = "location /wsgi/off/ { wsgi_app @APPS@/told.py app; wsgi_intercept_errors off; }"
    server = nginx(PAGES + locations() + off, http="wsgi_intercept_errors on;" + BEHIND)
    assert tell(server, "wsgi", status="404 Not Found").text == "the page", "http says on"
    response = server.ask("/wsgi/off/?%7B%22status%22:%22404%20Gone%22%7D")
    assert response.text == "the application", "a location may say off"
