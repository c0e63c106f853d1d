"""What an application must not do to its process, and what happens instead."""

import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from replacement import assert_replaced, shown
from server import PYTHON, wait_for

pytestmark = pytest.mark.not_validated("the responses are not the subject")

CONF = """
    location / { wsgi_app @APPS@/guards.py app; }
    location /return { return 200 "returned"; }
"""


@pytest.fixture(scope="module")
def server(module_nginx):
    return module_nginx(CONF)


WAYS = [
    ("execv", "WSGI0305 os.execv('/bin/true', ...)"),
    ("execve", "WSGI0305 os.execve('/bin/true', ...)"),
    ("execl", "WSGI0305 os.execv('/bin/true', ...)"),
    ("execvp", "WSGI0305 os.execv("),
    ("posix", "WSGI0305 os.execv(b'/bin/true', ...)"),
    ("descriptor", "WSGI0305 os.execve("),
    ("posix_exit", "WSGI0302 os._exit(2)"),
]


@pytest.mark.parametrize("way, line", WAYS)
def test_exec_does_not_replace_the_worker(nginx, way, line):
    """WSGI0305, or WSGI0302: the worker ends, and the master starts another."""
    server = nginx(CONF)
    pid = assert_replaced(server, f"/exec?{way}")
    server.wait_log(line, f"ends process {pid}", f'at work on "GET /exec?{way}"')
    server.wait_log("guards.py", "in app")
    server.wait_log(f"worker process {pid} exited with code 1")


@pytest.mark.parametrize("way", ["none", "folder", "nonep"])
def test_exec_of_a_missing_program_is_an_oserror(server, way):
    before = server.workers()
    assert re.match(r"(FileNotFound|Permission)Error", shown(server, f"/exec?{way}")), "no error"
    assert server.workers() == before, "the worker must go on"


@pytest.mark.parametrize("way", ["kill", "raise"])
@pytest.mark.parametrize("name", ["KILL", "TERM", "PROF", "USR2"])
def test_a_signal_to_the_worker_is_logged_with_its_place(nginx, way, name):
    server = nginx(CONF)
    server.expect("exited on signal")
    pid = server.workers()[0]
    with server.connect() as connection:
        connection.send_request(f"/{way}?{name}")
        number = getattr(signal, f"SIG{name}").value
        server.wait_log("WSGI0309", f"is a signal to process {pid}", f"{number}")
        server.wait_log("guards.py", f"in {way}")
        if name != "USR2":  # nginx's workers ignore it
            wait_for(lambda: server.workers() and server.workers() != [pid], "a new worker")
    assert shown(server, "/ok") == "ok"


def test_a_signal_by_pidfd_is_logged(nginx):
    server = nginx(CONF)
    server.expect("exited on signal")
    pid = server.workers()[0]
    with server.connect() as connection:
        connection.send_request("/pidfd?KILL")
        server.wait_log("WSGI0309 signal.pidfd_send_signal(", f"is a signal to process {pid}")
        wait_for(lambda: server.workers() and server.workers() != [pid], "a new worker")


def test_a_signal_to_another_process_of_the_server_is_logged(nginx):
    server = nginx(CONF, workers=2)
    assert shown(server, "/others?NULL") == -signal.SIGTERM
    assert shown(server, "/others?URG") == -signal.SIGTERM, "the application's own child gets it"
    lines = server.wait_log("WSGI0317 os.kill(", "another process of the web server", count=2)
    assert len(lines) == 2 and all("in others" in line and "URG" in line for line in lines), (
        "one line for the master and one for the other worker, none for a child or for signal 0"
    )


@pytest.mark.parametrize("way", ["here", "thread"])
def test_exit_of_c_is_logged_and_the_worker_is_replaced(nginx, way):
    server = nginx(CONF)
    pid = assert_replaced(server, f"/c_exit?{way}")
    work = f'at work on "GET /c_exit?{way}"' if way == "here" else "in a thread that answers no"
    server.wait_log(f"WSGI0312 exit() of C code ends process {pid} {work}")
    server.wait_log("guards.py", "in <lambda>")
    server.wait_log(f"worker process {pid} exited with code 1")
    assert not server.log_lines("PyThreadState_Get"), "the end must not fail"


