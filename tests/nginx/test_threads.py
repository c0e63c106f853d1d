"""Threads and their queue: which requests wait, which do not, and which are refused."""

import os
import select
import signal

import pytest

import client
from server import wait_for

pytestmark = pytest.mark.not_inline("threads are the subject")

CONF = """
    location / { wsgi_app @APPS@/wait.py app; }
    location = /static { try_files /static =404; }
    location = /return { return 200 "returned"; }
"""


def with_static(nginx, **how):
    return nginx.prepare(CONF, files=[("html/static", "static")], **how).start()


def block(server, gate):
    """A request that waits at a gate: its connection, and the gate."""
    stop, connection = gate(), server.connect()
    connection.send_request(f"/block?{stop.query}")
    return connection, stop.wait()


def test_busy_threads_do_not_hold_up_nginx(nginx, gate):
    server = with_static(nginx, http="wsgi_threads 8;")
    blocked = [block(server, gate) for _ in range(8)]
    for _ in range(50):
        assert server.ask("/static").body == b"static", "nginx serves static files"
        assert server.ask("/return").body == b"returned", "nginx's own answers"
    with server.connect() as ninth:
        ninth.send_request("/started")
        assert server.ask("/return").body == b"returned", "only the ninth request waits"
        assert not select.select([ninth.socket], [], [], 0)[0], "the ninth request has no thread"
        blocked[3][1].shut()
        assert ninth.read_response().status == 200, "it is answered when a thread is free"
    for connection, stop in blocked:
        stop.shut()
        assert connection.read_response().body == b"passed", "the eight are answered"
        connection.close()


def test_the_queue_is_in_order(nginx, gate):
    server = nginx(CONF, http="wsgi_threads 1;")
    first, stop = block(server, gate)
    stops, waiting = [gate() for _ in range(5)], []
    for other in stops:
        waiting.append(server.connect())
        waiting[-1].send_request(f"/block?{other.query}")
        assert server.ask("/return").status == 200, "nginx has read the request before this one"
    stop.shut()
    first.read_response()
    for connection, other in zip(waiting, stops):
        other.open()
        assert connection.read_response().body == b"passed", "the first request is answered first"
    names = " ".join([stop.path.name] + [other.path.name for other in stops])
    assert server.ask("/started").text == names, "all requests ran in order"


def test_a_full_queue_refuses_requests(nginx, gate):
    server = nginx(CONF, http="wsgi_threads 1; wsgi_max_queue 1;")
    first, stop = block(server, gate)
    rivals = [server.connect(), server.connect()]
    for rival in rivals:
        rival.send_request("/started")
    (refused,), _, _ = select.select([rival.socket for rival in rivals], [], [], client.TIMEOUT)
    loser = next(rival for rival in rivals if rival.socket is refused)
    response = loser.read_response()
    assert response.status == 503, "one request waits, the other is above the limit"
    assert int(response.header("Retry-After")) >= 1, "the client may try again"
    assert server.wait_log("client: 127.0.0.1", '"GET /started', "wait"), "the log has a line"
    stop.shut()
    assert first.read_response().status == 200, "the running request is answered"
    winner = next(rival for rival in rivals if rival is not loser)
    assert winner.read_response().status == 200, "the waiting request is answered"
    assert loser.ask("/started").status == 200, "the refused client's connection goes on"


def test_queue_timeout_refuses_a_waiting_request(nginx, gate):
    server = nginx(CONF, http="wsgi_threads 1; wsgi_queue_timeout 500ms;")
    # On a busy machine the import may take longer than 500 ms, and requests wait for it.
    wait_for(lambda: server.ask("/started").status == 200, "the import")
    first, stop = block(server, gate)
    response = server.ask("/started")
    assert response.status == 503, "without a free thread"
    assert response.header("Retry-After"), "the client may try again"
    assert server.wait_log('"GET /started', "client: 127.0.0.1"), "the log has a line"
    stop.shut()
    assert first.read_response().body == b"passed", "the running request has no such limit"
    assert server.ask("/started").text == stop.path.name, "the refused request did not run"


def test_read_timeout_before_the_headers_is_a_504(nginx, gate):
    server = nginx(CONF, http="wsgi_read_timeout 500ms;")
    connection, stop = block(server, gate)
    assert connection.read_response().status == 504, "the application took too long"
    assert server.wait_log('"GET /block', "client: 127.0.0.1"), "the log has a line"
    stop.shut()
    assert server.ask("/started").status == 200, "the next request must work"


def test_read_timeout_after_the_headers_truncates_the_response(nginx, gate):
    server = nginx(CONF, http="wsgi_read_timeout 500ms;")
    stop = gate()
    with server.connect() as connection, pytest.raises(client.Truncated) as truncated:
        connection.ask(f"/stream?{stop.query}")
    assert truncated.value.response.body == b"first", "it must not look complete"
    stop.open()
    assert server.ask("/started").status == 200, "the next request must work"


def test_read_timeout_does_not_count_the_queue(nginx, gate):
    server = nginx(CONF, http="wsgi_threads 1; wsgi_read_timeout 500ms; wsgi_queue_timeout 30s;")
    connection, stop = block(server, gate)
    with server.connect() as waiting:
        waiting.send_request("/started")
        assert connection.read_response().status == 504, "the running request is timed out"
        stop.shut()
        assert waiting.read_response().status == 200, "the time of the waiting one begins later"


def test_many_connections_are_all_answered(nginx):
    server = nginx(CONF, http="wsgi_threads 4;")
    connections = [server.connect() for _ in range(100)]
    for _ in range(5):
        for connection in connections:
            connection.send_request("/closed")
        assert all(c.read_response().body == b"0" for c in connections), "every request"
    for connection in connections:
        connection.close()


def test_one_thread_answers_all_requests(nginx):
    server = nginx(CONF, http="wsgi_threads 1;")
    assert [server.ask("/closed").body for _ in range(20)] == [b"0"] * 20, "one after the other"


def test_requests_of_one_turn_of_the_loop_do_not_wait_for_each_other(nginx, gate):
    server = nginx(CONF, http="wsgi_threads 4;")
    (worker,) = server.workers()
    together = [(server.connect(), gate()) for _ in range(4)]
    for _ in range(3):
        # They follow many short requests, for which one thread was enough.
        for _ in range(20):
            for connection, _ in together:
                connection.send_request("/started")
            for connection, _ in together:
                assert connection.read_response().status == 200
        os.kill(worker, signal.SIGSTOP)
        for connection, stop in together:
            connection.send_request(f"/block?{stop.query}")
        os.kill(worker, signal.SIGCONT)
        for _, stop in together:
            stop.wait()
        for connection, stop in together:
            stop.open()
            assert connection.read_response().body == b"passed", "all four waited at once"
            stop.remove()
        together = [(connection, gate()) for connection, _ in together]


@pytest.mark.parametrize("threads", [4, 1, 0])
def test_debuggers_and_coverage_see_requests(nginx, threads):
    conf = "location / { wsgi_app @APPS@/traced.py app; }"
    server = nginx(conf, http=f"wsgi_threads {threads};")
    for _ in range(8):
        assert server.ask("/work").text == "profiled traced", "as in threads of Python"
