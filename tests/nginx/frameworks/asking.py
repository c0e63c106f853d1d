"""Requests to a site over HTTP/1.1 or HTTP/2, with one kind of answer for both."""

import json

from h2client import H2Connection

SITES = ["flask", "django", "bottle", "pyramid", "falcon", "cherrypy"]
WAYS = ["HTTP/1.1", "HTTP/2"]


class Answer:
    """A response, with the names of its headers in small letters."""

    def __init__(self, status, headers, body):
        self.status, self.body = status, bytes(body)
        self.headers = [(name.lower(), value) for name, value in headers]

    def all(self, name):
        return [value for key, value in self.headers if key == name.lower()]

    def header(self, name):
        values = self.all(name)
        assert len(values) <= 1, f"{name} was sent {len(values)} times"
        return values[0] if values else None

    def json(self):
        assert self.status == 200, (self.status, self.body)
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()


def ask(server, way, path, method="GET", headers=(), body=None):
    """Sends one request on a connection of its own."""
    if way == "HTTP/1.1":
        response = server.ask(path, method, headers=headers, body=body)
    else:
        small = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
        if body is not None:
            small.append((b"content-length", b"%d" % len(body)))
        with H2Connection(server.h2_port) as connection:
            response = connection.ask(path, method=method, headers=small, body=body)
            assert response.ended, "the server reset the stream before its end"
    return Answer(response.status, response.headers, response.body)