def test_exit_of_c_at_import_names_the_import(nginx):
    text = "import ctypes\nctypes.CDLL(None).exit(2)\n"
    server = nginx("location / { wsgi_app @PREFIX@/gives_up.py app; }", files=[("gives_up.py", text)])
    server.wait_log("WSGI0312 exit() of C code ends process", 'at work on "the import of', "gives_up.py app")
    server.wait_log("gives_up.py", "line 2 in <module>")


def test_a_fatal_error_of_python_is_a_crash(nginx):
    server = nginx(CONF)
    server.expect("exited on signal 6")
    pid = assert_replaced(server, "/c_exit?fatal")
    server.wait_log(f"WSGI0303 SIGABRT ends process {pid}", 'at work on "GET /c_exit?fatal"', "is above")
    server.wait_log("an extension gives up")


def test_a_change_of_the_process_is_logged(server):
    before = server.workers()
    assert shown(server, "/limits") is None
    (line,) = server.wait_log("WSGI0310 resource.setrlimit(", "has changed the process of the web server")
    assert "in limits" in line, "one line: the second call raises the limit again"
    assert server.wait_log("WSGI0310 resource.prlimit(0, ", "in limits")
    if shown(server, "/users") == 0:
        assert len(server.wait_log("WSGI0310 os.setres", "in users", count=4)) == 4
    assert not server.log_lines("WSGI0310 os.seteuid"), "that call changes nothing"
    assert shown(server, "/later") is None
    (line,) = server.wait_log("WSGI0311 faulthandler.dump_traceback_later(3600, ...)", "in later")
    assert server.workers() == before


def test_a_signal_that_would_stop_the_worker_is_refused(server):
    before = server.workers()
    assert server.ask("/kill?STOP").status == 500, "PermissionError"
    server.wait_log("WSGI0316 os.kill(", "was refused", "guards.py")
    assert server.workers() == before and shown(server, "/ok") == "ok"


def test_a_signal_to_all_processes_of_the_server_is_refused(server):
    before = server.workers()
    *refused, asked = shown(server, "/group?TERM")
    assert all(one.startswith("PermissionError") for one in refused), refused
    assert asked == "None", "signal 0 is allowed"
    server.wait_log("WSGI0308 os.killpg(0, <Signals.SIGTERM: 15>) was refused", "in raised")
    assert server.workers() == before and shown(server, "/ok") == "ok"


def test_descriptors_of_the_server_stay_open(nginx):
    server = nginx(CONF)
    before = server.workers()
    with server.connect() as other:
        assert other.ask("/return").status == 200, "another client"
        with server.connect() as connection:
            assert connection.ask("/everything").status == 200, "the client of the application"
            assert connection.ask("/ok").status == 200
        assert other.ask("/return").status == 200, "the other client's connection is open"
    server.wait_log("WSGI0306 os.close(", "guards.py")
    server.wait_log("WSGI0304 os.closerange(3, 1024) was ignored", "guards.py")
    assert server.ask("/ok").body == b"'ok'" and server.workers() == before, "the worker must go on"


def test_sockets_of_the_server_stay_open(server):
    before = server.workers()
    with server.connect() as connection:
        assert connection.ask("/sockets").status == 200, "by the function of the module socket"
        assert connection.ask("/ok").status == 200
    server.wait_log("WSGI0306 socket.close(", "guards.py")
    assert server.workers() == before


def test_a_file_object_does_not_close_a_standard_descriptor(server):
    assert shown(server, "/reopens") == [True, True, True], "although the file is closed"
    server.wait_log("written to the descriptor")


def test_a_client_does_not_get_the_number_of_standard_error(nginx):
    server = nginx(CONF)
    shown(server, "/closes")
    with server.connect() as connection:
        assert connection.ask("/ok").status == 200
        standard = Path(f"/proc/{server.workers()[0]}/fd/2")
        assert os.readlink(standard) == f"{server.prefix}/error.log", "it must be the log again"
        assert connection.ask("/ok").status == 200
    server.wait_log("WSGI0313 descriptor 2 was closed")
    assert shown(server, "/ok") == "ok"


