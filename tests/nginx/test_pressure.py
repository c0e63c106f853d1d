"""Large responses and slow readers: little memory, at most one thread for each, and every byte."""

import hashlib
import os
import re
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from h2client import H2Connection
from server import NGINX, settle, wait_for

pytestmark = [
    pytest.mark.not_inline("the file chooses the number of threads"),
    pytest.mark.not_validated("the memory of the validator would count"),
    pytest.mark.not_newer("it takes a minute, and no version of anything is its subject"),
]

CONF = """
    listen 127.0.0.1:@OTHER_PORT@ ssl;
    ssl_certificate @PREFIX@/cert.pem;
    ssl_certificate_key @PREFIX@/key.pem;
    sendfile on;
    location / { wsgi_app @APPS@/large.py app; }
    location /zip/ { gzip on; gzip_types *;
                     wsgi_app @APPS@/large.py app; wsgi_script_name /zip; }
    location /rate/ { limit_rate 64k; wsgi_app @APPS@/large.py app; wsgi_script_name /rate; }
    location /file/ { wsgi_app @APPS@/file_wrapper.py app; wsgi_script_name /file; }
    location /logged/ { error_log @PREFIX@/debug.log debug;
                        wsgi_app @APPS@/file_wrapper.py app; wsgi_script_name /logged; }
"""
HTTP = "wsgi_threads 2; wsgi_buffer_size 256k;"
PIECE = bytes(range(256)) * 256
TEN_MEGABYTES = hashlib.sha256(PIECE * 160).hexdigest()
MEGABYTE = 1 << 20


def started(factory, **how):
    prepared = factory.prepare(CONF, **{"http": HTTP, **how})
    prepared.make_certificate()
    return prepared.start()


@pytest.fixture(scope="module")
def server(module_nginx):
    return started(module_nginx)


def made(server):
    return int(server.ask("/made").body)


@pytest.mark.parametrize("shape", ["list", "one", "small", "generator"])
def test_ten_megabytes_arrive(server, shape):
    with server.connect() as connection:
        body = connection.ask(f"/{shape}").body
        assert hashlib.sha256(body).hexdigest() == TEN_MEGABYTES, "every byte, in order"
        assert connection.ask("/made").status == 200, "the connection must go on"


def digest(connection):
    """Reads a response, and returns the digest of its body."""
    response = connection.read_head()
    total = hashlib.sha256()
    for chunk in connection.pieces(response):
        total.update(chunk)
    return total.hexdigest()


@pytest.mark.parametrize("shape", ["list", "one", "generator", "small"])
def test_a_slow_reader_does_not_hold_up_others(server, shape):
    with server.connect(receive_buffer=4096) as connection:
        connection.send_request(f"/{shape}")
        assert server.ask("/made").status == 200, "other clients are answered meanwhile"
        assert digest(connection) == TEN_MEGABYTES, "every byte, in order"


@pytest.mark.parametrize("shape", ["list", "one"])
def test_a_list_frees_its_thread_at_once(nginx, shape):
    server = started(nginx, http="wsgi_threads 1;")
    with server.connect(receive_buffer=4096) as slow:
        slow.send_request(f"/{shape}")
        head = slow.read_head()
        assert server.ask("/made").status == 200, "the only thread is free while the list is sent"
        assert len(b"".join(slow.pieces(head))) == 10 * MEGABYTE, "all of it is sent"


class Reader:
    """Requests a gigabyte in one of several ways, and reads only what the test calls for."""

    def __init__(self, server, way):
        self.way = way
        if way == "h2":
            self.connection = H2Connection(server.h2_port)
            self.stream = self.connection.send("/random?1024")
            return
        port = server.other_port if way == "tls" else server.port
        self.connection = server.connect(port, receive_buffer=4096, tls=way == "tls")
        prefix = {"gzip": "/zip", "limit_rate": "/rate"}.get(way, "")
        fields = [("Accept-Encoding", "gzip")]
        self.connection.send_request(f"{prefix}/random?1024", headers=fields)
        encoding = self.connection.read_head().header("Content-Encoding")
        assert encoding == ("gzip" if way == "gzip" else None), "the response must use this way"

    def take(self, size):
        if self.way == "h2":
            so_far = len(self.connection.streams[self.stream].body)
            self.connection.wait(self.stream, lambda got: len(got.body) >= so_far + size)
        else:
            self.connection.skip(size)


# The number of 16384 pieces that may be made for a client that reads none: sockets hold some, too.
AT_MOST = {"limit_rate": 100}


@pytest.mark.parametrize("way", ["plain", "gzip", "tls", "h2", "limit_rate"])
def test_the_application_waits_for_its_reader(nginx, way):
    server = started(nginx, http=HTTP + "wsgi_buffering off;")
    (worker,) = server.workers()
    server.ask("/endless?8")
    before = server.memory(worker)
    reader = Reader(server, way)
    wait_for(lambda: made(server) > 4, "the pieces that wsgi_buffer_size has room for")
    stood_still = settle(lambda: made(server))
    assert stood_still < AT_MOST.get(way, 1024), "the application must wait for the reader"
    if way != "limit_rate":
        reader.take(16 * MEGABYTE)
        wait_for(lambda: made(server) > stood_still, "the application to go on")
        assert made(server) < stood_still + 1024, "only as far as the reader did"
    grown = server.memory(worker) - before
    assert grown < 12 * MEGABYTE, f"the worker grew by {grown >> 10} KB for one slow reader"
    reader.connection.socket.close()
    server.wait_access("/random", " 499 ")


