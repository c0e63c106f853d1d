"""After many requests a worker must use no more descriptors and memory than before."""

import os

import pytest

import client
from server import wait_for

pytestmark = pytest.mark.not_validated("the memory of the validator would count")

CONF = """
    client_max_body_size 20m;
    location / { wsgi_app @APPS@/errors.py app; }
    location /input/ { wsgi_app @APPS@/input.py app; wsgi_script_name /input; }
    location /file/ { wsgi_app @APPS@/file_wrapper.py app; wsgi_script_name /file; }
    location /large/ { wsgi_app @APPS@/large.py app; wsgi_script_name /large; }
    location /keep/ { wsgi_app @APPS@/keep.py app; wsgi_script_name /keep; }
"""


@pytest.fixture
def server(nginx):
    prepared = nginx.prepare(CONF, http="wsgi_threads 2; keepalive_timeout 0;")
    prepared.write("file", "0123456789\n" * 10000)
    return prepared.start()


def truncated(server, path):
    with pytest.raises(client.Truncated):
        server.ask(path)


def aborted(server, path, **how):
    with server.connect(receive_buffer=4096) as connection:
        connection.send_request(path, **how)


WAYS = {
    "bodies in files": lambda s: s.ask("/input/digest", "POST", body=b"x" * 100_000),
    "unread bodies": lambda s: s.ask("/input/unread", "POST", body=b"x" * 100_000),
    "files": lambda s: s.ask(f"/file/whole?{s.prefix}/file"),
    "large lists": lambda s: s.ask("/large/list"),
    "large generators": lambda s: s.ask("/large/generator"),
    "failures": lambda s: s.ask("/raises"),
    "truncated": lambda s: truncated(s, "/raises_after_length"),
    "kept": lambda s: s.ask("/keep/keep", "POST", body=b"x" * 100_000),
    "aborted lists": lambda s: aborted(s, "/large/list"),
    "aborted generators": lambda s: aborted(s, "/large/endless?20"),
    "aborted files": lambda s: aborted(s, f"/file/whole?{s.prefix}/file"),
    "aborted bodies": lambda s: aborted(s, "/input/read", headers=[("Content-Length", "99")]),
}


def descriptors(worker):
    return len(os.listdir(f"/proc/{worker}/fd"))


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_left(server, way):
    (worker,) = server.workers()
    server.ask("/ok")
    open_before = descriptors(worker)
    for _ in range(40):
        WAYS[way](server)
    memory_before = server.memory(worker)
    for _ in range(80):
        WAYS[way](server)
    wait_for(lambda: descriptors(worker) <= open_before, "descriptors to be closed", 5)
    grown = server.memory(worker) - memory_before
    assert grown < 6 << 20, f"the worker grew by {grown >> 10} KB"
