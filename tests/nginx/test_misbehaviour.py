"""Applications that harm their process: nginx replaces it, and the log names the request."""

import concurrent.futures
import os
import re
import signal

import pytest

from replacement import assert_replaced, shown
from server import INLINE, wait_for

pytestmark = pytest.mark.not_validated("the responses are not the subject")

CONF = """
    location / { wsgi_app @APPS@/misbehave.py app; }
    location /wait/ { wsgi_app @APPS@/wait.py app; wsgi_script_name /wait; }
    location /return { return 200 "returned"; }
    location /static/ { alias @PREFIX@/html/; }
"""


@pytest.fixture(scope="module")
def server(module_nginx):
    server = module_nginx(CONF)
    server.expect("exited on signal")
    return server


CRASHES = [
    ("/segfault", "SIGSEGV", "in segfault", "Segmentation fault", 11),
    ("/abort", "SIGABRT", "in <lambda>", "Aborted", 6),
    pytest.param(
        *("/overflow", "SIGSEGV", "in <lambda>", "Segmentation fault", 11),
        marks=pytest.mark.not_newer("Python 3.12 and later limit this recursion"),
        id="/overflow",
    ),
]


@pytest.mark.parametrize("path, name, frame, sentence, number", CRASHES)
def test_a_crash_is_logged_with_its_request(server, path, name, frame, sentence, number):
    path += "?by-a-test"
    pid = assert_replaced(server, path)
    lines = server.log().splitlines()
    line = f'WSGI0303 {name} ends process {pid} at work on "GET {path}"'
    assert sum(text.startswith(line) for text in lines) == 1, "one line with the request"
    begin = next(index for index, text in enumerate(lines) if text.startswith(line))
    after = "\n".join(lines[begin : begin + 120])
    assert f"Fatal Python error: {sentence}" in after, "Python's own line"
    assert "misbehave.py" in after and frame in after, "the stack"
    server.wait_log(f"worker process {pid} exited on signal {number}")


def test_a_crash_on_the_loop_is_logged_with_its_request(nginx):
    server = nginx(CONF, http="wsgi_threads 0;")
    server.expect("exited on signal 11")
    pid = assert_replaced(server, "/segfault")
    server.wait_log(f"WSGI0303 SIGSEGV ends process {pid} at work on", '"GET /segfault"')


def test_a_crash_of_an_import_is_logged_with_its_file(nginx):
    server = nginx.prepare(
        "location / { wsgi_app @PREFIX@/crash.py app; } location /return { return 200; }",
        files=[("crash.py", "import ctypes\nctypes.string_at(0)\n")],
    )
    server.expect("exited on signal 11")
    server.launch()
    server.wait_log("WSGI0303 SIGSEGV", "the import of", "crash.py")
    server.wait_log('crash.py", line 2 in <module>')


@pytest.mark.parametrize("code", [0, 2, 3])
def test_os_exit_is_logged_with_its_request(server, code):
    path = f"/exit?{code}"
    pid = assert_replaced(server, path)
    begin = server.wait_log(f"WSGI0302 os._exit({code}) ends process {pid}", f'"GET {path}"')[0]
    assert "the stack of its Python follows" in begin, "the line announces the stack"
    assert server.wait_log("misbehave.py", "in exit_"), "the stack has the line"
    assert server.wait_log("the last line that was printed", path), "no printed line is lost"
    server.wait_log(f"worker process {pid} exited with code 1")


def test_children_may_end_in_any_way(server):
    before = server.workers()
    assert shown(server, "/fork_exit?5") == 5, "os._exit() in a child"
    assert shown(server, "/fork_segfault") == -signal.SIGSEGV, "a crash of a child"
    assert server.workers() == before, "the worker must go on"
    assert not server.log_lines("/fork_"), "the log must have no line of it"


