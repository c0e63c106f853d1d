"""Clients that leave: while they send, while they wait, while the application runs or answers.

nginx is done with their request at once, whatever Python is doing; the application is told.
"""

import json
import os

import pytest

import validated
from leaver import WAYS, Leaver
from server import settle, wait_for

pytestmark = pytest.mark.not_inline("the file chooses the number of threads")

CONF = """
    location / { wsgi_app @APPS@/wait.py app; }
    location /leave/ { wsgi_app @APPS@/leave.py app; wsgi_script_name /leave; }
    location /leave/file/ { client_body_in_file_only clean; wsgi_app @APPS@/leave.py app;
                            wsgi_script_name /leave/file; }
    location /ignored/ { wsgi_ignore_client_abort on; send_timeout 1s;
                         wsgi_app @APPS@/leave.py app; wsgi_script_name /ignored; }
    location /streamed/ { wsgi_ignore_client_abort on; wsgi_request_buffering off;
                          wsgi_app @APPS@/leave.py app; wsgi_script_name /streamed; }
    location /large/ { wsgi_app @APPS@/large.py app; wsgi_script_name /large; }
"""
BODY = b"a line\nanother\nand more"


@pytest.fixture(scope="module")
def server(module_nginx):
    """Has two threads: one for the application that is left, one for /noted."""
    return module_nginx(CONF, http="wsgi_threads 2; wsgi_buffer_size 256k; wsgi_buffering off;")


@pytest.fixture
def news(server):
    """Gives what is new: notes of the application, lines of the logs. In the end nothing leaks."""
    news = News(server)
    yield news
    news.check()


class News:
    def __init__(self, server):
        self.server = server
        (self.worker,) = server.workers()
        self.notes_before = len(self.all_notes())
        self.log_before = len(server.log().splitlines())
        self.access_before = len(server.access_log().splitlines())
        self.open_before = self.descriptors()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.worker}/fd"))

    def all_notes(self):
        return json.loads(self.server.ask("/leave/noted").body)[0]

    def notes(self, count):
        """Waits for so many notes."""
        wait_for(lambda: len(self.all_notes()) >= self.notes_before + count, f"{count} notes")
        return self.all_notes()[self.notes_before :]

    def blocks(self):
        return json.loads(self.server.ask("/leave/noted").body)[1]

    def access(self):
        lines = self.server.access_log().splitlines()[self.access_before :]
        return [line for line in lines if "/noted" not in line]

    def log(self, *words):
        lines = self.server.log().splitlines()[self.log_before :]
        return [line for line in lines if all(word in line for word in words)]

    def wait_aborted(self):
        """Waits until nginx is done with the request: that is when it writes the access log."""
        wait_for(self.access, "the access log")
        assert [" 499 " in line for line in self.access()] == [True], "one request, one 499"

    def wait_said(self, number):
        """Waits until the log says it, once, at info. It may be later than the notes."""
        wait_for(lambda: self.log(number), f"{number} in the log")
        assert len(self.log(number)) == len(self.log("[info]", number)) == 1, "once, at info"

    def check(self):
        wait_for(lambda: self.descriptors() <= self.open_before, "descriptors to be closed")
        assert not self.log("[error]"), "nothing of this is an error"
        assert not self.log("[warn]"), "nor worth a warning"
        assert len(self.access()) == 1, "it is logged once"


