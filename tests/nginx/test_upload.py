"""wsgi_request_buffering off: bodies that reach the application while they arrive."""

import select
import socket
import struct
import time
import zlib

import pytest

from client import Closed, Truncated, request_bytes
from server import wait_for

pytestmark = pytest.mark.not_inline("nginx buffers every body with wsgi_threads 0")

CONF = """
    client_max_body_size 100m;
    wsgi_request_buffering off;
    location / { wsgi_app @APPS@/upload.py app; }
    location /brief/ {
        wsgi_app @APPS@/upload.py app; wsgi_script_name /brief; client_body_timeout 300ms;
    }
    location /second_brief/ {
        wsgi_app @APPS@/upload.py app; wsgi_script_name /second_brief; client_body_timeout 1s;
    }
    location /small/ {
        wsgi_app @APPS@/upload.py app; wsgi_script_name /small; client_max_body_size 100000;
    }
    location /impatient/ {
        wsgi_app @APPS@/upload.py app; wsgi_script_name /impatient; wsgi_read_timeout 200ms;
    }
"""
CHUNKED = [("Transfer-Encoding", "chunked")]
EXPECT = [("Expect", "100-continue")]
LARGE = bytes(range(256)) * (4 << 16)


@pytest.fixture
def server(nginx):
    return nginx(CONF)


def begin(connection, path, length):
    """Begins a request with a body, and sends no byte of the body."""
    connection.send_request(path, method="POST", headers=[("Content-Length", str(length))])


def seen(server, count=1):
    """Waits until /recorded has this number of results."""

    def found():
        recorded = eval(server.ask("/seen").body)["seen"]
        return recorded if len(recorded) >= count else None

    return wait_for(found, "the application to record what it read")


def wait_begun(server, path):
    """Waits until the server has called the application."""
    wait_for(lambda: path in eval(server.ask("/seen").body)["paths"], f"{path} to begin")


def reset(connection):
    """Closes with a reset, by lingering for zero seconds."""
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def says_nothing(connection):
    return not select.select([connection.socket], [], [], 0)[0]


def send_until_stuck(connection, data, patience=0.5):
    """Sends until the socket accepts nothing for `patience` seconds; returns the bytes' number."""
    connection.socket.setblocking(False)
    sent = 0
    while sent < len(data) and select.select([], [connection.socket], [], patience)[1]:
        sent += connection.socket.send(data[sent : sent + 65536])
    connection.socket.settimeout(15)
    return sent


def test_pieces_arrive_as_they_are_sent(server):
    with server.connect() as connection:
        connection.echo("/echo", [b"one", b"two\n", b"three" * 1000])
        assert connection.ask("/length", "POST", body=b"x").status == 200, "the connection goes on"


def test_lines_arrive_as_they_are_sent(server):
    with server.connect() as connection:
        begin(connection, "/echo_lines", 12)
        connection.send(b"first\nse")
        head = connection.read_head()
        assert connection.read_chunk(head) == b"first\n", "a whole line is enough"
        connection.send(b"cond")
        assert connection.read_chunk(head) == b"second", "the last line needs no line break"


def test_read_waits_for_the_requested_bytes_only(server):
    with server.connect() as connection:
        begin(connection, "/echo_fives", 12)
        connection.send(b"fir")
        connection.send(b"st")
        head = connection.read_head()
        assert connection.read_chunk(head) == b"first", "five bytes are enough for read(5)"
        connection.send(b"secon")
        assert connection.read_chunk(head) == b"secon", "again"
        connection.send(b"d!")
        assert connection.read_chunk(head) == b"d!", "fewer bytes at the end"


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("size", [1, 65535, 65536, 65537, 1 << 20, (20 << 20) + 1])
def test_a_whole_body_can_be_read_at_once(server, framing, size):
    body = LARGE[:size] + LARGE[: max(0, size - len(LARGE))]
    with server.connect() as connection:
        if framing == "length":
            connection.send_request("/whole", method="POST", body=body)
        else:
            connection.send_request("/whole", method="POST", headers=CHUNKED)
            for start in range(0, size, 300_000):
                connection.send_chunk(body[start : start + 300_000])
            connection.send_chunk(b"")
        assert eval(connection.read_response().body) == [size, zlib.crc32(body)]


def test_content_length_is_absent_for_chunks(server):
    assert eval(server.ask("/length", "POST", body=b"abc").body) == ["3", b"abc"], "as stated"
    with server.connect() as connection:
        connection.send_request("/length", method="POST", headers=CHUNKED)
        connection.send_chunk(b"abc")
        connection.send_chunk(b"")
        said = eval(connection.read_response().body)
    assert said == [None, b"abc"], "the length is not known at the beginning"


