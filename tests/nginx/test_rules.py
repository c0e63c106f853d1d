"""Rules of PEP 3333 that the other files do not test; docs/pep3333.md has all of them."""

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
def test_each_kind_of_callable_is_called_by_position(server, kind):
    assert server.ask(f"/kind/{kind}").text == kind, "with two positional arguments"


def test_an_application_may_change_environ(server):
    for _ in range(2):
        assert server.ask("/environ").text == "changed", "in any way"


def test_an_empty_write_does_not_send_the_head(server):
    response = server.ask("/replaced")
    assert (response.status, response.reason) == (500, "Oops"), "exc_info replaces the head"
    assert (response.header("X-New"), response.header("X-Old")) == ("yes", None), "all of it"
    assert response.body == b"replaced", "then it is sent"


def test_start_response_raises_the_original_exception_again(server):
    said = server.ask("/raised_again").body
    assert said.startswith(b"sent(True, ["), "the same object"
    assert said.count(b"raised_again") == 2, "with its own traceback and start_response's"


def test_exc_info_is_not_kept(server):
    assert server.ask("/exc_info").body == b"[None]", "no object holds the exception"


def test_no_other_attribute_of_the_iterable_is_used(server):
    assert server.ask("/iterable").body == b"onetwo", "the server iterates and closes"
    assert server.ask("/attributes").body == b"['close']", "and reads no other attribute"


def test_bytes_are_sent_unchanged(server):
    assert server.ask("/bytes").body == EVERY_BYTE, "every byte and every line end"


def test_sys_exit_in_close_is_logged(server):
    with server.connect() as connection:
        assert connection.ask("/exit_in_close").body == b"whole", "the response was complete"
        assert connection.ask("/bytes").body == EVERY_BYTE, "the connection must go on"
    assert server.wait_log("WSGI0207", "ExitInClose", "SystemExit: 3"), "the log has the line"


def test_a_wrapper_that_is_not_returned_sends_nothing(server):
    assert server.ask("/wrapper").body == b"something else", "only the returned object is sent"


def test_iteration_stops_when_content_length_is_reached(server):
    with server.connect() as connection:
        assert connection.ask("/lazy").body == b"block", "the stated bytes are sent"
        line = server.wait_log("WSGI0205")[0]
        assert "rules.py:" in line and "in lazy" in line, "the log names the yield"
        shown = connection.ask("/asked").text
    assert shown == "[b'block', b'never']", "the server requests one block too many, and no more"


def test_the_headers_server_and_date_are_added(server):
    response = server.ask("/bytes")
    assert response.header("Server").startswith("nginx"), "nginx's Server"
    assert response.header("Date").endswith(" GMT"), "nginx's Date"


def test_close_is_called_after_a_timeout(nginx, gate):
    if INLINE:
        pytest.skip("an application on nginx's own thread cannot be timed out")
    server = nginx(
        "location / { wsgi_app @APPS@/wait.py app; }", http="wsgi_read_timeout 300ms;"
    )
    stop = gate()
    with server.connect() as connection, pytest.raises(client.Truncated):
        connection.ask(f"/stream?{stop.query}")
    assert server.ask("/closed").text == "0", "the application still waits at its gate"
    stop.open()
    wait_for(lambda: server.ask("/closed").text == "1", "close() to be called")
    server.wait_log("WSGI0117")
