"""Views that fail: one traceback in the log, with the request, and an answer of 500.

In production the answer must not show the program. With the frameworks' settings for development it
may. In both cases the connection goes on.
"""

import pytest
from asking import SITES, WAYS, ask

# The last line of the traceback, without the numbered line before it.
ERROR = "RuntimeError: a view failed, client: "

# The line of each framework in the log. Pyramid raises the exception, as Flask does for
# development.
SAYS = {
    "flask": "Exception on /fails [GET]",
    "django": "Internal Server Error: /django/fails",
    "bottle": "Traceback (most recent call last)",
    "pyramid": "WSGI0201",
    "falcon": "[FALCON] [ERROR] GET /fails",
    "cherrypy": "] HTTP ",
}


def failed(server, who, way):
    """The lines of the log while a view fails, and the answer."""
    before, so_far = len(server.log_lines()), len(server.log_lines(ERROR))
    response = ask(server, way, f"/{who}/fails")
    server.wait_log(ERROR, count=so_far + 1)
    return response, [line for line in server.log_lines()[before:] if "[error]" in line]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who", SITES)
def test_a_failing_view_is_a_500(server, who, way):
    response, lines = failed(server, who, way)
    assert response.status == 500, "the framework answers"
    assert "a view failed" not in response.text and "Traceback" not in response.text, "not why"
    check_log(lines, SAYS[who], who)


def check_log(lines, says, who, times=1):
    errors = [line for line in lines if ERROR in line]
    assert len(errors) == times, "one traceback"
    assert sum(says in line for line in lines) == times, "logged by the framework"
    assert f"GET /{who}/fails" in errors[0], "with the request"
    assert "client: 127.0.0.1" in errors[0], "with the client"


@pytest.mark.parametrize("who", SITES)
def test_a_failing_view_during_development(debugged, who):
    response, lines = failed(debugged, who, "HTTP/1.1")
    assert response.status == 500, "also a 500"
    # Django then has a handler of its own in addition to that of the root logger.
    times = 2 if who == "django" else 1
    check_log(lines, "WSGI0201" if who == "flask" else SAYS[who], who, times)
    if who in ("django", "bottle", "cherrypy"):
        assert "a view failed" in response.text, "the page has the traceback"


@pytest.mark.parametrize("who", SITES)
def test_the_connection_goes_on_after_a_failure(server, who):
    with server.connect() as connection:
        for _ in range(3):
            response = connection.ask(f"/{who}/fails")
            assert response.status == 500
            if response.header("Connection") == "close":
                return
        assert connection.ask(f"/{who}/local").text == "nothing", "the next request works"


@pytest.mark.parametrize("who", SITES)
def test_logs_of_frameworks_have_the_request(server, who):
    before = len(server.log_lines(f"{who}: a note"))
    assert server.ask(f"/{who}/noted").status == 200
    (line,) = server.wait_log(f"{who}: a note", count=before + 1)[before:]
    assert "[error]" in line and f"GET /{who}/noted" in line, "wsgi.errors"
    if who != "bottle":  # it has no log of its own
        line = server.wait_log(f"{who}: its log")[-1]
        assert f"GET /{who}/noted" in line, "the framework's log"
