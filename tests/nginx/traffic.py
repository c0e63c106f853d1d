"""Traffic that counts failures: several clients at once, of several kinds, until the test ends
them.

A request fails if its answer is wrong, broken off, or missing. With one exception: nginx may close
an idle connection at the moment when a request arrives on it. RFC 9112, 9.3.1: "a client MAY retry
idempotent requests on a new connection" then. These clients do so, if the connection had answered
before and no byte of the answer came.
"""

import http.client
import threading

CLOSED = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)


class Traffic:
    """`kinds` are functions of a client that make one request and return the fault, or None."""

    def __init__(self, port, kinds):
        self.port = port
        self.failures = []
        self.retries = 0
        self.counts = [0] * len(kinds)
        self.enough = threading.Event()
        self.threads = [
            threading.Thread(target=self.run, args=(number, kind), daemon=True)
            for number, kind in enumerate(kinds)
        ]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.enough.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a client waits without an end"

    @property
    def count(self):
        return sum(self.counts)

    def run(self, number, kind):
        client = Client(self)
        while not self.enough.is_set():
            try:
                wrong = kind(client)
            except Exception as error:
                wrong = repr(error)
                client.close()
            if wrong:
                self.failures.append(f"{kind.__name__}: {wrong}")
            self.counts[number] += 1
        client.close()


class Client:
    """One connection, kept from one request to the next."""

    def __init__(self, traffic):
        self.traffic = traffic
        self.connection = None
        self.used = False

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection, self.used = None, False

    def respond(self, path, method="GET", body=None):
        """Sends a request, and returns the response before its body."""
        while True:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.traffic.port, 15)
                self.connection.connect()
            try:
                self.connection.request(method, path, body)
                response = self.connection.getresponse()
                self.used = True
                return response
            except CLOSED:
                if not self.used:
                    raise
                self.close()
                self.traffic.retries += 1

    def ask(self, path, method="GET", body=None):
        response = self.respond(path, method, body)
        return response.status, response.read()
