"""Answers with parts of its request.

hello      "Hello world!", with a length
echo       the request's body, after all of it arrived
lines      each line of the body as soon as it arrives
describe   a few keys of environ, and the body
"""


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "12")])
    return [b"Hello world!"]


def echo(environ, start_response):
    try:
        body = environ["wsgi.input"].read()
    except OSError:
        body = b"OSError"
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return [body]


def lines(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield from environ["wsgi.input"]


def describe(environ, start_response):
    keys = ["REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "CONTENT_LENGTH", "HTTP_X_NAME"]
    said = [f"{key}={environ.get(key, '-')}" for key in keys]
    start_response("202 Accepted", [("X-One", "1"), ("X-Two", "2")])
    return ["\n".join(said).encode("latin-1"), b"\n", environ["wsgi.input"].read()]