def test_100_continue_at_the_first_read(server, gate):
    stop = gate()
    with server.connect() as connection:
        headers = [*EXPECT, ("Content-Length", "3")]
        connection.send_request(f"/first?{stop.query}", method="POST", headers=headers)
        stop.wait()
        assert says_nothing(connection), "the application has not read yet"
        stop.shut()
        assert connection.read_head().status == 100, "at the first read"
        connection.send(b"abc")
        response = connection.read_response()
        assert eval(response.body) == [3, zlib.crc32(b"abc")], "then the body"
        assert connection.ask("/length", "POST", body=b"x").status == 200, "the connection goes on"


def test_no_100_continue_if_the_application_does_not_read(server, gate):
    stop = gate()
    with server.connect() as connection:
        headers = [*EXPECT, ("Content-Length", "3")]
        connection.send_request(f"/late_unread?{stop.query}", method="POST", headers=headers)
        head = connection.read_head()
        assert head.status == 200, "no 100, as the application does not read"
        assert head.header("Connection") == "close", "the client may still send the body"
        stop.open()
        assert b"".join(connection.pieces(head)) == b"firstsecond", "the response must be complete"
        assert connection.is_closed(), "the server must not take the body for a request"


def test_no_100_within_a_response(server):
    with server.connect() as connection:
        headers = [*EXPECT, ("Content-Length", "6")]
        connection.send_request("/echo", method="POST", headers=headers)
        assert connection.read_head().status == 100, "the application reads before it answers"
        connection.send(b"abc")
        head = connection.read_head()
        assert connection.read_chunk(head) == b"abc", "the response begins within the request"
        connection.send(b"def")
        assert connection.read_chunk(head) == b"def", "no second 100 may come"


def test_the_sender_is_throttled(server, gate):
    stop = gate()
    assert server.ask("/count", "POST", body=LARGE[: 1 << 20]).status == 200, "to warm up"
    before = server.reset_peak_memory()
    with server.connect() as connection:
        begin(connection, f"/second?{stop.query}", len(LARGE))
        sent = send_until_stuck(connection, LARGE)
        stop.wait()
        assert sent < len(LARGE) // 2, "the sender must keep unread bytes"
        stop.shut()
        connection.send(memoryview(LARGE)[sent:])
        length, _ = eval(connection.read_response().body)
        assert length == len(LARGE), "all of it must arrive"
    grown = server.peak_memory() - before
    assert grown < 1 << 20, f"the worker grew by {grown} bytes for {len(LARGE)}"


def test_other_requests_go_on_during_a_throttled_upload(server, gate):
    stop = gate()
    with server.connect() as connection:
        begin(connection, f"/second?{stop.query}", len(LARGE))
        sent = send_until_stuck(connection, LARGE)
        assert server.ask("/length", "POST", body=b"x").status == 200, "the loop is free"
        stop.open()
        connection.send(memoryview(LARGE)[sent:])
        assert connection.read_response().status == 200, "the first request is answered"


LEAVING = {
    "length": (b"POST /recorded HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf"),
    "chunk": (b"POST /recorded HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf"),
    "between chunks": (
        b"POST /recorded HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"
    ),
    "nothing": (b"POST /recorded HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"),
}


@pytest.mark.parametrize("sent", LEAVING.values(), ids=LEAVING)
@pytest.mark.parametrize("way", ["close", "half_close"])
def test_a_client_leaves_within_the_body(server, sent, way):
    connection = server.connect()
    connection.send(sent)
    wait_begun(server, "/recorded")
    getattr(connection, way)()
    assert "OSError" in seen(server)[0], "half an upload must not look complete"
    server.wait_access("POST /recorded", " 499 ")
    connection.close()


@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_client_leaves_while_it_is_throttled(server, gate, how):
    stop = gate()
    connection = server.connect()
    begin(connection, f"/recorded_at_gate?{stop.query}", len(LARGE))
    send_until_stuck(connection, LARGE)
    stop.wait()
    if how == "reset":
        reset(connection)
        server.wait_access("POST /recorded_at_gate", " 499 ")
        stop.shut()
    else:
        # The kernel reports the end only after nginx has read the remaining bytes.
        connection.close()
        stop.shut()
        server.wait_access("POST /recorded_at_gate", " 499 ")
    assert "OSError" in seen(server)[0], "the rest is missing"


def test_a_client_leaves_before_the_first_read(server, gate):
    stop = gate()
    connection = server.connect()
    begin(connection, f"/first?{stop.query}", 100)
    stop.wait()
    connection.close()
    server.wait_access("POST /first", " 499 ")
    stop.shut()
    server.wait_log("WSGI0208")


