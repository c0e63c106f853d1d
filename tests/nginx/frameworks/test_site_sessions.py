"""Sessions, and forms with a token against forged requests, also if their origin is looked at."""

import pytest
from asking import ask
from browser import Browser


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("who", ["django", "pyramid"])
def test_a_form_with_a_token(server, who, tls):
    browser = Browser(server, tls)
    path = f"/{who}/token"
    assert browser.ask(path).status == 200, "the form"
    page = browser.submit(path)
    assert (page.status, page.text[:5]) == (200, "taken"), "it comes from the site itself"


@pytest.mark.parametrize("who", ["django", "pyramid"])
def test_a_form_from_elsewhere(server, who):
    """With the right token, from elsewhere: scheme, host and port have to be the site's own."""
    path = f"/{who}/token"
    for origin in ("https://evil.test", "https://localhost:1", f"http://localhost:{server.port}"):
        browser = Browser(server, tls=True)
        browser.ask(path)
        page = browser.submit(path, origin=origin)
        assert page.status in (400, 403), f"{origin} is refused"
    browser = Browser(server)
    browser.ask(path)
    browser.cookies.clear()
    assert browser.submit(path).status in (400, 403), "and so is who has no cookie"


def test_a_session_in_a_cookie(server):
    browser = Browser(server)
    for _ in range(3):
        browser.ask("/pyramid/token")
    assert browser.submit("/pyramid/token").text == "taken, at visit 4", "it is counted"


def test_a_session_in_memory(server):
    """CherryPy keeps it in the worker, with a thread of its own that clears up."""
    for path in ("/cherrypy/visits", "/tree/visits"):
        browser, other = Browser(server), Browser(server)
        assert [browser.ask(path).text for _ in range(3)] == ["1", "2", "3"], "it is counted"
        assert other.ask(path).text == "1", "for each by itself"


def test_cherrypy_runs_without_its_server(server):
    for way in ("HTTP/1.1", "HTTP/2"):
        response = ask(server, way, "/tree/hello/x")
        assert response.json()["path"] == "/tree/hello/x", "cherrypy.tree is an application"
    assert not server.log_lines("ENGINE"), "its engine was never started"
    assert not server.log_lines('"GET /tree/hello/x HTTP/1.1" 200'), "nginx has the access log"
