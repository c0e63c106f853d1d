"""A child that an application forks: it must end as a Python program, and not touch the server."""

import os
import signal
from pathlib import Path

import pytest

from server import INLINE, wait_for

pytestmark = [
    pytest.mark.not_validated("the validator complains in the child about an open iterable"),
]

CONF = """
    location / { wsgi_app @APPS@/forks.py app; }
    location /streamed/ {
        wsgi_app @APPS@/forks.py app;
        wsgi_script_name /streamed;
        wsgi_request_buffering off;
    }
"""


@pytest.fixture(scope="module")
def server(module_nginx):
    return module_nginx(CONF)


def wait_for_words(server, *words):
    """Waits until descriptor 2, which nginx has pointed at its log, or the log has the words."""
    wait_for(lambda: all(word in server.log() + server.output() for word in words), words)


def children(pid):
    """The children of a process. Threads that ended and were not waited for do not count."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    found = [child for each in lists for child in each.read_text().split()]
    return [one for one in found if Path(f"/proc/{one}/stat").read_text().split(") ")[1][0] != "Z"]


def code(server, path, **how):
    response = server.ask(path, **how)
    assert response.status == 200, server.log()
    return eval(response.body)


def test_an_exception_in_a_child_is_logged_and_is_exit_code_1(server):
    assert code(server, "/raises") == 1
    words = "Traceback (most recent call last)", "ValueError: on purpose, in a child", "in raises"
    wait_for_words(server, *words)
    assert not server.log_lines("WSGI0201"), "the request itself has not failed"


@pytest.mark.parametrize("number", [0, 3, 255])
def test_sys_exit_in_a_child_has_its_code(server, number):
    assert code(server, f"/ends?{number}") == number


def test_exit_of_c_in_a_child_has_its_code(server):
    assert code(server, "/ok") == "ok", "the thread has answered before"
    assert code(server, "/exits") == 3, "the state of the parent's thread must not matter"
    assert not server.log_lines("WSGI0312"), "the log must not report an end of the server"


def test_sys_exit_with_a_text_writes_it_and_is_exit_code_1(server):
    assert code(server, "/says") == 1
    wait_for_words(server, "the last word of a child")


@pytest.mark.parametrize(
    "way, number", [("returns", 0), ("ends", 3), ("raises", 1), ("thread", 4), ("main", 5)]
)
def test_a_process_of_multiprocessing_has_its_exit_code(server, way, number):
    assert code(server, f"/process/{way}") == number, "although threading has not made its thread"


def test_a_file_that_a_child_leaves_open_is_written(server):
    path = server.prefix / "left"
    assert code(server, f"/leaves?{path}") == 0
    assert path.read_text() == "what a child has written"


@pytest.mark.parametrize("path", ["/returns", "/streams", "/streamed/returns"])
def test_a_child_that_returns_ends_at_once(server, path):
    before = server.workers()
    assert code(server, path) == 0, "and well"
    assert not children(before[0]), "the child must be gone"
    assert code(server, "/ok") == "ok" and server.workers() == before, "the worker must go on"


def test_a_flush_in_a_child_writes(server):
    assert code(server, "/prints") == 0
    # The log must end the half line. Otherwise its next line would follow on the same line.
    wait_for_words(server, "one line\nand a half of a child\n")


def test_write_in_a_child_raises(server):
    assert code(server, "/writes") == 1, "write() must neither wait nor write"
    error = "OSError: this process was forked by the application: the response is its parent's"
    wait_for_words(server, error)


def test_a_child_may_log_much(server):
    assert code(server, "/logs") == 7, "the child must not wait"
    wait_for_words(server, "e" * 1000)


def test_the_log_of_a_child_is_not_written_to_its_own_files(server):
    path = server.prefix / "opened"
    assert code(server, f"/opens?{path}") == 0
    wait_for_words(server, "logged by a child", "printed by a child")
    sizes = {os.stat(f"{path}.{number}").st_size for number in range(64)}
    assert sizes == {0}, "although a file has the number of a descriptor of nginx"


def test_a_child_cannot_read_the_rest_of_the_body(server):
    assert code(server, "/reads", method="POST", body=b"12345") == 5, "it can read a complete body"
    if INLINE:
        return  # There each body is whole before its application runs.
    with server.connect() as connection:
        connection.send(
            b"POST /streamed/reads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n"
        )
        assert connection.read_response().body == b"1", "it must not wait for the rest"
    wait_for_words(server, "OSError: ", "the request's body is its parent's")


def test_a_fork_inside_the_iterable(server):
    assert server.ask("/generator").body == b"begun, 0", "the child must end with its first block"


IMPORT = """
import os
child = os.fork()
if child == 0:
    raise ValueError("in a child of the import")
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(code).encode()]
"""


def test_a_fork_at_import(nginx):
    server = nginx("location / { wsgi_app @PREFIX@/forked.py app; }", files=[("forked.py", IMPORT)])
    assert server.ask("/").body == b"1", "the child must not go on as the server"
    wait_for_words(server, "ValueError: in a child of the import")


AT_EXIT = """
import atexit, os

@atexit.register
def last():
    if os.fork() == 0:
        return
    print("the parent", os.waitstatus_to_exitcode(os.wait()[1]))

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"own"]
"""


def test_a_fork_in_an_exit_handler(nginx):
    server = nginx("location / { wsgi_app @PREFIX@/last.py app; }", files=[("last.py", AT_EXIT)])
    assert server.ask("/").body == b"own"
    assert server.stop(signal.SIGQUIT) == 0
    wait_for_words(server, "the parent 0")
