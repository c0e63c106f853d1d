"""wsgi_request_buffering off, and a response that is longer than its client reads at once."""

import pytest

from h2client import H2Connection
from server import wait_for

pytestmark = pytest.mark.not_validated("the applications are not those of tests/apps")

CONF = """
    client_max_body_size 100m; wsgi_request_buffering off; wsgi_buffer_size 64k;
    location / { wsgi_app @PREFIX@/long.py app; }
"""
APP = '''
ended = []


def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/read":
        environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(len(ended)).encode()] if path == "/ended" else response()


def response():
    for _ in range(100):
        yield b"x" * 65536
    ended.append(1)
'''
SIZE = 100 * 65536
PIECE = bytes(1 << 20)


@pytest.fixture
def server(nginx):
    return nginx(CONF, files=[("long.py", APP)])


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_client_may_send_all_before_it_reads(server, framing):
    chunked = framing == "chunked"
    length = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(50 << 20))
    with server.connect() as connection:
        connection.send_request("/", method="POST", headers=[length])
        for _ in range(50):
            if chunked:
                connection.send_chunk(PIECE)
            else:
                connection.send(PIECE)
        if chunked:
            connection.send_chunk(b"")
        connection.send_request("/ended")
        assert len(connection.read_response().body) == SIZE, "the whole response"
        assert connection.read_response().body == b"1", "the answer to its next request"


def test_a_client_leaves_after_its_body_was_read(server):
    with H2Connection(server.h2_port) as connection:
        stream = connection.send("/read", "POST", body=b"some")
        wait_for(lambda: server.ask("/ended").body == b"1", "the application to end")
        connection.reset(stream)
        server.wait_access("POST /read", " 499 ")
