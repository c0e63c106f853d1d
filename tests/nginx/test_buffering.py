"""Temporary files for responses: a slow client holds neither a thread nor the memory."""

import hashlib
import os
import re
import signal
import zlib

import pytest

from client import Truncated
from h2client import H2Connection
from server import INLINE, settle, wait_for

pytestmark = pytest.mark.not_validated("the memory of the validator would count")

CONF = """
    listen 127.0.0.1:@OTHER_PORT@ ssl;
    ssl_certificate @PREFIX@/cert.pem;
    ssl_certificate_key @PREFIX@/key.pem;
    sendfile on;
    location / { wsgi_app @APPS@/large.py app; }
    location /zip/ { gzip on; gzip_types *;
                     wsgi_app @APPS@/large.py app; wsgi_script_name /zip; }
    location /sub/ { sub_filter nothing something; sub_filter_types *; output_buffers 1 1m;
                     wsgi_app @APPS@/large.py app; wsgi_script_name /sub; }
    location /off/ { wsgi_buffering off; wsgi_app @APPS@/large.py app; wsgi_script_name /off; }
    location /ignored/ { wsgi_buffering off; wsgi_ignore_headers X-Accel-Buffering;
                         wsgi_app @APPS@/large.py app; wsgi_script_name /ignored; }
    location /said/ { wsgi_app @APPS@/large.py app; wsgi_script_name /said; }
"""
MEGABYTE = 1 << 20
PIECE = bytes(range(256)) * 256
DIGEST = hashlib.sha256(PIECE * 160).hexdigest()
SHAPES = ["list", "one", "small", "generator", "written"]
WAYS = ["plain", "gzip", "tls", "h2"]


def started(nginx, http="", threads=1):
    threads = "" if INLINE else f"wsgi_threads {threads};"
    prepared = nginx.prepare(CONF, http=f"{threads} {http}")
    prepared.make_certificate()
    server = prepared.start()
    wait_for(lambda: server.ask("/made").status == 200, "the import")
    return server


class Slow:
    """A client that requests a large response and reads none of it until the test calls body()."""

    def __init__(self, server, way, path):
        self.way = way
        if way == "h2":
            self.connection = H2Connection(server.h2_port)
            self.stream = self.connection.send(path)
            return
        port = server.other_port if way == "tls" else server.port
        self.connection = server.connect(port, receive_buffer=4096, tls=way == "tls")
        headers = [("Accept-Encoding", "gzip")] if way == "gzip" else []
        self.connection.send_request(("/zip" if way == "gzip" else "") + path, headers=headers)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.socket.close()

    def body(self):
        if self.way == "h2":
            return bytes(self.connection.response(self.stream).body)
        head = self.connection.read_head()
        body = b"".join(self.connection.pieces(head))
        return zlib.decompressobj(31).decompress(body) if self.way == "gzip" else body


def is_done(server):
    """Waits until the application has given all of its pieces, whatever the client has read."""
    return wait_for(lambda: server.ask("/ended").text == "True", "the application to end")


def waits(server):
    """Whether the application gives some pieces, and then waits before it has given all."""
    wait_for(lambda: int(server.ask("/made").body) > 2, "the first pieces")
    return settle(lambda: int(server.ask("/made").body)) < 160


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_thread_is_free_and_every_byte_arrives(nginx, shape, way):
    server = started(nginx, "wsgi_buffer_size 256k;")
    with Slow(server, way, f"/{shape}") as slow:
        is_done(server)
        assert hashlib.sha256(slow.body()).hexdigest() == DIGEST, "every byte, in order"
    # On nginx's own thread the client may read before nginx stores the first byte.
    if shape in ("generator", "written") and way != "gzip" and not INLINE:
        server.wait_log("[info]", "WSGI0127", f"{server.prefix}/body/", f"/{shape} HTTP")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_byte_arrives_when_memory_is_tight(nginx, shape, way):
    server = started(nginx, "wsgi_max_buffered 100k;")
    with Slow(server, way, f"/{shape}") as slow:
        is_done(server)
        assert hashlib.sha256(slow.body()).hexdigest() == DIGEST, "every byte, in order"
    if way != "gzip":
        server.wait_log("[warn]", "WSGI0128", "wsgi_max_buffered")