def listener_of(pid):
    """The number of a descriptor with which a worker listens."""
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(entry)
        except FileNotFoundError:
            continue  # it was closed meanwhile
        inode = re.fullmatch(r"socket:\[(\d+)\]", target)
        listens = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()
        if inode and any(line.split()[3] == "0A" and line.split()[9] == inode[1] for line in listens[1:]):
            return int(entry.name)
    raise AssertionError("no listener")


def test_dup2_cannot_replace_a_listener(server):
    refused, out, err = shown(server, f"/onto?{listener_of(server.workers()[0])}")
    assert refused.startswith("OSError: [Errno 16]"), "a descriptor of the server"
    assert (out, err) == ("1", "2"), "standard output and error may be replaced"
    server.wait_log("WSGI0306 os.dup2(", "was refused", "guards.py")
    server.wait_log("WSGI0307", "guards.py")
    with socket.create_connection(("127.0.0.1", server.port)):
        assert shown(server, "/ok") == "ok"


def test_wrong_arguments_raise_as_in_python(server):
    before = server.workers()
    for call, guarded, original in shown(server, "/wrong"):
        assert guarded == original and "rror: " in guarded, call
    assert server.workers() == before


def test_a_request_is_not_on_python_s_main_thread(server):
    said, wakes, interrupts, takes = shown(server, "/main")
    assert said.startswith("ValueError: signal only works in main thread"), "libraries check this"
    assert wakes.startswith("ValueError") and interrupts == "None", "as in Python"
    assert "main thread" in takes, "asyncio must not set a handler"
    assert not server.log_lines("WSGI0301 signal.signal"), "the log needs no line"


@pytest.mark.parametrize("inline", [False, True])
def test_a_mask_of_a_thread_does_not_block_nginx_s_signals(nginx, inline):
    server = nginx(CONF, http=f"wsgi_threads {0 if inline else 2};")
    pid = server.workers()[0]
    masked = shown(server, "/masks")
    if inline:
        assert masked == ["SIGRTMIN"], "nginx's own thread must get nginx's signals"
        server.wait_log("WSGI0314 signal.pthread_sigmask()", "guards.py")
    else:
        assert masked == ["SIGQUIT", "SIGTERM", "SIGRTMIN"], "as in Python"
    assert_ends(server, pid)


def test_interrupt_main_interrupts_no_thread(server):
    assert shown(server, "/interrupts") is None
    server.wait_log("WSGI0301 _thread.interrupt_main() was ignored", "guards.py")
    server.wait_log("WSGI0301 _thread.interrupt_main(SIGTERM) was ignored", "guards.py")


def test_a_timer_without_a_handler_is_not_set(nginx):
    server = nginx(CONF)
    before = server.workers()
    for _ in range(3):
        assert shown(server, "/timers") == [(0.0, 0.0)] * 3
    for name in ("setitimer(ITIMER_PROF", "setitimer(ITIMER_VIRTUAL", "setitimer(ITIMER_REAL", "alarm(1"):
        lines = server.wait_log(f"WSGI0301 signal.{name}", "was ignored", "guards.py")
        assert len(lines) == 1, "one line for each place"
    assert server.workers() == before, "the worker must go on"


AT_IMPORT = """
import faulthandler, os, signal, time

signal.signal(signal.SIGPROF, lambda *_: None)
signal.setitimer(signal.ITIMER_PROF, 0.01, 0.01)
for _ in range(3):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.siginterrupt(signal.SIGTERM, False)
signal.set_wakeup_fd(1, warn_on_full_buffer=False)
for wrong in [(signal.SIGTERM, "x"), (signal.SIGTERM,), (1000, print), (signal.SIGKILL, print)]:
    try:
        print(wrong[1:], "set", signal.signal(*wrong))
    except Exception as error:
        print(type(error).__name__, error)
faulthandler.register(signal.SIGTERM)
faulthandler.register(signal.SIGUSR1, chain=True)
faulthandler.register(signal.SIGRTMIN)
assert faulthandler.unregister(signal.SIGRTMIN) and not faulthandler.unregister(signal.SIGTERM)
end = time.process_time() + 0.1
while time.process_time() < end:
    pass

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
"""


