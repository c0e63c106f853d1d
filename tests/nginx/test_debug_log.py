"""`error_log ... debug`: the log has the story of each request, from the handler to its end."""

import re
import subprocess

import pytest

from leaver import Leaver
from server import NGINX, wait_for

pytestmark = pytest.mark.not_validated("the validator changes nothing of it")

MAIN = "error_log @PREFIX@/debug.log debug;"
CONF = """
    location / { wsgi_app @APPS@/hello.py hello_world; }
    location /large/ { wsgi_app @APPS@/large.py app; wsgi_script_name /large; }
    location /leave/ { wsgi_app @APPS@/leave.py app; wsgi_script_name /leave; }
    location /ignored/ { wsgi_ignore_client_abort on; wsgi_buffering off;
                         wsgi_app @APPS@/leave.py app; wsgi_script_name /ignored; }
    location /upload/ { wsgi_request_buffering off;
                        wsgi_app @APPS@/upload.py app; wsgi_script_name /upload; }
    location /accel { wsgi_app @PREFIX@/own.py app; }
    location /broken { wsgi_intercept_errors on; error_page 404 /; wsgi_app @PREFIX@/own.py app; }
    location /inner { internal; return 200 inner; }
"""
OWN = """
def app(environ, start_response):
    if environ["PATH_INFO"] == "/broken":
        start_response("404 Not Found", [])
    else:
        start_response("200 OK", [("X-Accel-Redirect", "/inner")])
    return [b"not for the client"]
"""
WSGI = re.compile(r"\[debug\] \S+ (?:\*(\d+) )?wsgi (.*)")


@pytest.fixture(scope="module")
def server(module_nginx):
    options = subprocess.run([NGINX, "-V"], capture_output=True, text=True, timeout=60).stderr
    if "--with-debug" not in options:
        pytest.skip("this nginx was built without --with-debug")
    files = [("own.py", OWN)]
    prepared = module_nginx.prepare(CONF, http="wsgi_buffer_size 256k;", main=MAIN, files=files)
    return prepared.start()


def story(server, path):
    """What the log has of the connection with the only request for a path."""
    log = server._read("debug.log")
    numbers = re.findall(rf'\*(\d+) http request line: "\w+ {re.escape(path)}[? ]', log)
    assert len(numbers) < 2, "the test asks once"
    return [what for of, what in WSGI.findall(log) if of in numbers]


def wait_story(server, path, *steps):
    """Waits until the log has these steps of a request, in this order."""

    def has_steps():
        lines = iter(story(server, path))
        return all(any(line.startswith(step) for line in lines) for step in steps)

    try:
        wait_for(has_steps, f"the story of {path}")
    except AssertionError as error:
        raise AssertionError("\n".join([str(error), *story(server, path)])) from None


def test_the_log_has_each_step_of_a_request(server):
    assert server.ask("/hello").status == 200
    wait_story(server, "/hello", "detach")
    assert story(server, "/hello") == [
        "handler, streamed:0",
        "submit, body:0 length:-1",
        "start: 200, length:12",
        "write, n:1 last:1",
        "finish: 0, out:0",
        "finalize: 0",
        "detach",
    ]
    assert "wsgi poll, left:0" in server._read("debug.log"), "and the loop has polled"


@pytest.mark.not_inline("nginx buffers every body with wsgi_threads 0")
def test_the_log_has_each_step_of_an_upload(server):
    with server.connect() as connection:
        connection.echo("/upload/echo", [b"first", b"second"])
    wait_story(
        server,
        "/upload/echo",
        "handler, streamed:1",
        "submit, body:3 length:-1",
        "want body, begun:0 blocked:0",
        "push: 5 of 5",
        "start: 200, length:-1",
        "write, n:1 last:0",
        "read handler",
        "push: 6 of 6",
        "write, n:1 last:0",
        "push last",
        "finish: 0, out:0",
        "finalize: 0",
        "detach",
    )


def test_the_log_has_what_waits_for_a_slow_reader(server):
    with server.connect(receive_buffer=4096) as connection:
        connection.send_request("/large/generator")
        wait_story(server, "/large/generator", "finish: 0, out:1", "drain, ")
        assert len(connection.read_response().body) == 160 * 65536
    wait_story(
        server,
        "/large/generator",
        "handler, streamed:0",
        "start: 200, length:-1",
        "write, n:",
        "spill, held:",
        "store: ",
        "finish: 0, out:1",
        "drain, held:",
        "write handler, held:",
        "finalize: ",
        "detach",
    )


@pytest.mark.not_inline("nginx's own thread would wait at the gate")
def test_the_log_has_the_end_by_a_client_that_leaves(server, gate):
    stop = gate()
    with Leaver(server, "close", f"/leave/stream?{stop.query}") as leaver:
        leaver.wait_piece()
        stop.wait()
        leaver.leave()
        wait_story(
            server,
            "/leave/stream",
            "start: 200, length:-1",
            "write, n:1 last:0",
            "cleanup",
            "abandon, late after:60000 flags:0",
            "detach",
        )
    stop.open()


@pytest.mark.not_inline("an application on nginx's own thread gives nothing more")
def test_the_log_has_what_goes_on_without_its_client(server):
    with Leaver(server, "reset", "/ignored/until_gone") as leaver:
        leaver.wait_piece()
        leaver.leave()
    wait_story(
        server,
        "/ignored/until_gone",
        "start: 200, length:-1",
        "write, n:",
        "ignore abort, timedout:0",
        "finish: ",
        "finalize: 499",
        "detach",
    )


def test_the_log_has_what_replaces_a_response(server):
    assert server.ask("/accel").text == "inner"
    wait_story(
        server,
        "/accel",
        'accel: "X-Accel-Redirect: /inner"',
        'redirect: "/inner"',
        "abandon, ",
        "detach",
    )
    assert server.ask("/broken").status == 404
    wait_story(server, "/broken", "intercept: 404", "abandon, ", "finalize: 404", "detach")