GONE = "wsgi.input: the client is gone"
TOLD = [
    "line: b'a line\\n'",
    "before: False",
    "after: True",
    "on a thread: True",
    f"read: OSError: {GONE}",
    f"readline: OSError: {GONE}",
    f"iteration: OSError: {GONE}",
    *([f"read1: OSError: {GONE}", f"readinto: OSError: {GONE}"] if not validated.WANTED else []),
    f"readlines: OSError: {GONE}",
    "write: OSError: write(): the client is gone",
    "closed",
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", ["/leave/whole", "/leave/written"])
def test_a_client_that_has_the_whole_response_may_leave(server, news, way, path):
    with Leaver(server, way, path) as leaving:
        leaving.wait_body(b"whole")
        leaving.leave()
        assert news.notes(2) == ["went on: True", "closed"], "the application comes to its end"
    wait_for(news.access, "the access log")
    assert [" 200 " in line for line in news.access()] == [True], "the client has left nothing out"
    assert not news.log("WSGI0208")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", ["leave", "leave/file"])
def test_a_running_application_is_told(server, news, gate, way, place):
    stop = gate()
    with Leaver(server, way, f"/{place}/running?{stop.query}", body=BODY) as leaving:
        stop.wait()
        leaving.leave()
        news.wait_aborted()
    assert len(news.all_notes()) == news.notes_before + 2, "nginx does not wait for the application"
    stop.shut()
    notes = news.notes(len(TOLD) + 1)
    assert notes[: len(TOLD)] == TOLD, "asking, reading and writing say so, and close() is called"
    assert notes[-1].startswith("later: RuntimeError: libwsgi.client_disconnected"), "it has ended"
    news.wait_said("WSGI0208")


@pytest.mark.parametrize("way", WAYS)
def test_a_stream(server, news, gate, way):
    stop = gate()
    with Leaver(server, way, f"/leave/stream?{stop.query}") as leaving:
        leaving.wait_piece()
        stop.wait()
        leaving.leave()
        news.wait_aborted()
    stop.shut()
    assert news.notes(1) == ["closed"], "no more is asked for, and close() is called once"
    news.wait_said("WSGI0208")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_application_that_gives_empty_blocks(server, news, way, method):
    with Leaver(server, way, "/leave/nothing", method=method) as leaving:
        wait_for(lambda: news.blocks() >= 4, "it to be asked for blocks")
        leaving.leave()
        news.wait_aborted()
    assert news.notes(1) == ["closed"], "no more is asked for, and close() is called once"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", ["blocks", "write"])
def test_an_application_that_waits_for_credit(server, news, way, shape):
    with Leaver(server, way, f"/leave/{shape}") as leaving:
        leaving.wait_piece()
        wait_for(lambda: news.blocks() >= 4, "as many blocks as wsgi_buffer_size has room for")
        settle(news.blocks)
        leaving.leave()
        news.wait_aborted()
    told = ["write: OSError: write(): the client is gone"] if shape == "write" else []
    assert news.notes(len(told) + 1) == [*told, "closed"], "it is woken, told, and closed once"


@pytest.mark.parametrize("way", WAYS)
def test_the_queue(nginx, gate, way):
    server = nginx(CONF, http="wsgi_threads 1;")
    stop, never = gate(), gate()
    with server.connect() as first:
        first.send_request(f"/block?{stop.query}")
        stop.wait()
        with Leaver(server, way, f"/block?{never.query}") as leaving:
            leaving.leave()
            server.wait_access(never.path.name, " 499 ")
        stop.shut()
        assert first.read_response().body == b"passed", "the others are not disturbed"
    assert server.ask("/started").text == stop.path.name, "the application is not run for nobody"


@pytest.mark.parametrize("way", ["close", "half-close", "h2 reset", "h2 close"])
def test_while_nginx_reads_the_body(server, gate, way):
    never = gate()
    path = f"/block?{never.query}"
    with Leaver(server, way, path, body=b"the first half", unfinished=True) as leaving:
        leaving.leave()
        server.wait_access(never.path.name)
    assert never.path.name not in server.ask("/started").text, "the application hears nothing of it"


def test_places_in_the_queue_are_given_back(nginx, gate):
    server = nginx(CONF, http="wsgi_threads 1; wsgi_max_queue 3;")
    stop = gate()
    with server.connect() as first:
        first.send_request(f"/block?{stop.query}")
        stop.wait()
        for round in range(1, 11):
            waiting = [Leaver(server, WAYS[(round + n) % len(WAYS)], "/closed") for n in range(3)]
            for leaving in waiting:
                leaving.leave()
            wait_for(lambda: server.access_log().count(" 499 ") == 3 * round, "them to leave")
            for leaving in waiting:
                leaving.connection.socket.close()
        stop.shut()
        assert first.read_response().body == b"passed", "who runs is answered"
    assert " 503 " not in server.access_log(), "there was room for everyone"


def test_half_of_a_long_queue(nginx, gate):
    server = nginx(CONF, http="wsgi_threads 1;")
    stop = gate()
    first = server.connect()
    first.send_request(f"/block?{stop.query}")
    stop.wait()
    waiting = [server.connect() for _ in range(100)]
    for connection in waiting:
        connection.send_request("/closed")
    for connection in waiting[::2]:
        connection.close()
    wait_for(lambda: server.access_log().count(" 499 ") == 50, "nginx to see them leave")
    stop.shut()
    assert first.read_response().body == b"passed", "who runs is answered"
    for connection in waiting[1::2]:
        assert connection.read_response().body == b"0", "and everyone who stayed"
        connection.close()


@pytest.mark.parametrize("shape", ["list", "one", "small"])
def test_clients_come_and_go(nginx, shape):
    server = nginx(CONF, workers=2)
    for _ in range(30):
        leaving = server.connect(receive_buffer=4096)
        leaving.send_request(f"/large/{shape}")
        leaving.close()
    assert server.ask("/closed").status == 200, "the workers go on"


@pytest.mark.parametrize("way", ["close", "reset", "h2 reset", "h2 close"])
def test_ignored(server, news, way):
    with Leaver(server, way, "/ignored/until_gone") as leaving:
        leaving.wait_piece()
        leaving.leave()
        assert news.notes(2) == ["finished", "closed"], "it runs to its end"
        news.wait_aborted()
    news.wait_said("WSGI0130")


@pytest.mark.parametrize("way", WAYS)
def test_ignored_before_anything_was_sent(server, news, gate, way):
    stop = gate()
    with Leaver(server, way, f"/ignored/finish?{stop.query}") as leaving:
        stop.wait()
        leaving.leave()
        assert server.ask("/harness/ready").status == 200, "nginx has had time to see it"
        assert not news.access(), "and does not care"
        stop.shut()
        assert news.notes(2) == ["finished", "closed"], "it runs to its end"
        if way == "half-close":
            assert leaving.connection.read_response().pieces[0] == b"finished", "it can be read"
        wait_for(news.access, "the access log")


def test_ignored_in_the_queue(nginx, gate):
    server = nginx(CONF, http="wsgi_threads 1; wsgi_ignore_client_abort on;")
    stops = [gate(), gate()]
    with server.connect() as first:
        first.send_request(f"/block?{stops[0].query}")
        stops[0].wait()
        with Leaver(server, "close", f"/block?{stops[1].query}") as leaving:
            leaving.leave()
            stops[0].shut()
            assert first.read_response().body == b"passed", "the others are not disturbed"
    stops[1].open()
    started = " ".join(stop.path.name for stop in stops)
    assert server.ask("/started").text == started, "it has been run"


def test_ignored_for_a_client_that_reads_nothing(server, news):
    with Leaver(server, "close", "/ignored/until_gone") as leaving:
        leaving.wait_piece()
        assert news.notes(2) == ["finished", "closed"], "after send_timeout it waits no more"
        wait_for(news.access, "the access log")
    news.wait_said("WSGI0130")


@pytest.mark.parametrize("way", WAYS)
def test_ignored_but_the_body_is_not_here(server, news, way):
    with Leaver(server, way, "/streamed/upload", body=BODY, unfinished=True) as leaving:
        assert news.notes(1) == ["line: b'a line\\n'"], "it reads what there is"
        leaving.leave()
        line, upload, closed = news.notes(3)
    assert upload.startswith("upload: OSError"), "no end is made up for it"
    assert closed == "closed", "close() is called"
    wait_for(news.access, "the access log")


@pytest.mark.parametrize("way", WAYS)
def test_an_application_that_is_paused_on_the_loop(nginx, way):
    server = nginx(CONF, http="wsgi_threads 0; wsgi_buffer_size 256k; wsgi_buffering off;")
    news = News(server)
    with Leaver(server, way, "/leave/blocks") as leaving:
        leaving.wait_piece()
        wait_for(lambda: news.blocks() >= 4, "as many blocks as wsgi_buffer_size has room for")
        settle(news.blocks)
        leaving.leave()
        news.wait_aborted()
    assert news.notes(1) == ["closed"], "it is resumed to be closed"
    if way != "half-close":
        with Leaver(server, way, "/ignored/until_gone") as leaving:
            leaving.wait_piece()
            leaving.leave()
            assert news.notes(3)[1:] == ["finished", "closed"], "or to run to its end"
