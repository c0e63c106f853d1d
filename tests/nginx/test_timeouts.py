"""Applications that take too long: their lines in the log, and new threads that replace theirs."""

import re
import time
from pathlib import Path

import pytest

import client
from h2client import H2Connection
from server import wait_for

pytestmark = [
    pytest.mark.not_inline("an application on nginx's own thread cannot be timed out"),
    pytest.mark.not_validated("the responses are not the subject"),
]

CONF = "location / { wsgi_app @APPS@/late.py app; }"
OWN = "location /own { wsgi_app @PREFIX@/own.py app; }"
# The same application for requests with a short limit in the queue. Others wait for the import.
IMPATIENT = "location %s { wsgi_app @APPS@/late.py app; wsgi_queue_timeout 300ms; }"
SHORT = "wsgi_read_timeout 500ms; "


def start(nginx, http="", **how):
    return nginx(CONF, http=SHORT + http, **how)


def assert_late(server, path):
    """Sends a request, which must be timed out."""
    response = server.ask(path)
    assert response.status == 504, "the application takes too long"


def stack_after(server, pattern, number, *words):
    """The lines of the log that follow a numbered one, after the pattern has appeared in them.

    nginx writes them one by one: the first may be there before the last.
    """
    server.wait_log(number, *words)

    def found():
        lines = server.log().splitlines()
        at = next(i for i, line in enumerate(lines) if number in line)
        stack = "\n".join(lines[at + 1 :])
        return stack if re.search(pattern, stack) else None

    return wait_for(found, f"{pattern!r} in the stack after {number}")


def threads(server):
    return int(server.ask("/threads").text)


def test_the_stack_of_a_late_application_is_logged(nginx):
    server = start(nginx)
    assert_late(server, "/wait?mark")
    words = '"GET /wait?mark HTTP/1.1"', "client: 127.0.0.1"
    stack = stack_after(server, r"released\.wait\(\)", "WSGI0005", *words)
    assert re.search(r'File ".*/late.py", line \d+, in wait\b', stack), stack
    lines = server.log().splitlines()
    numbers = [number for line in lines for number in re.findall(r"WSGI0116|WSGI0005", line)]
    assert numbers[:2] == ["WSGI0116", "WSGI0005"], "the answer must not wait for the stack"
    assert server.ask("/release").status == 200, "the other threads go on"


def test_the_stack_of_an_application_that_computes_is_logged(nginx):
    server = start(nginx)
    assert_late(server, "/spin")
    stack_after(server, "in spin", "WSGI0005", "/spin")
    assert server.ask("/release").status == 200, "the other threads go on"
    server.wait_log("WSGI0008", "/spin")


def test_the_stack_of_a_stream_is_logged(nginx):
    server = start(nginx)
    server.expect("WSGI0003")
    with server.connect() as connection, pytest.raises(client.Truncated):
        connection.ask("/stream")
    server.wait_log("WSGI0117", "GET /stream")
    stack_after(server, "in stream", "WSGI0005", "GET /stream")


def test_a_late_application_over_http2(nginx):
    server = start(nginx)
    server.expect("WSGI0003")
    with H2Connection(server.h2_port) as connection:
        assert connection.ask("/wait").status == 504, "the application takes too long"
    assert server.wait_log("WSGI0005", '"GET /wait HTTP/2.0"'), "the log names the request"


def test_the_stack_is_logged_after_the_client_has_left(nginx, gate):
    server = start(nginx)
    stop = gate()
    leaving = server.connect()
    leaving.send_request(f"/block?{stop.query}")
    stop.wait()
    leaving.close()
    server.wait_access("GET /block", " 499 ")
    stack_after(server, "in block", "WSGI0005", "GET /block")
    assert not server.log_lines("WSGI0116"), "there is no client to answer"
    stop.shut()
    server.wait_log("WSGI0008", "GET /block")


def test_an_application_is_not_late_when_its_client_leaves(nginx, gate):
    server = nginx(CONF, http="wsgi_read_timeout 30s;")
    stop = gate()
    leaving = server.connect()
    leaving.send_request(f"/block?{stop.query}")
    stop.wait()
    leaving.close()
    server.wait_access("GET /block", " 499 ")
    stop.shut()
    assert server.ask("/pid").status == 200, "the worker goes on"
    assert not server.log_lines("WSGI000"), "the application ended in time"


