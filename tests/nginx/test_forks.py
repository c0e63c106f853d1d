"""A child that an application forks: it ends as a Python program does, and touches nothing of nginx's."""

import os
import signal
from pathlib import Path

import pytest

from server import INLINE, wait_for

pytestmark = [
    pytest.mark.not_validated("the validator complains in the child, whose iterable nobody closes"),
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


def told(server, *words):
    """Waits until descriptor 2, which nginx has pointed at its log, or the log has the words."""
    wait_for(lambda: all(word in server.log() + server.output() for word in words), words)


def children(pid):
    """Of all its threads, those that have ended and were not waited for left out."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    found = [child for each in lists for child in each.read_text().split()]
    return [one for one in found if Path(f"/proc/{one}/stat").read_text().split(") ")[1][0] != "Z"]


def code(server, path, **how):
    response = server.ask(path, **how)
    assert response.status == 200, server.log()
    return eval(response.body)


def test_an_exception_is_told_and_is_code_1(server):
    assert code(server, "/raises") == 1
    told(server, "Traceback (most recent call last)", "ValueError: on purpose, in a child", "in raises")
    assert not server.log_lines("WSGI0201"), "it is not the request that failed"


@pytest.mark.parametrize("number", [0, 3, 255])
def test_sys_exit_has_its_code(server, number):
    assert code(server, f"/ends?{number}") == number


def test_exit_of_c_has_its_code(server):
    assert code(server, "/ok") == "ok", "the thread has answered before"
    assert code(server, "/exits") == 3, "what is of its parent's thread is not in its way"
    assert not server.log_lines("WSGI0312"), "and nobody is told that the server ends"


def test_sys_exit_with_a_text_says_it_and_is_code_1(server):
    assert code(server, "/says") == 1
    told(server, "the last word of a child")


@pytest.mark.parametrize(
    "way, number", [("returns", 0), ("ends", 3), ("raises", 1), ("thread", 4), ("main", 5)]
)
def test_a_process_of_multiprocessing_has_its_exit_code(server, way, number):
    assert code(server, f"/process/{way}") == number, "though no thread of threading has made it"


def test_a_file_that_a_child_leaves_open_is_written(server):
    path = server.prefix / "left"
    assert code(server, f"/leaves?{path}") == 0
    assert path.read_text() == "what a child has written"


@pytest.mark.parametrize("path", ["/returns", "/streams", "/streamed/returns"])
def test_a_child_that_returns_ends_at_once(server, path):
    before = server.workers()
    assert code(server, path) == 0, "and well"
    assert not children(before[0]), "nothing is left of it"
    assert code(server, "/ok") == "ok" and server.workers() == before, "the worker goes on"


def test_what_a_child_flushes_is_written(server):
    assert code(server, "/prints") == 0
    # It ends, or the next line of the log would stand behind it.
    told(server, "one line\nand a half of a child\n")


def test_write_in_a_child_says_whose_the_client_is(server):
    assert code(server, "/writes") == 1, "it neither waits nor writes"
    told(server, "OSError: this process was forked by the application: the response is its parent's")


def test_a_child_logs_as_much_as_it_likes(server):
    assert code(server, "/logs") == 7, "nobody is waited for"
    told(server, "e" * 1000)


def test_a_child_writes_to_no_file_of_its_own(server):
    path = server.prefix / "opened"
    assert code(server, f"/opens?{path}") == 0
    told(server, "logged by a child", "printed by a child")
    sizes = {os.stat(f"{path}.{number}").st_size for number in range(64)}
    assert sizes == {0}, "the number of a descriptor of nginx's is a file now"


def test_the_body_that_still_comes_is_the_parents(server):
    assert code(server, "/reads", method="POST", body=b"12345") == 5, "it has a copy of a whole one"
    if INLINE:
        return  # There each body is whole before its application runs.
    with server.connect() as connection:
        connection.send(
            b"POST /streamed/reads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n"
        )
        assert connection.read_response().body == b"1", "and does not wait for the rest of another"
    told(server, "OSError: ", "the request's body is its parent's")


def test_a_fork_inside_of_the_iterable(server):
    assert server.ask("/generator").body == b"begun, 0", "the child ends with its first block"


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
    assert server.ask("/").body == b"1", "the child has not gone on as the server"
    told(server, "ValueError: in a child of the import")


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
    told(server, "the parent 0")