@pytest.mark.parametrize("way", ["plain", "h2"])
def test_a_quick_client_gets_every_byte_when_memory_is_tight(nginx, way):
    server = started(nginx, "wsgi_max_buffered 100k;")
    for shape in SHAPES:
        with Slow(server, way, f"/{shape}") as quick:
            assert hashlib.sha256(quick.body()).hexdigest() == DIGEST, shape


def test_the_sum_of_all_responses_is_bounded(nginx):
    server = started(nginx, "wsgi_max_buffered 4m;")
    before = server.reset_peak_memory()
    with H2Connection(server.h2_port) as connection:
        streams = [connection.send("/one") for _ in range(20)]
        wait_for(lambda: server.ask("/asked?one").text == "20", "all requests to be answered")
        grown = server.peak_memory() - before
        # The module takes one response before it checks the sum, and another is being made.
        assert grown < 64 * MEGABYTE, f"{grown >> 20} MB for 200 MB that no client takes"
        assert len(server.log_lines("WSGI0128")) == 1, "the log must have one line of it"
        body = connection.response(streams[19]).body
        assert hashlib.sha256(body).hexdigest() == DIGEST, "every byte, in order"


def test_without_a_temporary_file_tight_memory_refuses_requests(nginx):
    server = started(nginx, "wsgi_max_buffered 1m; wsgi_max_temp_file_size 0;")
    with server.connect(receive_buffer=4096) as slow:
        slow.send_request("/one")
        wait_for(lambda: server.ask("/made").status == 503, "the sum to be above its limit")
        server.wait_log("[error]", "WSGI0129", "wsgi_max_buffered")
        assert server.ask("/made").header("Retry-After"), "the client may try again"
        assert hashlib.sha256(slow.read_response().body).hexdigest() == DIGEST
    wait_for(lambda: server.ask("/made").status == 200, "the server to accept requests again")


def test_a_full_file_makes_the_application_wait(nginx):
    server = started(nginx, "wsgi_buffer_size 256k; wsgi_max_temp_file_size 1m;", threads=2)
    with Slow(server, "h2", "/endless?10") as slow:
        server.wait_log("WSGI0127")
        assert waits(server)
        assert len(slow.body()) == 10 * MEGABYTE, "the application must go on when the client reads"


def test_a_stream_may_be_longer_than_its_file(nginx):
    server = started(nginx, "wsgi_buffer_size 256k; wsgi_max_temp_file_size 512k;")
    with server.connect(receive_buffer=4096) as slow:
        slow.send_request("/generator")
        head = slow.read_head()
        taken = hashlib.sha256()
        for chunk in slow.pieces(head):
            taken.update(chunk)
        assert taken.hexdigest() == DIGEST, "every byte, in order"
    lines = server.log_lines("WSGI0127")
    assert len(lines) > 1, "there must be another file after the first was sent"
    assert all(re.search(r"/body/\d+,", line) for line in lines), "each file has its own name"


def test_a_full_file_stays_open_while_copies_of_it_are_sent(nginx):
    server = started(nginx, "wsgi_buffer_size 64k; wsgi_max_temp_file_size 128k;")
    with H2Connection(server.h2_port, 70000) as connection:
        connection.h2.increment_flow_control_window(1 << 20)
        stream = connection.send("/sub/few")
        wait_for(lambda: server.ask("/asked?few").text == "1", "the application to be called")
        is_done(server)
        assert connection.response(stream).body == PIECE * 4, "nginx copies it, and sends the file"
    server.wait_log("WSGI0127")


@pytest.mark.parametrize("prefix", ["off", "ignored", "said"])
def test_without_buffering_the_application_waits(nginx, prefix):
    server = started(nginx, "wsgi_buffer_size 256k;", threads=2)
    path = {"off": "/off/endless", "ignored": "/ignored/endless-yes", "said": "/said/endless-no"}
    path = path[prefix]
    with Slow(server, "h2", f"{path}?10") as slow:
        assert waits(server)
        assert len(slow.body()) == 10 * MEGABYTE, "the application must go on when the client reads"
    assert not server.log_lines("WSGI0127"), "the module must write no file"


