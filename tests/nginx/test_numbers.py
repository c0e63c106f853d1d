"""The numbered lines of docs/errors.md: a test causes each, and checks what the page states.

Each number of that page is in one of three places: a test here, a test of another file that waits
for it, or NOT_HERE with the reason.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import client
import pytest

from server import ENVIRONMENT, PYTHON, ROOT, wait_for

NOT_HERE = {
    "WSGI0004": "a bug of the library; a known bug would be corrected",
    "WSGI0103": "the system would have to remove what it gave a moment before",
    "WSGI0105": "the system would need to have no memory for a handler",
    "WSGI0106": "the system would have to refuse sigaction",
    "WSGI0107": "no descriptor may be left at the start of a worker",
    "WSGI0108": "the system would have to refuse a thread at the start of a worker",
    "WSGI0109": "comes after WSGI0105, WSGI0107, WSGI0108 or WSGI0119",
    "WSGI0132": "needs a system that forbids unshare()",
    "WSGI0110": "a worker that ends would have to run an application for the first time",
    "WSGI0111": "the system would need to have no memory for a handler",
    "WSGI0113": "needs another module of nginx that changes bodies",
    "WSGI0119": "no connection may be left at the start of a worker",
    "WSGI0219": "nginx has ended the request itself; tests/c and tests/gateway have such hosts",
    "WSGI0120": "the system would have to refuse read() from a descriptor that works",
}
ELSEWHERE = {
    "WSGI0003": "test_stopping.py::test_term_ends_nginx_while_python_keeps_the_gil",
    "WSGI0005": "test_timeouts.py::test_a_late_application_over_http2",
    "WSGI0006": "test_timeouts.py::test_code_that_keeps_the_gil_does_not_hold_up_the_answer",
    "WSGI0007": "test_timeouts.py::test_a_stuck_thread_is_replaced",
    "WSGI0008": "test_timeouts.py::test_the_stack_is_logged_after_the_client_has_left",
    "WSGI0009": "test_timeouts.py::test_the_log_has_what_holds_up_the_queue",
    "WSGI0015": "test_neighbours.py::test_a_module_of_another_application_is_logged",
    "WSGI0016": "test_neighbours.py::test_two_django_projects_with_one_setting_are_logged",
    "WSGI0117": "test_timeouts.py::test_the_stack_of_a_stream_is_logged",
    "WSGI0127": "test_buffering.py::test_the_thread_is_free_and_every_byte_arrives",
    "WSGI0128": "test_buffering.py::test_every_byte_arrives_when_memory_is_tight",
    "WSGI0129": "test_buffering.py::test_without_a_temporary_file_tight_memory_refuses_requests",
    "WSGI0131": "test_buffering.py::test_the_server_leaves_a_client_that_reads_almost_nothing",
    "WSGI0135": "test_buffering.py::test_a_response_is_whole_although_the_folder_is_gone",
    "WSGI0136": "test_buffering.py::test_an_application_without_a_client_has_a_limit",
    "WSGI0137": "test_memory_bounds.py::test_the_server_leaves_a_client_that_holds_much_memory",
    "WSGI0118": "test_leaving.py::test_a_slow_client_does_not_hold_up_the_end",
    "WSGI0125": "test_timeouts.py::test_a_worker_with_too_many_stuck_threads_is_replaced",
    "WSGI0126": "test_timeouts.py::test_without_a_master_a_worker_with_stuck_threads_stays",
    "WSGI0130": "test_clients_leave.py::test_ignore_client_abort_for_a_client_that_reads_nothing",
    "WSGI0208": "test_upload.py::test_a_client_leaves_before_the_first_read",
    "WSGI0302": "test_misbehaviour.py::test_os_exit_is_logged_with_its_request",
    "WSGI0303": "test_misbehaviour.py::test_a_crash_is_logged_with_its_request",
    "WSGI0304": "test_misbehaviour.py::test_standard_descriptors_stay_open",
    "WSGI0305": "test_guards.py::test_exec_does_not_replace_the_worker",
    "WSGI0306": "test_guards.py::test_descriptors_of_the_server_stay_open",
    "WSGI0307": "test_guards.py::test_dup2_cannot_replace_a_listener",
    "WSGI0308": "test_guards.py::test_a_signal_to_all_processes_of_the_server_is_refused",
    "WSGI0309": "test_guards.py::test_a_signal_to_the_worker_is_logged_with_its_place",
    "WSGI0310": "test_guards.py::test_a_change_of_the_process_is_logged",
    "WSGI0311": "test_guards.py::test_a_change_of_the_process_is_logged",
    "WSGI0312": "test_guards.py::test_exit_of_c_is_logged_and_the_worker_is_replaced",
    "WSGI0314": "test_guards.py::test_a_mask_of_a_thread_does_not_block_nginx_s_signals",
    "WSGI0315": "test_guards.py::test_handlers_in_c_of_an_import_are_removed",
    "WSGI0316": "test_guards.py::test_a_signal_that_would_stop_the_worker_is_refused",
    "WSGI0317": "test_guards.py::test_a_signal_to_another_process_of_the_server_is_logged",
    "WSGI0313": "test_guards.py::test_a_client_does_not_get_the_number_of_standard_error",
}

# What the application of tests/gateway/violations.py gets, and words of the line.
HEADS = {
    "WSGI0209": ("'OK'", "[]", "'OK' does not begin"),
    "WSGI0210": ("'200 OK'", "{'A': 'b'}", "not {'A': 'b'}"),
    "WSGI0211": ("'200 OK'", "[('A:', 'b')]", "'A:' is not"),
    "WSGI0212": ("'200 OK'", r"[('A', 'b\r\nX-Evil: c')]", r"0x0d, which PEP 3333 forbids: 'b\r\n"),
    "WSGI0213": ("'200 OK'", "[('A', chr(8364))]", "has a character that ISO-8859-1 has not"),
    "WSGI0214": ("'200 OK'", "[('Content-Length', 'ten')]", "'ten' is not a number of bytes"),
    "WSGI0220": ("200", "[]", "not int: 200"),
    "WSGI0221": ("'200 OK'", "[('A',)]", "not ('A',)"),
    "WSGI0222": ("'200 OK'", "[('A', 1)]", "header A must be a str (PEP 3333), not int: 1"),
    "WSGI0223": ("'200 OK'", "[('Content-Length', size) for size in '12']", "1 and 2"),
}
OFFENCES = {
    "WSGI0201": ("raises", 500, "KeyError: 'xxx"),
    "WSGI0202": ("not_started_listed", 500, "in not_started_listed"),
    "WSGI0203": ("nothing", 500, "NoneType, which cannot be iterated over"),
    "WSGI0204": ("nothing_sized", 500, "says, 3, but the application gave 0"),
    "WSGI0205": ("too_much", 200, "in too_much"),
    "WSGI0206": ("connection", 200, "Connection ('close') was left out"),
    "WSGI0207": ("bad_close", 200, "RuntimeError: no such table"),
    "WSGI0215": ("again", 500, "in again"),
    "WSGI0216": ("written_text", 500, "not str: 'text'"),
    "WSGI0217": ("liar", 200, "in liar"),
    "WSGI0218": ("written_too_much", 200, "in written_too_much"),
}
CONF = "location /head { wsgi_app @APPS@/../gateway/violations.py head; }" + "".join(
    f"location /{name} {{ wsgi_app @APPS@/../gateway/violations.py {name}; }}"
    for name in [*(name for name, *_ in OFFENCES.values()), "bad_exc_info"]
)
OWN = "location / { wsgi_app @PREFIX@/own.py app; }"
GOOD = """
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"own"]
"""


@pytest.fixture(scope="module")
def server(module_nginx):
    return module_nginx(CONF)


def with_own(nginx, text=GOOD, conf=OWN, **how):
    return nginx.prepare(conf, files=[("own.py", text)], **how)


def test_each_number_of_the_page_is_in_one_place():
    page = (ROOT / "docs/errors.md").read_text()
    described = re.findall(r"^## (WSGI\d{4}) ", page, re.M)
    here = [*HEADS, *OFFENCES, *re.findall(r"def test_(wsgi\d{4})", Path(__file__).read_text())]
    places = [word.upper() for word in [*here, *ELSEWHERE, *NOT_HERE]]
    assert sorted(places) == described, "each number of the page, once"


def test_tests_of_other_files_wait_for_their_numbers():
    """Searches the text of those tests for the number. check-ran checks that they passed."""
    for number, place in ELSEWHERE.items():
        file, name = place.split("::")
        text = (Path(__file__).parent / file).read_text()
        body = re.search(rf"^def {name}\(.*?(?=^\S|\Z)", text, re.M | re.S)[0]
        called = re.findall(r"\b(\w+)\(", body)
        helpers = [re.search(rf"^def {word}\(.*?(?=^\S|\Z)", text, re.M | re.S) for word in called]
        texts = [body, *(helper[0] for helper in helpers if helper)]
        assert any(number in text for text in texts), f"{place} must wait for {number}"


@pytest.mark.parametrize("number", HEADS)
def test_start_response_refuses(server, number):
    status, headers, words = HEADS[number]
    response = server.ask("/head", headers=[("X-Status", status), ("X-Headers", headers)])
    assert response.status == 500, "start_response must refuse it"
    assert response.header("X-Evil") is None, "no part of it may be sent"
    line = server.wait_log(number, words)[0]
    assert "[error]" in line and "PEP 3333" in line, "the line names the rule"
    assert re.search(r"\(\S+/violations\.py:\d+, in head\); the answer is 500", line), "the place"
    assert 'client: 127.0.0.1' in line and 'request: "GET /head ' in line, "the request"


@pytest.mark.parametrize("number", OFFENCES)
def test_an_offence_of_an_application_is_logged(server, number):
    name, status, words = OFFENCES[number]
    # A client with all promised bytes may leave, and then nginx has dropped the request.
    with server.connect() as connection:
        assert connection.ask(f"/{name}").status == status, "the status that the page states"
        lines = server.wait_log(number, words)
    assert f'request: "GET /{name} ' in lines[0], "the line names the request"
    assert len(lines) == 1, "one line"
    level = "[warn]" if number == "WSGI0206" else "[error]"
    assert level in lines[0] and "client: 127.0.0.1" in lines[0]
    assert len(server.log_lines("WSGI", f'request: "GET /{name} ')) == 1, "no other number"


def test_wsgi0224(server):
    with server.connect() as connection, pytest.raises(client.Truncated):
        connection.ask("/bad_exc_info")
    (line,) = server.wait_log("WSGI0224", "in bad_exc_info")
    assert "[error]" in line and "not 'why'" in line and "; the response was cut off" in line


def test_wsgi0001(nginx):
    server = with_own(nginx, http="wsgi_python_home @PREFIX@/home;")
    home = server.prefix / "home"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", home], check=True)
    server.write(f"home/lib/python{version()}/site-packages/bad.pth", "import sys; sys.exit(3)\n")
    server.start()
    assert server.ask("/").status == 503, "applications do not run"
    assert server.wait_log("WSGI0001 Python could not be started"), "the log has the line"
    response = server.ask("/")
    assert (response.status, response.header("Retry-After")) == (503, "1"), "the next client"


def version():
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([PYTHON, "-c", code], capture_output=True, text=True).stdout.strip()


def test_wsgi0002(nginx):
    server = with_own(nginx, "import no_such_module\n").start()
    assert server.ask("/").status == 503, "the application is not available"
    assert server.wait_log("WSGI0002", "own.py"), "the line names the file"
    assert server.wait_log("ModuleNotFoundError"), "the traceback follows"


def test_wsgi0101(nginx):
    said = nginx.prepare("location / { wsgi_app @PREFIX@/none.py app; }").check()
    assert said.returncode == 1 and re.search(r"\[emerg\].*WSGI0101.*none\.py", said.stderr)


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="needs root, setpriv")
def test_wsgi0102(nginx):
    server = with_own(nginx)
    server.run_as_nobody()
    command = ["setpriv", "--bounding-set", "-setuid,-setgid", *server.command("-t")]
    said = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=ENVIRONMENT
    )
    assert "WSGI0102" in said.stderr + server.log(), "nginx -t cannot check what the worker does"


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to change the user")
def test_wsgi0104(nginx):
    server = with_own(nginx)
    (server.prefix / "own.py").chmod(0o600)
    server.run_as_nobody()
    said = server.check()
    assert said.returncode == 0, "a warning must not be an error"
    assert re.search(r"\[warn\].*WSGI0104.*nobody.*own\.py", said.stderr + server.log())


def test_wsgi0112(nginx):
    server = with_own(nginx, conf="location / { wsgi_app @PREFIX@/own.py app; "
                                  "wsgi_script_name /blog; }").start()
    assert server.ask("/blogs").status == 404, "no application has this path"
    assert server.wait_log("WSGI0112", '"/blogs"', "/blog"), "the log has the reason"
    assert server.ask("/blogs%0a2026/11/27%20[made]%1b[2J%c3%a9").status == 404
    server.wait_log("WSGI0112", '"/blogs%0A2026/11/27%20[made]%1B[2J%C3%A9"')
    lines = server.log().splitlines()
    assert not [line for line in lines if line.startswith("2026/11/27 [made]")], "no forged line"


def test_wsgi0114(nginx):
    server = with_own(nginx, "import no_such_module\n").start()
    server.wait_log("ModuleNotFoundError")
    wait_for(lambda: server.ask("/").status == 503 and server.log_lines("WSGI0114"), "a refusal")
    line = server.log_lines("WSGI0114")[0]
    assert "could not be imported" in line and "client: 127.0.0.1" in line, "with the reason"


@pytest.mark.not_inline("on nginx's own thread no request waits")
def test_wsgi0115(nginx, gate):
    location = "location / { wsgi_app @APPS@/wait.py app; }"
    server = nginx(location, http="wsgi_threads 1; wsgi_queue_timeout 300ms;")
    wait_for(lambda: server.ask("/started").status == 200, "the import")
    stop = gate()
    with server.connect() as connection:
        connection.send_request(f"/block?{stop.query}")
        stop.wait()
        assert server.ask("/started").status == 503, "the only thread is busy"
        stop.shut()
        assert connection.read_response().status == 200, "then the thread is free"
    assert server.wait_log("WSGI0115", 'request: "GET /started '), "the log has the line"


@pytest.mark.not_inline("on nginx's own thread no application is timed out")
def test_wsgi0116(nginx, gate):
    location = "location / { wsgi_app @APPS@/wait.py app; }"
    server = nginx(location, http="wsgi_read_timeout 300ms;")
    stop = gate()
    assert server.ask(f"/block?{stop.query}").status == 504, "the application is late"
    assert server.wait_log("WSGI0116", "GET /block"), "the log has the line"
    stop.open()


def test_wsgi0301(nginx):
    text = "import signal\nsignal.signal(signal.SIGTERM, lambda *a: None)\n" + GOOD
    server = with_own(nginx, text).start()
    assert server.ask("/").body == b"own", "the application works"
    assert server.wait_log("WSGI0301 signal.signal(SIGTERM, ...)", "own.py:2, in <module>")
