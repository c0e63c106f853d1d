#!/usr/bin/env python3
"""`make attack`: clients of every kind against configurations that are drawn by lot.

Each round draws directives for a few locations by SEED and starts an nginx. Clients then request
responses of which the test knows every byte. There are quick clients, slow ones, ones that stop
reading, and ones that reset or leave. They use HTTP/1.1, TLS and HTTP/2 with windows of all sizes.
Meanwhile one client requests a static file. In a third of the rounds nginx reloads in the middle.

Half of the rounds are roomy: each location has buffering and files, so that no client can hold a
thread. There the server must answer every request. In the other rounds slow clients may hold all
threads, as docs/security.md describes: the server may answer 503, and a client may wait too long.
The bytes that a client gets must still be right.

Exit code 1, with the seed of the round: a response was wrong or did not end, a complete one was cut
off, a broken one looked complete, the static file took longer than a second (except with
`wsgi_threads 0`), the log has an alert, or nginx did not end.
"""

import argparse
import pathlib
import random
import signal
import socket
import sys
import tempfile
import threading
import time
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "nginx"), str(pathlib.Path(__file__).parent)]

from attack_app import known  # noqa: E402
from client import Closed, Truncated  # noqa: E402
from h2.exceptions import ProtocolError  # noqa: E402
from h2client import H2Connection  # noqa: E402
from server import Nginx, wait_for  # noqa: E402

CLIENTS, LOCATIONS = 16, 6
PATIENCE = 60.0  # seconds for one response, which the slowest clients do not need
SLOWEST_STATIC = 1.0

MAIN = {
    "wsgi_threads": ["0", "1", "2", "4", "8"],
    "wsgi_max_buffered": ["64k", "1m", "32m"],
}
PLACE = {
    "wsgi_buffering": ["on", "on", "off"],
    "wsgi_buffer_size": ["1", "4k", "64k", "256k", "1m"],
    "wsgi_max_temp_file_size": ["0", "1", "64k", "1m", "1024m", "1024m"],
    "wsgi_temp_file_write_size": ["4k", "64k", "256k"],
    "wsgi_ignore_client_abort": ["on", "off"],
    "wsgi_request_buffering": ["on", "off"],
    "gzip": ["on", "off"],
    "gzip_buffers": ["2 4k", "32 4k"],
    "ssi": ["on", "off", "off"],
    "sub_filter": ["nothing something", None, None],
    "limit_rate": ["300k", None, None, None],
    "sendfile": ["on", "off"],
    "sendfile_max_chunk": ["0", "8k", "128k", "2m"],
    "tcp_nopush": ["on", "off"],
    "postpone_output": ["0", "1460", "20000"],
    "output_buffers": ["1 4k", "2 32k"],
    "aio": ["threads", "off", "off"],
    "mirror": ["/quick", None, None],
    "chunked_transfer_encoding": ["on", "on", "off"],
}
ROOMY = {
    "wsgi_buffering": "on",
    "wsgi_max_temp_file_size": "1024m",
    "wsgi_ignore_headers": "X-Accel-Buffering",
}
TYPES = "gzip_types *; ssi_types *; sub_filter_types *; gzip_http_version 1.0; addition_types *;"
SHAPES = ["list", "one", "empty", "broken", "written", "generator", "generator"]


class Place:
    """A location with directives of its own, and what its responses have before and after them."""

    def __init__(self, chance, number, is_roomy):
        drawn = {name: chance.choice(values) for name, values in PLACE.items()}
        drawn.update(ROOMY if is_roomy else {})
        self.prefix, self.parts = f"/{number}", chance.choice(["", "", "add"])
        if self.parts and drawn["sendfile"] == "on":
            # With all three, nginx does not finish a page of static files over HTTP/2 either.
            drawn["aio"] = "off"
        lines = [f"{name} {value};" for name, value in drawn.items() if value is not None]
        if self.parts:
            lines.append("add_before_body /part; add_after_body /part;")
        lines.append(f"wsgi_app @PREFIX@/attack_app.py app; wsgi_script_name {self.prefix};")
        self.text = f"location {self.prefix}/ {{ {' '.join(lines)} }}"

    def around(self):
        return known(1, 3000) if self.parts else b""


