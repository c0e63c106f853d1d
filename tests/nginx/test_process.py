"""The worker as a process: children, forks, signals, reloading."""

import os
import re
import signal
from pathlib import Path

import pytest

from server import wait_for

pytestmark = pytest.mark.not_validated("the responses are not the subject")

CONF = """
    location / { wsgi_app @APPS@/process.py app; }
    location /wait/ { wsgi_app @APPS@/wait.py app; wsgi_script_name /wait; }
    location /return { return 200 "returned"; }
    location /own { wsgi_app @PREFIX@/own.py app; }
"""
OWN = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%s"]
"""


def prepare(nginx, own=OWN % "first", **how):
    return nginx.prepare(CONF, files=[("own.py", own)], **how)


@pytest.fixture(scope="module")
def server(module_nginx):
    return prepare(module_nginx).start()


def shown(server, way, query=""):
    response = server.ask(f"/{way}?{query}")
    assert response.status == 200, server.log()
    return eval(response.body)


def test_a_child_has_its_exit_code(server):
    for _ in range(10):
        assert shown(server, "exit_code") == 3, "nginx must not wait for the child first"
    assert not server.log_lines("unknown process"), "nginx must not log it"


def test_a_child_has_its_output_and_default_signals(server):
    assert shown(server, "output") == "from the child", "subprocess works"
    blocked, ignored = eval(shown(server, "child_signals"))
    assert int(blocked, 16) == 0, "no signal may be blocked"
    assert int(ignored, 16) & (1 << (signal.SIGCHLD - 1)) == 0, "SIGCHLD must not be ignored"


def test_the_environment_is_empty_by_default(server):
    environment = shown(server, "environment")
    assert "PATH" not in environment and "HOME" not in environment, "nginx removes them"


def test_the_directive_env_sets_the_environment(nginx):
    server = prepare(nginx, main="env CHOSEN=words;").start()
    assert shown(server, "environment")["CHOSEN"] == "words", "by nginx's directive env"


def test_sys_executable_is_the_python_that_runs(server):
    executable, its_version, version = shown(server, "executable")
    assert os.access(executable, os.X_OK), "it is a program"
    assert its_version == version, "with the version of the Python that runs here"


def test_a_signal_handler_is_refused(server):
    before = server.workers()
    said = shown(server, "signal")
    assert "ValueError" in repr(said) or server.wait_log("WSGI0301", "SIGTERM", "process.py")
    status = Path(f"/proc/{before[0]}/status").read_text()
    ignored = int(re.search(r"^SigIgn:\s*(\w+)$", status, re.M)[1], 16)
    assert not ignored & 1 << signal.SIGTERM - 1, "SIGTERM must not be ignored"
    assert server.workers() == before, "the worker must go on"


def test_sys_argv_and_sys_path_are_lists(server):
    assert isinstance(shown(server, "argv"), list), "programs may read sys.argv"
    path = shown(server, "path")
    assert path and all(isinstance(part, str) for part in path), "sys.path has strings"


def test_a_forked_child_does_not_hold_the_port(nginx, gate):
    server = prepare(nginx).start()
    stop = gate()
    child = shown(server, "fork", stop.query)
    stop.wait()
    assert server.stop() == 0, "nginx must end, although the child lives"
    os.kill(child, 0)
    server.launch()
    assert server.is_ready(), f"nginx must start again on the same port: {server.log()}"
    assert server.ask("/own").body == b"first", "the new worker must work"


def test_a_background_command_does_not_hold_the_port(nginx, gate):
    server = prepare(nginx).start()
    stop = gate()
    assert shown(server, "background", stop.query) == 0, "a shell starts a command and ends"
    stop.wait()
    assert server.stop() == 0, "nginx must end, although the command runs"
    server.launch()
    assert server.is_ready(), f"nginx must start again on the same port: {server.log()}"


def test_a_background_command_does_not_hold_connections(nginx, gate):
    server = prepare(nginx).start()
    stop = gate()
    with server.connect() as other, server.connect() as connection:
        assert other.ask("/return").status == 200, "another client"
        connection.send_request(f"/background?{stop.query}", headers=[("Connection", "close")])
        assert connection.read_response().body == b"0", "a shell starts a command and ends"
        stop.wait()
        assert connection.is_closed(), "the client must see the end of its connection"
        other.send_request("/return", headers=[("Connection", "close")])
        assert other.read_response().status == 200, "the other client, too"
        assert other.is_closed(), "although the command runs"


def test_a_forked_child_does_not_answer(nginx):
    server = prepare(nginx).start()
    with server.connect() as connection:
        connection.send_request("/fork_returns")
        assert connection.read_response().body == b"'the parent answers'", "one answer"
        assert connection.ask("/own").body == b"first", "the connection belongs to the parent"


def test_a_reload_runs_changed_code(nginx):
    server = prepare(nginx, own="print('imported')\n" + OWN % "first", workers=2).start()
    assert server.ask("/own").body == b"first", "the code before the change"
    server.wait_log("imported", count=2)
    server.write("own.py", OWN % "second")
    assert server.ask("/own").body == b"first", "a change alone has no effect"
    server.send(signal.SIGHUP)
    wait_for(lambda: server.ask("/own").body == b"second", "the new workers")


def test_a_reload_loses_no_request(nginx, gate):
    server = prepare(nginx).start()
    stop = gate()
    old = server.workers()
    with server.connect() as connection:
        connection.send_request(f"/wait/block?{stop.query}")
        stop.wait()
        server.send(signal.SIGHUP)
        wait_for(lambda: set(server.workers()) - set(old), "a new worker")
        for _ in range(50):
            assert server.ask("/own").body == b"first", "the new worker answers"
        stop.shut()
        assert connection.read_response().body == b"passed", "the old worker ends its request"
    wait_for(lambda: not set(server.workers()) & set(old), "the old worker to end")


def test_a_reload_with_a_broken_configuration_changes_nothing(nginx):
    server = prepare(nginx).start()
    server.expect("missing.py")
    server.write_configuration(SERVER="location / { wsgi_app @PREFIX@/missing.py app; }")
    server.send(signal.SIGHUP)
    server.wait_log("[emerg]", "missing.py")
    assert server.ask("/own").body == b"first", "the old workers must go on"


def test_a_reload_adds_and_removes_applications(nginx):
    server = prepare(nginx).start()
    server.write_configuration(SERVER='location / { return 200 "plain"; }')
    server.send(signal.SIGHUP)
    wait_for(lambda: server.ask("/own").body == b"plain", "workers without Python")
    server.write_configuration(SERVER=CONF)
    server.send(signal.SIGHUP)
    wait_for(lambda: server.ask("/own").body == b"first", "workers with Python again")


def test_a_reopened_log_gets_new_lines(nginx):
    server = prepare(nginx, own="print('to the first log')\n" + OWN % "first").start()
    server.ask("/own")
    server.wait_log("to the first log")
    os.rename(server.prefix / "error.log", server.prefix / "error.log.1")
    server.send(signal.SIGUSR1)
    wait_for(lambda: (server.prefix / "error.log").exists(), "a new log")
    server.ask("/no_such_endpoint")
    assert server.wait_log("KeyError"), "the new log has the new line"


def test_a_killed_worker_is_replaced(nginx):
    server = prepare(nginx).start()
    server.expect("exited on signal 9")
    assert server.ask("/own").body == b"first", "it works"
    os.kill(server.workers()[0], signal.SIGKILL)
    server.wait_log("exited on signal 9")
    wait_for(lambda: server.workers(), "a new worker")
    assert server.ask("/own").body == b"first", "the new worker must work"


def test_an_application_runs_without_a_master(nginx):
    server = prepare(nginx)
    conf = server.prefix / "nginx.conf"
    conf.write_text(conf.read_text().replace("master_process on;", "master_process off;"))
    server.start()
    assert server.ask("/own").body == b"first", "one process, for development"