@pytest.mark.parametrize("name", ["TERM", "QUIT", "INT", "HUP", "USR1", "USR2", "IO"])
def test_a_signal_to_a_child_is_not_nginx_s(server, name):
    number = getattr(signal, f"SIG{name}")
    status = shown(server, f"/fork_signal?{number:d}")
    assert status == -number, "the child must not have nginx's handler"
    assert not server.log_lines(f"signal {number:d} (SIG{name}) received"), "the log has no line"


@pytest.mark.parametrize("way", ["mp_fork", "mp_spawn"])
def test_multiprocessing_works(nginx, way):
    # A spawned child imports the main module, of which there is none here, and the function's
    # module.
    server = nginx(CONF, http="wsgi_python_path @APPS@;")
    server.write_configuration(SERVER="location / { wsgi_app misbehave:app; }")
    server.send(signal.SIGHUP)
    wait_for(lambda: server.ask("/ok").body == b"'ok'", "the application as a module")
    assert shown(server, f"/{way}") == [2, 4, 6], "a pool of processes works"
    assert shown(server, "/ok") == "ok", "the worker goes on"


def test_commands_work(server):
    assert shown(server, "/popen") == ["from a command\n", 7], "os.popen() and os.system() work"
    assert shown(server, "/system_kill") == signal.SIGKILL, "the status is that of the command"


def test_threads_of_the_application_run_and_log(server):
    assert shown(server, "/threads") == 2, "a daemon and another thread"
    for daemon in (True, False):
        assert server.wait_log(f"thread daemon={daemon}"), "the log has the thread's line"


def test_standard_descriptors_stay_open(server):
    assert shown(server, "/close") == [True] * 3, "closing them is ignored"
    assert len(server.wait_log("WSGI0304", "misbehave.py", count=4)) == 4, "the log has each call"
    with server.connect() as first, server.connect() as second:
        assert first.ask("/ok").status == second.ask("/ok").status == 200, "new connections"
        assert shown(server, "/stderr?to-the-log") == len("to-the-log\n"), "descriptor 2 works"
        assert first.ask("/ok").body == second.ask("/ok").body == b"'ok'", "no client gets it"
    assert "to-the-log" in server.log().splitlines(), "the log gets it"


def test_chdir_does_not_disturb_nginx(server):
    (server.prefix / "html" / "file").write_text("static")
    assert shown(server, "/chdir?/tmp") is None, "chdir is allowed"
    assert shown(server, "/cwd") == "/tmp", "and done"
    assert server.ask("/static/file").text == "static", "nginx finds its files"
    body = b"x" * 100_000
    assert server.ask("/ok", "POST", body=body).status == 200, "nginx finds its temporary folder"


def test_recursion_is_bounded(server):
    assert server.ask("/mutual").status == 500, "Python's limit holds"
    lines = server.wait_log("RecursionError")
    assert lines, "the log has the traceback"
    assert len(server.log_lines('"GET /mutual ')) < 1100, "with a bounded number of lines"
    assert shown(server, "/ok") == "ok", "the thread must go on"


LINES = 220_000


def test_flood_of_log_lines(nginx):
    """200 MB of lines: other requests are answered, memory is bounded, and no line is lost."""
    server = nginx(CONF)
    shown(server, "/ok")
    pid = server.workers()[0]
    before = server.memory(pid)
    most = answered = 0
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        flood = threads.submit(shown, server, f"/flood?{LINES}")
        while not flood.done():
            assert server.ask("/return").status == 200, "nginx answers"
            assert shown(server, "/ok") == "ok", "and Python's"
            answered += 1
            most = max(most, server.memory(pid))
        flood.result()
    assert INLINE or answered > 10, "during the whole flood"
    assert most - before < 16 << 20, f"memory grew by {(most - before) >> 20} MB"
    pattern = re.compile(rb" flood (\d+) x+\., client: 127")
    number = 0
    with open(server.prefix / "error.log", "rb") as log:
        for line in log:
            if b" flood " in line:
                assert pattern.search(line), f"mixed: {line[:200]}"
                assert int(pattern.search(line)[1]) == number, "every line in order"
                number += 1
    assert number == LINES, "all lines"
    os.truncate(server.prefix / "error.log", 0)