def test_the_application_can_ask_for_buffering(nginx):
    server = started(nginx, "wsgi_buffering off; wsgi_buffer_size 256k;")
    with Slow(server, "h2", "/said/endless-yes?10") as slow:
        is_done(server)
        assert len(slow.body()) == 10 * MEGABYTE
    server.wait_log("WSGI0127")


def test_the_temporary_files_can_have_a_folder_of_their_own(nginx):
    server = started(nginx, "wsgi_temp_path @PREFIX@/responses 1 2; wsgi_buffer_size 64k;")
    with Slow(server, "h2", "/generator") as slow:
        is_done(server)
        (line,) = server.wait_log("WSGI0127")
        assert re.search(rf"{server.prefix}/responses/\d/\d\d/\d+", line), line
        assert hashlib.sha256(slow.body()).hexdigest() == DIGEST
    assert not [f for _, _, files in os.walk(server.prefix / "responses") for f in files]


def test_a_response_is_whole_although_the_folder_is_gone(nginx):
    server = started(nginx, "wsgi_temp_path @PREFIX@/responses; wsgi_buffer_size 64k;")
    (server.prefix / "responses").rmdir()
    server.expect(r"\[crit\].* No such file or directory")
    with Slow(server, "h2", "/generator") as slow:
        server.wait_log("[error]", "WSGI0135")
        assert hashlib.sha256(slow.body()).hexdigest() == DIGEST, "the response must be complete"


def test_a_truncated_response_is_sent_up_to_its_end(nginx):
    server = started(nginx, "wsgi_buffer_size 64k;")
    server.expect("WSGI0201")
    with server.connect(receive_buffer=4096) as slow:
        slow.send_request("/broken")
        is_done(server)
        got, head = hashlib.sha256(), slow.read_head()
        with pytest.raises(Truncated):
            for chunk in slow.pieces(head):
                got.update(chunk)
        assert got.hexdigest() == DIGEST, "all bytes that the application gave"


def test_a_worker_that_quits_sends_the_stored_rest(nginx):
    server = started(nginx, "wsgi_buffer_size 64k;")
    with Slow(server, "plain", "/generator") as slow:
        is_done(server)
        server.send(signal.SIGQUIT)
        server.wait_log("gracefully shutting down")
        assert hashlib.sha256(slow.body()).hexdigest() == DIGEST, "to the last byte"
    assert server.stop() == 0


@pytest.mark.not_inline("no thread waits")
def test_the_server_leaves_a_client_that_reads_almost_nothing(nginx):
    server = started(nginx, "wsgi_send_timeout 1s;")
    with H2Connection(server.h2_port) as connection:
        connection.send("/off/generator")
        (line,) = server.wait_log("[error]", "WSGI0131", "wsgi_send_timeout")
        assert "client: 127.0.0.1" in line and "/off/generator" in line, line
        assert server.ask("/made").status == 200, "the thread must be free"


@pytest.mark.not_inline("no thread waits")
def test_the_server_waits_for_a_client_that_reads_a_little(nginx):
    server = started(nginx, "wsgi_send_timeout 1s; wsgi_buffer_size 64k;")
    with server.connect(receive_buffer=4096) as slow:
        slow.send_request("/off/endless-yes?4")
        head = slow.read_head()
        got = sum(len(chunk) for chunk in slow.pieces(head))
    assert got == 4 * MEGABYTE
    assert not server.log_lines("WSGI0131")


@pytest.mark.not_inline("no timeouts")
def test_an_application_without_a_client_has_a_limit(nginx):
    conf = "location / { wsgi_app @APPS@/large.py app; wsgi_ignore_client_abort on; }"
    server = nginx(conf, http="wsgi_threads 1; wsgi_read_timeout 1s; wsgi_send_timeout 500ms;")
    wait_for(lambda: server.ask("/made").status == 200, "the import")
    with server.connect() as leaving:
        leaving.send_request("/slower?1000000")
        leaving.read_head()
    server.wait_log("[error]", "WSGI0136", "/slower")
    wait_for(lambda: server.ask("/made").status == 200, "the thread to be free")
    server.wait_access("/slower", " 499 ")
