"""`wsgi_threads 0`: applications run on nginx's own thread, which must never wait for a client.

That everything else is as with threads is shown by the other files, which run with
WSGI_TEST_INLINE=1 too.
"""

import signal
import time

import pytest

from h2client import H2Connection
from server import settle, wait_for
from turns import assert_contexts_of_their_own

pytestmark = [
    pytest.mark.not_inline("the file sets wsgi_threads 0 itself"),
    pytest.mark.not_validated("the responses are not the subject"),
]

CONF = """
    location / { wsgi_app @APPS@/inline.py app; wsgi_buffer_size 256k; }
    location /return { return 200 "returned"; }
"""


@pytest.fixture
def server(nginx):
    return nginx(CONF, http="wsgi_threads 0; wsgi_buffering off;")


def counts(server):
    made, closed = server.ask("/counts").text.split()
    return int(made), int(closed)


def test_it_is_nginx_s_own_thread(server):
    assert server.ask("/facts").text == "False True", "one thread, and it is the worker's"


def test_a_slow_client_holds_up_nobody(server):
    with server.connect() as slow:
        slow.send_request("/endless")
        slow.read_head()
        before, _ = counts(server)
        assert before < 500, "the generator is left in the middle, not run on"
        for _ in range(20):
            assert server.ask("/facts").status == 200, "others are answered meanwhile"


def test_a_slow_client_whose_response_is_buffered_holds_up_nobody(nginx):
    server = nginx(CONF, http="wsgi_threads 0; wsgi_max_temp_file_size 8m;")
    with server.connect() as slow:
        slow.send_request("/endless")
        slow.read_head()
        server.wait_log("WSGI0127")
        for _ in range(20):
            assert server.ask("/facts").status == 200, "others are answered meanwhile"
        settle(lambda: counts(server))


def test_a_generator_goes_on_when_its_client_does(server):
    with server.connect() as slow:
        slow.send_request("/endless")
        response = slow.read_head()
        before, _ = counts(server)
        for _ in range(before + 100):
            assert slow.read_chunk(response), "block after block, far beyond the first stop"
        assert counts(server)[0] > before + 50, "the generator was resumed"


def test_responses_that_take_turns_have_contexts_of_their_own(server):
    assert_contexts_of_their_own(server, "/context", "/context", "none")


def test_many_requests_of_one_client_leave_a_turn_to_others(server):
    """They come together and take two seconds together; what nginx answers comes between."""
    server.ask("/facts")  # so that it is imported
    with H2Connection(server.h2_port) as many:
        begun = time.monotonic()
        streams = many.send_together("/busy", 100)
        assert server.ask("/return").status == 200
        static = time.monotonic() - begun
        assert all(many.response(stream).body == b"done" for stream in streams), "all are answered"
        assert static < (time.monotonic() - begun) / 2, "but not all before others"


def test_a_generator_that_computes_leaves_a_turn_to_others(server):
    with server.connect() as connection:
        connection.send_request("/ticking?3000")
        response = connection.read_head()
        assert connection.read_chunk(response), "it has begun"
        assert server.ask("/return").status == 200, "static answers come"
        assert int(server.ask("/ticked").body) < 2000, "and Python's, while it is in the middle"
        assert connection.read_chunk(response), "and it goes on"


def test_a_client_that_leaves_closes_the_iterable(server):
    with server.connect() as slow:
        slow.send_request("/endless")
        slow.read_head()
        made, closed = counts(server)
        assert closed == 0, "it is in the middle"
    wait_for(lambda: counts(server)[1] == 1, "close() of a response whose client left")
    assert counts(server)[0] <= made + 64, "and no more is made of it"


def test_write_cannot_be_paused(server):
    body = server.ask("/written").body
    assert len(body) == 256 * 65536 + 3 and body.endswith(b"end"), "what it writes is kept"


def test_quit_in_the_middle(server):
    with server.connect() as slow:
        slow.send_request("/endless")
        slow.read_head()
        assert server.stop(signal.SIGTERM) == 0, "nginx ends, and no worker by a signal"