def test_a_generator_is_sent_to_its_end(nginx):
    server = started(nginx)
    server.ask("/endless?8")
    before = server.reset_peak_memory()
    with server.connect(receive_buffer=4096) as connection:
        connection.send_request("/endless?50")
        received = sum(len(chunk) for chunk in connection.pieces(connection.read_head()))
        assert received == 50 * MEGABYTE, "the client gets all of it"
    grown = server.peak_memory() - before
    assert grown < 12 * MEGABYTE, f"the worker grew by {grown >> 10} KB for one slow reader"


@pytest.mark.parametrize("threads", [0, 1])
def test_a_generator_s_blocks_are_released_while_it_runs(nginx, threads):
    # The client reads each block at once, so the generator does not wait for it.
    server = started(nginx, http=f"wsgi_threads {threads};")
    server.ask("/slower?1")
    before = server.reset_peak_memory()
    assert len(server.ask("/slower?50").body) == 50 * MEGABYTE
    grown = server.peak_memory() - before
    assert grown < 12 * MEGABYTE, f"the worker grew by {grown >> 10} KB"


def test_large_bytes_are_not_copied(nginx):
    server = started(nginx)
    server.ask("/zeros?1")
    before = server.reset_peak_memory()
    with server.connect() as connection:
        connection.send_request("/zeros?200")
        response = connection.read_head()
        assert response.header("Content-Length") == str(200 * MEGABYTE), "one piece"
        connection.skip(200 * MEGABYTE)
        assert connection.ask("/made").status == 200, "all of it was sent"
    # Zeros that no process has written use no memory, but a copy of them does.
    grown = server.peak_memory() - before
    assert grown < 40 * MEGABYTE, f"the worker grew by {grown >> 20} MB"


def test_a_file_of_four_gigabytes(nginx):
    server = started(nginx)
    size, end = 4 << 30, b"at its end"
    with open(server.prefix / "sparse", "wb") as file:
        file.seek(size - len(end))
        file.write(end)
    server.ask(f"/file/bytes?{server.prefix}/sparse")
    before = server.reset_peak_memory()
    with server.connect() as connection:
        connection.send_request(f"/file/whole?{server.prefix}/sparse")
        assert connection.read_head().header("Content-Length") == str(size), "its length is known"
        assert server.ask("/file/closed").text == "['file']", "the application has ended"
        # A part is enough, because the rest has the same bytes.
        connection.skip(256 * MEGABYTE)
    grown = server.peak_memory() - before
    assert grown < 12 * MEGABYTE, f"the worker grew by {grown >> 10} KB"
    assert server.ask(f"/file/end?{server.prefix}/sparse").body == end, "from a large offset"


def test_files_are_sent_by_sendfile(server):
    built = subprocess.run([NGINX, "-V"], capture_output=True, text=True, check=True).stderr
    if "--with-debug" not in built:
        pytest.skip("this nginx does not log how it sends")
    data = os.urandom(MEGABYTE)
    (server.prefix / "data").write_bytes(data)
    assert server.ask(f"/logged/offset?{server.prefix}/data").body == data[10:], "all of it"

    def sent():
        log = (server.prefix / "debug.log").read_text()
        return sum(int(size) for size in re.findall(r"sendfile: (\d+) of", log))

    # The log may have the last bytes a moment after the client.
    wait_for(lambda: sent() == len(data) - 10, "all of it to be sent by sendfile()")


def test_five_hundred_slow_readers(nginx):
    # With small buffers in the kernel. Large ones would hold a good part of each response.
    small = "listen 127.0.0.1:@OTHER_PORT@ sndbuf=32k;"
    server = nginx(small + "location / { wsgi_app @APPS@/large.py app; }", http=HTTP)
    (worker,) = server.workers()
    server.ask("/made")
    threads = os.listdir(f"/proc/{worker}/task")
    descriptors = Path(f"/proc/{worker}/fd")
    before = len(os.listdir(descriptors))
    with ExitStack() as open_until_the_end:
        slow, heads = [], []
        for number in range(500):
            slow.append(server.connect(server.other_port, receive_buffer=4096))
            open_until_the_end.enter_context(slow[-1])
            slow[-1].send_request("/few" if number % 2 else "/list")
        for connection in slow:
            heads.append(connection.read_head())
        assert len(os.listdir(descriptors)) >= 500, "the server answers all of them"
        for _ in range(100):
            assert server.ask("/made").status == 200, "a fast client finds a free thread"
        assert os.listdir(f"/proc/{worker}/task") == threads, "there are still two threads"
        for connection, head in list(zip(slow, heads))[::25]:
            size = len(b"".join(connection.pieces(head)))
            assert size in (256 * 1024, 10 * MEGABYTE), "a client that reads on gets all of it"
    wait_for(lambda: len(os.listdir(descriptors)) <= before, "their connections to be closed")