class Round:
    """One nginx and all that the clients do to it."""

    def __init__(self, seed, seconds):
        self.chance, self.seconds = random.Random(seed), seconds
        self.is_roomy, self.reloads = self.chance.random() < 0.5, self.chance.random() < 0.33
        self.places = [Place(self.chance, n, self.is_roomy) for n in range(LOCATIONS)]
        self.http = TYPES + "".join(
            f" {name} {self.chance.choice(values)};" for name, values in MAIN.items()
        )
        self.failures, self.done, self.refused, self.slowest = [], 0, 0, 0.0
        self.over, self.reloaded = threading.Event(), 0.0

    def run(self, folder):
        server = self.server = Nginx(folder, self.configuration(), http=self.http)
        application = pathlib.Path(__file__).parent / "attack_app.py"
        server.write("attack_app.py", application.read_text())
        server.write("html/static.txt", "static")
        server.make_certificate()
        server.expect("WSGI0003")
        server.start()
        wait_for(lambda: server.ask("/quick").status == 200, "the import")
        threads = [
            threading.Thread(target=self.work, args=(self.chance.random(),)) for _ in range(CLIENTS)
        ]
        threads.append(threading.Thread(target=self.watch))
        for thread in threads:
            thread.start()
        self.over.wait(self.seconds / 2)
        if self.reloads:
            server.send(signal.SIGHUP)
            self.reloaded = time.monotonic()
        self.over.wait(self.seconds / 2)
        self.over.set()
        for thread in threads:
            thread.join(2 * PATIENCE)
            if thread.is_alive():
                self.failures.append("a client is still waiting")
        try:
            wait_for(lambda: server.ask("/quick").status == 200, "a thread to be free")
            server.finish()
        except (AssertionError, OSError) as failure:
            self.failures.append(str(failure)[-3000:])

    def configuration(self):
        tls = "listen 127.0.0.1:@OTHER_PORT@ ssl; ssl_certificate @PREFIX@/cert.pem; "
        tls += "ssl_certificate_key @PREFIX@/key.pem;"
        part = "location = /part { rewrite ^ /part?3000-700-1-0? break; " \
               "wsgi_app @PREFIX@/attack_app.py app; }"
        if self.is_roomy:
            part = part.replace("}", " ".join(f"{n} {v};" for n, v in ROOMY.items()) + " }")
        quick = "location /quick { wsgi_app @PREFIX@/attack_app.py app; }"
        static = "location = /static.txt { }"
        return "\n".join([tls, part, quick, static, *(place.text for place in self.places)])

    def watch(self):
        """Requests the static file again and again, to see that the event loop does not block."""
        while not self.over.is_set():
            begin = time.monotonic()
            try:
                ok = self.server.ask("/static.txt").status == 200
            except (OSError, Closed) as failure:
                ok = self.is_of_the_reload(begin, failure)
                if not ok:
                    self.failures.append(f"the static file: {failure!r}")
            took = time.monotonic() - begin
            self.slowest = max(self.slowest, took)
            if not ok or (took > SLOWEST_STATIC and "wsgi_threads 0" not in self.http):
                self.failures.append(f"the static file took {took:.2f} s")
            self.over.wait(0.05)

    def work(self, seed):
        chance = random.Random(seed)
        while not self.over.is_set():
            place = chance.choice(self.places)
            shape, start = chance.choice(SHAPES), chance.randrange(1, 1000)
            size = chance.choice([0, 1, 5000, 100_000, 1_000_000, 9_000_000])
            piece = max(chance.choice([1, 10, 700, 8192, 65536, 1 << 20, 8 << 20]), size // 20000, 1)
            delay = chance.choice([0, 0, 1]) if size // piece < 200 else 0
            path = f"{place.prefix}/{shape}?{size}-{piece}-{start}-{delay}"
            way = chance.choice([self.plain, self.plain, self.tls, self.h2, self.h2, self.leave])
            begin = time.monotonic()
            try:
                way(chance, path, place, known(start, size), shape == "broken")
                self.done += 1
            except Exception as failure:
                if self.is_of_the_reload(begin, failure) or self.is_of_the_crowd(failure):
                    self.refused += 1
                    continue
                took = time.monotonic() - begin
                text = f"{way.__name__} {path}, {took:.1f} s: {type(failure).__name__}: {failure}"
                self.failures.append(f"{text[:400]}\n    {place.text}")

    def is_of_the_reload(self, begin, failure):
        """A worker that ends closes connections on which no request has begun, and sends GOAWAY.

        The library h2 refuses all that comes on a connection after that.
        """
        kinds = (Closed, ConnectionError, ProtocolError)
        return isinstance(failure, kinds) and begin - 1.0 < self.reloaded

    def is_of_the_crowd(self, failure):
        """Slow clients may hold all threads in a round without files."""
        return isinstance(failure, TimeoutError) and not self.is_roomy

    def judge(self, status, body, whole, place, expected, broken):
        around = place.around()
        if status == 500 and broken:
            return
        if status == 503 and not self.is_roomy:
            self.refused += 1
            return
        assert status == 200, f"status {status}"
        wanted = around + expected + around
        if around and not self.is_roomy and (whole or broken):
            # Instead of a part there may be the page of its 503.
            assert not whole or expected in body, f"other bytes in {len(body)}, not {len(wanted)}"
            assert whole != broken, "whole"
            return
        assert wanted.startswith(body), f"other bytes among {len(body)} of {len(wanted)}"
        assert whole != broken, "whole" if whole else f"cut off after {len(body)} of {len(wanted)}"
        assert broken or body == wanted, f"{len(body)} of {len(wanted)} bytes"

    def plain(self, chance, path, place, expected, broken, port=None, tls=False):
        slow = chance.choice([None, None, 4096])
        with self.server.connect(port, receive_buffer=slow, tls=tls) as connection:
            connection.socket.settimeout(PATIENCE)
            zipped = chance.random() < 0.5
            headers = [("Accept-Encoding", "gzip")] if zipped else []
            how = {"method": "POST", "body": b"a body"} if chance.random() < 0.2 else {}
            connection.send_request(path, headers=[*headers, ("Connection", "close")], **how)
            # A slow client: the server must keep the response for it meanwhile.
            time.sleep(chance.choice([0, 0, 0.1, 1.0]))
            response, whole = connection.read_head(), True
            framed = response.chunked or response.header("Content-Length") is not None
            try:
                response.pieces.extend(connection.pieces(response))
            except Truncated:
                whole = False
            body = response.body
            if response.header("Content-Encoding") == "gzip":
                body = zlib.decompressobj(31).decompress(body)
            # Where only the end of the connection ends a response, both look the same.
            cut_off = not whole or (broken and not framed)
            self.judge(response.status, body, not cut_off, place, expected, broken)

    def tls(self, chance, path, place, expected, broken):
        self.plain(chance, path, place, expected, broken, self.server.other_port, tls=True)

    def h2(self, chance, path, place, expected, broken):
        window = chance.choice([1, 1000, 65535, 1 << 20])
        if window < 1000 and len(expected) > 5000:
            window = 65535
        with H2Connection(self.server.h2_port, window) as connection:
            connection.socket.settimeout(PATIENCE)
            streams = [connection.send(path) for _ in range(chance.choice([1, 1, 3]))]
            # The client reads nothing meanwhile, so that the windows are used up.
            time.sleep(chance.choice([0, 0, 0.2]))
            if len(streams) > 1:
                connection.reset(streams.pop(0))
            for stream in streams:
                got = connection.response(stream)
                if got.status is None and broken:
                    continue
                self.judge(
                    got.status, bytes(got.body), not got.reset, place, expected, broken
                )

    def leave(self, chance, path, _place, _expected, _broken):
        """Sends a request, reads a little, and leaves: by a close, or by a reset."""
        connection = self.server.connect(receive_buffer=4096)
        connection.send_request(path)
        # The client leaves at the start of the response, or in the middle.
        time.sleep(chance.choice([0, 0.01, 0.2]))
        if chance.random() < 0.5:
            connection.socket.recv(chance.choice([1, 100, 65536]))
        if chance.random() < 0.5:
            linger = b"\x01\0\0\0\0\0\0\0"
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        connection.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seconds", type=float, default=20, help="of one round")
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**8)
    end = time.monotonic() + options.minutes * 60
    failed = 0
    while time.monotonic() < end:
        one = Round(seed, options.seconds)
        with tempfile.TemporaryDirectory(prefix="wsgi-attack-") as folder:
            pathlib.Path(folder).chmod(0o755)
            one.run(folder)
        kind = f"{'roomy' if one.is_roomy else 'crowded'}{', a reload' if one.reloads else ''}"
        print(
            f"seed {seed}, {kind}: {one.done} requests, {one.refused} refused, static at most "
            f"{one.slowest:.2f} s",
            flush=True,
        )
        for failure in one.failures:
            print(f"  {failure}", flush=True)
        if one.failures:
            failed += 1
            print(f"  http: {one.http}", flush=True)
        seed += 1
    return 1 if failed else 0


sys.exit(main())