def assert_ends(server, pid):
    """nginx's handler is in place: a worker that gets SIGTERM ends, and another one begins."""
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: server.workers() and pid not in server.workers(), "a new worker")


def test_signals_belong_to_the_server_while_an_application_is_imported(nginx):
    server = nginx("location / { wsgi_app @PREFIX@/set.py app; }", files=[("set.py", AT_IMPORT)])
    pid = int(server.ask("/").body)
    for call in (
        "signal.signal(SIGPROF, ...)",
        "signal.setitimer(ITIMER_PROF, ...)",
        "signal.signal(SIGTERM, ...)",
        "signal.siginterrupt(SIGTERM, ...)",
        "signal.set_wakeup_fd(1, ...)",
        "faulthandler.register(SIGTERM)",
        "faulthandler.register(SIGUSR1, ...)",
    ):
        lines = server.wait_log(f"WSGI0301 {call} was ignored", "set.py")
        assert len(lines) == 1, f"{call}: one line for each place"
    server.wait_log("TypeError signal handler must be signal.SIG_IGN")
    server.wait_log("TypeError signal() missing 1 required positional argument")
    server.wait_log("ValueError signal number out of range")
    server.wait_log("OSError [Errno 22]")
    assert_ends(server, pid)


IN_C = """
import ctypes, signal
c = ctypes.CDLL(None)
for name in ("SIGTERM", "SIGQUIT", "SIGPIPE", "SIGWINCH"):
    c.signal(int(getattr(signal, name)), None if name == "SIGPIPE" else 1)

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"imported"]
"""


def test_handlers_in_c_of_an_import_are_removed(nginx):
    server = nginx("location / { wsgi_app @PREFIX@/in_c.py app; }", files=[("in_c.py", IN_C)])
    pid = server.workers()[0]
    assert server.ask("/").body == b"imported"
    line = server.wait_log("WSGI0315 the import of", "in_c.py", "has set handlers in C for")[0]
    assert all(name in line for name in ("SIGTERM", "SIGQUIT", "SIGPIPE", "SIGWINCH")), line
    assert_ends(server, pid)


HOOK = """
import os, signal, sys
sys.stdout.write("printed by a hook\\n")
print("without a line break", end="")
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
from os import _exit
sys.hook = _exit
"""
HOOKED = """
import os, subprocess, sys
assert sys.hook is os._exit and "guarded" in repr(sys.hook) and sys.flags.no_site == 0

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr((os.getpid(), subprocess.run(["false"]).returncode)).encode()]
"""


@pytest.fixture
def virtualenv(tmp_path):
    """A virtualenv whose site-packages run hook.py when Python starts; makes one for each text."""
    os.chmod(tmp_path, 0o755)
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    (packages,) = tmp_path.glob("venv/lib/python3*/site-packages")
    (packages / "hook.pth").write_text("import hook\n")

    def make(text):
        (packages / "hook.py").write_text(text)
        return f"wsgi_python_home {tmp_path}/venv;"

    return make


def test_a_pth_file_runs_under_the_guards(nginx, virtualenv):
    conf = "location / { wsgi_app @PREFIX@/own.py app; }"
    server = nginx.prepare(conf, http=virtualenv(HOOK), files=[("own.py", HOOKED)]).start()
    pid, code = eval(server.ask("/").body)
    assert code == 1, "the exit code of a child must be right"
    server.wait_log("printed by a hook")
    server.wait_log("without a line break")
    server.wait_log("WSGI0301 signal.signal(SIGTERM, ...) was ignored", "hook.py")
    assert_ends(server, pid)


def test_the_reason_of_an_exit_in_a_pth_file_is_logged(nginx, virtualenv):
    conf = "location / { wsgi_app @PREFIX@/own.py app; }"
    http = virtualenv("import sys\nsys.exit('no licence for this agent')\n")
    server = nginx.prepare(conf, http=http, files=[("own.py", HOOKED)]).start()
    assert server.ask("/").status == 503
    server.wait_log("WSGI0001", "no licence for this agent")
