"""The load of the soak test: clients of many kinds, each on a thread, until `stop` ends them.

Each client knows what it must get. Anything else is a failure, which is counted and shown.
"""

import hashlib
import threading
import time

import client

LOCATIONS = """
    client_max_body_size 20m;
    location / { wsgi_app @APPS@/errors.py app; }
    location /large/ { wsgi_app @APPS@/large.py app; wsgi_script_name /large; }
    location /input/ { wsgi_app @APPS@/input.py app; wsgi_script_name /input; }
    location /file/ { wsgi_app @APPS@/file_wrapper.py app; wsgi_script_name /file; }
    location /response/ { wsgi_app @APPS@/response.py app; wsgi_script_name /response; }
    location = /objects { wsgi_app @SOAK@/app.py app; }
"""
LARGE = 160 * 65536
UPLOADS = [b"x" * 100, b"y" * 100_000, b"z" * 2_000_000]


class Wrong(Exception):
    """An answer that is not as it must be."""


def expect(response, status, body=None):
    if response.status != status or (body is not None and response.body != body):
        raise Wrong(f"{response.status} with {len(response.body)} bytes: {response.body[:60]!r}")


class Load:
    def __init__(self, server):
        self.server = server
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.done, self.failures = {}, []
        kinds = [self.fast, self.fast, self.http1, self.slow, self.streaming, self.upload]
        kinds += [self.abort, self.error, self.file]
        self.threads = [threading.Thread(target=self.repeat, args=(kind,)) for kind in kinds]

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def repeat(self, kind):
        name, turn = kind.__name__, 0
        while not self.stopping.is_set():
            try:
                requests = kind(turn)
            except (Wrong, OSError, client.Closed, client.Truncated) as error:
                with self.lock:
                    self.failures.append(f"{name}: {type(error).__name__}: {error}")
                requests = 1
            with self.lock:
                self.done[name] = self.done.get(name, 0) + requests
            turn += 1
            # The load is mixed and not as high as possible: other programs need the machine too.
            self.stopping.wait(0.02)

    def fast(self, turn):
        """Requests on one connection. A server may close an idle one, which is not a failure."""
        with self.server.connect() as connection:
            for done in range(20):
                try:
                    expect(connection.ask("/ok"), 200, b"ok")
                except (client.Closed, BrokenPipeError):
                    if done == 0:
                        raise
                    return done
                # A pause, so that the other kinds get their share of the server.
                time.sleep(0.002)
        return 20

    def http1(self, turn):
        """Requests on connections of their own."""
        paths = {"list": b"onetwothree", "generator": b"onetwothree", "written": b"abc"}
        for path, body in paths.items():
            expect(self.server.ask(f"/response/{path}"), 200, body)
        return len(paths)

    def slow(self, turn):
        """Reads much more slowly than the application gives blocks."""
        with self.server.connect(receive_buffer=8192) as connection:
            connection.send_request("/large/endless?3")
            response = connection.read_head()
            size = 0
            for chunk in connection.pieces(response):
                size += len(chunk)
                if self.stopping.wait(0.03):
                    return 1
        if size != 3 << 20:
            raise Wrong(f"{size} bytes")
        return 1

    def streaming(self, turn):
        path = ["/large/generator", "/large/list", "/large/one"][turn % 3]
        response = self.server.ask(path)
        if len(response.body) != LARGE:
            raise Wrong(f"{len(response.body)} bytes of {path}")
        self.stopping.wait(0.3)
        return 1

    def upload(self, turn):
        body = UPLOADS[turn % 3]
        path = ["/input/digest", "/input/digest_pieces", "/input/unread"][turn // 3 % 3]
        shown = repr("not read" if path.endswith("unread") else hashlib.sha256(body).hexdigest())
        expect(self.server.ask(path, "POST", body=body), 200, shown.encode())
        return 1

    def abort(self, turn):
        """Leaves: before the answer, in the middle of it, or in the middle of an upload."""
        path = ["/ok", "/large/endless?20", "/large/list", "/input/read"][turn % 4]
        headers = [("Content-Length", "1000")] if path == "/input/read" else []
        with self.server.connect(receive_buffer=8192) as connection:
            connection.send_request(path, headers=headers)
            if turn % 8 < 4 and not headers:
                connection.read_head()
        return 1

    def error(self, turn):
        path = ["/raises", "/none", "/str_body", "/system_exit", "/recursion"][turn % 5]
        expect(self.server.ask(path), 500)
        try:
            self.server.ask("/raises_after_length")
        except client.Truncated:
            return 2
        raise Wrong("a truncated response looks complete")

    def file(self, turn):
        path = ["whole", "buffered", "bytes", "iterated"][turn % 4]
        expect(self.server.ask(f"/file/{path}?{self.server.prefix}/file"), 200)
        return 1
