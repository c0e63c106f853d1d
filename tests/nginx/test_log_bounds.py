"""A client's body in the log: the log and the memory are bounded, other requests do not wait."""

import concurrent.futures
import time

import pytest

pytestmark = [
    pytest.mark.not_validated("the validator refuses what the applications answer"),
    pytest.mark.not_newer("it takes a minute, and no version of anything is its subject"),
]

CONF = """
    client_max_body_size 2m;
    client_body_buffer_size 2m;
    location / { wsgi_app @APPS@/talk.py app; }
    location /return { return 200 "returned"; }
"""

# The longest text that nginx accepts in one line of the log.
QUERY = "q" * 1500

BODIES = {
    "line feeds": b"\n" * 300_000,
    "short lines": b"a\n" * 150_000,
    "short and empty lines": b"a\n\n" * 100_000,
    "carriage returns": b"\r\n" * 150_000,
    "one long line": b"x" * 300_000,
    "control characters": b"\1" * 300_000,
    "lines of control characters": b"\1\n" * 150_000,
}


@pytest.fixture(scope="module")
def server(module_nginx):
    server = module_nginx(CONF)
    server.ask("/print?begun")  # so that Python is in the memory of the worker
    return server


@pytest.mark.parametrize("way", ["print", "errors", "logging", "logged", "raised"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_client_s_body_in_the_log_takes_bounded_memory(server, way, body):
    pid = server.workers()[0]
    log = server.prefix / "error.log"
    before, size = server.memory(pid), log.stat().st_size
    most = slowest = 0
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        ask = threads.submit(server.ask, f"/body?{way}&{QUERY}", "POST", body=body)
        while not ask.done():
            begun = time.monotonic()
            assert server.ask("/return").status == 200, "nginx answers"
            slowest = max(slowest, time.monotonic() - begun)
            most = max(most, server.memory(pid))
        assert ask.result().status == (500 if way == "raised" else 200)
    assert slowest < 0.5, "without a delay"
    assert most - before < 16 << 20, f"memory grew by {(most - before) >> 20} MB"
    server.ask("/print?the-end")
    server.wait_log("the-end", "GET /print")
    grown = log.stat().st_size - size
    # Four characters for a control character, twice for the request that each entry repeats, and
    # the first lines, each with an entry of its own.
    assert grown < 8 * len(body) + (5 << 20), f"{grown >> 20} MB of log for {len(body)} bytes"


def test_many_lines_of_one_request_name_it_once(server):
    """The application prints each line, as if it read a file that its client sent."""
    log = server.prefix / "error.log"
    size = log.stat().st_size
    text = "".join(f"row {n}\n" for n in range(50_000)) + "the last row"
    assert server.ask(f"/body?each&{QUERY}", "POST", body=text.encode()).status == 200
    server.wait_log("the last row, client: 127.0.0.1, request: as before")
    assert len(server.log_lines(" row ", "POST /body?each")) == 5000, "the first name the request"
    assert len(server.log_lines(" row ", "client: 127.0.0.1")) == 50_000, "no line is lost"
    grown = log.stat().st_size - size
    assert grown < 20 << 20, f"{grown >> 20} MB of log"


def test_no_line_of_a_long_text_is_lost(server):
    text = "".join(f"number {n}\n" for n in range(20_000))
    assert server.ask("/body?print", "POST", body=text.encode()).status == 200
    lines = server.wait_log("number 19999")
    logged = "".join(server.log_lines("number ", "POST /body"))
    assert lines and all(f"number {n}" in logged for n in range(0, 20_000, 7)), "every line"


def test_a_run_of_empty_lines_is_counted(server):
    server.ask("/body?print&fold", "POST", body=b"first\n" + b"\n" * 1000 + b"last")
    assert len(server.wait_log("[1000 empty lines]", "POST /body?print&fold")) == 1
    assert server.log_lines("first", "fold") and server.log_lines("last", "fold"), "and the rest"
