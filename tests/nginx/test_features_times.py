"""$wsgi_queue_time and $wsgi_time show whether the pool is too small or the application slow."""

import json
import time

import pytest

from server import wait_for

CONF = """
    access_log @PREFIX@/times.log times;
    location / { wsgi_app @APPS@/wait.py app; }
    location /pages/ {
        wsgi_app @APPS@/pages.py app; wsgi_script_name /pages;
        add_header X-Queue $wsgi_queue_time; add_header X-Time $wsgi_time;
    }
    location /late/ {
        wsgi_app @APPS@/wait.py app; wsgi_script_name /late; wsgi_read_timeout 200ms;
        error_page 504 /page.html;
    }
    location /dressed/ {
        wsgi_app @APPS@/pages.py app; wsgi_script_name /dressed; error_page 500 /pages/say/sorry;
    }
    location /sleeps { wsgi_app @PREFIX@/sleeps.py app; }
    location /small { wsgi_app @PREFIX@/sleeps.py app; wsgi_request_buffering off;
                      client_max_body_size 10; }
    location /page.html { ssi on; }
    location /static { }
"""
HTTP = """
    log_format times escape=json '{"uri": "$uri", "status": $status, "request": $request_time,'
                     ' "queue": "$wsgi_queue_time", "time": "$wsgi_time"}';
"""
SLEEPS = """
import time

def app(environ, start_response):
    time.sleep(0.2)
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    time.sleep(0.1)
    return [b"slept"]
"""


@pytest.fixture
def server(nginx):
    files = [
        ("sleeps.py", SLEEPS),
        ("html/static", "no Python"),
        ("html/page.html", "sorry"),
    ]
    return nginx.prepare(CONF, http=HTTP + "wsgi_threads 1;", files=files).start()


def said(server, count):
    return [json.loads(line) for line in server.wait_lines("times.log", count)]


def test_the_times_are_known_at_the_head(server):
    response = server.ask("/pages/say/text")
    for name in ("X-Queue", "X-Time"):
        assert 0 <= float(response.header(name)) < 15, "the time until the head"
        assert response.header(name)[-4] == ".", "in seconds and milliseconds"


def test_without_an_application_the_times_are_empty(server):
    server.ask("/static")
    assert (said(server, 1)[0]["queue"], said(server, 1)[0]["time"]) == ("", ""), "both are empty"


def test_the_time_of_a_slow_application(server):
    server.ask("/sleeps")
    line = said(server, 1)[0]
    assert 0.29 <= float(line["time"]) < 15, "until its last piece"


@pytest.mark.not_inline("nginx buffers every body, and refuses this one before")
def test_a_body_that_is_too_large_has_its_time(server):
    with server.connect() as connection:
        chunked = [("Transfer-Encoding", "chunked")]
        connection.send_request("/small", method="POST", headers=chunked)
        connection.send_chunk(b"more than ten bytes")
        assert connection.read_head().status == 413, "the first read finds out"
    line = said(server, 1)[0]
    assert float(line["time"]) >= 0.19, "until the application has read"


@pytest.mark.not_inline("the queue is never long")
def test_the_queue_time_of_a_busy_pool(server, gate):
    server.ask("/pages/say/warm")
    stop = gate()
    with server.connect() as busy, server.connect() as waiting:
        busy.send_request(f"/block?{stop.query}")
        stop.wait()
        waiting.send_request("/pages/say/next")
        server.ask("/static")
        time.sleep(0.2)
        stop.open()
        busy.read_response()
        response = waiting.read_response()
    lines = {line["uri"]: line for line in said(server, 4)}
    assert float(lines["/block"]["time"]) >= 0.19, "one request used the thread"
    assert float(lines["/pages/say/next"]["queue"]) >= 0.19, "the other request waited for it"
    assert float(response.header("X-Queue")) >= 0.19, "its response has the time, too"


@pytest.mark.not_inline("no application is timed out there")
def test_the_time_of_a_late_application(server, gate):
    server.ask("/pages/say/warm")
    stop = gate()
    response = server.ask(f"/late/block?{stop.query}")
    assert (response.status, response.body) == (504, b"sorry"), "its error page is another location"
    line = said(server, 2)[1]
    assert float(line["time"]) >= 0.19, "the log still has the time"
    stop.open()


@pytest.mark.not_inline("the application waits")
def test_the_time_of_a_client_that_leaves(server, gate):
    server.ask("/pages/say/warm")
    stop = gate()
    with server.connect() as connection:
        connection.send_request(f"/block?{stop.query}")
        stop.wait()
        time.sleep(0.1)
    line = said(server, 2)[1]
    assert line["status"] == 499 and float(line["time"]) >= 0.09, "the time until it left"
    stop.open()
    wait_for(lambda: server.ask("/pages/say/text").body == b"text", "the thread to be free")


def test_the_time_of_two_applications_is_their_sum(server):
    assert server.ask("/dressed/raise").body == b"sorry"
    line = said(server, 1)[0]
    assert float(line["time"]) >= 0 and float(line["queue"]) >= 0, "a sum of both"
