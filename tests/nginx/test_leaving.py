"""A worker that must be replaced (WSGI0125) ends soon, whatever its clients do. Until then the
master
does not start the next one, and with one worker no process takes new clients."""

import time
from pathlib import Path

import pytest

from h2client import H2Connection
from server import wait_for

pytestmark = [
    pytest.mark.not_inline("no thread can be stuck"),
    pytest.mark.not_validated("the responses are not the subject"),
]

CONF = """
    location / { wsgi_app @APPS@/late.py app; }
    location /block { wsgi_app @APPS@/late.py app; wsgi_read_timeout 60s; }
    location /endless {
        wsgi_app @APPS@/late.py app; wsgi_script_name /endless;
        wsgi_read_timeout 60s; wsgi_ignore_client_abort on;
    }
    location /large { sendfile off; }
"""
HTTP = "wsgi_threads 4; wsgi_max_stuck 1; wsgi_read_timeout 500ms; send_timeout 60s;"


def start(nginx, main=""):
    server = nginx.prepare(CONF, http=HTTP, main=main)
    with open(server.write("html/large", ""), "wb") as file:
        file.truncate(200 * 1024 * 1024)
    return server.start()


def exhaust(server):
    """Makes two threads stuck, which is one above the limit."""
    for _ in range(2):
        assert server.ask("/wait").status == 504, "the application is late"
    server.wait_log("WSGI0125", "2 threads are stuck")


def test_a_slow_client_does_not_hold_up_the_end(nginx):
    server = start(nginx)
    server.expect("WSGI0003")
    (worker,) = server.workers()
    with server.connect() as slow:
        slow.send_request("/large")
        wait_for(lambda: server.ask("/pid").text == str(worker), "the import")
        exhaust(server)
        begin = time.monotonic()
        assert server.ask("/pid").text != str(worker), "a new worker serves"
        assert time.monotonic() - begin < 12, "although the client reads nothing"
    assert server.wait_log("WSGI0125", "at most 5000 ms"), "the log has the limit"
    assert server.wait_log("[warn]", "WSGI0118", "after 5000 ms"), "the log has what was cut off"


def test_a_request_that_ends_in_time_is_answered(nginx, gate):
    server = start(nginx)
    server.expect("WSGI0003")
    (worker,) = server.workers()
    stop = gate()
    with server.connect() as running:
        running.send_request(f"/block?{stop.query}")
        stop.wait()
        exhaust(server)
        server.wait_log("gracefully shutting down")
        stop.shut()
        assert running.read_response().body == b"passed", "it had the time to end"
    assert server.ask("/pid").text != str(worker), "a new worker serves"
    assert not server.log_lines("WSGI0118"), "no request may be cut off"


def test_an_application_without_its_client_does_not_hold_up_the_end(nginx, gate):
    server = start(nginx, main="worker_shutdown_timeout 500ms;")
    server.expect("WSGI0003")
    # nginx logs this when a worker ends with a connection in use.
    server.expect(r"open socket #\d+ left in connection|aborting$")
    (worker,) = server.workers()
    stop = gate()
    with H2Connection(server.h2_port) as client:
        client.send(f"/endless/block?{stop.query}")
        stop.wait()
        exhaust(server)
        begin = time.monotonic()
        wait_for(lambda: not Path(f"/proc/{worker}").exists(), "the worker to be gone")
        assert time.monotonic() - begin < 8, "although the application goes on"
    assert server.wait_log("WSGI0125", "at most 500 ms"), "with the time of the directive"
    assert server.ask("/pid").text != str(worker), "a new worker serves"
    stop.open()
