"""`wsgi_threads 0`: applications run on nginx's own thread, which must never wait for a client.

The other files show that everything else works as with threads: they also run with
WSGI_TEST_INLINE=1.
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


def test_an_application_runs_on_nginx_s_own_thread(server):
    assert server.ask("/facts").text == "False True", "one thread, which is the worker's"


def test_a_slow_client_does_not_hold_up_other_clients(server):
    with server.connect() as slow:
        slow.send_request("/endless")
        slow.read_head()
        before, _ = counts(server)
        assert before < 500, "the generator must stop in the middle"
        for _ in range(20):
            assert server.ask("/facts").status == 200, "other clients are answered meanwhile"


def test_a_buffered_response_does_not_hold_up_other_clients(nginx):
    server = nginx(CONF, http="wsgi_threads 0; wsgi_max_temp_file_size 8m;")
    with server.connect() as slow:
        slow.send_request("/endless")
        slow.read_head()
        server.wait_log("WSGI0127")
        for _ in range(20):
            assert server.ask("/facts").status == 200, "other clients are answered meanwhile"
        settle(lambda: counts(server))


def test_a_generator_goes_on_when_its_client_reads(server):
    with server.connect() as slow:
        slow.send_request("/endless")
        response = slow.read_head()
        before, _ = counts(server)
        for _ in range(before + 100):
            assert slow.read_chunk(response), "block after block, beyond the first stop"
        assert counts(server)[0] > before + 50, "the generator must be resumed"


def test_responses_that_take_turns_have_contexts_of_their_own(server):
    assert_contexts_of_their_own(server, "/context", "/context", "none")


def test_many_requests_of_one_client_do_not_hold_up_other_clients(server):
    """They arrive together and take two seconds together. nginx answers another request earlier."""
    server.ask("/facts")  # to import the application
    with H2Connection(server.h2_port) as many:
        begun = time.monotonic()
        streams = many.send_together("/busy", 100)
        assert server.ask("/return").status == 200
        static = time.monotonic() - begun
        assert all(many.response(stream).body == b"done" for stream in streams), "all are answered"
        assert static < (time.monotonic() - begun) / 2, "the other request came in between"


def test_a_generator_that_computes_does_not_hold_up_other_clients(server):
    with server.connect() as connection:
        connection.send_request("/ticking?3000")
        response = connection.read_head()
        assert connection.read_chunk(response), "the generator has begun"
        assert server.ask("/return").status == 200, "nginx answers"
        assert int(server.ask("/ticked").body) < 2000, "Python answers before the generator ends"
        assert connection.read_chunk(response), "the generator goes on"


def test_a_client_that_leaves_closes_the_iterable(server):
    with server.connect() as slow:
        slow.send_request("/endless")
        slow.read_head()
        made, closed = counts(server)
        assert closed == 0, "the generator is in the middle"
    wait_for(lambda: counts(server)[1] == 1, "close() of a response whose client left")
    assert counts(server)[0] <= made + 64, "the generator must stop"


def test_write_keeps_all_bytes_without_waiting(server):
    body = server.ask("/written").body
    assert len(body) == 256 * 65536 + 3 and body.endswith(b"end"), "all bytes in order"


def test_nginx_ends_in_the_middle_of_a_generator(server):
    with server.connect() as slow:
        slow.send_request("/endless")
        slow.read_head()
        assert server.stop(signal.SIGTERM) == 0, "nginx must end, and no worker by a signal"
