"""Stopping a worker: what it must wait for, and that it must end in time."""

import signal
import time

import pytest

import client
from server import wait_for

pytestmark = [
    pytest.mark.not_inline("a worker cannot stop while its thread waits"),
    pytest.mark.not_validated("the responses are not the subject"),
]

CONF = """
    location /wait/ { wsgi_app @APPS@/wait.py app; wsgi_script_name /wait; }
    location /return { return 200 "returned"; }
    location /own { wsgi_app @PREFIX@/own.py app; }
"""
OWN = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"own"]
"""
SPIN = """
def app(environ, start_response):
    open(environ["QUERY_STRING"], "rb").read()
    while True:
        pass
"""
HOLD = """
import ctypes

def app(environ, start_response):
    open(environ["QUERY_STRING"], "rb").read()
    ctypes.PyDLL(None).sleep(600)  # with the GIL
"""
GOODBYE = "import atexit\natexit.register(print, 'goodbye')\n"
THREADS = """
import threading, time

def spin():
    while True:
        pass

for daemon in (True, False):
    for target in (spin, lambda: time.sleep(600)):
        threading.Thread(target=target, daemon=daemon).start()
"""
LONG = 4.5  # seconds, after which nginx kills a worker that does not end


def prepare(nginx, own=OWN, **how):
    return nginx.prepare(CONF, files=[("own.py", own)], **how)


def refused(port):
    try:
        client.Connection(port).close()
        return False
    except ConnectionRefusedError:
        return True


def assert_ends(server, number):
    """nginx ends by the signal, in time, and no worker ends by another signal."""
    begin = time.monotonic()
    assert server.stop(number) == 0, "nginx ends"
    assert time.monotonic() - begin < LONG, "in time"


def test_quit_waits_for_the_running_request(nginx, gate):
    server = prepare(nginx).start()
    stop, port = gate(), server.port
    with server.connect() as connection:
        connection.send_request(f"/wait/block?{stop.query}")
        stop.wait()
        server.send(signal.SIGQUIT)
        wait_for(lambda: refused(port), "nginx to close its port")
        assert server.process.poll() is None, "the worker must wait"
        stop.shut()
        assert connection.read_response().body == b"passed", "the answer must be complete"
    assert server.process.wait(20) == 0, "then it must end"


def test_quit_waits_for_the_queue(nginx, gate):
    server = prepare(nginx, http="wsgi_threads 1;").start()
    stop = gate()
    with server.connect() as first, server.connect() as second:
        first.send_request(f"/wait/block?{stop.query}")
        stop.wait()
        second.send_request("/own")
        assert server.ask("/return").status == 200, "nginx has read the second request"
        server.send(signal.SIGQUIT)
        wait_for(lambda: refused(server.port), "nginx to close its port")
        stop.shut()
        assert first.read_response().body == b"passed", "the running request is answered"
        assert second.read_response().body == b"own", "the waiting request is answered"


@pytest.mark.parametrize("attempt", range(10))
def test_term_ends_nginx_while_python_runs(nginx, gate, attempt):
    server = prepare(nginx, workers=2).start()
    server.expect("WSGI0003")
    stop = gate()
    connections = [server.connect() for _ in range(4)]
    connections[0].send_request(f"/wait/block?{stop.query}")
    stop.wait()
    for connection in connections[1:]:
        connection.send_request("/own")
    assert server.stop(signal.SIGTERM) == 0, "nginx must end, and no worker by a signal"
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("spin, limit", [(SPIN, 2.5), (HOLD, LONG)], ids=["python", "c"])
def test_term_ends_nginx_while_python_keeps_the_gil(nginx, gate, spin, limit):
    server = prepare(nginx, own=GOODBYE + spin).start()
    server.expect("WSGI0003")
    stop = gate()
    with server.connect() as connection:
        connection.send_request(f"/own?{stop.query}")
        stop.open()
        begin = time.monotonic()
        assert server.stop(signal.SIGTERM) == 0, "nginx ends"
        assert time.monotonic() - begin < limit, "in time"
    if spin == SPIN:
        assert server.wait_log("goodbye"), "the atexit handlers had the time to run"
    server.wait_log("WSGI0003 stopped after", "1 request was still running")
    assert not server.log_lines("core dumped"), "no worker may crash"


def test_worker_shutdown_timeout_ends_streams(nginx, gate):
    server = prepare(nginx, main="worker_shutdown_timeout 200ms;").start()
    server.expect("WSGI0003")
    stop = gate()
    with server.connect() as connection:
        connection.send_request(f"/wait/stream?{stop.query}")
        response = connection.read_head()
        assert connection.read_chunk(response) == b"first", "the stream has begun"
        stop.wait()
        server.send(signal.SIGQUIT)
        with pytest.raises(client.Truncated):
            connection.read_chunk(response)
    assert_ends(server, signal.SIGQUIT)


def test_atexit_handlers_run_at_the_end_of_a_worker(nginx):
    server = prepare(nginx, own=GOODBYE + OWN).start()
    server.ask("/own")
    assert server.stop() == 0, "nginx ends"
    assert server.log_lines("goodbye"), "the handler has printed"


def test_an_atexit_handler_that_hangs_does_not_hold_up_the_end(nginx):
    own = "import atexit, time\natexit.register(time.sleep, 600)\n" + OWN
    server = prepare(nginx, own=own).start()
    server.expect("WSGI0003")
    assert server.ask("/own").body == b"own", "it works"
    assert_ends(server, signal.SIGQUIT)


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGTERM])
def test_threads_of_the_application_do_not_hold_up_the_end(nginx, number):
    server = prepare(nginx, own=THREADS + OWN).start()
    server.expect("WSGI0003")
    assert server.ask("/own").body == b"own", "it works"
    assert_ends(server, number)


def blocked_import(nginx, stop):
    server = prepare(nginx, own=f"open({str(stop.path)!r}, 'rb').read()\n" + OWN).start()
    stop.wait()
    return server


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGTERM])
def test_an_import_does_not_hold_up_the_end(nginx, gate, number):
    server = blocked_import(nginx, gate())
    server.expect("WSGI0003")
    assert_ends(server, number)


def test_quit_waits_for_a_request_that_waits_for_an_import(nginx, gate):
    stop = gate()
    server = blocked_import(nginx, stop)
    with server.connect() as connection:
        connection.send_request("/own")
        assert server.ask("/return").status == 200, "nginx has read the request"
        server.send(signal.SIGQUIT)
        wait_for(lambda: refused(server.port), "nginx to close its port")
        stop.shut()
        assert connection.read_response().body == b"own", "the waiting request is answered"


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGTERM])
def test_nginx_ends_directly_after_its_start(nginx, number):
    for _ in range(5):
        server = prepare(nginx, workers=2).start()
        assert_ends(server, number)