def test_code_that_keeps_the_gil_does_not_hold_up_the_answer(nginx):
    server = start(nginx)
    assert server.ask("/pid").status == 200, "the application is imported"
    begin = time.monotonic()
    assert_late(server, "/hold")
    assert time.monotonic() - begin < 2.5, "the answer does not wait for the GIL"
    assert server.wait_log("WSGI0006", "GET /hold"), "the log has the reason for no stack"
    assert server.ask("/pid").status == 200, "the thread goes on when the GIL is free"


def test_the_log_has_what_holds_up_the_queue(nginx, gate):
    server = nginx(CONF + IMPATIENT % "/pid", http="wsgi_threads 1; wsgi_read_timeout 30s;")
    stop = gate()
    with server.connect() as first:
        first.send_request(f"/block?{stop.query}")
        stop.wait()
        response = server.ask("/pid?mark")
        assert response.status == 503, "every thread is busy"
        assert response.header("Retry-After"), "the client may try again"
        stack_after(server, "in block", "WSGI0009", "GET /pid?mark", "wsgi-0")
        assert server.ask("/pid").status == 503, "the next one gets the same answer"
        stop.shut()
        assert first.read_response().body == b"passed", "the running request goes on"
    assert len(server.log_lines("WSGI0009")) == 1, "one line for several waiting requests"


def test_the_log_has_the_import_that_holds_up_the_queue(nginx, gate):
    stop = gate()
    own = f"def slow():\n    open({str(stop.path)!r}, 'rb').read()\nslow()\n"
    server = nginx.prepare(OWN, files=[("own.py", own)], http="wsgi_queue_timeout 300ms;").start()
    stop.wait()
    assert server.ask("/own").status == 503, "its import takes too long"
    server.wait_log("WSGI0009", "GET /own", "main thread")
    assert server.wait_log("own.py", "in slow"), "the place in the import"
    stop.shut()


def test_a_stuck_thread_is_replaced(nginx):
    server = start(nginx, "wsgi_threads 2; wsgi_queue_timeout 10s;")
    for name in ["wsgi-2", "wsgi-3"]:
        assert_late(server, "/wait")
        assert server.wait_log("WSGI0007", f"{name} takes its place", "GET /wait")
    wait_for(lambda: threads(server) == 4, "two threads that are stuck and two that work")
    assert server.ask("/release").status == 200, "they do"
    server.wait_log("WSGI0008", "GET /wait", count=2)
    wait_for(lambda: threads(server) == 2, "the pool to have its size again")
    assert not server.log_lines("WSGI0125"), "the worker must stay"


def test_with_max_stuck_0_no_thread_is_replaced(nginx):
    http = SHORT + "wsgi_threads 1; wsgi_max_stuck 0;"
    server = nginx(CONF + IMPATIENT % "/release", http=http)
    server.expect("WSGI0003")
    assert_late(server, "/wait")
    response = server.ask("/release")
    assert response.status == 503, "no thread is free"
    assert int(response.header("Retry-After")) >= 1, "the client may try again"
    assert not server.log_lines("WSGI0007") + server.log_lines("WSGI0125"), "as configured"


def test_a_worker_with_too_many_stuck_threads_is_replaced(nginx, gate):
    patient = "location /block { wsgi_app @APPS@/late.py app; wsgi_read_timeout 30s; }"
    server = nginx(CONF + patient, http="wsgi_threads 2; wsgi_max_stuck 1; wsgi_read_timeout 1s;")
    server.expect("WSGI0003")
    (worker,) = server.workers()
    stop = gate()
    with server.connect() as running, server.connect() as late, server.connect() as waiting:
        running.send_request(f"/block?{stop.query}")
        stop.wait()
        assert late.ask("/wait").status == 504, "the first stuck thread"
        server.wait_log("WSGI0007")
        late.send_request("/wait")
        waiting.send_request("/pid")
        assert late.read_response().status == 504, "the second, which is above the limit"
        server.wait_log("WSGI0125", "2 threads are stuck")
        for line in server.wait_log("WSGI0007", count=2):
            assert "takes its place" in line, "accepted requests need all threads"
        assert waiting.read_response().text == str(worker), "the waiting request is answered"
        server.wait_log("gracefully shutting down")
        assert Path(f"/proc/{worker}").exists(), "the worker waits for the running request"
        stop.shut()
        assert running.read_response().body == b"passed", "the running request is answered"
    begin = time.monotonic()
    assert server.ask("/pid").text != str(worker), "a new worker answers"
    assert time.monotonic() - begin < 4, "the stuck threads must not hold up the end"
    assert not Path(f"/proc/{worker}").exists(), "the old worker is gone"
    assert not server.log_lines("cannot be respawned"), "the master must replace it"


