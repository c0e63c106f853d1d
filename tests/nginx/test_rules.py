"""Rules of PEP 3333 that the other files do not show; docs/pep3333.md has all of them."""

import pytest

import client
from server import INLINE, wait_for

pytestmark = pytest.mark.not_validated("the validator refuses what the applications answer")

KINDS = ["positional", "Class", "instance", "method", "partial"]
CONF = "location / { wsgi_app @APPS@/rules.py app; }" + "".join(
    f"location /kind/{kind} {{ wsgi_app @APPS@/rules.py {kind}; }}" for kind in KINDS
)
EVERY_BYTE = bytes(range(256)) + b"\r\n\n\r\r\n\n"


@pytest.fixture(scope="module")
def server(module_nginx):
    return module_nginx(CONF)


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_callables(server, kind):
    assert server.ask(f"/kind/{kind}").text == kind, "it is called, whatever it is, by position"


def test_environ_is_the_applications_to_change(server):
    for _ in range(2):
        assert server.ask("/environ").text == "changed", "in any way it desires"


def test_an_empty_write_does_not_send_the_head(server):
    response = server.ask("/replaced")
    assert (response.status, response.reason) == (500, "Oops"), "the head can still be replaced"
    assert (response.header("X-New"), response.header("X-Old")) == ("yes", None), "all of it"
    assert response.body == b"replaced", "and then it is sent"


def test_the_exception_that_is_raised_again_is_the_original(server):
    said = server.ask("/raised_again").body
    assert said.startswith(b"sent(True, ["), "it is the same object"
    assert said.count(b"raised_again") == 2, "with its own traceback and start_response's"


def test_exc_info_is_not_kept(server):
    assert server.ask("/exc_info").body == b"[None]", "the exception is gone when it returns"


def test_no_other_attribute_of_the_iterable_is_used(server):
    assert server.ask("/iterable").body == b"onetwo", "iterated over and closed"
    assert server.ask("/attributes").body == b"['close']", "and nothing else was asked for"


def test_bytes_are_sent_as_they_are(server):
    assert server.ask("/bytes").body == EVERY_BYTE, "no byte and no line end is altered"


def test_exit_in_close(server):
    with server.connect() as connection:
        assert connection.ask("/exit_in_close").body == b"whole", "the response was whole"
        assert connection.ask("/bytes").body == EVERY_BYTE, "and the connection goes on"
    assert server.wait_log("WSGI0207", "ExitInClose", "SystemExit: 3"), "the log says it"


def test_a_wrapper_that_is_not_returned_sends_nothing(server):
    assert server.ask("/wrapper").body == b"something else", "only what is returned is sent"


def test_iteration_stops_when_content_length_is_reached(server):
    with server.connect() as connection:
        assert connection.ask("/lazy").body == b"block", "what was promised is sent"
        line = server.wait_log("WSGI0205")[0]
        assert "rules.py:" in line and "in lazy" in line, "the log names the yield"
        shown = connection.ask("/asked").text
    assert shown == "[b'block', b'never']", "one more shows that there is too much, no other"


def test_missing_headers_are_added(server):
    response = server.ask("/bytes")
    assert response.header("Server").startswith("nginx"), "HTTP wants Date, and Server is usual"
    assert response.header("Date").endswith(" GMT"), "the application gave neither"


def test_close_is_called_after_a_timeout(nginx, gate):
    if INLINE:
        pytest.skip("an application on nginx's own thread cannot be timed out")
    server = nginx(
        "location / { wsgi_app @APPS@/wait.py app; }", http="wsgi_read_timeout 300ms;"
    )
    stop = gate()
    with server.connect() as connection, pytest.raises(client.Truncated):
        connection.ask(f"/stream?{stop.query}")
    assert server.ask("/closed").text == "0", "the application is still at its gate"
    stop.open()
    wait_for(lambda: server.ask("/closed").text == "1", "close() to be called")
    server.wait_log("WSGI0117")
