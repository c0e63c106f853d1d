"""Responses that a temporary file cannot hold also use bounded memory."""

import select

import pytest

from server import INLINE, wait_for

pytestmark = pytest.mark.not_validated("the memory of the validator would count")

CONF = """
    location / { wsgi_app @APPS@/large.py app; }
    location /chunk/ { sendfile_max_chunk 8k;
                       wsgi_app @APPS@/large.py app; wsgi_script_name /chunk; }
    location /few { wsgi_app @APPS@/large.py app; }
    location /page/ { add_before_body /few; add_after_body /few; addition_types *;
                      wsgi_app @APPS@/large.py app; wsgi_script_name /page; }
"""
PIECE = bytes(range(256)) * 256
MEGABYTE = 1 << 20


def started(nginx, http):
    threads = "" if INLINE else "wsgi_threads 2;"
    server = nginx(CONF, http=f"{threads} {http}")
    wait_for(lambda: server.ask("/made").status == 200, "the import")
    return server


def readers_of(server, path, count, **how):
    """Clients that have sent a request and read nothing."""
    connections = [server.connect(**how) for _ in range(count)]
    for connection in connections:
        connection.send_request(path)
    return connections


@pytest.mark.parametrize("why", ["no folder", "a small file", "no file"])
def test_above_the_limit_requests_are_refused(nginx, why):
    http = "wsgi_max_buffered 4m; wsgi_buffer_size 256k;"
    http += {
        "no folder": "wsgi_temp_path @PREFIX@/responses;",
        "a small file": "wsgi_max_temp_file_size 64k;",
        "no file": "wsgi_max_temp_file_size 0;",
    }[why]
    server = started(nginx, http)
    if why == "no folder":
        (server.prefix / "responses").rmdir()
        server.expect(r"\[crit\].* No such file or directory")
    before = server.reset_peak_memory()
    readers = readers_of(server, "/one", 20, receive_buffer=4096)
    server.wait_log("[error]", "WSGI0129", "wsgi_max_buffered", count=10)
    assert server.ask("/made").status == 503, "the server accepts no request"
    grown = server.peak_memory() - before
    assert grown < 80 * MEGABYTE, f"{grown >> 20} MB for 200 MB that no client takes"
    for reader in readers:
        reader.close()
    wait_for(lambda: server.ask("/made").status == 200, "the server to accept requests again")


def test_the_server_leaves_a_client_that_holds_much_memory(nginx):
    server = started(
        nginx, "wsgi_max_buffered 1m; wsgi_max_temp_file_size 0; wsgi_send_timeout 1s;"
    )
    with server.connect(receive_buffer=4096) as slow:
        slow.send_request("/one")
        wait_for(lambda: server.ask("/made").status == 503, "the sum to be above its limit")
        (line,) = server.wait_log("[error]", "WSGI0137", "wsgi_send_timeout")
        assert "client: 127.0.0.1" in line and "/one" in line, line
        wait_for(lambda: server.ask("/made").status == 200, "the server to accept requests again")


def test_the_server_waits_for_a_client_that_holds_little_memory(nginx):
    server = started(nginx, "wsgi_max_temp_file_size 0; wsgi_send_timeout 200ms;")
    with server.connect(receive_buffer=4096) as slow:
        slow.send_request("/one")
        wait_for(lambda: server.ask("/ended").text == "True", "the application to end")
        assert server.ask("/slower?50").status == 200, "this takes longer than the time limit"
        assert len(slow.read_response().body) == 10 * MEGABYTE


def test_a_client_that_reads_a_chunk_at_a_time_holds_no_more_memory(nginx):
    server = started(nginx, "wsgi_max_buffered 4m;")
    before = server.reset_peak_memory()
    readers = readers_of(server, "/chunk/wide?5", 16)
    heads = [reader.read_head() for reader in readers]
    assert all(head.status == 200 for head in heads)
    left = {reader.socket: 5 * 8 * MEGABYTE - len(reader.buffer) for reader in readers}
    while left:
        ready, _, _ = select.select(list(left), [], [], 20)
        assert ready, "the responses must go on"
        for socket in ready:
            left[socket] -= len(socket.recv(65536))
            if left[socket] <= 0:
                del left[socket]
    grown = server.peak_memory() - before
    assert grown < 120 * MEGABYTE, f"{grown >> 20} MB for 640 MB"


@pytest.mark.parametrize("size", ["0", "64k"])
@pytest.mark.parametrize("shape", ["list", "one", "generator", "written"])
def test_a_page_gives_its_thread_to_its_parts(nginx, shape, size):
    one = "" if INLINE else "wsgi_threads 1;"
    http = f"{one} wsgi_buffer_size 256k; wsgi_max_temp_file_size {size};"
    server = nginx(CONF, http=http)
    wait_for(lambda: server.ask("/made").status == 200, "the import")
    assert server.ask(f"/page/{shape}").body == PIECE * 168, "the parts, and the page between them"
