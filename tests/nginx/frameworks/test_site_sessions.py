"""Sessions, and forms with a token against forged requests, also with a check of their origin."""

import pytest
from asking import ask
from browser import Browser


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("who", ["django", "pyramid"])
def test_a_form_with_a_token_is_accepted(server, who, tls):
    browser = Browser(server, tls)
    path = f"/{who}/token"
    assert browser.ask(path).status == 200, "the form"
    page = browser.submit(path)
    assert (page.status, page.text[:5]) == (200, "taken"), "from the site itself"


@pytest.mark.parametrize("who", ["django", "pyramid"])
def test_a_form_of_another_origin_is_refused(server, who):
    """It has the right token, but scheme, host or port of another site."""
    path = f"/{who}/token"
    for origin in ("https://evil.test", "https://localhost:1", f"http://localhost:{server.port}"):
        browser = Browser(server, tls=True)
        browser.ask(path)
        page = browser.submit(path, origin=origin)
        assert page.status in (400, 403), f"{origin} must be refused"
    browser = Browser(server)
    browser.ask(path)
    browser.cookies.clear()
    assert browser.submit(path).status in (400, 403), "without the cookie"


def test_a_session_in_a_cookie_counts(server):
    browser = Browser(server)
    for _ in range(3):
        browser.ask("/pyramid/token")
    assert browser.submit("/pyramid/token").text == "taken, at visit 4", "four visits"


def test_a_session_in_memory_counts(server):
    """CherryPy keeps it in the worker, with a thread of its own that removes old ones."""
    for path in ("/cherrypy/visits", "/tree/visits"):
        browser, other = Browser(server), Browser(server)
        assert [browser.ask(path).text for _ in range(3)] == ["1", "2", "3"], "three visits"
        assert other.ask(path).text == "1", "each browser has its own count"


def test_cherrypy_runs_without_its_server(server):
    for way in ("HTTP/1.1", "HTTP/2"):
        response = ask(server, way, "/tree/hello/x")
        assert response.json()["path"] == "/tree/hello/x", "cherrypy.tree is an application"
    assert not server.log_lines("ENGINE"), "its engine must not run"
    assert not server.log_lines('"GET /tree/hello/x HTTP/1.1" 200'), "only nginx has an access log"