def test_a_client_that_stops_sending_is_timed_out(server):
    with server.connect() as connection:
        begin(connection, "/brief/recorded", 100)
        connection.send(b"half")
        assert "OSError" in seen(server)[0], "client_body_timeout holds for a streamed body"
        assert connection.is_closed(), "the connection must end"
    server.wait_access("POST /brief/recorded", " 408 ")


def test_a_throttled_client_is_not_timed_out(server, gate):
    stop = gate()
    with server.connect() as connection:
        begin(connection, f"/second_brief/second?{stop.query}", len(LARGE))
        sent = send_until_stuck(connection, LARGE, 1.5)  # longer than client_body_timeout
        stop.open()
        connection.send(memoryview(LARGE)[sent:])
        assert connection.read_response().status == 200, "the server did not wait for the client"


def test_read_timeout_does_not_count_a_slow_client(server):
    with server.connect() as connection:
        begin(connection, "/impatient/count", 2)
        for byte in (b"a", b"b"):
            time.sleep(0.5)  # longer than wsgi_read_timeout
            connection.send(byte)
        assert connection.read_response().status == 200, "wsgi_read_timeout is for Python"


def test_a_chunked_body_above_the_limit_is_a_413(server):
    with server.connect() as connection:
        connection.send_request("/small/recorded", method="POST", headers=CHUNKED)
        for _ in range(11):
            connection.send_chunk(b"x" * 10000)
        assert connection.read_response().status == 413, "nginx refuses it"
    assert "OSError" in seen(server)[0], "read() must raise"


def test_an_invalid_chunk_is_a_400(server):
    with server.connect() as connection:
        connection.send_request("/recorded", method="POST", headers=CHUNKED)
        connection.send_chunk(b"good")
        connection.send(b"this is no chunk\r\n")
        assert connection.read_response().status == 400, "nginx refuses it"
    assert "OSError" in seen(server)[0], "read() must raise"


def test_body_breaks_off_within_the_response(server):
    with server.connect() as connection:
        connection.send_request("/echo", method="POST", headers=CHUNKED)
        connection.send_chunk(b"good")
        head = connection.read_head()
        assert connection.read_chunk(head) == b"good", "the response has begun"
        connection.send(b"this is no chunk\r\n")
        with pytest.raises((Truncated, Closed)):
            connection.read_chunk(head)


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("path", ["/partly", "/fails", "/late_unread?/dev/null", "/seen"])
@pytest.mark.parametrize("size", [1, 100, 20_000])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_the_rest_of_a_body_is_not_taken_for_a_request(server, path, size, framing):
    body = SMUGGLED * size
    if framing == "chunked":
        framed = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        request = request_bytes(path, method="POST", headers=CHUNKED) + framed
    else:
        request = request_bytes(path, method="POST", body=body)
    with server.connect() as connection:
        connection.send(request + request_bytes("/seen"))
        status = connection.read_response().status
        assert status == (500 if path == "/fails" else 200), "the request is answered"
        try:
            assert connection.read_response().status == 200, "the next request is answered"
        except Closed:
            pass  # or the connection is closed, which is also right
    server.wait_access(f"POST {path} ")
    assert "/smuggled" not in server.access_log(), "the body must not make a request"
    assert "/smuggled" not in eval(server.ask("/seen").body)["paths"]


def test_an_unread_body_keeps_the_connection(server):
    with server.connect() as connection:
        for _ in range(3):
            connection.send_request("/late_unread?/dev/null", method="POST", body=b"x" * 100_000)
            response = connection.read_response()
            assert response.body == b"firstsecond", "an application need not read the body"
        assert eval(connection.ask("/length", "POST", body=b"x").body) == ["1", b"x"]


def test_a_worker_ends_after_the_upload(server, gate):
    stop = gate()
    with server.connect() as connection:
        begin(connection, f"/second?{stop.query}", 10)
        connection.send(b"half.")
        stop.wait()
        server.send(3)
        stop.shut()
        connection.send(b"whole")
        assert eval(connection.read_response().body)[0] == 10, "QUIT must wait for the upload"
    assert server.process.wait(20) == 0, "then the worker must end"


def test_many_uploads_at_once_are_complete(server):
    connections = [server.connect() for _ in range(40)]
    body = LARGE[:300_000]
    for connection in connections:
        begin(connection, "/count", len(body))
    for start in range(0, len(body), 50_000):
        for connection in connections:
            connection.send(body[start : start + 50_000])
    for connection in connections:
        assert eval(connection.read_response().body) == [len(body), zlib.crc32(body)]
        connection.close()


def test_a_reset_within_the_body_raises(server):
    connection = server.connect()
    begin(connection, "/recorded", 100)
    connection.send(b"half")
    wait_begun(server, "/recorded")
    reset(connection)
    assert "OSError" in seen(server)[0], "half an upload must not look complete"
