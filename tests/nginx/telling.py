"""Requests to tests/apps/told.py, in three ways that must have the same result.

"wsgi" is the module over HTTP/1.1 and "h2" is the module over HTTP/2. "proxy" is nginx's own
proxy_pass to the same application, which passes X-Accel-* on and does not obey them. Users of nginx
know how proxy_pass behaves. A test with the same result for all three shows that the module does
the same.
"""

import contextlib
import json
from urllib.parse import quote

from client import Response
from h2client import H2Connection

WAYS = ("wsgi", "h2", "proxy")
PATHS = {"wsgi": "/wsgi", "h2": "/wsgi", "proxy": "/proxy"}
TEXT = ["Content-Type", "text/plain"]

LOCATIONS = """
    location /wsgi/ { wsgi_app @APPS@/told.py app; wsgi_script_name /wsgi; %(wsgi)s }
    location /proxy/ { proxy_pass http://127.0.0.1:@OTHER_PORT@/; %(proxy)s }
"""
BEHIND = """
    server {
        listen 127.0.0.1:@OTHER_PORT@;
        location / {
            wsgi_app @APPS@/told.py app;
            wsgi_pass_header X-Accel-Redirect;
            wsgi_pass_header X-Accel-Expires;
            wsgi_pass_header X-Accel-Limit-Rate;
            wsgi_pass_header X-Accel-Buffering;
            wsgi_pass_header X-Accel-Charset;
            wsgi_ignore_headers X-Accel-Redirect X-Accel-Limit-Rate X-Accel-Charset;
            wsgi_hide_header X-What-Http-Says-Is-Not-For-This-Server;
            location /environ { wsgi_app @APPS@/environ.py app; }
        }
    }
"""


def locations(directives=""):
    """The two locations. `directives` are for both; % in them stands for `wsgi` or `proxy`."""
    return LOCATIONS % {way: directives.replace("%", way) for way in ("wsgi", "proxy")}


def target(way, path="/", **told):
    return PATHS[way] + path + ("?" + quote(json.dumps(told)) if told else "")


def tell(server, way, method="GET", with_headers=(), with_body=None, **told):
    """Makes the application answer as `told` describes."""
    return ask(server, way, target(way, **told), method, with_headers, with_body)


def ask(server, way, path, method="GET", headers=(), body=None):
    if way != "h2":
        return server.ask(path, method, headers=headers, body=body)
    headers = [(name.lower(), value) for name, value in headers]
    with H2Connection(server.h2_port) as connection:
        stream = connection.ask(path, method=method, headers=headers, body=body)
    assert stream.ended and not stream.reset, "the response must be complete"
    response = Response("HTTP/2", stream.status, "", stream.headers)
    response.pieces.append(bytes(stream.body))
    return response


def environ_of(response):
    """The environ that tests/apps/environ.py has shown."""
    return {key: value for key, (_, value) in json.loads(response.body).items()}


@contextlib.contextmanager
def closing(server, way="wsgi"):
    """Gives a function: the number of bodies that were closed since the beginning."""
    path = PATHS[way] + "/closed"
    before = int(server.ask(path).text)
    yield lambda: int(server.ask(path).text) - before
