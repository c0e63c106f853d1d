"""Requests that clients cancel while they wait: they must leave no memory in use, and no place."""

import pytest

from h2client import H2Connection

pytestmark = [
    pytest.mark.not_inline("the file chooses the number of threads"),
    pytest.mark.not_validated("the responses are not the subject"),
    pytest.mark.not_newer("it takes a minute, and no version of anything is its subject"),
]

HTTP = "wsgi_threads 1; wsgi_max_queue 10; keepalive_requests 100000;"
CONF = """
    location / { wsgi_app @APPS@/wait.py app; }
    location /slow { wsgi_app @PREFIX@/slow.py app; }
"""
IMPORT = """
open({gate!r}, "rb").read()


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"imported"]
"""
ROUNDS = 100
STREAMS = 100  # fewer than nginx regards as a flood


def storm(port, path):
    """Begins requests and resets them. nginx has processed them when the function returns."""
    with H2Connection(port) as connection:
        for _ in range(ROUNDS):
            for stream in connection.send_together(path, STREAMS):
                connection.h2.reset_stream(stream, 8)
            connection.flush()
            connection.ping()


def assert_nothing_is_kept(server, path):
    pid = server.workers()[0]
    storm(server.h2_port, path)
    before = server.memory(pid)
    storm(server.h2_port, path)
    grown = server.memory(pid) - before
    assert grown < 1 << 20, f"{ROUNDS * STREAMS} cancelled requests take {grown >> 10} KB"


def test_cancelled_requests_leave_nothing_while_all_threads_are_busy(nginx, gate):
    server = nginx(CONF, http=HTTP, files=[("slow.py", IMPORT.format(gate="/dev/null"))])
    busy = gate()
    with server.connect() as first:
        first.send_request(f"/block?{busy.query}")
        busy.wait()
        assert_nothing_is_kept(server, "/closed")
        waiting = [server.connect() for _ in range(10)]
        for connection in waiting:
            connection.send_request("/closed")
        # The client sends this request after the ten, and nginx reads it after them.
        assert server.ask("/closed").status == 503, "there must be ten places, as before"
        busy.open()
        assert first.read_response().body == b"passed"
        for connection in waiting:
            assert connection.read_response().status == 200, "waiting requests must be answered"
            connection.close()


def test_cancelled_requests_leave_nothing_while_an_application_is_imported(nginx, gate):
    importing = gate()
    server = nginx.prepare(
        CONF, http=HTTP, files=[("slow.py", IMPORT.format(gate=str(importing.path)))]
    )
    server.launch()
    importing.wait()
    assert_nothing_is_kept(server, "/slow")
    with server.connect() as patient:
        patient.send_request("/slow")
        importing.open()
        assert patient.read_response().body == b"imported"