def test_without_a_master_a_worker_with_stuck_threads_stays(nginx):
    server = nginx.prepare(CONF, http=SHORT + "wsgi_max_stuck 1;")
    server.expect("WSGI0126")
    conf = server.prefix / "nginx.conf"
    conf.write_text(conf.read_text().replace("master_process on;", "master_process off;"))
    server.start()
    for _ in range(3):
        assert_late(server, "/wait")
    assert server.wait_log("WSGI0007", "3 are, of at most 1", "it is not replaced"), "at the limit"
    assert server.wait_log("WSGI0126", "2 threads are stuck"), "the log has the remedy"
    assert server.ask("/release").status == 200, "a thread still answers"


def test_no_request_is_lost_when_a_worker_is_replaced(nginx):
    server = start(nginx, "wsgi_threads 4; wsgi_max_stuck 1;", workers=2)
    server.expect("WSGI0003")
    workers, left = [Path(f"/proc/{worker}") for worker in server.workers()], 0
    deadline = time.monotonic() + 30
    while any(worker.exists() for worker in workers):
        assert time.monotonic() < deadline, "both workers must have ended by now"
        assert_late(server, "/wait")
        for _ in range(20):
            assert server.ask("/pid").status == 200, "no request is lost"
            left += 1
    assert left >= 60, "there must be enough requests"


def test_stuck_threads_do_not_hold_up_the_end(nginx):
    server = start(nginx, "wsgi_shutdown_timeout 20s;")
    server.expect("WSGI0003")
    assert_late(server, "/wait")
    server.wait_log("WSGI0007")
    begin = time.monotonic()
    assert server.stop() == 0, "nginx ends"
    assert time.monotonic() - begin < 8, "although a thread is stuck"


def test_interrupt_ends_an_application_that_computes(nginx):
    server = start(nginx, "wsgi_threads 1; wsgi_interrupt on;")
    assert_late(server, "/spin")
    server.wait_log("WSGI0005", "GET /spin", "RequestTimeout is raised in it")
    server.wait_log("WSGI0008", "GET /spin")
    assert server.ask("/raised").text == "spin", "its finally must run"
    wait_for(lambda: threads(server) == 1, "its thread to be the only one again")
    assert not server.log_lines("WSGI0208"), "no client has left"


def test_interrupt_after_the_client_has_left(nginx):
    server = start(nginx, "wsgi_interrupt on;")
    with server.connect() as leaving:
        leaving.send_request("/spin")
        wait_for(lambda: server.ask("/begun").text == "spin", "the application to run")
    server.wait_access("GET /spin", " 499 ")
    server.wait_log("WSGI0005", "GET /spin", "RequestTimeout is raised in it")
    server.wait_log("WSGI0008", "GET /spin")
    assert server.ask("/raised").text == "spin", "its finally must run"
    assert not server.log_lines("WSGI0208"), "one line is enough"


def test_interrupt_passes_except_exception(nginx):
    server = start(nginx, "wsgi_interrupt on;")
    assert "BaseException" in server.ask("/bases").text
    assert "<class 'Exception'>" not in server.ask("/bases").text
    assert_late(server, "/stubborn")
    server.wait_log("WSGI0008", "GET /stubborn")
    assert server.ask("/raised").text == "spin", "through `except Exception`"


def test_without_interrupt_nothing_is_raised(nginx):
    server = start(nginx)
    assert_late(server, "/spin")
    assert server.wait_log("WSGI0005", "GET /spin")
    assert server.ask("/raised").text == "", "no RequestTimeout"
    assert server.ask("/release").status == 200, "then the application ends"
    server.wait_log("WSGI0008", "GET /spin")


def test_interrupt_never_hits_the_next_request(nginx, gate):
    server = start(nginx, "wsgi_threads 1; wsgi_max_stuck 0; wsgi_interrupt on;")
    for count in range(1, 4):
        stop = gate()
        with server.connect() as connection, server.connect() as waiting:
            connection.send_request(f"/pipe?{stop.query}")
            stop.wait()
            assert connection.read_response().status == 504, "the pipe stays empty"
            server.wait_log("WSGI0005", "RequestTimeout", "no Python code", count=count)
            waiting.send_request("/raised")
            stop.shut()
            response = waiting.read_response()
            assert response.status == 200, "the same thread, without its exception"
            assert response.text == "", "no RequestTimeout in this request"
