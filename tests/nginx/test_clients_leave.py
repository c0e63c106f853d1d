"""Clients that leave while they send, while they wait, and while the application runs or answers.

nginx ends their request at once, whatever Python does. The application is notified.
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
    """A server with two threads: one for the application under test, one for /noted."""
    return module_nginx(CONF, http="wsgi_threads 2; wsgi_buffer_size 256k; wsgi_buffering off;")


@pytest.fixture
def news(server):
    """Gives the new notes of the application and lines of the logs. Checks that nothing leaks."""
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
        """Waits for this number of notes."""
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
        """Waits until nginx has ended the request: then it writes the access log."""
        wait_for(self.access, "the access log")
        assert [" 499 " in line for line in self.access()] == [True], "one request, one 499"

    def wait_said(self, number):
        """Waits for the line in the log, once, at info. It may come later than the notes."""
        wait_for(lambda: self.log(number), f"{number} in the log")
        assert len(self.log(number)) == len(self.log("[info]", number)) == 1, "once, at info"

    def check(self):
        wait_for(lambda: self.descriptors() <= self.open_before, "descriptors to be closed")
        assert not self.log("[error]"), "a client that leaves is not an error"
        assert not self.log("[warn]"), "nor a warning"
        assert len(self.access()) == 1, "the access log has one line"


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
def test_a_client_may_leave_after_the_whole_response(server, news, way, path):
    with Leaver(server, way, path) as leaving:
        leaving.wait_body(b"whole")
        leaving.leave()
        assert news.notes(2) == ["went on: True", "closed"], "the application must end"
    wait_for(news.access, "the access log")
    assert [" 200 " in line for line in news.access()] == [True], "the client got all of it"
    assert not news.log("WSGI0208")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", ["leave", "leave/file"])
def test_a_running_application_learns_that_its_client_left(server, news, gate, way, place):
    stop = gate()
    with Leaver(server, way, f"/{place}/running?{stop.query}", body=BODY) as leaving:
        stop.wait()
        leaving.leave()
        news.wait_aborted()
    assert len(news.all_notes()) == news.notes_before + 2, "nginx does not wait for the application"
    stop.shut()
    notes = news.notes(len(TOLD) + 1)
    assert notes[: len(TOLD)] == TOLD, "all calls must report it, and close() is called"
    assert notes[-1].startswith("later: RuntimeError: libwsgi.client_disconnected"), "it has ended"
    news.wait_said("WSGI0208")


@pytest.mark.parametrize("way", WAYS)
def test_a_client_leaves_a_stream(server, news, gate, way):
    stop = gate()
    with Leaver(server, way, f"/leave/stream?{stop.query}") as leaving:
        leaving.wait_piece()
        stop.wait()
        leaving.leave()
        news.wait_aborted()
    stop.shut()
    assert news.notes(1) == ["closed"], "the server must request no more, and call close() once"
    news.wait_said("WSGI0208")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_client_leaves_an_application_that_gives_empty_blocks(server, news, way, method):
    with Leaver(server, way, "/leave/nothing", method=method) as leaving:
        wait_for(lambda: news.blocks() >= 4, "four blocks of the application")
        leaving.leave()
        news.wait_aborted()
    assert news.notes(1) == ["closed"], "the server must request no more, and call close() once"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", ["blocks", "write"])
def test_a_client_leaves_an_application_that_waits_for_credit(server, news, way, shape):
    with Leaver(server, way, f"/leave/{shape}") as leaving:
        leaving.wait_piece()
        wait_for(lambda: news.blocks() >= 4, "the blocks that wsgi_buffer_size has room for")
        settle(news.blocks)
        leaving.leave()
        news.wait_aborted()
    told = ["write: OSError: write(): the client is gone"] if shape == "write" else []
    assert news.notes(len(told) + 1) == [*told, "closed"], "the application must wake and end once"


@pytest.mark.parametrize("way", WAYS)
def test_a_client_leaves_the_queue(nginx, gate, way):
    server = nginx(CONF, http="wsgi_threads 1;")
    stop, never = gate(), gate()
    with server.connect() as first:
        first.send_request(f"/block?{stop.query}")
        stop.wait()
        with Leaver(server, way, f"/block?{never.query}") as leaving:
            leaving.leave()
            server.wait_access(never.path.name, " 499 ")
        stop.shut()
        assert first.read_response().body == b"passed", "the other request goes on"
    assert server.ask("/started").text == stop.path.name, "only the first may run"


@pytest.mark.parametrize("way", ["close", "half-close", "h2 reset", "h2 close"])
def test_a_client_leaves_while_nginx_reads_its_body(server, gate, way):
    never = gate()
    path = f"/block?{never.query}"
    with Leaver(server, way, path, body=b"the first half", unfinished=True) as leaving:
        leaving.leave()
        server.wait_access(never.path.name)
    assert never.path.name not in server.ask("/started").text, "the application must not run"


def test_clients_that_leave_give_their_places_in_the_queue_back(nginx, gate):
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
        assert first.read_response().body == b"passed", "the running request is answered"
    assert " 503 " not in server.access_log(), "there must be room for every request"


def test_half_of_the_clients_leave_a_long_queue(nginx, gate):
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
    wait_for(lambda: server.access_log().count(" 499 ") == 50, "nginx to see 50 clients leave")
    stop.shut()
    assert first.read_response().body == b"passed", "the running request is answered"
    for connection in waiting[1::2]:
        assert connection.read_response().body == b"0", "every client that stayed is answered"
        connection.close()


@pytest.mark.parametrize("shape", ["list", "one", "small"])
def test_workers_go_on_while_clients_come_and_go(nginx, shape):
    server = nginx(CONF, workers=2)
    for _ in range(30):
        leaving = server.connect(receive_buffer=4096)
        leaving.send_request(f"/large/{shape}")
        leaving.close()
    assert server.ask("/closed").status == 200, "the workers must go on"


@pytest.mark.parametrize("way", ["close", "reset", "h2 reset", "h2 close"])
def test_ignore_client_abort_runs_the_application_to_its_end(server, news, way):
    with Leaver(server, way, "/ignored/until_gone") as leaving:
        leaving.wait_piece()
        leaving.leave()
        assert news.notes(2) == ["finished", "closed"], "the application must run to its end"
        news.wait_aborted()
    news.wait_said("WSGI0130")


@pytest.mark.parametrize("way", WAYS)
def test_ignore_client_abort_before_anything_was_sent(server, news, gate, way):
    stop = gate()
    with Leaver(server, way, f"/ignored/finish?{stop.query}") as leaving:
        stop.wait()
        leaving.leave()
        assert server.ask("/harness/ready").status == 200, "nginx has had the time to notice it"
        assert not news.access(), "nginx must ignore it"
        stop.shut()
        assert news.notes(2) == ["finished", "closed"], "the application must run to its end"
        if way == "half-close":
            assert leaving.connection.read_response().pieces[0] == b"finished", "it can still read"
        wait_for(news.access, "the access log")


def test_ignore_client_abort_in_the_queue(nginx, gate):
    server = nginx(CONF, http="wsgi_threads 1; wsgi_ignore_client_abort on;")
    stops = [gate(), gate()]
    with server.connect() as first:
        first.send_request(f"/block?{stops[0].query}")
        stops[0].wait()
        with Leaver(server, "close", f"/block?{stops[1].query}") as leaving:
            leaving.leave()
            stops[0].shut()
            assert first.read_response().body == b"passed", "the other request goes on"
    stops[1].open()
    started = " ".join(stop.path.name for stop in stops)
    assert server.ask("/started").text == started, "the application must have run"


def test_ignore_client_abort_for_a_client_that_reads_nothing(server, news):
    with Leaver(server, "close", "/ignored/until_gone") as leaving:
        leaving.wait_piece()
        assert news.notes(2) == ["finished", "closed"], "it must not wait beyond send_timeout"
        wait_for(news.access, "the access log")
    news.wait_said("WSGI0130")


@pytest.mark.parametrize("way", WAYS)
def test_ignore_client_abort_when_the_body_is_not_complete(server, news, way):
    with Leaver(server, way, "/streamed/upload", body=BODY, unfinished=True) as leaving:
        assert news.notes(1) == ["line: b'a line\\n'"], "the application reads what has arrived"
        leaving.leave()
        line, upload, closed = news.notes(3)
    assert upload.startswith("upload: OSError"), "half a body must not look complete"
    assert closed == "closed", "close() must be called"
    wait_for(news.access, "the access log")


@pytest.mark.parametrize("way", WAYS)
def test_a_client_leaves_an_application_that_is_paused_on_the_loop(nginx, way):
    server = nginx(CONF, http="wsgi_threads 0; wsgi_buffer_size 256k; wsgi_buffering off;")
    news = News(server)
    with Leaver(server, way, "/leave/blocks") as leaving:
        leaving.wait_piece()
        wait_for(lambda: news.blocks() >= 4, "the blocks that wsgi_buffer_size has room for")
        settle(news.blocks)
        leaving.leave()
        news.wait_aborted()
    assert news.notes(1) == ["closed"], "the server must resume it, to call close()"
    if way != "half-close":
        with Leaver(server, way, "/ignored/until_gone") as leaving:
            leaving.wait_piece()
            leaving.leave()
            assert news.notes(3)[1:] == ["finished", "closed"], "or resume it, to run to its end"
