#!/usr/bin/env python3
"""`make slow-readers`: READERS clients take a byte a second each. How slow are the other clients?

Half of the readers use HTTP/1.1, with a connection each, half HTTP/2, with 20 streams on a
connection. Each requests 20 MiB from a generator, of a worker with 8 threads. Meanwhile one client
requests a short response and a static file, one request after the other.

Prints the latencies of both, before and with the readers, and the memory of the worker. While the
readers send their requests, their 4 GB are in the queue before the short response. So the client
does not request it then. Exit code 1: a request failed, the worker holds 64 MB more than before, or
p99 of the short response, with all readers there, is above 50 ms.
"""

import argparse
import contextlib
import pathlib
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "nginx")]

from h2client import H2Connection  # noqa: E402
from server import Nginx, wait_for  # noqa: E402

MEGABYTE = 1 << 20
STREAMS = 20
MOST_GROWTH = 64 * MEGABYTE
MOST_MS = 50
SERVER = "location / { wsgi_app @PREFIX@/app.py app; } location = /static.txt {}"
APPLICATION = """
PIECE = b"0123456789abcdef" * 4096

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    if environ["PATH_INFO"] == "/large":
        return (PIECE[:1] + PIECE[1:] for _ in range(320))
    return [b"short"]
"""


class Readers:
    """All slow clients, driven by one thread."""

    def __init__(self, server, count, stack):
        self.plain, self.h2 = [], []
        for _ in range(count // 2):
            connection = server.connect(receive_buffer=4096)
            stack.callback(connection.close)
            connection.send_request("/large")
            self.plain.append(connection.socket)
        for _ in range((count - count // 2) // STREAMS):
            connection = stack.enter_context(H2Connection(server.h2_port, window=0))
            self.h2.append((connection, [connection.send("/large") for _ in range(STREAMS)]))
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.read, daemon=True)

    def read(self):
        while not self.over.wait(1):
            for plain in self.plain:
                plain.recv(1)
            for connection, streams in self.h2:
                for stream in streams:
                    connection.open_window(stream, 1)


def ask(server, path, seconds):
    """The latencies, in milliseconds, of requests on one connection."""
    latencies, end = [], time.monotonic() + seconds
    with server.connect() as connection:
        while time.monotonic() < end:
            begun = time.monotonic()
            assert connection.ask(path).status == 200, path
            latencies.append(1000 * (time.monotonic() - begun))
    return sorted(latencies)


def shown(latencies):
    p50, p99 = latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100]
    return f"p50 {p50:6.2f} ms, p99 {p99:6.2f} ms, worst {latencies[-1]:6.2f} ms"


def measure(server, when, seconds):
    found = {path: ask(server, path, seconds) for path in ("/short", "/static.txt")}
    for path, latencies in found.items():
        print(f"{when:14} {path:12} {shown(latencies)} ({len(latencies)} requests)")
    return found["/short"]


def run(server, arguments, stack):
    (worker,) = server.workers()
    measure(server, "alone", arguments.seconds)
    before = server.reset_peak_memory()
    begun = time.monotonic()
    readers = Readers(server, arguments.readers, stack)
    readers.thread.start()
    asking = ask(server, "/static.txt", arguments.seconds)
    print(f"{'while they ask':14} {'/static.txt':12} {shown(asking)} ({len(asking)} requests)")
    stored = "buffered to a temporary file"
    wait_for(lambda: server.log().count(stored) >= arguments.readers, "all responses in files", 120)
    print(f"all {arguments.readers} responses are stored after {time.monotonic() - begun:.1f} s")
    short = measure(server, "with them", arguments.seconds)
    grown = server.peak_memory() - before
    print(f"the worker holds at most {grown / MEGABYTE:.1f} MB more than before")
    readers.over.set()
    readers.thread.join()
    assert server.workers() == [worker], "the worker must still be the same"
    return grown <= MOST_GROWTH and short[len(short) * 99 // 100] <= MOST_MS


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wsgi-readers-") as folder, contextlib.ExitStack() as stack:
        pathlib.Path(folder).chmod(0o755)
        server = Nginx(folder, SERVER, http="keepalive_requests 1000000;")
        server.write("app.py", APPLICATION)
        server.write("html/static.txt", "short")
        server.start()
        stack.callback(server.stop)
        wait_for(lambda: server.ask("/short").status == 200, "the import")
        sys.exit(0 if run(server, arguments, stack) else 1)


main()
