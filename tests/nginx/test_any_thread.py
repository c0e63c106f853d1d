"""Helper threads: the objects of a request work on any thread while the request lasts."""

import json

import pytest

from leaver import Leaver
from server import wait_for

pytestmark = [
    pytest.mark.not_inline("the file chooses the number of threads"),
    pytest.mark.not_validated("the validator refuses what a helper thread does"),
]

CONF = """
    wsgi_buffer_size 256k;
    location / { wsgi_app @APPS@/elsewhere.py app; }
    location /file/ { client_body_in_file_only clean;
                      wsgi_app @APPS@/elsewhere.py app; wsgi_script_name /file; }
    location /streamed/ { wsgi_request_buffering off;
                          wsgi_app @APPS@/elsewhere.py app; wsgi_script_name /streamed; }
    location /impatient/ { wsgi_request_buffering off; wsgi_read_timeout 500ms;
                           wsgi_app @APPS@/elsewhere.py app; wsgi_script_name /impatient; }
    location /wait/ { wsgi_read_timeout 500ms; wsgi_app @APPS@/wait.py app; wsgi_script_name /wait; }
    location /held/ { wsgi_buffering off;
                      wsgi_app @APPS@/elsewhere.py app; wsgi_script_name /held; }
"""
BODY = b"a line\n" + b"and more " * 30_000
PLACES = ["", "/file", "/streamed"]


@pytest.fixture(params=[4, 1, 0])
def server(nginx, request):
    """With four threads, with one thread, and on nginx's own thread."""
    return nginx(CONF, http=f"wsgi_threads {request.param};")


@pytest.fixture
def threaded(nginx):
    return nginx(CONF, http="wsgi_threads 2;")


def noted(server, count):
    def found():
        notes = json.loads(server.ask("/noted").body)
        return notes if len(notes) >= count else None

    return wait_for(found, f"{count} notes")


@pytest.mark.parametrize("name", ["all", "executor"])
@pytest.mark.parametrize("place", PLACES)
def test_a_helper_can_do_all_the_work(server, place, name):
    for body in (b"", b"short", BODY):
        response = server.ask(f"{place}/{name}", "POST", body=body)
        expected = (201, b"written " + body + b" False")
        assert (response.status, response.body) == expected, "as on the request's own thread"
    server.wait_log("a note of the helper", place)


@pytest.mark.parametrize("place", PLACES)
def test_two_threads_share_a_body(server, place):
    got, errors = json.loads(server.ask(f"{place}/both", "POST", body=BODY).body)
    assert (got, errors) == (len(BODY), []), "one thread gets each byte, and the other waits"


@pytest.mark.parametrize("place", ["", "/held"])
@pytest.mark.parametrize("name, times", [("writes", 1), ("mixed", 2)])
def test_a_helper_can_write_more_than_the_buffers_hold(server, place, name, times):
    with server.connect(receive_buffer=4096) as connection:
        connection.send_request(f"{place}/{name}?60")
        size = sum(len(piece) for piece in connection.read_response().pieces)
    assert size == times * 60 * 65536, "write() may wait for the client, but must return"
    assert server.ask("/noted").status == 200, "the worker must go on"


def test_a_helper_that_writes_without_end_does_not_hold_up_the_response(server):
    assert server.ask("/noted").status == 200
    before = server.reset_peak_memory()
    with server.connect(receive_buffer=4096) as connection:
        connection.send_request("/floods")
        assert connection.read_response().status == 200, "the iterable must end"
    assert server.peak_memory() - before < 32 * 1024 * 1024, "the helper must wait for its client"
    (note,) = noted(server, 1)
    assert "RuntimeError: write() was used after its request had ended" in note


def test_a_helper_that_waits_for_its_client_has_no_read_timeout(threaded, gate):
    never = gate()
    with threaded.connect() as connection:
        headers = [("Content-Length", "10")]
        connection.send_request("/impatient/all", method="POST", headers=headers)
        late = threaded.ask(f"/wait/block?{never.query}")
        assert late.status == 504, "wsgi_read_timeout is over"
        connection.send(b"0123456789")
        response = connection.read_response()
        assert response.status == 201, "the application may wait for its client for longer"
    never.open()
    threaded.wait_log("WSGI0008", "/wait/block")


def test_a_helper_that_reads_does_not_hold_up_the_response(threaded):
    with threaded.connect() as connection:
        headers = [("Content-Length", "10")]
        connection.send_request("/streamed/limited", method="POST", headers=headers)
        connection.send(b"01234")
        response = connection.read_response()
        assert (response.status, response.body) == (504, b"too late"), "without the rest of the body"
    read, start = noted(threaded, 2)
    assert read == "read: OSError: wsgi.input: the request has ended meanwhile", "read() must raise"
    kinds = ("start: RuntimeError: ", "start: AssertionError: ")
    assert start.startswith(kinds), "start_response is too late, or called a second time"


@pytest.mark.parametrize("way", ["close", "reset", "h2 reset", "h2 close"])
def test_read_in_a_helper_raises_when_the_client_has_left(threaded, way):
    with Leaver(threaded, way, "/streamed/all", body=b"a", unfinished=True) as leaving:
        leaving.leave()
        threaded.wait_access("/streamed/all")
    assert threaded.ask("/all", "POST", body=b"a").status == 201, "the thread must be free again"


def test_a_helper_that_outlives_its_request_gets_an_error(server):
    assert server.ask("/outlives", "POST", body=b"a body").body == b"done"
    server.ask("/go")
    for note, name in zip(noted(server, 3), ["wsgi.input", "start_response", "write()"]):
        assert f"RuntimeError: {name} was used after its request had ended" in note, name
